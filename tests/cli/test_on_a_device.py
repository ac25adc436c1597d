"""The commands with `--device`, on a device that no tensor of the processor may meet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import elsewhere
import numpy as np
import pytest
import torch
import yaml
from small_set import small, write_set

from training.data.extracted import read_extracted

REPOSITORY = Path(__file__).parents[2]
ON = ("--device", "cuda")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    with elsewhere.standing_in(monkeypatch) as where:
        yield where


@pytest.fixture
def songs(music: Path) -> Path:
    """Every other track of the demo library, in its folders."""
    for song in sorted((REPOSITORY / "demo").glob("*/*.ogg"))[::2]:
        (music / song.parent.name).mkdir(exist_ok=True)
        shutil.copy(song, music / song.parent.name)
    return music


def answer(done) -> list[tuple[str, float]]:
    """The names and the scores of a list."""
    assert done.exit_code == 0, done.output
    return [(hit["path"], hit["score"]) for hit in map(json.loads, done.stdout.splitlines())]


def test_a_library_is_indexed_and_searched(gdr, songs: Path, device: torch.device) -> None:
    """The answers are those of the processor."""
    assert gdr("index", songs, *ON).exit_code == 0
    first, second, third, *_ = sorted(songs.rglob("*.ogg"))
    steered = ("--not", "drums", "--slide", "strings:.5", "--interval", 0.1, 0.9)
    sounds = ("--like", second, "--unlike", third, "--pull", 0.2)
    for asked in (
        ("search", "warm piano"),
        ("search", "warm piano", *steered, *sounds, "--sampler", "dpm++"),
        *(
            ("search", "warm piano", "--sampler", s, "--steps", 4)
            for s in ("unipc", "deis", "heun")
        ),
        ("search", "warm piano", "--sampler", "euler-a"),
        ("search", "warm piano", "--method", "contrastive"),
        ("edit", first, "with heavy drums", "--steps", 4),
    ):
        there = answer(gdr(*asked, "-L", songs, "-f", "jsonl", *ON))
        here = answer(gdr(*asked, "-L", songs, "-f", "jsonl", "--device", "cpu"))
        assert [path for path, _ in there] == [path for path, _ in here]
        assert [s for _, s in there] == pytest.approx([s for _, s in here], abs=2e-3)
    explained = gdr("why", first, "warm piano", *steered, *sounds, "-L", songs, *ON)
    assert explained.exit_code == 0, explained.output


@pytest.mark.parametrize("model", ["builtin", "clap"])
def test_a_set_is_extracted(
    gdr, music: Path, write_tone, tiny_clap: Path, tmp_path: Path, device: torch.device, model: str
) -> None:
    for name, hz in (("a", 220), ("b", 880)):
        write_tone(music / f"{name}.wav", hz, 12)
    (music / "set.csv").write_text("file_path,caption\na.wav,a low tone\nb.wav,a high tone\n")
    named = str(tiny_clap) if model == "clap" else model
    found = []
    for where in ("cuda", "cpu"):
        out = tmp_path / where
        done = gdr("extract", music / "set.csv", "-o", out, "-m", named, "--device", where)
        assert done.exit_code == 0, done.output
        found.append(read_extracted(out))
    for there, here in zip(found[0].latents, found[1].latents, strict=True):
        np.testing.assert_allclose(there, here, atol=2e-3)


def test_a_run_is_trained(gdr, tmp_path: Path, device: torch.device) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(yaml.safe_dump(small(write_set(tmp_path))))
    done = gdr("train", config, "--out", tmp_path / "run", *ON)
    assert done.exit_code == 0, done.output
    assert "validation, 4 captions: R@1 " in done.stdout
    places = []
    for where in ("cuda", "cpu"):
        out = tmp_path / where
        measured = gdr("eval", "retrieval", tmp_path / "run", "--out", out, "--device", where)
        assert measured.exit_code == 0, measured.output
        rows = json.loads((out / "retrieval.json").read_text())["tables"][0]["rows"]
        places.append({row: cells["median rank"] for row, cells in rows.items()})
    assert places[0] == places[1]


def test_a_run_is_compared_with_music(gdr, tmp_path: Path, device: torch.device) -> None:
    raw = small(write_set(tmp_path))
    raw["data"] |= {"folds": 2}
    config = tmp_path / "small.yaml"
    config.write_text(yaml.safe_dump(raw))
    assert gdr("train", config, "--out", tmp_path / "run", *ON).exit_code == 0
    done = gdr("eval", "fidelity", tmp_path / "run", *ON)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("model", ["builtin", "clap"])
def test_a_model_is_trained_on_a_library(
    gdr, songs: Path, tiny_clap: Path, tmp_path: Path, device: torch.device, model: str
) -> None:
    named = str(tiny_clap) if model == "clap" else model
    config = yaml.safe_load((REPOSITORY / "training" / "configs" / "library.yaml").read_text())
    config["optimiser"] |= {"steps": 3, "batch": 4}
    path = tmp_path / "library.yaml"
    path.write_text(yaml.safe_dump(config))
    assert gdr("index", songs, "-m", named, *ON).exit_code == 0
    out = tmp_path / "run"
    done = gdr("train", path, "--library", songs, "-m", named, "--out", out, *ON)
    assert done.exit_code == 0, done.output
    asked = ("search", "piano", "-L", songs, "-m", out / "model", "-f", "jsonl")
    assert len(answer(gdr(*asked, *ON))) > 3
