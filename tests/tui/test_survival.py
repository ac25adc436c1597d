"""Machines that fail around the app: it says so in a sentence, loses nothing, and goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from driving import NARROW, WIDE, asked, burst, main, opened, picture, said, until
from stand_in import StandIn

from gdr_model import paths
from gdr_model.errors import StoreUnavailable
from gdr_model.notebook.database import Notebook
from gdr_model.notebook.trails import Trails
from gdr_tui.app.library import jobs
from gdr_tui.app.values import Loaded

ROOTS = [Path("/music")]


def kept() -> list[str]:
    """The prompts that the notebook holds."""
    with Notebook.open() as notebook:
        return [query.steering.prompt for query in Trails(notebook).read(ROOTS).queries]


# Workers

WORK = [
    "tags",
    "refresh",
    "generations",
    "peaks",
    "sound",
    "interpretations",
    "explain",
    "map",
    "prints",
]


async def test_whatever_fails_in_the_background_the_app_goes_on() -> None:
    session = StandIn()

    def broken(*_: object, **__: object) -> Any:
        raise ZeroDivisionError("a bug")

    for name in WORK:
        setattr(session, name, broken)
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await asked(pilot, "by the river bank")
        for key in ("space", "j", "w", "escape", "v", "escape", "e", "escape"):
            await pilot.press(key)
        main(pilot).search.state.ask_again()
        await until(pilot, lambda: "ZeroDivisionError: a bug" in "\n".join(said(pilot)))
        await asked(pilot, "still here")
        assert "still here" in picture(pilot)


async def test_a_library_that_cannot_be_read_for_a_while_is_followed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.05)
    session, refreshed = StandIn(), threading.Event()
    session.refresh = lambda: refreshed.set() or False  # type: ignore[method-assign,func-returns-value]
    answers = iter([[1], None, None, [1], [2]])

    def generations() -> list[int]:
        answer = next(answers, [2])
        if answer is None:
            raise StoreUnavailable("the library of /music cannot be read: database is locked")
        return answer

    session.generations = generations  # type: ignore[method-assign]
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, refreshed.is_set)
        assert sum("database is locked" in sentence for sentence in said(pilot)) == 1


# The GPU


def full() -> torch.cuda.OutOfMemoryError:
    return torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. " * 9)


class SmallGpu(StandIn):
    """Runs out of memory until the model is on the processor."""

    def __init__(self, *, has_processor: bool = True) -> None:
        super().__init__()
        self.on_gpu = True
        self.has_processor = has_processor

    def load(self) -> Loaded:
        return Loaded("builtin", "cuda")

    def search(self, *args: Any, **named: Any) -> Any:
        if self.on_gpu:
            raise full()
        return super().search(*args, **named)

    def to_cpu(self) -> Loaded | None:
        self.on_gpu = not self.has_processor
        return Loaded("builtin", "cpu") if self.has_processor else None


async def test_a_gpu_without_memory_leaves_the_drawing_to_the_processor() -> None:
    async with opened(SmallGpu()).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "builtin on cuda" in picture(pilot))
        await asked(pilot, "warm")
        assert any("continuing on the CPU" in sentence for sentence in said(pilot))
        assert "builtin on cpu" in picture(pilot)


async def test_without_a_way_out_it_says_what_to_do() -> None:
    async with opened(SmallGpu(has_processor=False)).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await pilot.press(*"warm", "enter")
        await until(pilot, lambda: said(pilot))
        assert said(pilot) == [
            "out of GPU memory; start gdr with --device cpu, or close what else uses it"
        ]


# What is said


async def test_a_problem_is_not_swept_away_by_the_next_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gdr_tui.app.main.notices.READING_S", 60.0)
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        main(pilot).say("marked")
        await until(pilot, lambda: said(pilot) == ["marked"])
        main(pilot).say("the disk is full", problem=True)
        await until(pilot, lambda: said(pilot) == ["the disk is full"])
        main(pilot).say("copied")
        await until(pilot, lambda: said(pilot) == ["the disk is full", "copied"])


# Leaving


async def test_keys_behind_the_one_that_quits_open_nothing() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        burst(pilot, "qivL")
        await until(pilot, lambda: not pilot.app.is_running)
        assert pilot.app._exception is None


# The notebook


async def test_a_locked_notebook_holds_nothing_up_and_loses_nothing() -> None:
    Notebook.open().close()
    other = sqlite3.connect(paths.home() / "notebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    app = opened(StandIn())
    async with app.run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await until(pilot, lambda: any("is locked" in sentence for sentence in said(pilot)))
        await pilot.press("m")
        await asked(pilot, "cold")
        other.execute("ROLLBACK")
        other.close()
        await until(pilot, lambda: len(main(pilot).search.state.trail) == 2)
        await until(pilot, lambda: kept() == ["warm", "cold"], 20)
        assert app.notebook.close(10)
    assert app.notebook.unwritten == 0


async def test_a_full_disk_keeps_the_trail_in_mind_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handles: list[sqlite3.Connection] = []
    whole = Notebook.__init__

    def small(self: Notebook, file: Path, connection: sqlite3.Connection) -> None:
        whole(self, file, connection)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        handles.append(connection)

    monkeypatch.setattr(Notebook, "__init__", small)
    app = opened(StandIn())
    async with app.run_test(size=NARROW) as pilot:
        for prompt in ("warm", "cold", "slow"):
            await asked(pilot, prompt)
        await until(pilot, lambda: any("disk is full" in sentence for sentence in said(pilot)))
        await asked(pilot, "fast")
        handles[0].execute("PRAGMA max_page_count = 100000")
        monkeypatch.setattr(Notebook, "__init__", whole)
        await until(pilot, lambda: kept() == ["warm", "cold", "slow", "fast"], 20)
    assert app.notebook.close(10)


async def test_what_could_not_be_kept_at_the_end_is_counted() -> None:
    Notebook.open().close()
    other = sqlite3.connect(paths.home() / "notebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    app = opened(StandIn())
    async with app.run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
    assert await asyncio.to_thread(app.notebook.close, 10)
    other.close()
    assert app.notebook.unwritten
    assert "is locked" in app.notebook.problem


# Sizes


@pytest.mark.parametrize("key", ["escape", "question_mark", "M", "v", "c", "w", "i", "e", "f", "o"])
async def test_any_screen_survives_being_made_tiny_and_large_again(key: str) -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await asked(pilot, "cold")
        await pilot.press("escape", key)
        await pilot.pause()
        before = pilot.app.screen
        for size in ((20, 5), (1, 1), (20, 5), (300, 80), WIDE):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert pilot.app.screen is before
        await pilot.press("escape")
        await asked(pilot, "still here")
        assert "still here" in picture(pilot)
