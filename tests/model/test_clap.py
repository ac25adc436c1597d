"""CLAP through transformers: its numbers are transformers' own, and its folders are checked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

from gdr_model.encoders.shared.windows import repeat_and_pad
from gdr_model.errors import Cancelled, Hint, ModelError, UsageError, WeightsMissing
from gdr_model.models import checkpoint

RATE_HZ = 48_000


def sound(seconds: float) -> np.ndarray:
    """Noise that swells, so that every window sounds different."""
    count = round(seconds * RATE_HZ)
    noise = np.random.default_rng(0).standard_normal(count)
    return (0.1 * noise * np.linspace(0, 1, count)).astype(np.float32)


@pytest.fixture
def model(tiny_clap: Path) -> checkpoint.Model:
    return checkpoint.load(str(tiny_clap), "cpu")


def test_latents_are_those_of_transformers(model, tiny_clap) -> None:
    samples = sound(12)
    latents = model.encoder.encode(samples)
    assert latents.shape == (12, 16)
    original = ClapModel.from_pretrained(tiny_clap)
    extractor = ClapFeatureExtractor.from_pretrained(tiny_clap)
    # The window of second 5 is centred on its middle; that of the first begins with the sound.
    for second, start in ((0, 0), (5, RATE_HZ // 2), (11, 2 * RATE_HZ)):
        features = extractor(
            samples[start : start + 10 * RATE_HZ], sampling_rate=RATE_HZ, return_tensors="pt"
        )
        with torch.inference_mode():
            wanted = original.get_audio_features(**features).pooler_output[0]
        np.testing.assert_allclose(latents[second], wanted, atol=1e-5)
    assert (latents[0] - latents[11]).std() > 1e-3


def test_a_short_sound_is_filled_up_as_transformers_does(model, tiny_clap) -> None:
    samples = sound(3.4)
    latents = model.encoder.encode(samples)
    features = ClapFeatureExtractor.from_pretrained(tiny_clap)(
        samples, sampling_rate=RATE_HZ, return_tensors="pt"
    )
    with torch.inference_mode():
        wanted = ClapModel.from_pretrained(tiny_clap).get_audio_features(**features)
    assert latents.shape == (3, 16)
    np.testing.assert_allclose(latents, wanted.pooler_output.expand(3, -1), atol=1e-5)
    assert np.isfinite(model.encoder.encode(np.zeros(0, np.float32))).all()


def test_words_are_those_of_transformers(model, tiny_clap) -> None:
    prompt = "slow and sad, a warm piano"
    ids = AutoTokenizer.from_pretrained(tiny_clap)(
        prompt, padding="max_length", max_length=77, return_tensors="pt"
    )
    original = ClapModel.from_pretrained(tiny_clap)
    with torch.inference_mode():
        wanted = original.get_text_features(**ids)
    found = model.text.embed([prompt, "loud drums", ""])
    count = int(ids["attention_mask"].sum())
    np.testing.assert_allclose(found.pooled[0], wanted.pooler_output[0], atol=1e-5)
    np.testing.assert_allclose(
        found.states[0, :count], wanted.last_hidden_state[0, :count], atol=1e-5
    )
    assert found.mask.sum(1).tolist()[0] == count
    assert not found.mask[2].any()
    assert not found.pooled[2].any()
    np.testing.assert_array_equal(model.text.embed(["loud drums"]).pooled[0], found.pooled[1])


def test_a_coarser_hop_is_another_space_and_nearly_the_same_latents(model, tiny_clap) -> None:
    coarse = checkpoint.load(f"{tiny_clap}@4", "cpu")
    assert coarse.space != model.space
    assert coarse.space.hop_s == 4
    samples = sound(20)
    fine, rough = model.encoder.encode(samples), coarse.encoder.encode(samples)
    assert rough.shape == fine.shape
    np.testing.assert_allclose(rough[::4], fine[::4], atol=1e-5)
    assert ((fine * rough).sum(1) > 0.99).all()
    for hop in (0, 11):
        with pytest.raises(UsageError, match=f"a hop of {hop} s is out of range for clap"):
            checkpoint.load(f"{tiny_clap}@{hop}")


def test_encoding_stops_when_asked(model) -> None:
    with pytest.raises(Cancelled):
        model.encoder.encode(sound(11), lambda: True)


def test_a_bare_pair_is_searched_by_its_own_words(model) -> None:
    pooled = torch.tensor([[3.0, 4.0]])
    torch.testing.assert_close(model.contrastive(pooled), torch.tensor([[0.6, 0.8]]))
    latents = np.eye(16, dtype=np.float32)
    np.testing.assert_array_equal(model.whitening.apply(latents), latents)
    with pytest.raises(ModelError, match="no retriever of its own yet") as refused:
        model.require("gdr")
    assert refused.value.hint is Hint.TRAIN_OR_LOOK_UP


def test_a_pair_with_t5_shares_no_space(tiny_clap, tiny_t5, model) -> None:
    other = checkpoint.load(f"{tiny_clap}+{tiny_t5}", "cpu")
    assert other.space == model.space
    with pytest.raises(ModelError, match="no retriever of its own yet") as refused:
        other.require("contrastive")
    assert refused.value.hint is Hint.TRAIN


def changed(folder: Path, to: Path, **config: object) -> Path:
    shutil.copytree(folder, to)
    described = json.loads((to / "config.json").read_text())
    (to / "config.json").write_text(json.dumps(described | config))
    return to


def test_weights_that_are_not_whole_are_refused(tiny_clap, tmp_path) -> None:
    broken = changed(tiny_clap, tmp_path / "broken")
    file = broken / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"holds .* bytes where its header says .* interrupted"):
        checkpoint.load(str(broken))
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelError, match="not a safetensors file"):
        checkpoint.load(str(broken))
    file.unlink()
    with pytest.raises(ModelError, match=r"no model\.safetensors; fetch it again"):
        checkpoint.load(str(broken))
    torch.save({}, broken / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds a pickle") as refused:
        checkpoint.load(str(broken))
    assert refused.value.hint is Hint.CONVERT_FOLDER
    assert refused.value.facts == {"path": str(broken), "pair": "clap"}


def test_weights_of_other_dimensions_are_refused(tiny_clap, tmp_path) -> None:
    other = changed(tiny_clap, tmp_path / "other")
    described = json.loads((other / "config.json").read_text())
    described["audio_config"]["patch_embeds_hidden_size"] = 16
    described["audio_config"]["hidden_size"] = 128
    (other / "config.json").write_text(json.dumps(described))
    with pytest.raises(ModelError, match="does not hold the CLAP weights") as refused:
        _ = checkpoint.load(str(other)).encoder
    assert "\n" not in str(refused.value)


def test_a_folder_of_another_model_is_refused(tiny_clap, tiny_t5, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"reads text only \(t5\)"):
        checkpoint.load(str(tiny_t5))
    bert = changed(tiny_clap, tmp_path / "bert", model_type="bert")
    with pytest.raises(ModelError, match="holds a model of type 'bert'"):
        checkpoint.load(str(bert))
    with pytest.raises(ModelError, match="it has no config"):
        checkpoint.load(str(tmp_path))


def test_missing_parts_are_named(tiny_clap, tmp_path) -> None:
    bare = changed(tiny_clap, tmp_path / "bare")
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"):
        (bare / name).unlink()
    model = checkpoint.load(str(bare), "cpu")
    with pytest.raises(WeightsMissing, match="has no usable tokenizer"):
        _ = model.text
    with pytest.raises(ModelError, match="does not say how to prepare sound"):
        _ = model.encoder


@pytest.mark.parametrize("name", ["clap", "laion", "clap-t5", "muscall", "mule-t5", "clap@4"])
def test_absent_weights_are_refused_with_what_to_do(name, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissing, match="not on this machine") as refused:
        checkpoint.load(name)
    assert refused.value.hint in (Hint.PULL, Hint.CONVERT)


def test_half_a_window_of_noise_equals_its_repetition() -> None:
    piece = sound(2)
    filled = repeat_and_pad(piece, 5 * RATE_HZ)
    np.testing.assert_array_equal(filled[: 4 * RATE_HZ], np.tile(piece, 2))
    assert not filled[4 * RATE_HZ :].any()
