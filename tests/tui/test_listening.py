"""A user listens, exports, copies and reads the help."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.widgets import Input

from gdr_model.types import Array
from gdr_tui.app.playback.placeholders import filled_in
from gdr_tui.app.playback.reveal import RevealError, command, reveal
from gdr_tui.app.playback.waveform import Waveform
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.list import TrailList
from gdr_tui.app.ui.export_dialog import ExportDialog
from gdr_tui.app.ui.help_dialog import HelpDialog


async def test_plays_from_the_matching_passage_pauses_and_seeks() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        while not main(pilot).search.results.hit.start_s:  # type: ignore[union-attr]
            await pilot.press("j")
        playback = main(pilot).playback.state
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
        playback = main(pilot).playback.state
        duration_s = main(pilot).search.results.track.duration_s  # type: ignore[union-attr]
        await pilot.press("space")
        await until(pilot, lambda: playback.playing)
        await pilot.press("space")
        main(pilot).playback._seek(duration_s - 10)
        await pilot.pause(0.3)
        assert not playback.playing
        assert playback.position_s == pytest.approx(duration_s - 10)
        await pilot.press("space")
        await until(pilot, lambda: playback.position_s > duration_s - 9.9)


async def test_double_clicks_a_result_to_hear_it() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.click("#results", offset=(20, 3), times=2)
        assert main(pilot).search.results.cursor == 2
        await until(pilot, lambda: main(pilot).playback.state.playing)


async def test_clicks_on_the_waveform_to_hear_that_moment() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        duration_s = main(pilot).search.results.track.duration_s  # type: ignore[union-attr]
        wave = pilot.app.screen.query_one(Waveform)
        await pilot.click(Waveform, offset=(wave.size.width // 2, 0))
        await until(pilot, lambda: main(pilot).playback.state.playing)
        assert main(pilot).playback.state.position_s == pytest.approx(duration_s / 2, abs=3)


async def test_exports_the_marked_results(tmp_path: Path) -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "j", "m", "e")
        assert isinstance(pilot.app.screen, ExportDialog)
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
        assert pilot.app.clipboard == str(main(pilot).search.results.track.path)  # type: ignore[union-attr]


async def test_reads_the_help_and_finds_every_action_in_the_palette() -> None:
    chosen = Settings(keys={"search.reroll": "R"})
    async with opened(StandIn(), chosen).run_test(size=WIDE) as pilot:
        await pilot.press("escape", "question_mark")
        assert isinstance(pilot.app.screen, HelpDialog)
        assert "another list for the same words" in picture(pilot)
        await pilot.press("escape")
        commands = {c.title for c in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Roll (R)", "Edit (i)", "Export (e)", "Theme"} <= commands
        await asked(pilot, "warm")
        await pilot.press("ctrl+p", *"roll")
        await until(pilot, lambda: "Roll (R)" in picture(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)


async def test_the_trail_takes_the_mouse() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        first = names(pilot)
        await asked(pilot, "cold")
        await pilot.click(TrailList, offset=(5, 1), times=2)
        await until(pilot, lambda: names(pilot) == first)


async def test_auditions_while_moving_and_stops_when_asked() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        playback, results = main(pilot).playback.state, main(pilot).search.results
        await pilot.press("a")
        await until(pilot, lambda: playback.playing)
        assert "audition" in picture(pilot)
        await pilot.press("j", "j")
        await until(pilot, lambda: playback.path == results.tracks[2].path)
        assert playback.position_s >= results.hit.start_s  # type: ignore[union-attr]
        await pilot.press("a")
        assert not playback.playing
        await pilot.press("j")
        await pilot.pause(0.3)
        assert playback.path == results.tracks[2].path
        assert "audition" not in picture(pilot)


async def test_plays_the_next_and_the_previous_result() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        playback, results = main(pilot).playback.state, main(pilot).search.results
        await pilot.press("full_stop")
        await until(pilot, lambda: playback.playing)
        assert playback.path == results.tracks[1].path
        await pilot.press("comma")
        assert playback.path == results.tracks[0].path
        assert results.cursor == 0


async def test_what_may_be_played_next_is_decoded_before() -> None:
    session = StandIn()
    decoded: list[tuple[Path, float]] = []
    sound = session.sound

    def counted(path: Path, start_s: float, length_s: float) -> Array:
        decoded.append((path, start_s))
        return sound(path, start_s, length_s)

    session.sound = counted  # type: ignore[method-assign]
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        playback, results = main(pilot).playback.state, main(pilot).search.results
        await pilot.press("space", "j")
        following = results.moment(2)
        assert following
        await until(pilot, lambda: following in playback._ahead)
        decoded.clear()
        await pilot.press("j", "space")
        await until(pilot, lambda: playback.position_s > following[1])
        assert following not in decoded  # played from what was kept, and decoded on from there
        await until(pilot, lambda: any(path == following[0] for path, _ in decoded))


async def test_repeats_the_passage() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        playback, hit = main(pilot).playback.state, main(pilot).search.results.hit
        assert hit
        await pilot.press("space", "p")
        await until(pilot, lambda: playback.playing)
        assert "loop" in picture(pilot)
        await until(pilot, lambda: playback.position_s > hit.start_s)
        main(pilot).playback._seek(hit.end_s - 0.3)
        await until(pilot, lambda: playback.position_s > hit.end_s - 1)
        await until(pilot, lambda: playback.position_s < hit.end_s - 1)
        assert playback.playing
        await pilot.press("p")
        main(pilot).playback._seek(hit.end_s - 0.2)
        await until(pilot, lambda: playback.position_s > hit.end_s)


async def test_turns_the_volume() -> None:
    async with opened(StandIn(), Settings(volume=0.5)).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        assert "vol 50 %" in picture(pilot)
        await pilot.press("right_square_bracket")
        assert main(pilot).playback.state.volume == pytest.approx(0.6)
        await pilot.press(*["left_square_bracket"] * 9)
        assert main(pilot).playback.state.volume == 0
        await pilot.press(*["right_square_bracket"] * 12)
        assert main(pilot).playback.state.volume == 1
        assert "vol" not in picture(pilot)


async def test_reveals_a_file_in_its_folder(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    opener = ("sh", "-c", f'printf %s "$0" > {shown}', "{folder}")
    session = StandIn()
    async with opened(session, Settings(opener=opener)).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("Y")
        assert any("no longer exists" in sentence for sentence in said(pilot))
        file = tmp_path / "here.flac"
        file.touch()
        results = main(pilot).search.results
        listed = main(pilot).listed
        assert listed
        best = replace(listed.hits[0], track=replace(listed.hits[0].track, path=file))
        results.show_results(replace(listed, hits=(best, *listed.hits[1:])), None, None)
        await pilot.press("Y")
        await until(pilot, lambda: shown.exists() and shown.read_text() == str(tmp_path))


def test_the_platform_shows_files_where_nothing_is_set() -> None:
    path = Path("/music/a b.flac")
    assert command(path, (), "linux") == ["xdg-open", "/music"]
    assert command(path, (), "darwin") == ["open", "-R", "/music/a b.flac"]
    with pytest.raises(RevealError, match="set opener in settings"):
        reveal(Path(__file__), ("/no/such/program", "{path}"))


def test_a_placeholder_in_a_file_name_is_part_of_the_name() -> None:
    path = Path("/music/{folder} {start_s} {path}.mp3")
    opener = ("show", "--in={folder}", "{path}", "{other}")
    assert command(path, opener) == ["show", "--in=/music", str(path), "{other}"]
    filled = filled_in(("{path}@{start_s}",), {"path": str(path), "start_s": "1.5"})
    assert filled == [f"{path}@1.5"]
