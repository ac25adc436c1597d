"""The app on music that was indexed with the built-in model of an earlier version."""

from __future__ import annotations

import shutil
from pathlib import Path

import earlier_version
import pytest
from driving import WIDE, asked, labels, main, names, opened, picture, said, until

from gdr_model.models import checkpoint, kept
from gdr_model.models.config import ModelConfig
from gdr_model.search.retriever import Retriever
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_tui.app.app import GdrApp
from gdr_tui.app.main.session import Session
from gdr_tui.app.trail.trail import Node

DEMO = Path(__file__).parents[2] / "demo"
PIECES = sorted(DEMO.rglob("*.ogg"))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return earlier_version.make(tmp_path_factory.mktemp("earlier") / "builtin")


@pytest.fixture
def music(music: Path) -> Path:
    for piece in PIECES[:4]:
        shutil.copy(piece, music)
    return music


def scores(model: str, music: Path, steering: Steering) -> list[float]:
    """What a model, by its name, finds for a query, as scores."""
    with Library.open(music) as library:
        found = Retriever(checkpoint.load(model), [library]).search(steering)
    return [hit.score for hit in found.hits]


async def test_it_answers_at_once_and_the_new_one_once_all_is_encoded(
    music: Path, earlier: Path
) -> None:
    before = earlier_version.index(music, earlier)
    session = Session([music])
    session.indexer.pause.turn(True)
    async with opened(session).run_test(size=WIDE) as pilot:
        screen = main(pilot)

        def current() -> Node:
            assert screen.node
            return screen.node

        def listed() -> list[float]:
            return [hit.score for hit in current().results.hits]

        await until(pilot, lambda: said(pilot))
        assert said(pilot) == [
            "this index was made with an earlier model, which answers until all is re-encoded"
        ]
        await asked(pilot, "sad piano")
        await asked(pilot, "dance")
        assert "builtin, earlier on cpu" in picture(pilot)
        dance, piano = current(), current().parent
        assert listed() == scores(str(before.folder), music, dance.ask.steering)
        assert labels(pilot) == ["“sad piano”", "“dance”"]

        session.indexer.pause.turn(False)
        await until(pilot, lambda: "builtin on cpu" in picture(pilot), 60)
        assert "the new model answers from now on" in said(pilot)
        await until(pilot, lambda: not current().stale and screen.library.state.indexed)
        assert labels(pilot) == ["“sad piano”", "“dance”"], "nothing was asked again"
        assert current() is dance
        assert listed() == scores("builtin", music, dance.ask.steering)
        assert piano
        assert piano.stale
        assert len(piano.results.hits) == 4, "what it found is there until it is run again"
        assert not len(piano.results.query.vectors)
        await pilot.press("u")
        await until(pilot, lambda: not piano.stale)
        assert listed() == scores("builtin", music, piano.ask.steering)
        await pilot.press("w")
        await until(pilot, lambda: "the query is close to" in picture(pilot), 60)
        assert [each.space for each in kept.kept()] == [ModelConfig.read().space]
    session.close()


async def test_a_restart_half_way_goes_on_with_the_model_that_finds_more(
    music: Path, earlier: Path
) -> None:
    earlier_version.index(music, earlier)
    earlier_version.encode(music, checkpoint.load(), 3)
    session = Session([music])
    session.indexer.pause.turn(True)
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "sad piano")
        assert "builtin, earlier on cpu" in picture(pilot)
        assert len(names(pilot)) == 4
        assert isinstance(pilot.app, GdrApp)
        assert pilot.app.background.stop(30)
    session.close()
    earlier_version.encode(music, checkpoint.load())
    async with opened(Session([music])).run_test(size=WIDE) as pilot:
        await asked(pilot, "sad piano")
        assert "builtin on cpu" in picture(pilot)
        assert not any("earlier" in sentence for sentence in said(pilot))


async def test_a_folder_that_only_the_other_model_can_search_joins_later(
    music: Path, earlier: Path, tmp_path: Path
) -> None:
    earlier_version.index(music, earlier)
    small = tmp_path / "small"
    small.mkdir()
    shutil.copy(PIECES[5], small)
    earlier_version.encode(small, checkpoint.load())
    session = Session([music, small])
    session.indexer.pause.turn(True)
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: said(pilot))
        assert said(pilot)[0].endswith("; small cannot be searched until then")
        await asked(pilot, "sad piano")
        assert len(names(pilot)) == 4
        session.indexer.pause.turn(False)
        await until(pilot, lambda: len(names(pilot)) == 5, 60)
    session.close()
