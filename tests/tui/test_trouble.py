"""What may go wrong around a user, and what is on at the same time."""

import time
from pathlib import Path

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn, track
from textual.color import Color
from textual.widgets import Input

from gdr_model.errors import LibraryError
from gdr_tui.app.main import notices
from gdr_tui.app.settings import Settings


async def test_is_told_each_time_that_there_is_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDR_AUDIO")
    monkeypatch.setattr(notices, "READING_S", 0.0)
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        told = []
        for key in ("space", "space", "right", "full_stop"):
            pilot.app.clear_notifications()
            await pilot.press(key)
            told += said(pilot)
        why = "no sound: the PortAudio library is not installed; Space tries again"
        assert [sentence.startswith(why) for sentence in told] == [True] * 4
        await pilot.press("a", "j")
        assert "no sound ·" in picture(pilot)
        await asked(pilot, "cold")


async def test_a_slow_query_is_dropped_for_a_newer_one() -> None:
    session = StandIn(slow_s=30)
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await pilot.press(*"warm", "enter")
        await until(pilot, lambda: session.asked)
        session.slow_s = 0
        await pilot.press("slash", "end", *"er", "enter")
        await until(pilot, lambda: main(pilot).search.state.trail.current)
        await until(pilot, lambda: session.cancelled)
        assert labels(pilot) == ["“warmer”"]


async def test_types_on_while_a_query_is_drawn() -> None:
    async with opened(StandIn(slow_s=30)).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await pilot.press(*"warm", "enter")
        assert "drawing …" in picture(pilot)
        await pilot.press("slash", "end", *" and slow")
        assert pilot.app.screen.query_one("#prompt", Input).value == "warm and slow"
        assert main(pilot).search.state.busy


async def test_a_prompt_that_is_empty_or_too_long_is_one_sentence() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await pilot.press("enter")
        assert any("the prompt is empty" in sentence for sentence in said(pilot))
        pilot.app.screen.query_one("#prompt", Input).value = "a" * 2001
        await pilot.press("enter")
        assert any("2,001 characters is too long" in sentence for sentence in said(pilot))
        assert not session.asked


async def test_a_missing_model_is_one_sentence_and_the_library_stays() -> None:
    session = StandIn()
    session.fails = "model"
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: said(pilot))
        assert said(pilot) == ["model: there is no model called builtin; run gdr model list"]
        assert "builtin: not loaded" in picture(pilot)
        assert names(pilot)
        await pilot.press("escape", "j", "space")
        assert main(pilot).playback.state.path == track(1).path


async def test_a_query_that_fails_is_a_message_and_not_the_end() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        session.fails = "search"
        await pilot.press("r")
        await until(pilot, lambda: said(pilot))
        assert said(pilot) == ["RuntimeError: the model tripped"]
        session.fails = ""
        await asked(pilot, "cold")


async def test_indexing_is_shown_and_new_tracks_join_the_results() -> None:
    session = StandIn()
    session.hold_index = True
    async with opened(session).run_test(size=WIDE) as pilot:
        library = main(pilot).library
        await until(pilot, lambda: library.state.indexing)
        assert "1.2/s · 0:21 left · indexing 3/30" in picture(pilot)
        await asked(pilot, "warm")
        before = len(session.asked)
        main(pilot).search.state.ask_again()
        await until(pilot, lambda: len(session.asked) == before + 1)
        assert labels(pilot) == ["“warm”"], "no query of the user's"
        session.hold_index = False
        await until(pilot, lambda: library.state.indexed)
        assert "30 tracks · indexed" in picture(pilot)


async def test_without_a_library_it_says_what_to_do(tmp_path: Path) -> None:
    session = StandIn(tracks=0)
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "no music yet" in picture(pilot))
        assert "press Esc, then o" in picture(pilot)
        await pilot.press("escape", "o", *"/no/such/folder", "enter")
        assert "there is no folder /no/such/folder" in picture(pilot)
        pilot.app.screen.query_one(Input).value = str(tmp_path)
        await pilot.press("enter")
        assert session.roots == [tmp_path.resolve()]


async def test_names_that_would_act_on_the_terminal_are_shown_literally() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: names(pilot))
        shown = picture(pilot)
        assert "[bold]Not Markup[/]" in shown
        assert "A\\x1b[31mRed\\nArtist" in shown
        assert "\x1b" not in shown
        await asked(pilot, "[red]warm[/] \\[")
        assert "“[red]warm[/] \\[”" in picture(pilot)


async def test_remapped_keys_work_and_mistakes_are_named() -> None:
    session = StandIn()
    chosen = Settings(keys={"search.reroll": "R", "track.likee": "q"})
    async with opened(session, chosen, "settings.toml cannot be read").run_test() as pilot:
        assert any("cannot be read" in sentence for sentence in said(pilot))
        assert any("no action called track.likee" in sentence for sentence in said(pilot))
        await asked(pilot, "warm")
        await pilot.press("r")
        await pilot.press("R")
        await until(pilot, lambda: len(session.asked) == 2)


async def test_quits_at_once_while_everything_is_busy() -> None:
    session = StandIn(slow_s=30)
    session.hold_index = True
    app = opened(session)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await pilot.press(*"warm", "enter", "space", "q")
    began = time.monotonic()
    assert app.background.stop(0.5)
    assert time.monotonic() - began < 0.6


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 40), (200, 60)])
async def test_nothing_overlaps_at_any_size(size: tuple[int, int]) -> None:
    async with opened(StandIn()).run_test(size=size) as pilot:
        await asked(pilot, "warm")
        await asked(pilot, "cold")
        rows = ("#prompt-row", "#steer-row", "#results", "#chosen", "#trail", "#status")
        found = [pilot.app.screen.query_one(name) for name in rows]
        shown = [widget.region for widget in found if widget.region.area]
        assert len(shown) == 6 - (size == (60, 16)), "only a tiny screen leaves the track out"
        for one in shown:
            assert pilot.app.screen.region.contains_region(one)
            assert all(one is other or not one.overlaps(other) for other in shown)


@pytest.mark.parametrize("size", [(60, 11), (120, 8), (40, 6), (20, 4)])
async def test_a_sliver_of_a_terminal_keeps_prompt_results_and_status(
    size: tuple[int, int],
) -> None:
    async with opened(StandIn()).run_test(size=size) as pilot:
        await asked(pilot, "warm")
        screen = pilot.app.screen
        assert screen.region.contains_region(screen.query_one("#results").region)
        first, *_, last = picture(pilot).splitlines()
        assert "/ warm" in first
        assert "builtin" in last
        assert names(pilot)[0][:4] in picture(pilot)


async def test_no_color_leaves_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        assert pilot.app.theme == "ansi-dark"
        for strip in pilot.app.screen._compositor.render_strips():
            for segment in strip.apply_filter(pilot.app._filters[-1], Color.parse("black")):
                assert segment.style is None or segment.style.color is None or (
                    segment.style.color.is_default
                )  # fmt: skip


async def test_a_library_that_cannot_be_read_is_one_sentence() -> None:
    session = StandIn()

    def damaged() -> None:
        raise LibraryError("the library of /music cannot be opened")

    session.catalogue = damaged  # type: ignore[assignment,method-assign]
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "cannot be opened" in picture(pilot))
        assert said(pilot)[-1].endswith(": the library of /music cannot be opened")


async def test_a_folder_that_went_away_is_one_sentence() -> None:
    session = StandIn()

    def gone(*_: object, **__: object) -> None:
        raise LibraryError("the folder /music no longer exists")

    session.index = gone  # type: ignore[assignment,method-assign]
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: said(pilot))
        assert said(pilot) == ["index: the folder /music no longer exists"]
        await asked(pilot, "warm")
