"""Pictures of the app in every state, with fixed answers; `--snapshot-update` takes new ones."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driving import NARROW, WIDE, asked, main, opened, picture, until
from stand_in import StandIn, hits
from textual.pilot import Pilot
from textual.widgets import Input, Static

from gdr_model.steering import WeightedText
from gdr_tui.app.edit.panel import EditPanel
from gdr_tui.app.explain.tabs import InterpretationTabs
from gdr_tui.app.settings import Settings

HUGE = (200, 60)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, HUGE], ids=["80x24", "120x40", "200x60"])
Compare = Callable[..., bool]
Size = tuple[int, int]


async def still(pilot: Pilot[Any]) -> None:
    """Take out what depends on the clock, and what was said of keys; a problem stays."""
    if all(notice.severity == "information" for notice in pilot.app._notifications):
        pilot.app.clear_notifications()
        await until(pilot, lambda: not pilot.app.screen.query("Toast"))
    if main(pilot).search.state.took_s:
        main(pilot).search.state.took_s = 0.42
    for box in pilot.app.screen.query(Input):
        box.cursor_blink = False
    main(pilot).refresh_status()
    await pilot.pause()


async def searched(pilot: Pilot[Any]) -> None:
    """Two queries, a like, a mark, the waveform there."""
    await until(pilot, lambda: main(pilot).search.state.has_model)
    await asked(pilot, "warm dub techno")
    await pilot.press("n", *"drums:0.5", "enter")
    await until(pilot, lambda: len(main(pilot).search.state.trail) == 2)
    await pilot.press("j", "m")
    await until(pilot, lambda: pictured(pilot))


def pictured(pilot: Pilot[Any]) -> bool:
    """Whether the waveform of the chosen track is there."""
    track = main(pilot).search.results.track
    return track is not None and track.path in main(pilot).playback.peaks


def posed(*steps: Callable[[Pilot[Any]], Awaitable[None]]) -> Callable[[Pilot[Any]], Any]:
    async def pose(pilot: Pilot[Any]) -> None:
        for step in (*steps, still):
            await step(pilot)

    return pose


def pressed(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def press(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)

    return press


@SIZES
def test_empty(snap_compare: Compare, size: Size) -> None:
    async def read(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await until(pilot, lambda: main(pilot).library.state.catalogue)

    app = opened(StandIn(tracks=0))
    assert snap_compare(app, terminal_size=size, run_before=posed(read))


@SIZES
def test_busy(snap_compare: Compare, size: Size) -> None:
    session = StandIn(slow_s=30)
    session.hold_index = True

    async def ask(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: main(pilot).library.state.indexing)
        await until(pilot, lambda: main(pilot).search.results.track)
        await pilot.press(*"warm", "enter")
        await until(pilot, lambda: main(pilot).playback.peaks)

    assert snap_compare(opened(session), terminal_size=size, run_before=posed(ask))


@SIZES
def test_results(snap_compare: Compare, size: Size) -> None:
    assert snap_compare(opened(StandIn()), terminal_size=size, run_before=posed(searched))


@SIZES
def test_error(snap_compare: Compare, size: Size) -> None:
    session = StandIn()
    session.fails = "model"

    async def wait(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: pilot.app._notifications)
        await until(pilot, lambda: main(pilot).playback.peaks)

    assert snap_compare(opened(session), terminal_size=size, run_before=posed(wait))


def test_the_terminals_own_colours(snap_compare: Compare) -> None:
    app = opened(StandIn(), Settings(theme="ansi-dark"))
    assert snap_compare(app, terminal_size=WIDE, run_before=posed(searched))


async def on_the_map(pilot: Pilot[Any]) -> None:
    await pilot.press("v")
    await until(pilot, lambda: "✦" in picture(pilot))
    await pilot.press("2")


@SIZES
def test_map(snap_compare: Compare, size: Size) -> None:
    run_before = posed(searched, on_the_map)
    assert snap_compare(opened(StandIn()), terminal_size=size, run_before=run_before)


def test_map_in_the_terminals_own_colours(snap_compare: Compare) -> None:
    app = opened(StandIn(), Settings(theme="ansi-dark"))
    assert snap_compare(app, terminal_size=NARROW, run_before=posed(searched, on_the_map))


@SIZES
@pytest.mark.parametrize("state", ["idle", "busy", "empty"])
def test_library(snap_compare: Compare, size: Size, state: str) -> None:
    session = StandIn(tracks=0 if state == "empty" else 30)
    session.hold_index = state == "busy"

    async def look(pilot: Pilot[Any]) -> None:
        library = main(pilot).library.state
        await until(pilot, lambda: library.indexing if state == "busy" else library.model_ready)
        await until(pilot, lambda: state != "idle" or library.indexed)
        await pilot.press("escape", "L")
        await until(pilot, lambda: "reading the library" not in picture(pilot))
        await pilot.press(*([] if state == "empty" else ["j"]))

    assert snap_compare(opened(session), terminal_size=size, run_before=posed(look))


def test_nothing_left_by_the_filter(snap_compare: Compare) -> None:
    async def none(pilot: Pilot[Any]) -> None:
        await pilot.press("f", *"nothing", "enter")
        await until(pilot, lambda: not main(pilot).search.results.length)

    assert snap_compare(opened(StandIn()), terminal_size=NARROW, run_before=posed(searched, none))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("compare", "c"),
        ("help", "question_mark"),
        ("filter", "f"),
        ("why", "w"),
        ("crates", "M"),
    ],
)
def test_dialogs(snap_compare: Compare, name: str, key: str) -> None:
    run_before = posed(searched, pressed(key))
    assert snap_compare(opened(StandIn()), terminal_size=NARROW, run_before=run_before)


@SIZES
def test_edit_panel(snap_compare: Compare, size: Size) -> None:
    async def drawn(pilot: Pilot[Any]) -> None:
        panel = pilot.app.screen
        assert isinstance(panel, EditPanel)
        state = panel.query_one("#edit-state", Static)
        words = panel.query_one("#edit-prompt", Input)
        await until(pilot, lambda: words.value.endswith("strings"))
        tried = panel.previews
        await until(pilot, lambda: tried.tried and tried.tried.ask == panel.edited())
        await until(pilot, lambda: "round trip" in str(state.render()))
        state.update(re.sub(r"^[0-9.]+ s", "0.42 s", str(state.render())))

    run_before = posed(searched, pressed("i", "end", *" strings", "tab", "tab"), drawn)
    assert snap_compare(opened(StandIn()), terminal_size=size, run_before=run_before)


@SIZES
def test_typing(snap_compare: Compare, size: Size) -> None:
    async def typed(pilot: Pilot[Any]) -> None:
        await pilot.press("slash", *"warm piano, no bass ")
        search = main(pilot).search
        settled = search.state.draft.steering.but(
            prompt="warm piano",
            negatives=(WeightedText("drums", 0.5), WeightedText("bass")),
        )
        expected = [hit.track.path for hit in hits(settled, 20)]
        await until(pilot, lambda: [track.path for track in search.typed.list.tracks] == expected)

    assert snap_compare(opened(StandIn()), terminal_size=size, run_before=posed(searched, typed))


@SIZES
def test_interpretations(snap_compare: Compare, size: Size) -> None:
    async def read(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await asked(pilot, "by the river bank")
        await until(pilot, lambda: main(pilot).query_one(InterpretationTabs).display)
        await pilot.press("s", "s")
        await until(
            pilot, lambda: main(pilot).search.results.track.path in main(pilot).playback.peaks
        )  # type: ignore[union-attr]

    assert snap_compare(opened(StandIn()), terminal_size=size, run_before=posed(read))
