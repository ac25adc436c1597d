"""A user says which result is nearest to what is wanted, and the app learns from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from driving import NARROW, WIDE, asked, labels, main, opened, picture, said, until
from stand_in import StandIn
from textual.pilot import Pilot

from gdr_model.evidence import Evidence, Judgement
from gdr_model.notebook.database import Notebook
from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint
from gdr_model.notebook.trails import Trails
from gdr_tui.app.explain.why_dialog import WhyDialog
from gdr_tui.app.main.retrieval import Retrieval
from gdr_tui.app.main.session import Session
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.save import saved
from gdr_tui.app.trail.trail import compare
from gdr_tui.app.values import Prints

DEMO = Path(__file__).parents[2] / "demo"


def evidence(pilot: Pilot[Any]) -> tuple[Evidence, ...]:
    """That of the query that is shown."""
    node = main(pilot).node
    return node.ask.steering.evidence if node else ()


async def test_prefers_one_result_to_the_others_in_sight() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        results = main(pilot).search.results
        height = results.scrollable_content_region.height
        assert 3 < height < results.length, "some are out of sight"
        seen = [str(hit.track.path) for hit in main(pilot).node.results.hits[:height]]  # type: ignore[union-attr]
        await pilot.press("j", "j", "h", "enter")
        await until(pilot, lambda: evidence(pilot))
        others = tuple(path for path in seen if path != seen[2])
        assert evidence(pilot) == (Evidence(Judgement.PREFERRED, seen[2], others),)
        assert session.asked[-1][0].prompt == "warm"
        stem = Path(seen[2]).stem
        assert f"≈ {stem} ×" in picture(pilot)
        assert labels(pilot)[-1] == f"≈ {stem}"
        assert results.track
        assert str(results.track.path) == seen[2], "the cursor stays on it"


async def test_chooses_several_nearest_first_and_enter_learns_from_all() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        first, second, third, *others = map(str, main(pilot).search.results.in_sight)
        await pilot.press("j", "h", "k", "h", "j", "j", "h")
        assert len(session.asked) == 1, "the list stays while it is being compared"
        assert picture(pilot).split("results")[1].split("track")[0].count("≈") == 3
        await pilot.press("h", "enter")
        await until(pilot, lambda: evidence(pilot))
        assert evidence(pilot) == (
            Evidence(Judgement.PREFERRED, second, (first, third, *others)),
            Evidence(Judgement.PREFERRED, first, (third, *others)),
        ), "the third was taken back"
        assert len(session.asked) == 2


async def test_a_choice_of_an_earlier_list_is_one_of_those_that_a_new_one_is_preferred_to() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("j", "h", "enter")
        await until(pilot, lambda: len(evidence(pilot)) == 1)
        await pilot.press("g", "j", "h", "enter")
        await until(pilot, lambda: len(evidence(pilot)) == 2)
        earlier, later = evidence(pilot)
        assert earlier.path in later.over


async def test_the_only_result_in_sight_is_nearer_than_nothing() -> None:
    async with opened(StandIn(), Settings(results=1)).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        assert len(main(pilot).search.results.in_sight) == 1
        await pilot.press("h")
        assert any("no other result" in sentence for sentence in said(pilot))
        assert not main(pilot).search.state.draft.steering.evidence


async def test_what_is_scrolled_to_counts_and_what_is_out_of_sight_does_not() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        first, last = (main(pilot).node.results.hits[at].track.path for at in (0, -1))  # type: ignore[union-attr]
        await pilot.press("G", "k", "h", "enter")
        await until(pilot, lambda: evidence(pilot))
        assert str(last) in evidence(pilot)[0].over
        assert str(first) not in evidence(pilot)[0].over


async def test_choices_add_up_and_undo_takes_back_the_last() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("h", "enter")
        await until(pilot, lambda: len(evidence(pilot)) == 1)
        await asked(pilot, "warm piano")
        assert len(evidence(pilot)) == 1, "one more word keeps what was learnt"
        await pilot.press("j", "h", "enter")
        await until(pilot, lambda: len(evidence(pilot)) == 2)
        await pilot.press("u")
        await until(pilot, lambda: len(evidence(pilot)) == 1)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: len(evidence(pilot)) == 2)
        await pilot.press("x")
        await until(pilot, lambda: len(evidence(pilot)) == 1)


async def test_forgets_all_choices_at_once_and_undo_brings_them_back() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("H")
        assert "there is nothing to forget" in said(pilot)
        await pilot.press("h", "enter")
        await until(pilot, lambda: len(evidence(pilot)) == 1)
        await pilot.press("j", "h", "enter")
        await until(pilot, lambda: len(evidence(pilot)) == 2)
        await pilot.press("H")
        await until(pilot, lambda: not evidence(pilot))
        assert "≈" not in picture(pilot).split("trail")[0]
        await pilot.press("u")
        await until(pilot, lambda: len(evidence(pilot)) == 2)


async def test_the_dialog_says_because_you_preferred_it_to_others() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("h", "enter")
        await until(pilot, lambda: evidence(pilot))
        others, stem = len(evidence(pilot)[0].over), Path(evidence(pilot)[0].path).stem
        await pilot.press("w")
        assert isinstance(pilot.app.screen, WhyDialog)
        await until(pilot, lambda: f"preferred {stem} to {others} others" in picture(pilot))
        shown = picture(pilot)
        assert shown.index("because you") < shown.index("preferred")
        assert "what you did +0.050" in shown


async def test_a_choice_has_no_weight_and_cannot_be_retyped() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("h", "enter")
        await until(pilot, lambda: evidence(pilot))
        main(pilot).search.chips.focus()
        await pilot.press("plus")
        await until(pilot, lambda: "a choice has no weight; x removes it" in said(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "a choice cannot be edited; x removes it" in said(pilot))


async def test_before_a_search_there_is_nothing_to_choose_from() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.results.length)
        await pilot.press("escape", "h")
        assert any(sentence.startswith("search first") for sentence in said(pilot))
        assert not main(pilot).search.state.draft.steering.evidence


async def test_choices_end_with_the_session_unless_the_trail_is_saved() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("h", "enter")
        await until(pilot, lambda: evidence(pilot))
        prints = Prints(ModelPrint("builtin", "00"), (LibraryPrint("/music", 30, "00"),))
        kept = saved(main(pilot).search.state.trail, prints, 20)
        assert kept.queries[-1].steering.evidence == evidence(pilot)
    with Notebook.open() as notebook:
        queries = Trails(notebook).read(session.roots).queries
    assert len(queries) == 2
    assert all(query.steering.evidence == () for query in queries)


async def test_what_sounds_like_the_choice_comes_up(music: Path) -> None:
    for song in sorted(DEMO.glob("*/*.ogg")):
        shutil.copy(song, music)
    session = Session([music])
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 120)
        await asked(pilot, "slow music")
        before = main(pilot).node
        assert before
        await pilot.press(*"jjjjj", "h", "enter")
        await until(pilot, lambda: evidence(pilot), 60)
        after = main(pilot).node
        assert after
        moves = compare(before.results, after.results).moved
        assert isinstance(session.loader, Retrieval)
        with session.loader.retriever() as retriever:
            points = retriever.drawer.point_of
            chosen = points(evidence(pilot)[0].path)
            rose, fell = (
                np.mean([points(str(hit.track.path)) @ chosen for _, _, hit in some])
                for some in (
                    [move for move in moves if move[1] < move[0]],
                    [move for move in moves if move[1] > move[0]],
                )
            )
        assert rose > fell + 0.04


async def test_the_next_moves_are_suggested_with_the_keys_that_they_have() -> None:
    chosen = Settings(keys={"track.nearest": "N,f2"})
    async with opened(StandIn(), chosen).run_test(size=NARROW) as pilot:
        row = lambda: picture(pilot).splitlines()[1]  # noqa: E731 (read again after each key)
        assert "in the prompt: genre:jazz" in row()
        await asked(pilot, "warm")
        await until(pilot, lambda: "next: N on the nearest, then Enter · A one more word" in row())
        await pilot.press("j", "N")
        await until(
            pilot,
            lambda: "× Enter learns from it · N on the next nearest" in " ".join(row().split()),
        )
        await pilot.press("enter")
        await until(pilot, lambda: evidence(pilot))
        await until(pilot, lambda: "next: N on the nearest, then Enter" in row())
        await pilot.press("/")
        await until(pilot, lambda: "in the prompt: genre:jazz" in row())
        await pilot.press("escape")
        await until(pilot, lambda: "next: N on the nearest, then Enter" in row())


async def test_suggestions_make_room_for_chips_and_are_never_cut() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, 'warm -"a very long negative" -"and another long one"')
        row = picture(pilot).splitlines()[1]
        assert "− and another long one" in row
        assert "next:" not in row, "there is no room for it"
        await pilot.press("x")
        await until(
            pilot, lambda: "next: h on the nearest, then Enter" in picture(pilot).splitlines()[1]
        )
        assert "·" not in picture(pilot).splitlines()[1], "and no further hint"
