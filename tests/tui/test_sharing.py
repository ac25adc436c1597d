"""Two programs on one library, queries while indexing, and the first folder of all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.widgets import Input

from gdr_model.errors import LibraryError
from gdr_model.steering import Steering
from gdr_model.store import ingest as ingesting
from gdr_model.store.disk import together
from gdr_model.store.library import Library
from gdr_model.types import Query, Results
from gdr_tui.app.background import Background
from gdr_tui.app.library import jobs
from gdr_tui.app.main.retrieval import Retrieval
from gdr_tui.app.main.session import Session
from gdr_tui.app.main.status import State, StatusLine, left_parts
from gdr_tui.app.messages import TracksArrived
from gdr_tui.app.values import Indexing, Loaded


def plain(
    roots: list[Path],
    encoder: Any,
    search: Callable[..., Results] | None = None,
    embed: Callable[[list[str]], object] = len,
) -> Session:
    """A session on real folders whose model has a plain encoder; `search` answers."""
    text = SimpleNamespace(embed=embed)
    model: Any = SimpleNamespace(
        encoder=encoder, space=encoder.space, text=text, name="bands", device="cpu", networks=True,
        config=SimpleNamespace(folder=None),
    )  # fmt: skip
    retriever: Any = SimpleNamespace(model=model, search=search, refresh=lambda: None)
    return Session(
        roots,
        retrieval=lambda libraries: Retrieval(
            libraries, load=lambda name, device: model, over=lambda model, libraries: retriever
        ),
    )


@pytest.fixture
def songs(music: Path, write_tone: Callable[..., Path]) -> Path:
    for number in range(4):
        write_tone(music / f"{number}.wav", hz=200 + 100 * number)
    return music


async def test_starts_without_music_and_opens_a_folder(songs: Path, encoder: Any) -> None:
    async with opened(plain([], encoder)).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "no music yet" in picture(pilot))
        await until(pilot, lambda: main(pilot).search.state.has_model)
        assert "no library" in picture(pilot)
        await pilot.press("escape", "o")
        pilot.app.screen.query_one(Input).value = str(songs)
        await pilot.press("enter")
        await until(pilot, lambda: len(names(pilot)) == 4)
        await until(pilot, lambda: "4 tracks · indexed" in picture(pilot))


async def test_a_second_app_follows_the_first_and_takes_over(
    songs: Path, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.2)
    monkeypatch.setattr(together, "LATEST_S", -1.0)  # each track is stored at once
    go_on = threading.Event()

    def held(progress: ingesting.Progress) -> None:
        if progress.done == 2:
            go_on.wait(20)
            raise RuntimeError("the first program ends")

    def first_program() -> None:
        with Library.open(songs, create=True) as library, pytest.raises(RuntimeError):
            ingesting.ingest(library, encoder, on_progress=held)

    first = threading.Thread(target=first_program)
    first.start()
    session = plain([songs], encoder)
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: any("another gdr is indexing" in s for s in said(pilot)))
        await until(pilot, lambda: len(names(pilot)) == 2)
        assert "not indexed" in picture(pilot)
        go_on.set()
        await until(pilot, lambda: len(names(pilot)) == 4)
        await until(pilot, lambda: "4 tracks · indexed" in picture(pilot))
    first.join()
    session.close()


def test_indexing_waits_while_a_query_is_drawn(songs: Path, encoder: Any) -> None:
    drawing, drawn = threading.Event(), threading.Event()

    def search(steering: Steering, *_: object, **__: object) -> Results:
        drawing.set()
        drawn.wait(60)
        return Results((), Query(np.zeros((8, 4), np.float32), steering), 0, 1, 0.1, 0.1)

    session = plain([songs], encoder, search)
    session.loader.load()
    query = threading.Thread(target=session.searcher.search, args=(Steering(prompt="warm"), 5))
    query.start()
    assert drawing.wait(60)
    done: list[Indexing] = []
    index = threading.Thread(target=session.indexer.index, args=(done.append,))
    index.start()
    time.sleep(0.5)
    assert not encoder.calls, "the query has the processor to itself"
    drawn.set()
    index.join(60)
    query.join(60)
    assert not index.is_alive()
    assert not query.is_alive()
    assert encoder.calls == 4
    session.close()


async def test_indexing_begins_when_the_text_model_is_there(songs: Path, encoder: Any) -> None:
    may_warm = threading.Event()

    session = plain([songs], encoder, embed=lambda texts: may_warm.wait(10))
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "bands on cpu: loading the text model …" in picture(pilot))
        await pilot.pause(0.3)
        assert not names(pilot), "nothing is indexed yet"
        may_warm.set()
        await until(pilot, lambda: len(names(pilot)) == 4)
        assert "loading" not in picture(pilot)
    session.close()


async def test_tracks_that_arrive_during_a_query_are_let_in_after_it() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        session.slow_s = 0.5
        await pilot.press("r")
        await until(pilot, lambda: len(session.asked) == 2)
        main(pilot).post_message(TracksArrived())
        await until(pilot, lambda: len(session.asked) == 3)
        assert session.asked[2] == session.asked[1]
        assert not session.cancelled
        await pilot.pause(0.7)
        assert len(session.asked) == 3, "once is enough"
        assert len(labels(pilot)) == 2


async def test_the_name_of_a_foreign_model_is_shown_literally() -> None:
    class Foreign(StandIn):
        def load(self) -> Loaded:
            return replace(super().load(), model="evil\x1b[2J\nname")

    async with opened(Foreign()).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        status = pilot.app.screen.query_one(StatusLine)
        await until(pilot, lambda: "evil\\x1b[2J\\nname on cpu" in picture(pilot))
        assert "\x1b" not in "".join(left_parts(status.state))
    assert "\x1b" not in "".join(left_parts(State(model_name="\x1b]0;x")))


async def test_a_folder_that_cannot_be_indexed_is_told_literally(
    tmp_path: Path, encoder: Any
) -> None:
    session = plain([tmp_path / "gone\x1b[2J"], encoder)
    session.loader.load()
    (problem,) = session.indexer.index(lambda indexing: None).problems
    assert "\x1b" not in problem
    assert "is not there now" in problem
    with pytest.raises(LibraryError):
        session.add(tmp_path / "gone")


def test_nothing_starts_once_the_app_ends() -> None:
    background = Background()
    ran = threading.Event()
    background.start("one", lambda cancelled: None)
    assert background.stop()
    background.start("two", lambda cancelled: ran.set())
    background.cancel("one")
    assert not ran.wait(0.1)
