"""The pair `musicnn` with a retriever that comes with gdr, used like any other model."""

from __future__ import annotations

import json
from pathlib import Path

import musicnn_retriever
import published_musicnn
import pytest
import soundfile
import tf_bundle
from sounds import falling_noises
from typer.testing import Result

from gdr_model import paths
from gdr_model.encoders.registry.converters import convert
from gdr_model.models.config import ModelConfig
from gdr_model.steering import Steering
from gdr_tui.app.main.session import Session

TRACKS = 3


def state(gdr) -> str:
    rows = (line.split("\t") for line in gdr("model", "list").stdout.splitlines())
    return next(row[1] for row in rows if row[0] == "musicnn")


@pytest.fixture
def installed(tmp_path: Path) -> None:
    """Weights of a musicnn, at their place."""
    stored = tf_bundle.write(tmp_path / "bundle", published_musicnn.variables())
    convert(stored, "musicnn", paths.models() / "musicnn")


@pytest.fixture
def shipped(installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A retriever that comes with gdr for those weights."""
    return musicnn_retriever.ship(tmp_path / "retrievers", monkeypatch)


@pytest.fixture
def noises(music: Path) -> Path:
    """Noise in three bands, six seconds each."""
    for i, samples in enumerate(falling_noises(TRACKS, 6, 16_000)):
        soundfile.write(music / f"{i}.wav", samples, 16_000)
    return music


def hits(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["path"] for line in result.stdout.splitlines()]


def test_with_a_retriever_that_comes_with_gdr_the_pair_is_a_model(
    shipped: Path, gdr, noises: Path
) -> None:
    assert state(gdr) == "ready"
    (row,) = (r for r in gdr("model", "list").stdout.splitlines() if r.startswith("musicnn\t"))
    assert f"retriever: {shipped} (" in row
    asked = ("search", "warm piano", "--library", noises, "-m", "musicnn", "-f", "jsonl")
    assert gdr("index", noises).exit_code == 0
    refused = gdr(*asked)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert f"run gdr index --model musicnn {noises}" in refused.stderr
    indexed = gdr("index", noises, "--model", "musicnn")
    assert f"{TRACKS} encoded" in indexed.stdout, indexed.output
    assert "0 encoded" in gdr("index", noises, "--model", "musicnn").stdout

    found = hits(gdr(*asked))
    assert len(set(found)) == TRACKS
    assert hits(gdr(*asked)) == found
    assert len(hits(gdr(*asked, "--method", "contrastive"))) == TRACKS
    like = gdr("search", "--like", found[0], "--library", noises, "-m", "musicnn", "-f", "jsonl")
    assert len(hits(like)) == TRACKS - 1
    edited = gdr("edit", found[0], "rain", "--library", noises, "-m", "musicnn", "-f", "jsonl")
    assert len(hits(edited)) == TRACKS
    why = gdr("why", found[0], "warm piano", "--library", noises, "-m", "musicnn")
    assert why.exit_code == 0, why.output
    shown = gdr("model", "show", "musicnn")
    assert "denoiser: " in shown.stdout


def test_the_app_takes_the_pair(shipped: Path, noises: Path) -> None:
    session = Session([noises], "musicnn", "cpu")
    session.loader.load()
    assert session.indexer.index(lambda at: None).encoded == TRACKS
    assert session.searcher.search(Steering("warm piano"), k=9).tracks_searched == TRACKS
    session.close()


def test_the_pair_is_evaluated_on_a_set_that_it_extracted(
    shipped: Path, gdr, noises: Path, tmp_path: Path
) -> None:
    table = noises / "set.csv"
    rows = (f"{i}.wav,noise {word},test" for i, word in enumerate(("high", "middle", "low")))
    table.write_text("\n".join(["file_path,caption,split", *rows]) + "\n")
    done = gdr("extract", table, "--out", tmp_path / "set", "--model", "musicnn")
    assert done.exit_code == 0, done.output
    out = tmp_path / "out"
    measured = gdr("eval", "retrieval", "musicnn", "--data", tmp_path / "set", "--out", out)
    assert measured.exit_code == 0, measured.output
    assert measured.stdout.startswith("### Retrieval, 3 captions among 3 tracks\n")


def test_other_weights_than_the_retrievers_are_a_pair_without_one(
    shipped: Path, gdr, noises: Path, tmp_path: Path
) -> None:
    space = ModelConfig.read("musicnn").space
    folder = paths.models() / "musicnn"
    folder.rename(tmp_path / "before")
    other = {name: 2 * array for name, array in published_musicnn.variables().items()}
    convert(tf_bundle.write(tmp_path / "other", other), "musicnn", folder)
    bare = ModelConfig.read("musicnn")
    assert bare.bare
    assert bare.space != space
    assert state(gdr) == "no retriever"
    assert gdr("index", noises, "--model", "musicnn").exit_code == 0
    refused = gdr("search", "warm piano", "--library", noises, "--model", "musicnn")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert f"the one that comes with gdr draws in {space}" in refused.stderr
    assert "gdr train CONFIG.yaml --library DIR --model musicnn" in refused.stderr


def test_a_damaged_retriever_is_one_sentence(shipped: Path, gdr, noises: Path) -> None:
    assert gdr("index", noises, "--model", "musicnn").exit_code == 0
    (shipped / "model.safetensors").write_bytes(b"")
    refused = gdr("search", "warm piano", "--library", noises, "--model", "musicnn")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert str(shipped) in refused.stderr
