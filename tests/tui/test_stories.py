"""What a user does, on a session with fixed answers."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn, track
from textual.color import Color
from textual.widgets import Input

from gdr_model.errors import LibraryError
from gdr_model.types import WeightedText
from gdr_tui.screens.compare import CompareScreen
from gdr_tui.screens.edit import EditScreen
from gdr_tui.screens.export import ExportScreen
from gdr_tui.screens.help import HelpScreen
from gdr_tui.settings import Settings
from gdr_tui.widgets.chips import Chips
from gdr_tui.widgets.status import StatusLine
from gdr_tui.widgets.trail import TrailList
from gdr_tui.widgets.waveform import Waveform


async def test_types_a_prompt_and_gets_results() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm dub")
        assert session.asked[-1][0].prompt == "warm dub"
        assert main(pilot).results.has_focus
        assert "results · 20 of 30" in picture(pilot)
        assert labels(pilot) == ["“warm dub”"]


async def test_sees_the_library_before_the_model_and_may_already_ask() -> None:
    session = StandIn()
    session.may_load.clear()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: names(pilot))
        assert "library · 30 tracks" in picture(pilot)
        await pilot.press(*"warm", "enter")
        assert main(pilot).asking.waiting
        assert "the query waits for it" in picture(pilot)
        assert not session.asked
        session.may_load.set()
        await until(pilot, lambda: labels(pilot) == ["“warm”"])


async def test_pushes_away_drums_and_takes_it_back() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("n", *"drums:0.5", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert session.asked[-1][0].negatives == (WeightedText("drums", 0.5),)
        assert "− drums 0.5 ×" in picture(pilot)
        assert "▲" in picture(pilot) or "▼" in picture(pilot)
        await pilot.press("x")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert labels(pilot)[-1] == "no more − drums"


async def test_clicks_a_chip_away() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("n", *"drums", "enter")
        await pilot.press("n", *"vocals:2", "enter")
        await until(pilot, lambda: len(main(pilot).asking.draft.negatives) == 2)
        await pilot.click(Chips, offset=(3, 0))
        await until(
            pilot, lambda: main(pilot).asking.draft.negatives == (WeightedText("vocals", 2.0),)
        )


async def test_edits_a_result_it_almost_likes() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("j")
        hit = main(pilot).results.hit
        assert hit
        await pilot.press("i")
        assert isinstance(pilot.app.screen, EditScreen)
        await pilot.press("end", *" strings", "tab", *"0.4", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        steering = session.asked[-1][0]
        assert steering.edit
        assert steering.edit.path == str(hit.track.path)
        assert steering.edit.start_s == hit.start_s
        assert steering.edit.strength == 0.4
        assert steering.edit.from_prompt == "warm"
        assert steering.prompt == "warm strings"
        assert labels(pilot)[-1] == f"edit 0.4 of {hit.track.path.stem}: warm strings"
        assert "edit 0.4 of" in picture(pilot)


async def test_an_edit_inverts_under_the_words_that_found_the_result() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await pilot.press("escape", "i")
        assert any("an edit starts from a result" in sentence for sentence in said(pilot))
        await asked(pilot, "warm")
        await pilot.press("slash", *"half typed", "escape", "i")
        assert pilot.app.screen.query_one("#edit-prompt", Input).value == "warm"
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert session.asked[-1][0].edit.from_prompt == "warm"  # type: ignore[union-attr]


async def test_an_edit_that_cannot_be_meant_is_refused_in_the_dialog() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("i", "tab", *"7", "enter")
        assert isinstance(pilot.app.screen, EditScreen)
        assert "strength 7 is out of range" in picture(pilot)
        await pilot.press("escape")
        assert len(labels(pilot)) == 1


async def test_turns_guidance_three_times_and_asks_once() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("plus", "plus", "minus")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert labels(pilot)[-1] == "g 3→3.5"
        assert len(session.asked) == 2


async def test_rerolls_with_a_new_seed_every_time() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("r")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        await pilot.press("u", "r")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert [steering.seed for steering, _ in session.asked] == [0, 1, 2]


async def test_likes_and_bans_what_it_hears() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        first = main(pilot).results.track
        assert first
        await pilot.press("l")
        await until(pilot, lambda: session.asked[-1][0].likes == (str(first.path),))
        await until(pilot, lambda: not main(pilot).asking.busy)
        assert main(pilot).results.track == first, "the cursor stays on the track"
        await pilot.press("b")
        await until(pilot, lambda: session.asked[-1][0].dislikes == (str(first.path),))
        assert session.asked[-1][0].likes == ()


async def test_goes_back_branches_and_loses_nothing() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        first = names(pilot)
        await asked(pilot, "cold")
        second = names(pilot)
        await pilot.press("u")
        assert names(pilot) == first
        assert pilot.app.screen.query_one("#prompt", Input).value == "warm"
        await pilot.press("ctrl+r")
        assert names(pilot) == second
        await pilot.press("u", "r")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert labels(pilot) == ["“warm”", "├─“cold”", "re-roll seed 1"]
        await pilot.press("t", "k", "enter")
        assert names(pilot) == second
        await pilot.press("u", "u")
        assert "this is where the sitting began" in said(pilot)


async def test_compares_with_the_query_before() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await pilot.press("escape", "c")
        assert any("nothing to compare" in sentence for sentence in said(pilot))
        await asked(pilot, "warm")
        await asked(pilot, "cold")
        await pilot.press("c")
        assert isinstance(pilot.app.screen, CompareScreen)
        assert "came" in picture(pilot)
        assert "“cold”" in picture(pilot)


async def test_plays_from_the_matching_passage_pauses_and_seeks() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        while not main(pilot).results.hit.start_s:  # type: ignore[union-attr]
            await pilot.press("j")
        playback = main(pilot).playback
        await pilot.press("space")
        await until(pilot, lambda: playback.position_s > 64.1)
        assert (pilot.app.screen.query_one(Waveform).position_s or 0) >= 64
        await pilot.press("space")
        assert not playback.playing
        at_s = playback.position_s
        await pilot.press("right")
        assert playback.position_s == pytest.approx(at_s + 5)
        await pilot.press("space")
        assert playback.playing
        await pilot.press("left", "left")
        await until(pilot, lambda: playback.position_s < at_s and playback.playing)


async def test_double_clicks_a_result_to_hear_it() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.click("#results", offset=(20, 3), times=2)
        assert main(pilot).results.cursor == 2
        await until(pilot, lambda: main(pilot).playback.playing)


async def test_clicks_on_the_waveform_to_hear_that_moment() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        duration_s = main(pilot).results.track.duration_s  # type: ignore[union-attr]
        wave = pilot.app.screen.query_one(Waveform)
        await pilot.click(Waveform, offset=(wave.size.width // 2, 0))
        await until(pilot, lambda: main(pilot).playback.playing)
        assert main(pilot).playback.position_s == pytest.approx(duration_s / 2, abs=3)


async def test_is_told_once_that_there_is_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDR_AUDIO")
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("space", "j", "space", "right")
        assert sum("no sound" in sentence for sentence in said(pilot)) == 1
        assert "no sound ·" in picture(pilot)
        await asked(pilot, "cold")


async def test_exports_the_marked_results(tmp_path: Path) -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "j", "m", "e")
        assert isinstance(pilot.app.screen, ExportScreen)
        assert "the 2 marked results of “warm”" in picture(pilot)
        target = tmp_path / "list.json"
        pilot.app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        assert [hit["rank"] for hit in json.loads(target.read_text())["hits"]] == [1, 3]
        target.write_text("mine")
        await pilot.press("e")
        pilot.app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        assert "exists; export again" in picture(pilot)
        assert target.read_text() == "mine"
        await pilot.press("enter")
        assert target.read_text() != "mine"


async def test_chooses_the_format_with_a_button() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("e")
        await pilot.click("#as-csv")
        assert pilot.app.screen.query_one(Input).value.endswith("gdr-warm.csv")


async def test_copies_a_path() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("y")
        assert pilot.app.clipboard == str(main(pilot).results.track.path)  # type: ignore[union-attr]


async def test_filters_and_mends_a_filter_that_cannot_be_read() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("f", *"nonsense", "enter")
        assert "expected a field" in picture(pilot)
        pilot.app.screen.query_one(Input).value = "genre = jazz"
        await pilot.press("enter")
        await until(pilot, lambda: session.asked[-1][1] == "genre = jazz")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert labels(pilot)[-1] == "where genre = jazz"


async def test_is_told_that_the_filter_excluded_everything() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("f", *"nothing", "enter")
        await until(pilot, lambda: not names(pilot))
        assert "the filter excluded every track: nothing" in picture(pilot)


async def test_a_slow_query_is_dropped_for_a_newer_one() -> None:
    session = StandIn(slow_s=0.5)
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).asking.has_model)
        await pilot.press(*"warm", "enter", "slash", "end", *"er", "enter")
        await until(pilot, lambda: main(pilot).asking.trail.current)
        await asyncio.sleep(0.6)
        assert labels(pilot) == ["“warmer”"]
        assert session.cancelled == 1


async def test_types_on_while_a_query_is_drawn() -> None:
    async with opened(StandIn(slow_s=30)).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).asking.has_model)
        await pilot.press(*"warm", "enter")
        assert "drawing …" in picture(pilot)
        await pilot.press("slash", "end", *" and slow")
        assert pilot.app.screen.query_one("#prompt", Input).value == "warm and slow"
        assert main(pilot).asking.busy


async def test_a_prompt_that_is_empty_or_too_long_is_one_sentence() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).asking.has_model)
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
        assert main(pilot).playback.path == track(1).path


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
        status = pilot.app.screen.query_one(StatusLine)
        await until(pilot, lambda: status.state.indexing)
        assert "1.2/s · 0:21 left · indexing 3/30" in picture(pilot)
        await asked(pilot, "warm")
        before = len(session.asked)
        main(pilot).ask_again()
        await until(pilot, lambda: len(session.asked) == before + 1)
        assert labels(pilot) == ["“warm”"], "no query of the user's"
        session.hold_index = False
        await until(pilot, lambda: status.state.indexed)
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


async def test_reads_the_help_and_finds_every_action_in_the_palette() -> None:
    chosen = Settings(keys={"search.reroll": "R"})
    async with opened(StandIn(), chosen).run_test(size=WIDE) as pilot:
        await pilot.press("escape", "question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "draw again with another seed" in picture(pilot)
        await pilot.press("escape")
        commands = {c.title for c in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Re-roll (R)", "Edit (i)", "Export (e)", "Theme"} <= commands
        await asked(pilot, "warm")
        await pilot.press("ctrl+p", *"re-roll")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)


async def test_remapped_keys_work_and_mistakes_are_named() -> None:
    session = StandIn()
    chosen = Settings(keys={"search.reroll": "R", "track.likee": "q"})
    async with opened(session, chosen, "settings.toml cannot be read").run_test() as pilot:
        assert any("cannot be read" in sentence for sentence in said(pilot))
        assert any("no action track.likee" in sentence for sentence in said(pilot))
        await asked(pilot, "warm")
        await pilot.press("r")
        await pilot.press("R")
        await until(pilot, lambda: len(session.asked) == 2)


async def test_quits_at_once_while_everything_is_busy() -> None:
    session = StandIn(slow_s=30)
    session.hold_index = True
    app = opened(session)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).asking.has_model)
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
        assert said(pilot) == ["library: the library of /music cannot be opened"]


async def test_a_folder_that_went_away_is_one_sentence() -> None:
    session = StandIn()

    def gone(*_: object, **__: object) -> None:
        raise LibraryError("the folder /music is not there any more")

    session.ingest = gone  # type: ignore[assignment,method-assign]
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: said(pilot))
        assert said(pilot) == ["index: the folder /music is not there any more"]
        await asked(pilot, "warm")


async def test_the_trail_takes_the_mouse() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        first = names(pilot)
        await asked(pilot, "cold")
        await pilot.click(TrailList, offset=(5, 1), times=2)
        await until(pilot, lambda: names(pilot) == first)
