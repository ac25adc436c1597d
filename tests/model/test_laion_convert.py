"""laion-clap's names for a CLAP of transformers: what is converted is the same network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from safetensors.torch import load_file

from gdr_model.encoders.clap import encoder as clap
from gdr_model.encoders.clap import laion, laion_convert
from gdr_model.encoders.registry.converters import convert
from gdr_model.encoders.registry.resolve import locate
from gdr_model.errors import Hint, ModelError, UsageError

CPU = torch.device("cpu")
HEADS = 2
"""Of the text tower of `tiny_models.clap`."""


@pytest.fixture(scope="module")
def theirs(tiny_clap: Path) -> dict[str, torch.Tensor]:
    return tiny_models.laion_tensors(tiny_clap)


@pytest.fixture
def checkpoint(theirs: dict[str, torch.Tensor], tmp_path: Path) -> Path:
    """A checkpoint as a distributed training run leaves it."""
    state = {f"module.{name}": value for name, value in theirs.items()}
    path = tmp_path / "epoch_1.pt"
    torch.save({"epoch": 1, "loss": np.float64(0.3), "state_dict": state}, path)
    return path


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    convert(checkpoint, "laion", tmp_path / "converted", HEADS)
    return tmp_path / "converted"


def sound(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 0.1 * rng.standard_normal(round(48_000 * seconds), np.float32)


def test_every_tensor_comes_back_under_its_name(tiny_clap: Path, theirs: dict) -> None:
    converted = laion_convert.converted(theirs)
    original = load_file(tiny_clap / "model.safetensors")
    computed = (".relative_position_index", ".position_ids")
    assert set(converted) == {name for name in original if not name.endswith(computed)}
    for name, value in converted.items():
        assert torch.equal(value, original[name]), name


def test_the_sizes_are_those_of_the_original(tiny_clap: Path, folder: Path) -> None:
    wanted = json.loads((tiny_clap / "config.json").read_text())
    found = json.loads((folder / "config.json").read_text())
    assert found["projection_dim"] == wanted["projection_dim"]
    for part in ("audio_config", "text_config"):
        for name, value in found[part].items():
            # The norms of RoBERTa have an epsilon of their own.
            if name in wanted[part] and name != "layer_norm_eps":
                assert value == wanted[part][name], (part, name)


def test_a_converted_folder_encodes_as_the_original_does_after_rounding(
    tiny_clap: Path, folder: Path
) -> None:
    pair = locate(str(folder))
    assert (pair.audio.name, pair.space.dim) == ("laion", 16)
    samples = sound(12)
    rounded = laion.sixteen_bits(torch.from_numpy(samples)).numpy()
    for count in (len(samples), 3 * 48_000):
        ours = pair.load_audio(CPU).encode(samples[:count])
        wanted = clap.load_audio(tiny_clap, pair.space, CPU).encode(rounded[:count])
        np.testing.assert_allclose(ours, wanted, atol=1e-6)


def test_rounding_to_sixteen_bits_is_towards_zero_and_clips() -> None:
    step = 1 / 32767
    samples = torch.tensor([0.0, 0.9 * step, -0.9 * step, 1.9 * step, 2.0, -2.0])
    wanted = torch.tensor([0.0, 0.0, 0.0, step, 1.0, -1.0])
    torch.testing.assert_close(laion.sixteen_bits(samples), wanted)


def test_a_checkpoint_has_the_space_of_its_folder(checkpoint: Path, folder: Path) -> None:
    assert locate(str(checkpoint)).space == locate(str(folder)).space
    assert locate(str(checkpoint)).audio.name == "laion"


def test_an_unknown_text_tower_needs_its_number_of_heads(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="of width 24 is no RoBERTa") as refused:
        convert(checkpoint, "laion", tmp_path / "made")
    assert refused.value.hint is Hint.COUNT_TEXT_HEADS
    assert not (tmp_path / "made").exists()
    with pytest.raises(UsageError, match="for laion and muscall alone, not for clap"):
        convert(checkpoint, "clap", tmp_path / "made", HEADS)


def test_checkpoints_that_cannot_be_converted_are_refused(
    theirs: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    lacking = {k: v for k, v in theirs.items() if k != "audio_projection.2.weight"}
    fusion = theirs | {"audio_branch.patch_embed.fusion_model.weight": torch.zeros(2)}
    text_alone = {k: v for k, v in theirs.items() if k.startswith("text")}
    for state, problem in (
        (lacking, "lacks the tensor 'audio_projection.linear2.weight'"),
        (fusion, "is a fusion checkpoint"),
        (text_alone, "holds other weights"),
        ({"epoch": 3}, "holds no state dict"),
    ):
        torch.save(state, tmp_path / "file.pt")
        with pytest.raises(ModelError, match=problem):
            convert(tmp_path / "file.pt", "laion", tmp_path / "made", HEADS)
    assert not [path for path in tmp_path.iterdir() if "made" in path.name]


def test_a_converter_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file.pt").touch()

    def fails(source: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(laion_convert, "convert", fails)
    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path / "file.pt", "laion", tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["file.pt"]
