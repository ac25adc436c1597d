"""A CLAP made on the spot works in index, search, train, edit and the app, next to `builtin`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from sounds import falling_noises

from gdr_model.models.config import ModelConfig
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_tui.app.main.session import Session

TRACKS = 12
CONFIGS = Path(__file__).parents[2] / "training" / "configs"


@pytest.fixture
def noises(music: Path) -> Path:
    """A dozen tracks of noise in a falling band, twelve seconds each, in folders of two genres."""
    import soundfile

    for i, samples in enumerate(falling_noises(TRACKS, 12, 48_000)):
        folder = music / ("Jazz" if i % 2 else "Techno")
        folder.mkdir(exist_ok=True)
        soundfile.write(folder / f"{i:02}.wav", samples, 48_000)
    return music


def hits(result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["path"] for line in result.stdout.splitlines()]


def train(gdr, library: Path, clap: Path, folder: Path) -> Path:
    """A retriever for a bare pair, in three steps."""
    config = yaml.safe_load((CONFIGS / "library.yaml").read_text())
    config["optimiser"] |= {"steps": 3, "batch": 4}
    path = folder / "library.yaml"
    path.write_text(yaml.safe_dump(config))
    out = folder / "run"
    result = gdr("train", path, "--library", library, "--model", clap, "--out", out)
    assert result.exit_code == 0, result.output
    return out


def test_a_pair_goes_all_the_way(gdr, noises: Path, tiny_clap: Path, tmp_path: Path) -> None:
    asked = ("search", "warm piano", "--library", noises, "-f", "jsonl")
    refused = gdr("index", noises)
    assert refused.exit_code == 0, refused.output
    before = hits(gdr(*asked))

    # The library holds latents of the built-in model alone.
    result = gdr(*asked, "--model", tiny_clap, "--method", "contrastive")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"gdr index --model {tiny_clap}" in result.stderr
    assert gdr("index", noises, "--model", tiny_clap).exit_code == 0
    again = gdr("index", noises, "--model", tiny_clap)
    assert "0 encoded" in again.stdout

    # No retriever yet: looked up in the shared space, or refused with what would make one.
    result = gdr(*asked, "--model", tiny_clap, "--method", "contrastive")
    assert len(set(hits(result))) == TRACKS
    assert "no retriever of its own" in result.stderr
    assert "gdr train" in result.stderr
    result = gdr(*asked, "--model", tiny_clap)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no retriever of its own yet" in result.stderr
    assert "--method contrastive" in result.stderr
    assert result.stderr.count("\n") == 1

    run = train(gdr, noises, tiny_clap, tmp_path)
    for model in (run, run / "model"):
        drawn = gdr(*asked, "--model", model)
        assert len(set(hits(drawn))) == TRACKS
        assert drawn.stdout == gdr(*asked, "--model", model).stdout
    song = before[0]
    edited = gdr("edit", song, "rain", "--library", noises, "--model", run, "-f", "jsonl")
    assert len(hits(edited)) == TRACKS

    # The latents of the first model are where they were.
    with Library.open(noises) as library:
        builtin, clap = library.spaces()
        assert builtin == ModelConfig.read().space
        assert clap == ModelConfig.read(str(tiny_clap)).space
        assert len(library.encoded(builtin)) == len(library.encoded(clap)) == TRACKS
    assert hits(gdr(*asked)) == before
    assert "0 encoded" in gdr("index", noises).stdout


def test_the_app_takes_a_trained_pair(gdr, noises: Path, tiny_clap: Path, tmp_path: Path) -> None:
    assert gdr("index", noises, "--model", tiny_clap).exit_code == 0
    run = train(gdr, noises, tiny_clap, tmp_path)
    session = Session([noises], str(run), "cpu")
    session.loader.load()
    assert session.indexer.index(lambda at: None).encoded == 0
    results = session.searcher.search(Steering("warm piano"), k=TRACKS)
    assert results.tracks_searched == TRACKS
    session.close()
