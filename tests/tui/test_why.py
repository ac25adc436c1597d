"""A user asks why a track is here."""

import numpy as np
import pytest
from driving import NARROW, asked, main, opened, picture, said, until
from stand_in import StandIn

from gdr_model.explanation import Push, Why
from gdr_model.types import Hit, Query
from gdr_tui.app.explain.why_dialog import WhyDialog, arms, label, pushes, words
from gdr_tui.safe_text import literal


async def test_sees_what_pushes_and_in_which_words() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await pilot.press("escape", "w")
        assert any("select a result first, then press w" in sentence for sentence in said(pilot))
        await asked(pilot, "warm dub")
        await pilot.press("n", *"drums", "enter")
        await until(pilot, lambda: len(main(pilot).search.state.trail) == 2)
        await pilot.press("w")
        assert isinstance(pilot.app.screen, WhyDialog)
        first = main(pilot).search.results.track
        assert first
        await until(pilot, lambda: "“warm dub”" in picture(pilot).split("why is this")[1])
        assert "no prompt at all" in picture(pilot)
        assert "− drums" in picture(pilot)
        assert "-0.060" in picture(pilot)
        assert "the track is close to  dub 0.61 · deep bass 0.42" in picture(pilot)
        await pilot.press("j")
        second = main(pilot).search.results.track
        assert second
        assert second is not first
        await until(
            pilot,
            lambda: (
                f"{main(pilot).search.results.cursor + 1}. {literal(second.name)}"[:12]
                in picture(pilot)
            ),
        )
        await pilot.press("w")
        assert not isinstance(pilot.app.screen, WhyDialog)


async def test_an_answer_that_comes_too_late_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    session = StandIn()
    plain, asked_of = session.explain, []

    def slow(query: Query, hit: Hit, cancelled: object = None) -> Why:
        asked_of.append(hit)
        while len(asked_of) == 1 and not cancelled():  # type: ignore[operator]
            pass
        return plain(query, hit)

    monkeypatch.setattr(session, "explain", slow)
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("w")
        await until(pilot, lambda: asked_of)
        assert "taking the score apart" in picture(pilot)
        await pilot.press("j")
        second = main(pilot).search.results.hit
        assert second
        await until(pilot, lambda: f"{second.score:+.3f}" in picture(pilot))
        await until(pilot, lambda: len(asked_of) == 2)


async def test_is_told_why_there_is_no_why() -> None:
    session = StandIn()
    session.fails = "why"
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("w")
        await until(pilot, lambda: "is no longer in the library" in picture(pilot))


def test_pushes_are_named_and_drawn_to_their_side() -> None:
    assert label(Push("start", "", 0, 0)) == "no prompt at all"
    assert label(Push("start", "/m/Rain\n.mp3", 0, 0)) == "the source, Rain\\n"
    assert label(Push("like", "/m/Rain.mp3", 0, 0)) == "♥ Rain"
    assert label(Push("prompt", "[red]x[/]", 0, 0)) == "“[red]x[/]”"
    assert label(Push("common", "", -0.1, 0)) == "near to words in general"
    left, right = arms(-0.5)
    assert (left.strip(), right.strip()) == ("█" * 6, "")
    assert arms(2.0)[1] == "█" * 12
    why = Why(0.25, (Push("prompt", "a", 0.2, 0.1), Push("negative", "b", -0.05, 0.0)),
              (("dub", 0.5), ("x", 0.1)), (("dub", 0.4),))  # fmt: skip
    lines = pushes(why).plain.splitlines()
    assert lines[0].split()[1] == "+0.300"
    assert lines[-1].endswith("draws +0.150, tower +0.100")
    bold = [text for start, end, style in words(why).spans if style == "bold"
            for text in [words(why).plain[start:end]]]  # fmt: skip
    assert bold == ["dub", "dub"]
    assert np.isclose(sum(push.total for push in why.pushes), why.score)
