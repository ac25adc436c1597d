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
from gdr_model.encoders.muscall.net import (
    POOL_HEADS,
    Bottleneck,
    Muscall,
    MuscallConfig,
    attend,
    upstream_config,
)
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


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_torch(causal: bool) -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 5, 12) for _ in range(3))
    theirs = torch.nn.MultiheadAttention(12, 3, bias=False, batch_first=True)
    with torch.inference_mode():
        theirs.in_proj_weight.copy_(torch.eye(12).repeat(3, 1))
        theirs.out_proj.weight.copy_(torch.eye(12))
        mask = torch.ones(5, 5).triu(1).bool() if causal else None
        wanted, _ = theirs(q, k, v, attn_mask=mask)
        torch.testing.assert_close(attend(q, k, v, 3, causal=causal), wanted)


def test_the_pool_is_clips(net: Muscall) -> None:
    """A query from the mean of all positions, computed by torch's own attention."""
    pool = net.audio_backbone.attnpool
    features = torch.randn(2, pool.q_proj.in_features, 4, 2)
    positions = features.flatten(2).permute(2, 0, 1)
    positions = torch.cat([positions.mean(0, keepdim=True), positions])
    positions = positions + pool.positional_embedding[:, None]
    width = positions.shape[-1]
    with torch.inference_mode():
        wanted, _ = F.multi_head_attention_forward(
            query=positions[:1],
            key=positions,
            value=positions,
            embed_dim_to_check=width,
            num_heads=POOL_HEADS,
            q_proj_weight=pool.q_proj.weight,
            k_proj_weight=pool.k_proj.weight,
            v_proj_weight=pool.v_proj.weight,
            in_proj_weight=None,
            in_proj_bias=torch.cat([pool.q_proj.bias, pool.k_proj.bias, pool.v_proj.bias]),
            bias_k=None,
            bias_v=None,
            add_zero_attn=False,
            dropout_p=0,
            out_proj_weight=pool.c_proj.weight,
            out_proj_bias=pool.c_proj.bias,
            use_separate_proj_weight=True,
            training=False,
            need_weights=False,
        )
        torch.testing.assert_close(pool(features), wanted[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("stride", "width_in"), [(1, 8), (2, 8), (2, 6)])
def test_a_bottleneck_is_resnets_with_an_average_in_the_place_of_the_stride(
    stride: int, width_in: int
) -> None:
    block = ref.alive(Bottleneck(width_in, 2, stride))
    x = torch.randn(2, width_in, 6, 10)

    def silence(part: torch.nn.Module) -> None:
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)

    with torch.inference_mode():
        assert block(x).shape == (2, 8, 6 // stride, 10 // stride)
        silence(block.bn3)
        skip = x if block.downsample is None else block.downsample(F.avg_pool2d(x, stride))
        torch.testing.assert_close(block(x), F.relu(skip), rtol=1e-4, atol=1e-5)


def test_points_of_a_batch_are_those_of_each_window(net: Muscall) -> None:
    samples = 0.1 * torch.randn(3, CONFIG.samples, generator=torch.Generator().manual_seed(0))
    samples[1] *= 0.01  # the floor follows each window's own level
    with torch.inference_mode():
        together = net.sound(samples)
        for row in range(3):
            alone = net.sound(samples[[row]])[0]
            torch.testing.assert_close(alone, together[row], rtol=1e-3, atol=1e-4)


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
