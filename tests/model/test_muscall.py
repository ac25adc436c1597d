"""MusCALL: sizes, windows, and what a token can see."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import references as ref
import torch
from torch.nn import functional as F
from transformers.convert_slow_tokenizer import bytes_to_unicode

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.muscall import encoder as muscall
from gdr_model.encoders.muscall.net import Muscall, MuscallConfig, upstream_config
from gdr_model.errors import Cancelled, ModelError, WeightsMissing
from gdr_model.types import LatentSpace

CONFIG = upstream_config(ref.MUSCALL)


@pytest.fixture
def net() -> Muscall:
    return ref.alive(Muscall(CONFIG))


@pytest.fixture
def folder(net: Muscall, tmp_path: Path) -> Path:
    gdr_folder.write(tmp_path / "muscall", "muscall", CONFIG, net.state_dict())
    return tmp_path / "muscall"


@pytest.fixture
def encoder(folder: Path):
    space = LatentSpace("muscall", 12, 16_000, 3.0, 1.0, "0" * 16)
    return muscall.load_audio(folder, space, torch.device("cpu"))


def test_the_full_network_has_the_papers_size() -> None:
    with torch.device("meta"):
        net = Muscall(MuscallConfig())
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(40.77, abs=0.005)
    assert net.config.samples == 320_000
    assert net.config.positions == 77


def test_each_second_reads_the_window_around_it(encoder, net: Muscall) -> None:
    samples = 0.1 * np.random.default_rng(0).standard_normal(16_000 * 8, np.float32)
    latents = encoder.encode(samples)
    assert latents.shape == (8, 12)
    with torch.inference_mode():
        window = torch.from_numpy(samples[16_000 * 3 : 16_000 * 6])[None]
        expected = F.normalize(net.sound(window))[0]
    np.testing.assert_allclose(latents[4], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(latents[0], latents[1])


def test_silence_and_short_sounds_have_latents_too(encoder) -> None:
    for count in (0, 5_000, 48_000):
        assert np.isfinite(encoder.encode(np.zeros(count, np.float32))).all()


def test_encoding_stops_when_asked(encoder) -> None:
    with pytest.raises(Cancelled):
        encoder.encode(np.zeros(90_000, np.float32), lambda: True)


def test_a_token_sees_what_stands_before_it_alone(net: Muscall) -> None:
    ids = torch.tensor([[598, 7, 9, 599, 0, 0], [598, 7, 9, 599, 5, 17]])
    with torch.inference_mode():
        states, points = net.words(ids)
        _, short = net.words(ids[:1, :4])
    torch.testing.assert_close(states[0, :4], states[1, :4])
    torch.testing.assert_close(points[0], points[1])
    torch.testing.assert_close(short[0], points[0])


def test_the_folder_of_another_encoder_is_refused(folder: Path, encoder) -> None:
    described = (folder / "config.json").read_text()
    (folder / "config.json").write_text(described.replace('"muscall"', '"mule"'))
    with pytest.raises(ModelError, match="of type 'mule', not of 'muscall'"):
        muscall.load_audio(folder, encoder.space, torch.device("cpu"))


@pytest.fixture
def vocabulary(folder: Path) -> Path:
    """CLIP's tokenizer over single bytes and one merge, as many tokens as the weights have."""
    letters = list(bytes_to_unicode().values())
    words = [*letters, *(letter + "</w>" for letter in letters), "in", "in</w>"]
    words += [f"<unused{i}>" for i in range(CONFIG.vocabulary - 2 - len(words))]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\ni n\ni n</w>\n")
    return folder


def test_words_are_read_alone_and_end_where_the_vocabulary_ends(
    vocabulary: Path, net: Muscall
) -> None:
    reader = muscall.load_text(vocabulary, torch.device("cpu"))
    both = reader.embed(["violin", "", "rain " * 200])
    assert both.states.shape == (3, 77, 24)
    assert both.mask.sum(1).tolist() == [7, 0, 77]  # start, v, i, o, l, in, end; start to end
    np.testing.assert_array_equal(both.pooled[0], reader.embed(["violin"]).pooled[0])
    np.testing.assert_allclose(np.linalg.norm(both.pooled[[0, 2]], axis=1), 1, rtol=1e-5)
    ids = muscall.vocabulary(vocabulary, CONFIG)("Violin")["input_ids"]
    assert (ids[0], ids[-1]) == (598, 599)
    with torch.inference_mode():
        expected = F.normalize(net.words(torch.tensor([ids]))[1])[0]
    np.testing.assert_allclose(both.pooled[0], expected, atol=1e-5)


def test_a_vocabulary_that_is_missing_or_of_other_weights_is_refused(vocabulary: Path) -> None:
    known = json.loads((vocabulary / "vocab.json").read_text())
    known["<one more>"] = len(known)
    (vocabulary / "vocab.json").write_text(json.dumps(known))
    with pytest.raises(ModelError, match="has 601 tokens"):
        muscall.load_text(vocabulary, torch.device("cpu"))
    (vocabulary / "vocab.json").write_text("not a vocabulary")
    with pytest.raises(ModelError, match="no vocabulary"):
        muscall.load_text(vocabulary, torch.device("cpu"))
    (vocabulary / "merges.txt").unlink()
    with pytest.raises(WeightsMissing, match=r"has no merges\.txt"):
        muscall.load_text(vocabulary, torch.device("cpu"))
