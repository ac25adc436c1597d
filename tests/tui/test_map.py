"""A user looks at the library as a map, walks about in it and goes to what is found there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driving import NARROW, WIDE, asked, main, names, opened, picture, said, until
from stand_in import StandIn, track
from textual.pilot import Pilot

from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.map.points import Grouping, Mapped, folders
from gdr_tui.app.map.screen import MapScreen
from gdr_tui.app.map.widget import MapPlot
from gdr_tui.app.messages import IndexFinished
from gdr_tui.app.values import Indexed


async def mapped(pilot: Pilot[Any]) -> MapPlot:
    """Open the map and wait for it."""
    await until(pilot, lambda: main(pilot).search.state.has_model)
    await pilot.press("escape", "v")
    await until(pilot, lambda: isinstance(pilot.app.screen, MapScreen))
    await until(pilot, lambda: pilot.app.screen.query_one(MapPlot).mapped)
    await pilot.pause()
    return pilot.app.screen.query_one(MapPlot)


def drawn(pilot: Pilot[Any]) -> str:
    """The map alone."""
    return "\n".join(picture(pilot).splitlines()[1:-5])


async def test_sees_results_draws_and_the_way_on_the_map() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await asked(pilot, "cold and dark")
        first = names(pilot)[0]
        await mapped(pilot)
        await until(pilot, lambda: "✦" in drawn(pilot))
        shown = picture(pilot)
        assert "map · 30 tracks · t-SNE of 20" in shown
        assert "“cold and dark”" in shown
        for sign in "123456789◉":
            assert sign in drawn(pilot)
        await pilot.press("1")
        assert first in picture(pilot)
        assert "Enter go" in picture(pilot)


async def test_goes_to_a_result_and_comes_back_on_it() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        third = names(pilot)[2]
        plot = await mapped(pilot)
        assert plot.track
        assert plot.track.name == names(pilot)[0]
        await pilot.press("n", "n")
        assert plot.track.name == third
        await pilot.press("p", "n", "enter")
        assert isinstance(pilot.app.screen, MainScreen)
        assert main(pilot).search.results.track
        assert main(pilot).search.results.track.name == third
        assert not main(pilot).search.state.draft.steering.likes


async def test_a_track_that_was_not_found_is_liked_and_comes_near() -> None:
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        plot = await mapped(pilot)
        far = next(t for t in plot.mapped.tracks if t.name not in names(pilot))  # type: ignore[union-attr]
        plot.go_to(plot.mapped.at[far.path])  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: len(session.asked) == 2)
        assert session.asked[-1][0].likes == (str(far.path),)
        await until(pilot, lambda: names(pilot)[0] == far.name)


async def test_walks_zooms_and_sees_everything_again() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        plot = await mapped(pilot)
        whole = drawn(pilot)
        for _ in range(4):
            await pilot.press("plus")
        assert drawn(pilot) != whole
        assert plot.track
        near = plot._view.zoom
        assert near == pytest.approx(1.5**4)
        for _ in range(20):
            await pilot.press("L")
        right = plot._view.x
        for _ in range(40):
            await pilot.press("H", "K")
        assert plot._view.x < right
        assert plot._view.y == pytest.approx(1 - 1 / near)
        await pilot.press("0", "minus", "minus")
        assert plot._view.zoom == 1.0


async def test_every_track_can_be_reached_by_the_keys_of_the_cursor() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        plot = await mapped(pilot)
        assert plot.mapped
        target = plot.mapped.at[track(17).path]
        plot.move(-200, -200)
        cell = plot._cells[target].tolist()
        for key, count in (("l", cell[0]), ("j", cell[1])):
            for _ in range(count):
                await pilot.press(key)
        assert plot.picked == target
        assert track(17).name in picture(pilot)


async def test_picks_drags_scrolls_and_chooses_by_mouse() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        plot = await mapped(pilot)
        assert plot.mapped
        target = plot.mapped.at[track(5).path]
        column, row = plot._cells[target].tolist()
        await pilot.click(MapPlot, offset=(column, row + 1))
        assert plot.picked == target
        await pilot._post_mouse_events([_scroll()], MapPlot, offset=(column, row + 1))
        assert plot._view.zoom == pytest.approx(1.5)
        before = plot._view.x
        await pilot.mouse_down(MapPlot, offset=(60, 10))
        await pilot.hover(MapPlot, offset=(50, 10))
        await pilot.mouse_up(MapPlot, offset=(50, 10))
        assert plot._view.x > before
        await pilot.press("0")
        await pilot.click(MapPlot, offset=(column, row + 1), times=2)
        await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
        assert main(pilot).search.results.track == track(5)


def _scroll() -> Any:
    from textual.events import MouseScrollUp

    return MouseScrollUp


async def test_the_hints_can_be_clicked() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        plot = await mapped(pilot)
        await pilot.click("#map-hint", offset=(picture(pilot).splitlines()[-1].index("+"), 0))
        assert plot._view.zoom == pytest.approx(1.5)
        await pilot.click(
            "#map-hint", offset=(picture(pilot).splitlines()[-1].index("c colour"), 0)
        )
        assert "folder: " in picture(pilot)


async def test_what_is_indexed_joins_an_open_map() -> None:
    session = StandIn(tracks=10)
    async with opened(session).run_test(size=NARROW) as pilot:
        await mapped(pilot)
        session.tracks = 20
        main(pilot).post_message(IndexFinished(Indexed(encoded=10)))
        await until(pilot, lambda: "map · 20 tracks" in picture(pilot))


async def test_plays_and_marks_on_the_map() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        plot = await mapped(pilot)
        await pilot.press("2", "space")
        await until(pilot, lambda: main(pilot).playback.state.playing)
        assert plot.track
        assert main(pilot).playback.state.path == plot.track.path
        await pilot.press("m")
        (kept,) = main(pilot).crates.state.tracks("marked")
        hit = main(pilot).search.state.trail.current.results.hits[1]  # type: ignore[union-attr]
        assert (kept.path, kept.start_s, kept.prompt) == (hit.track.path, hit.start_s, "warm")
        assert any("to “marked”" in sentence for sentence in said(pilot))
        await pilot.press("m", "escape")
        assert not main(pilot).crates.state.marked


async def test_colours_by_genre_or_folder_and_by_signs() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await mapped(pilot)
        assert "genre: ● " in picture(pilot)
        await pilot.press("c")
        assert "folder: ● untagged 30" in picture(pilot)
        await pilot.press("c", "s")
        assert "■ " in picture(pilot).splitlines()[-3]
        assert sum(sign in drawn(pilot) for sign in "●■▲◆○□△") >= 6


async def test_no_colour_means_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        plot = await mapped(pilot)
        assert plot.shapes
        assert "▲" in drawn(pilot)


async def test_a_quick_map_is_there_while_a_better_one_is_computed() -> None:
    session = StandIn()
    session.hold_map = True
    async with opened(session).run_test(size=NARROW) as pilot:
        plot = await mapped(pilot)
        await until(pilot, lambda: "similar tracks … 50%" in picture(pilot))
        assert "map · 30 tracks · PCA" in picture(pilot)
        await pilot.press("l", "j")
        before = plot.track
        session.hold_map = False
        await until(pilot, lambda: "t-SNE" in picture(pilot))
        assert plot.track == before
        assert "%" not in picture(pilot)


async def test_leaves_before_the_map_is_there_and_finds_it_later() -> None:
    session = StandIn()
    session.hold_map = True
    async with opened(session).run_test(size=NARROW) as pilot:
        await mapped(pilot)
        await pilot.press("escape")
        session.hold_map = False
        state = main(pilot).map.state
        await until(pilot, lambda: state.mapped and not state.mapped.preliminary)
        assert isinstance(pilot.app.screen, MainScreen)
        await mapped(pilot)
        assert "t-SNE" in picture(pilot)


async def test_says_why_there_is_no_map() -> None:
    session = StandIn()
    session.may_load.clear()
    async with opened(session).run_test(size=NARROW) as pilot:
        await pilot.press("escape", "v")
        assert any("still loading" in sentence for sentence in said(pilot))
        session.may_load.set()
        await until(pilot, lambda: main(pilot).search.state.has_model)
        session.fails = "map"
        await pilot.press("v")
        await until(pilot, lambda: "the map tripped" in drawn(pilot))
        await pilot.press("h", "plus", "n", "c", "space", "enter", "m", "1", "escape")
        assert isinstance(pilot.app.screen, MainScreen)


@pytest.mark.parametrize("count", [0, 1])
async def test_the_smallest_libraries(count: int) -> None:
    async with opened(StandIn(tracks=count)).run_test(size=NARROW) as pilot:
        await mapped(pilot)
        await pilot.press("l", "plus", "n", "c", "s", "minus", "0", "j")
        assert ("no track is indexed" in picture(pilot)) == (count == 0)


@pytest.mark.parametrize("size", [(20, 5), (60, 11), (200, 60)])
async def test_any_size_of_terminal(size: tuple[int, int]) -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await mapped(pilot)
        await pilot.resize_terminal(*size)
        await pilot.press("l", "plus", "2", "k")
        await pilot.pause()
        assert len(picture(pilot).splitlines()) == size[1]


def test_groups_are_the_largest_and_one_for_the_rest() -> None:
    values = [f"g{number % 20}" for number in range(400)] + [""] * 90 + ["g3"] * 5
    grouping = Grouping.by(values)
    assert grouping.names[0] == "g3"
    assert grouping.names[-1] == "others"
    assert len(grouping.names) == 8
    assert sum(grouping.counts) == len(values)
    np.testing.assert_array_equal(np.bincount(grouping.of), grouping.counts)
    assert Grouping.by(["", "a"]).names == ("a", "untagged")
    assert Grouping.by([]).names == ()


def test_folders_are_those_below_the_one_that_holds_all() -> None:
    paths = [Path(p) for p in ("/m/jazz/a/1.mp3", "/m/dub/2.mp3", "/m/3.mp3")]
    assert folders(paths) == ["jazz", "dub", ""]
    assert folders(paths[:1]) == [""]
    assert folders([]) == []


def test_a_hundred_thousand_tracks_are_shown_at_once(benchmark_s: Callable[..., float]) -> None:
    rng = np.random.default_rng(0)
    count = 100_000
    tracks = [track(number % 30) for number in range(count)]
    library = Mapped(
        tuple(tracks),
        rng.uniform(-1, 1, (count, 2)).astype(np.float32),
        "PCA",
        count,
        {"genre": Grouping.by([one.genre for one in tracks])},
    )
    plot = MapPlot(id="map")
    plot.by = "genre"
    plot.mapped = library
    plot._view = plot._view.__class__(120, 36)

    def draw() -> None:
        plot._cells = plot._view.cells(library.xy)
        plot._track_cells()

    assert benchmark_s(draw) < 0.25


@pytest.fixture
def benchmark_s() -> Callable[..., float]:
    """The best of some runs, in seconds of the processor."""
    import time

    def measure(act: Callable[[], object], runs: int = 3) -> float:
        best = float("inf")
        for _ in range(runs):
            began = time.process_time()
            act()
            best = min(best, time.process_time() - began)
        return best

    return measure


async def test_the_legend_divides_no_name_between_two_lines() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await mapped(pilot)
        await until(pilot, lambda: "● big band 3" in picture(pilot))
        legend = picture(pilot).splitlines()[-5:-2]
        assert "● ambient techno 3" in picture(pilot)
        assert all(not line.rstrip().endswith("●") for line in legend)
