"""A user types prompts with signs, completes them, and works with the chips they become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from driving import NARROW, asked, burst, labels, main, opened, picture, said, until
from rich.text import Text
from stand_in import StandIn
from textual.widgets import Input

from gdr_model.steering import Slider, Steering, WeightedText
from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.search.history import KEPT, History
from gdr_tui.app.search.prompt import Completions, Signs
from gdr_tui.app.search.row.chips import Chips
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask


async def test_types_signs_in_the_prompt_and_gets_chips() -> None:
    session = StandIn()
    async with opened(session).run_test(size=(120, 40)) as pilot:
        await asked(pilot, "warm")
        third = main(pilot).search.results.tracks[2]
        await asked(pilot, "warm piano -vocals -drums:0.5 +bells like:3 genre:jazz")
        steering, where = session.asked[-1]
        assert steering.prompt == "warm piano"
        assert steering.negatives == (WeightedText("vocals"), WeightedText("drums", 0.5))
        assert steering.sliders == (Slider("bells", 0.5),)
        assert steering.likes == (str(third.path),)
        assert where == "genre = jazz"
        assert pilot.app.query_one("#prompt", Input).value == "warm piano"
        shown = picture(pilot)
        assert all(text in shown for text in ("genre = jazz ×", "− drums 0.5 ×", "+ bells 0.5 ×"))


async def test_a_prompt_that_ends_in_a_comma_keeps_it_and_its_roll() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        draft = main(pilot).search.state.draft
        draft.become(Ask(Steering("warm, slow,", spread=0.5, roll=3)))
        main(pilot).search.prompt.show(draft.prompt)
        await pilot.press("enter")
        await until(pilot, lambda: session.asked)
        steering = session.asked[-1][0]
        assert (steering.prompt, steering.spread, steering.roll) == ("warm, slow,", 0.5, 3)


async def test_a_sign_alone_steers_the_words_that_are_there() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await asked(pilot, "-drums")
        assert session.asked[-1][0].prompt == "warm"
        assert session.asked[-1][0].negatives == (WeightedText("drums"),)


async def test_a_negation_in_words_becomes_a_chip_and_the_user_is_told() -> None:
    session = StandIn()
    async with opened(session).run_test(size=(120, 40)) as pilot:
        await asked(pilot, "warm piano without drums or bass")
        steering = session.asked[-1][0]
        assert steering.prompt == "warm piano"
        assert steering.negatives == (WeightedText("drums"), WeightedText("bass"))
        assert pilot.app.query_one("#prompt", Input).value == "warm piano"
        assert "− drums ×" in picture(pilot)
        assert 'read “without drums or bass” as −drums, −bass; in "quotes" it stays words' in said(
            pilot
        )


async def test_a_negation_in_quotes_stays_words_however_often_it_is_asked() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, '"no drums"')
        assert session.asked[-1][0].prompt == "no drums"
        box = pilot.app.query_one("#prompt", Input)
        assert box.value == '"no drums"'
        await asked(pilot, f"{box.value} -bass")
        assert session.asked[-1][0].prompt == "no drums"
        assert session.asked[-1][0].negatives == (WeightedText("bass"),)
        await asked(pilot, "calm")
        await pilot.press("u")
        await until(pilot, lambda: box.value == '"no drums"')


def test_a_negation_is_coloured_while_it_is_typed() -> None:
    text = Text("piano without drums")
    Signs().highlight(text)
    assert [(span.start, span.end, span.style) for span in text.spans] == [(6, 19, "red")]


async def test_a_rank_that_is_not_there_is_refused_and_nothing_is_taken_over() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        pilot.app.query_one("#prompt", Input).value = "cold -drums like:99"
        await pilot.press("slash", "enter")
        assert "there is no result number 99 to like or ban" in said(pilot)
        assert main(pilot).search.state.draft.steering.negatives == ()
        assert pilot.app.query_one("#prompt", Input).value == "cold -drums like:99"


async def test_a_limit_that_is_negated_is_refused_and_the_app_lives_on() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        box = pilot.app.query_one("#prompt", Input)
        await pilot.press("slash")
        for line in ("warm -per-artist:1", "warm -per-album:1"):
            box.value = line
            await pilot.press("enter")
            assert "sets a number and cannot be negated" in said(pilot)[-1]
            assert box.value == line
        assert session.asked == []
        await asked(pilot, "warm per-artist:1")


async def test_words_that_look_like_an_invalid_sign_can_be_asked_again() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, '"like:rain"')
        assert session.asked[-1][0].prompt == "like:rain"
        assert pilot.app.query_one("#prompt", Input).value == '"like:rain"'
        await asked(pilot, "warm")
        assert session.asked[-1][0].prompt == "warm"


async def test_a_range_in_the_prompt_is_a_range_of_the_filter() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm year:1990.. duration_s:..240")
        assert session.asked[-1][1] == "year = 1990.. and duration_s = ..240"


async def test_the_weight_that_was_read_is_named() -> None:
    session = StandIn()
    async with opened(session).run_test(size=(120, 40)) as pilot:
        await asked(pilot, "jazz with less bass")
        assert session.asked[-1][0].negatives == (WeightedText("bass", 0.5),)
        assert "read “less bass” as −bass:0.5; in" in said(pilot)[-1]


async def test_walks_the_chips_weighs_one_and_removes_another() -> None:
    session = StandIn()
    async with opened(session).run_test(size=(120, 40)) as pilot:
        await asked(pilot, "warm -drums -vocals +bells")
        await pilot.press("slash", "tab")
        assert pilot.app.query_one(Chips).has_focus
        await pilot.press("right", "plus", "plus", "minus")
        await until(pilot, lambda: session.asked[-1][0].negatives[-1].weight == 1.25)
        assert session.asked[-1][0].negatives[-1].text == "vocals"
        assert session.asked[-1][0].spread == 0, "the same keys turn the spread elsewhere"
        await pilot.press("left", "delete")
        await until(pilot, lambda: [n.text for n in session.asked[-1][0].negatives] == ["vocals"])
        await pilot.press("left", "minus")
        await until(pilot, lambda: session.asked[-1][0].sliders == (Slider("bells", 0.4),))
        await pilot.press("tab")
        assert main(pilot).search.results.has_focus


async def test_changes_a_chip_by_retyping_it() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, 'warm -"electric guitar":0.5')
        await pilot.press("slash", "tab", "enter")
        box = pilot.app.query_one("#prompt", Input)
        assert box.has_focus
        assert box.value == 'warm -"electric guitar":0.5'
        await pilot.press("backspace", "8", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert session.asked[-1][0].negatives == (WeightedText("electric guitar", 0.8),)


async def test_removes_one_condition_of_a_filter_and_leaves_the_other() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm genre:jazz year:>1990")
        assert session.asked[-1][1] == "genre = jazz and year > 1990"
        await pilot.press("slash", "tab", "x")
        await until(pilot, lambda: session.asked[-1][1] == "genre = jazz")
        await pilot.press("plus")
        assert any("filters have no weight" in sentence for sentence in said(pilot))
        await pilot.press("backspace")
        await until(pilot, lambda: session.asked[-1][1] == "")
        assert main(pilot).search.results.has_focus, "an empty row of chips has nothing to do"


async def test_is_offered_suggestions_when_the_prompt_is_empty() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.prompt.tags)
        await pilot.press("down")
        assert "slow strings, sad" in picture(pilot)
        assert 'genre:"' in picture(pilot) or "genre:" in picture(pilot)
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: session.asked)
        assert not pilot.app.query_one(Completions).open


async def test_of_keys_in_one_burst_none_goes_to_the_results() -> None:
    session = StandIn()
    async with opened(session, Settings(keys={"search.negative": "N"})).run_test() as pilot:
        await asked(pilot, "warm")
        burst(pilot, "/quiet nba/n\r")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert session.asked[-1][0].prompt == "quiet nba/n"
        burst(pilot, "NNoisy mud\r")
        await until(pilot, lambda: main(pilot).search.state.draft.steering.negatives)
        assert main(pilot).search.state.draft.steering.negatives == (WeightedText("Noisy mud"),)


async def test_completes_from_history_and_tags_and_takes_it_back() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.prompt.tags)
        await asked(pilot, "warm dub -vocals")
        box = pilot.app.query_one("#prompt", Input)
        box.value = ""
        await pilot.press("slash", *"wa")
        assert "asked before" in picture(pilot)
        await pilot.press("down")
        assert box.value == "warm dub -vocals"
        await pilot.press("escape")
        assert (box.value, box.has_focus) == ("wa", True)
        box.value = ""
        await pilot.press(*"slow genre:te", "down")
        assert box.value == "slow genre:techno"
        await pilot.press("enter")
        await until(pilot, lambda: session.asked[-1][1] == "genre = techno")


async def test_finds_its_prompts_again_in_the_next_session(gdr_home: Path) -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "a rainy evening")
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await pilot.press("down", "down")
        assert pilot.app.query_one("#prompt", Input).value != ""
        assert "a rainy evening" in picture(pilot)
    assert json.loads((gdr_home / "prompts.jsonl").read_text()) == "a rainy evening"


def test_history_survives_broken_lines_and_stays_small(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    lines = [json.dumps(f"prompt {n}") for n in range(3 * KEPT)]
    file.write_bytes(
        "\n".join([*lines, "{broken", "7", json.dumps("a\x1b[31m")]).encode() + b"\n\xff"
    )
    history = History(file)
    history.load()
    assert history.prompts[0] == f"prompt {3 * KEPT - 1}"
    assert len(history.prompts) == KEPT
    assert len(file.read_text().splitlines()) == KEPT
    history.add("prompt 1499")
    history.add("new")
    history.add("new")
    again = History(file)
    again.load()
    assert again.prompts[:2] == ["new", "prompt 1499"]


def test_a_folder_that_cannot_be_written_costs_only_the_history(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "prompts.jsonl")
    history.load()
    history.add("warm")
    assert history.prompts == ["warm"]


async def test_tab_takes_what_is_offered_and_then_leads_on() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.prompt.tags)
        await pilot.press(*"warm genre:am")
        await until(pilot, lambda: main(pilot).search.prompt.completions.open)
        await pilot.press("tab")
        box = main(pilot).query_one("#prompt", Input)
        assert box.value == 'warm genre:"ambient techno"'
        assert box.has_focus
        assert not main(pilot).search.prompt.completions.open
        await pilot.press("tab")
        assert not box.has_focus


async def test_a_letter_is_painted_without_laying_the_screen_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid_out: list[bool] = []
    usual = MainScreen._refresh_layout
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.prompt.tags)
        await pilot.press("q")  # from now on the line is not empty, and nothing completes it
        await pilot.pause()

        def refresh_layout(screen: MainScreen, *rest: object) -> None:
            laid_out.append(True)
            usual(screen, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(MainScreen, "_refresh_layout", refresh_layout)
        await pilot.press(*"xzjvk")
        await until(pilot, lambda: picture(pilot).startswith(" / qxzjvk "))
        assert not laid_out


async def test_a_line_longer_than_the_screen_scrolls_with_the_cursor() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await pilot.press(*("abcdefghij" * 9))
        await until(pilot, lambda: picture(pilot).splitlines()[0].rstrip().endswith("hij"))
        await pilot.press("home")
        await until(pilot, lambda: picture(pilot).startswith(" / abcdefghij"))


async def test_the_slash_after_escape_has_the_last_word() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        main(pilot).search.action_focus_results()
        main(pilot).search.action_focus_prompt()
        await pilot.pause()
        assert main(pilot).search.prompt.box.has_focus, "letters that follow are no keys"
