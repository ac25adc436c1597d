"""A user listens, exports, copies and reads the help."""

import json
from pathlib import Path

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, until
from stand_in import StandIn
from textual.widgets import Input

from gdr_tui.screens.export import ExportScreen
from gdr_tui.screens.help import HelpScreen
from gdr_tui.settings import Settings
from gdr_tui.widgets.trail import TrailList
from gdr_tui.widgets.waveform import Waveform


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


async def test_seeks_far_while_paused_and_stays_paused() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        playback = main(pilot).playback
        duration_s = main(pilot).results.track.duration_s  # type: ignore[union-attr]
        await pilot.press("space")
        await until(pilot, lambda: playback.playing)
        await pilot.press("space")
        main(pilot)._seek(duration_s - 10)
        await pilot.pause(0.3)
        assert not playback.playing
        assert playback.position_s == pytest.approx(duration_s - 10)
        await pilot.press("space")
        await until(pilot, lambda: playback.position_s > duration_s - 9.9)


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


async def test_exports_the_marked_results(tmp_path: Path) -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "j", "m", "e")
        assert isinstance(pilot.app.screen, ExportScreen)
        assert "marked: 2 results" in picture(pilot)
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


async def test_the_trail_takes_the_mouse() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        first = names(pilot)
        await asked(pilot, "cold")
        await pilot.click(TrailList, offset=(5, 1), times=2)
        await until(pilot, lambda: names(pilot) == first)
