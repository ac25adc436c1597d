"""A very large library: its graphs are built after indexing, with progress, and used at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from driving import asked, main, opened, until

from gdr_model.search.index import HnswIndex
from gdr_tui.app.library.state import LibraryState
from gdr_tui.app.main.session import Session
from gdr_tui.app.main.status import State, right_parts
from gdr_tui.app.values import Catalogue

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def songs(music: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight tracks, which count as very many."""
    for song in sorted(DEMO.glob("*/*.ogg"))[::5]:
        shutil.copy(song, music)
    small = {"exact_below": 1, "kept_from": 1, "piece": 4}
    monkeypatch.setattr(HnswIndex.open.__func__, "__kwdefaults__", small)
    return music


async def test_graphs_are_built_after_indexing_and_loaded_by_the_next_session(
    songs: Path, gdr_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for session in ("builds", "loads"):
        async with opened(Session([songs])).run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: main(pilot).library.state.indexed, 60)
            if session == "builds":
                await until(pilot, lambda: main(pilot).library.state.graphs == (8, 8), 60)
                built = sorted(gdr_home.glob("libraries/*/index/*/graph-*.bin"))
                assert len(built) == 2
                monkeypatch.setattr("gdr_model.search.indexed.graphs.Maker._built", None)
            await asked(pilot, "piano")


def test_the_status_line_says_how_far_graphs_are() -> None:
    library = LibraryState(catalogue=Catalogue(238_000, (), 0, (Path("/music"),)))
    assert "preparing faster search" not in " ".join(right_parts(State(library=library)))
    library.graphs = 250_000, 1_000_000
    assert "preparing faster search 25%" in right_parts(State(library=library))
    assert library.progress() == "preparing faster search: 250,000 of 1,000,000 passages"
    library.graphs = 1_000_000, 1_000_000
    assert "preparing faster search" not in " ".join(right_parts(State(library=library)))
