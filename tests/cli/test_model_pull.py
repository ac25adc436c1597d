"""`gdr model pull` and `list`, against a hub on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub import Hub, serving
from safetensors.torch import load_file

CLAP = "laion/larger_clap_music_and_speech"


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT does to huggingface_hub where it is set before the import."""
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(tiny_clap: Path, tiny_t5: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folders = {CLAP: tiny_clap, "google/flan-t5-base": tiny_t5, "some/clap": tiny_clap}
    with serving(folders) as found:
        point_at(found.url, monkeypatch)
        yield found


def states(gdr) -> dict[str, str]:
    lines = gdr("model", "list").stdout.splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


def test_the_environment_names_the_hub(hub: Hub, gdr_home: Path, tiny_clap: Path) -> None:
    command = "from gdr_tui.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "model", "pull", "clap"],
        env=os.environ | {"HF_ENDPOINT": hub.url},
        capture_output=True,
        text=True,
    )
    folder = gdr_home / "models" / "clap"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}\n", "")
    kept = {path.name for path in tiny_clap.iterdir()}
    assert {path.name for path in folder.iterdir()} == kept
    for name in kept:
        assert (folder / name).read_bytes() == (tiny_clap / name).read_bytes()
    assert [path.name for path in folder.parent.iterdir()] == ["clap"]


def test_pairs_become_ready_to_train(hub: Hub, gdr, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-cache"))
    before = states(gdr)
    assert (before["builtin"], before["clap"], before["clap-t5"]) == ("ready", *["missing"] * 2)
    assert "run gdr model pull clap" in gdr("model", "list").stdout
    for name in ("clap", "flan-t5-base", "some/clap"):
        assert gdr("model", "pull", name).exit_code == 0
    after = states(gdr)
    assert (after["clap"], after["clap-t5"]) == ("no retriever", "no retriever")
    assert after["mule-t5"] == "missing"
    asked = len(hub.ranges)
    assert gdr("model", "pull", "clap").exit_code == 0, "what is here is not fetched again"
    assert len(hub.ranges) == asked
    shown = gdr("model", "show", "some/clap")
    assert (shown.exit_code, shown.stdout.split(" ")[0]) == (0, "clap:")


def test_a_broken_download_goes_on_where_it_broke_off(
    hub: Hub, gdr, gdr_home: Path, tiny_clap: Path, monkeypatch
) -> None:
    # As many bytes are written at once; ten million of them otherwise.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.cut = 100_000
    result = gdr("model", "pull", "clap")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "100,000 bytes are kept" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (gdr_home / "models" / "clap").exists()
    hub.cut, hub.ill = None, False
    asked = len(hub.ranges)
    assert gdr("model", "pull", "clap").exit_code == 0
    assert hub.ranges[asked:][0] == ("model.safetensors", "bytes=100000-")
    got = gdr_home / "models" / "clap" / "model.safetensors"
    assert got.read_bytes() == (tiny_clap / "model.safetensors").read_bytes()


def test_what_differs_from_its_checksum_is_discarded(hub: Hub, gdr, gdr_home: Path) -> None:
    hub.altered = True
    result = gdr("model", "pull", "clap")
    assert result.exit_code == 1
    assert "model.safetensors" in result.stderr
    assert "the file was discarded; run gdr model pull again" in result.stderr
    assert not list(gdr_home.rglob("model.safetensors*"))
    hub.altered = False
    assert gdr("model", "pull", "clap").exit_code == 0


def test_a_repository_with_a_pickle_only_becomes_safetensors(
    hub: Hub, gdr, gdr_home: Path, tiny_clap: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(tiny_clap, old)
    tensors = load_file(old / "model.safetensors")
    torch.save(tensors, old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    hub.folders["some/old"] = old
    assert gdr("model", "pull", "some/old").exit_code == 0
    folder = gdr_home / "models" / "some" / "old"
    assert not (folder / "pytorch_model.bin").exists()
    assert gdr("model", "convert", old, "--pair", "clap", "-o", tmp_path / "new").exit_code == 0
    for made in (folder, tmp_path / "new"):
        found = load_file(made / "model.safetensors")
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_refusals_are_one_sentence(hub: Hub, gdr, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "empty").mkdir()
    hub.folders["some/empty"] = tmp_path / "empty"
    for name, code, said in (
        ("vggish", 2, "use clap, laion, musicnn, flan-t5-base, or a repository OWNER/NAME"),
        ("../../x", 2, "cannot be pulled"),
        ("no/such", 1, "has no model no/such"),
        ("some/empty", 1, "has no model.safetensors nor pytorch_model.bin"),
    ):
        result = gdr("model", "pull", name)
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
    point_at("http://127.0.0.1:9", monkeypatch)
    result = gdr("model", "pull", "clap")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be fetched from http://127.0.0.1:9" in result.stderr
    assert result.stderr.count("\n") == 1
