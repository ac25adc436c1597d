"""Configurations of models: what a name refers to, and what is refused without torch."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from gdr_model import paths
from gdr_model.encoders.registry.pairs import PAIRS
from gdr_model.errors import Hint, ModelError, SpaceMismatch
from gdr_model.models.config import RETRIEVERS, SHIPPED, ModelConfig, retriever_of
from gdr_model.types import LatentSpace

SPACE = {
    "encoder": "mine",
    "dim": 4,
    "sample_rate_hz": 16000,
    "window_s": 4,
    "hop_s": 1.0,
    "fingerprint": "ab" * 8,
}
CONFIG = {
    "format": 1,
    "name": "mine",
    "space": SPACE,
    "whitening_power": 0.5,
    "denoiser": {"kind": "mlp"},
    "contrastive": {},
    "schedule": {},
}


def written(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | changes))
    mean, sd = np.arange(4, dtype=np.float32), np.ones(4, np.float16)
    save_file({"latent_mean": mean, "latent_sd": sd}, folder / "model.safetensors")
    return folder


def test_the_shipped_model_is_read_without_torch(tmp_path: Path) -> None:
    code = "import sys; from gdr_model.models.config import ModelConfig; c = ModelConfig.read(); "
    code += "c.whitening(); print(c.name, c.argument, c.bare, 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split()[1:] == ["builtin", "False", "False"]
    assert ModelConfig.read().folder == SHIPPED


def test_a_folder_is_found_by_its_path_and_among_the_users_models_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path / "here")
    config = ModelConfig.read(str(folder))
    assert (config.name, config.folder, config.argument) == ("mine", folder, str(folder))
    assert config.space == LatentSpace(**SPACE)  # type: ignore[arg-type]
    assert (config.prediction, config.distilled, config.anchor_share) == ("v", False, 0.0)
    monkeypatch.chdir(tmp_path)
    assert ModelConfig.read("here").name == "mine"
    written(paths.models() / "here", name="pulled")
    assert ModelConfig.read("here").name == "pulled", "the user's models come first"


def test_a_finished_run_is_the_model_in_it_and_an_unfinished_one_is_refused(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text('{"run": {}}')
    with pytest.raises(ModelError, match="has no model to search with: it is not finished"):
        ModelConfig.read(str(run))
    written(run / "model", name="finished")
    assert ModelConfig.read(str(run)).name == "finished"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "does not describe a gdr model"),
        ("[]", "does not describe a gdr model"),
        ("{}", "does not describe a gdr model"),
        ('{"format": 2}', "holds a model of format 2; this gdr reads 1"),
        ('{"format": 1}', "does not describe a gdr model: the field name is missing"),
        (json.dumps(CONFIG | {"name": 3}), "name must be a text, not 3"),
        (json.dumps(CONFIG | {"anchor": 1}), "unknown field anchor; known are folder, name"),
        (json.dumps(CONFIG | {"anchor_share": "a"}), "anchor_share must be a number, not 'a'"),
        (json.dumps(CONFIG | {"denoiser": 3}), "denoiser must hold named fields, not 3"),
        (json.dumps(CONFIG | {"space": {"dim": 3}}), "the field space.encoder is missing"),
        (json.dumps(CONFIG | {"space": SPACE | {"dim": "x"}}), "space.dim must be a whole number"),
        (
            json.dumps(CONFIG | {"space": SPACE | {"dim": 10**9}}),
            "space.dim must be a number from 1",
        ),
        (
            json.dumps(CONFIG | {"space": SPACE | {"hop_s": -1}}),
            "space.hop_s must be a number from",
        ),
        (json.dumps(CONFIG | {"anchor_share": 7}), "anchor_share must be a number from 0 to 1"),
        (json.dumps(CONFIG | {"denoiser": {"width": 10**9}}), "denoiser.width must be a number"),
        (json.dumps(CONFIG | {"denoiser": {"layers": -1}}), "denoiser.layers must be a number"),
        (json.dumps(CONFIG | {"denoiser": {"w": math.inf}}), "denoiser.w must be a number"),
        (json.dumps(CONFIG | {"schedule": {"times": 1e9}}), "schedule.times must be a number"),
        ("[" * 100_000, "does not describe a gdr model"),
        (json.dumps(CONFIG | {"name": "a\x1b[31m"}), "characters that cannot be printed"),
    ],
)
def test_a_malformed_configuration_is_refused_in_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    written(tmp_path / "m")
    (tmp_path / "m" / "config.json").write_text(text)
    with pytest.raises(ModelError) as refused:
        ModelConfig.read(str(tmp_path / "m"))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_whitening_is_that_of_the_stored_statistics(tmp_path: Path) -> None:
    whitening = ModelConfig.read(str(written(tmp_path / "m"))).whitening()
    np.testing.assert_array_equal(whitening.mean, np.arange(4))
    assert (whitening.power, whitening.sd.dtype) == (0.5, np.float32)
    (tmp_path / "m" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="cannot be read"):
        ModelConfig.read(str(tmp_path / "m")).whitening()


def test_a_library_of_other_spaces_is_refused_with_the_model_to_index_with(tmp_path: Path) -> None:
    config = ModelConfig.read(str(written(tmp_path / "my model")))
    other = LatentSpace("clap", 512, 48000, 10.0, 1.0, "cd" * 8)
    error = config.space_mismatch([other], Path("/music"))
    assert isinstance(error, SpaceMismatch)
    assert str(error) == (
        "this library holds clap (512 wide, cdcdcdcd) latents; "
        "the model draws in mine (4 wide, abababab)"
    )
    assert error.hint is Hint.INDEX_WITH_MODEL
    assert error.facts == {"root": "/music", "model": str(tmp_path / "my model")}


def test_a_pair_is_a_model_without_a_retriever_whose_space_is_not_whitened(tiny_clap: Path) -> None:
    config = ModelConfig.read(str(tiny_clap))
    assert config.bare
    assert ModelConfig.read(config.argument).space == config.space
    points = np.random.default_rng(0).standard_normal((3, config.space.dim)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(config.whitening().apply(points), points, atol=1e-6)
    assert config.without_retriever().hint is Hint.TRAIN_OR_LOOK_UP


def test_a_model_of_a_pair_whose_weights_changed_is_refused(
    tiny_clap: Path, tmp_path: Path
) -> None:
    space = ModelConfig.read(str(tiny_clap)).space
    trained = written(
        tmp_path / "m", encoders=str(tiny_clap), space=SPACE | {"dim": space.dim, "encoder": "clap"}
    )
    config = ModelConfig.read(str(trained))
    with pytest.raises(ModelError, match="was trained on latents of clap"):
        _ = config.pair


@pytest.mark.parametrize("folder", sorted(RETRIEVERS.glob("*")), ids=lambda folder: folder.name)
def test_a_retriever_that_comes_with_gdr_is_for_the_pair_of_its_name(folder: Path) -> None:
    config = retriever_of(folder.name)
    assert config is not None
    assert (config.name, config.encoders, config.argument) == (folder.name,) * 3
    assert config.space.encoder == PAIRS[folder.name].audio.name
    assert not config.bare
