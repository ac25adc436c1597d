"""`gdr model pull musicnn` and `check`: a wheel that pip finds, or an installed package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import published_musicnn
import pytest
import tf_bundle
import torch
from safetensors.torch import load_file

WHEEL = "musicnn-0.1.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which pip finds the wheel, and nowhere else."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    stored = tf_bundle.write(tmp_path / "MSD_musicnn", published_musicnn.variables())
    published_musicnn.count_as_published(stored, monkeypatch)
    folder = tmp_path / "index"
    folder.mkdir()
    tf_bundle.wheel(folder / WHEEL, stored)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def state(gdr) -> str:
    rows = (line.split("\t") for line in gdr("model", "list").stdout.splitlines())
    return next(row[1] for row in rows if row[0] == "musicnn")


def test_pip_fetches_the_wheel_and_its_weights_are_converted(
    index: Path, gdr, gdr_home: Path
) -> None:
    assert state(gdr) == "missing"
    pulled = gdr("model", "pull", "musicnn")
    folder = gdr_home / "models" / "musicnn"
    assert (pulled.exit_code, pulled.stdout, pulled.stderr) == (0, f"{folder}\n", "")
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}
    kept = load_file(folder / "model.safetensors")
    torch.testing.assert_close(kept["dense.bias"], published_musicnn.NET.dense.bias.detach())
    assert [path.name for path in folder.parent.iterdir()] == ["musicnn"]
    assert state(gdr) != "missing"
    (index / WHEEL).unlink()
    assert gdr("model", "pull", "musicnn").exit_code == 0, "what is here is not fetched again"


def test_an_installed_package_is_read_and_not_imported(
    index: Path, gdr, gdr_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "musicnn"
    tf_bundle.write(package / "MSD_musicnn", published_musicnn.variables())
    (package / "__init__.py").write_text("raise ImportError('this is not to be imported')\n")
    monkeypatch.syspath_prepend(str(package.parent))
    (index / WHEEL).unlink()
    assert gdr("model", "pull", "musicnn").exit_code == 0
    assert (gdr_home / "models" / "musicnn" / "config.json").is_file()


def test_an_installed_package_of_another_release_is_passed_over(
    index: Path, gdr, gdr_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "musicnn"
    (package / "MSD_musicnn").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(package.parent))
    assert gdr("model", "pull", "musicnn").exit_code == 0
    assert (gdr_home / "models" / "musicnn" / "config.json").is_file()


def test_what_cannot_be_fetched_is_one_sentence(
    index: Path, gdr, gdr_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (index / WHEEL).read_bytes()

    def refused(said: str) -> None:
        result = gdr("model", "pull", "musicnn")
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
        assert not (gdr_home / "models" / "musicnn").exists()

    (index / WHEEL).unlink()
    refused("pip cannot fetch musicnn==0.1.0: No matching distribution found")
    (index / WHEEL).write_bytes(whole[: len(whole) // 2])
    refused("pip cannot fetch musicnn==0.1.0: ")
    other = {name: array + 1 for name, array in published_musicnn.variables().items()}
    stored = tf_bundle.write(index.parent / "other", other)
    tf_bundle.wheel(index / WHEEL, stored)
    refused("does not hold the weights of musicnn 0.1.0")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    refused("pip cannot fetch musicnn==0.1.0: the package index cannot be reached")


def test_without_pip_the_advice_is_to_convert_a_wheel(
    index: Path, gdr, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gdr_model.models import package

    monkeypatch.setattr(package.importlib.util, "find_spec", lambda name: None)
    result = gdr("model", "pull", "musicnn")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "no pip to fetch musicnn==0.1.0 with" in result.stderr
    assert "gdr model convert FILE --pair musicnn" in result.stderr


def test_the_check_compares_the_installed_weights(index: Path, gdr, tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    reference.mkdir()
    mel = torch.rand(2, 187, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = published_musicnn.NET(mel)[1].numpy()
    np.savez(reference / "io.npz", mel=mel.numpy(), msd_logits=logits)
    check = ("model", "check", "musicnn", "--reference", reference)
    missing = gdr(*check)
    assert missing.exit_code == 1
    assert "run gdr model pull musicnn" in missing.stderr
    assert gdr("model", "pull", "musicnn").exit_code == 0
    done = gdr(*check)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1].split()[:2] == ["msd_logits", "2×5"]
    np.savez(reference / "io.npz", mel=mel.numpy(), msd_logits=logits + 0.01)
    assert gdr(*check).exit_code == 1
