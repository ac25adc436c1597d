"""A user asks what can be meant in several ways, and looks at each."""

import threading
from typing import Any

from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.pilot import Pilot

from gdr_model.errors import ModelError
from gdr_model.explanation import Interpretation
from gdr_tui.app import messages
from gdr_tui.app.explain.tabs import InterpretationTabs
from gdr_tui.app.settings import Settings


class Thinking(StandIn):
    """Finds interpretations when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.thought = threading.Event()
        self.thought.set()
        self.broken = False

    def interpretations(self, *given: Any, **named: Any) -> tuple[Interpretation, ...]:
        self.thought.wait(30)
        if self.broken:
            raise ModelError("the model is gone")
        return super().interpretations(*given, **named)


def tabs(pilot: Pilot[Any]) -> InterpretationTabs:
    return main(pilot).query_one(InterpretationTabs)


async def test_switches_between_the_interpretations_of_a_prompt() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await pilot.press("escape", "s")
        assert any("nothing to interpret yet" in sentence for sentence in said(pilot))
        await asked(pilot, "bank")
        everything = names(pilot)
        await until(pilot, lambda: "jazz, quiet (5)" in picture(pilot))
        assert "all (8)" in picture(pilot)
        assert "[b]loud[/], fast (3)" in picture(pilot)
        await pilot.press("s")
        first = names(pilot)
        assert len(first) == 12
        assert first != everything
        assert "results · 12 of 30 · as jazz, quiet (5)" in picture(pilot)
        assert "/5 " in picture(pilot), "the draws of the interpretation are counted"
        assert "▲" in picture(pilot) or "▼" in picture(pilot) or "★" in picture(pilot)
        await pilot.press("s")
        assert names(pilot) != first
        await until(pilot, lambda: "as [b]loud[/], fast (3)" in picture(pilot))
        await pilot.press("s")
        assert names(pilot) == everything
        assert labels(pilot) == ["“bank”"], "an interpretation is a view, not a query"


async def test_the_tabs_name_the_key_that_the_user_chose() -> None:
    chosen = Settings(keys={"search.interpretation": "f4"})
    async with opened(StandIn(), chosen).run_test(size=NARROW) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: "f4 interpretation" in picture(pilot))
        await pilot.press("f4")
        assert len(names(pilot)) == 12


async def test_picks_a_interpretation_with_the_pointer() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: tabs(pilot).display)
        column = picture(pilot).splitlines()[2].index("[b]loud")
        await pilot.click(InterpretationTabs, offset=(column, 0))
        await until(pilot, lambda: "as [b]loud[/], fast (3)" in picture(pilot))
        await pilot.click(InterpretationTabs, offset=(20, 0))
        await until(pilot, lambda: "results · 20 of 30" in picture(pilot))


async def test_words_that_are_clear_show_no_tabs_and_say_so() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: tabs(pilot).display)
        await asked(pilot, "warm")
        await until(pilot, lambda: not tabs(pilot).display)
        await pilot.press("s")
        assert any("one interpretation" in sentence for sentence in said(pilot))
        await pilot.press("u")
        await until(pilot, lambda: tabs(pilot).display)


async def test_the_list_stays_in_its_place_from_one_prompt_with_tabs_to_the_next() -> None:
    session = Thinking()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: "quiet (5)" in picture(pilot))
        place = main(pilot).rows.region
        session.thought.clear()
        await asked(pilot, "river bank")
        assert (main(pilot).rows.region, tabs(pilot).display) == (place, True)
        assert "quiet (5)" not in picture(pilot), "they are those of another prompt"
        await pilot.click(InterpretationTabs, offset=(20, 0))
        session.thought.set()
        await until(pilot, lambda: "quiet (5)" in picture(pilot))
        assert main(pilot).rows.region == place
        session.broken = True
        await asked(pilot, "bank note")
        await until(pilot, lambda: not tabs(pilot).display)


async def test_why_and_export_are_of_the_interpretation_shown() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: tabs(pilot).display)
        await pilot.press("s", "j")
        found = main(pilot).listed
        assert found
        assert found.query.draws == (0, 1, 2, 3, 4)
        assert f"{found.hits[1].votes} of 5 draws found it" in picture(pilot)
        await pilot.press("e")
        await until(pilot, lambda: "all 12 results" in picture(pilot))


async def test_a_interpretation_stays_while_tracks_arrive_and_goes_with_another_query() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: tabs(pilot).display)
        await pilot.press("s")
        node = main(pilot).search.state.trail.current
        assert node
        before = node.results
        main(pilot).post_message(messages.TracksArrived())
        await until(pilot, lambda: node.results is not before)
        await until(pilot, lambda: "as jazz, quiet (5)" in picture(pilot))
        await pilot.press("l")
        await until(pilot, lambda: main(pilot).search.state.trail.current is not node)
        assert main(pilot).listed is main(pilot).search.state.trail.current.results  # type: ignore[union-attr]


async def test_the_lists_are_there_before_their_names() -> None:
    session = StandIn()
    session.vocabulary.clear()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "bank")
        await until(pilot, lambda: "… (5)" in picture(pilot))
        await pilot.press("s")
        assert len(names(pilot)) == 12
        session.vocabulary.set()
        await until(pilot, lambda: "as jazz, quiet (5)" in picture(pilot))
