"""Why a track was found: the share of each term in its score, and the words closest to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from gdr_model.evidence import Judgement
from gdr_model.explanation import Push, Why
from gdr_model.types import Hit
from gdr_tui.app.ui.dialog import Dialog, Line
from gdr_tui.safe_text import counted, fit, literal

_ARM = 12
"""Columns of the longest bar, on either side."""
_LABEL = 36


def label(push: Push) -> str:
    """A term of the score, in a few words; those of evidence follow "because you"."""
    stem = literal(Path(push.text).stem)
    others = f" to {counted(push.over, 'other')}"
    preferred = f"  preferred {fit(stem, _LABEL - 12 - len(others)).rstrip()}{others}"
    return {
        "start": f"the source, {stem}" if push.text else "no prompt at all",
        "negative": f"− {literal(push.text)}",
        "slider": f"+ {literal(push.text)}",
        "like": f"♥ {stem}",
        "dislike": f"⊘ {stem}",
        Judgement.PREFERRED: preferred,
        Judgement.HEARD: f"  heard {stem} to its end",
        Judgement.PASSED: f"  passed over {stem}",
        "shown": "shown in lists before",
        "common": "near to words in general",
    }.get(push.kind, f"“{literal(push.text)}”")


def arms(share: float) -> tuple[str, str]:
    """A bar, to the left for what lowers the score and to the right for what raises it."""
    cells = round(min(abs(share), 1.0) * _ARM)
    if share < 0:
        return ("█" * cells).rjust(_ARM), " " * _ARM
    return " " * _ARM, ("█" * cells).ljust(_ARM)


def pushes(why: Why) -> Text:
    """A line for each term, then their sum."""
    text = Text(no_wrap=True, overflow="ellipsis")
    most = max((abs(push.total) for push in why.pushes), default=0.0) or 1.0
    done = False
    for push in why.pushes:
        if push.kind in list(Judgement) and not done:
            text.append("because you\n")
            done = True
        down, up = arms(push.total / most)
        text.append(f"{fit(label(push), _LABEL)} {push.total:+.3f} ")
        text.append(down, "red").append("│", "dim").append(up, "green").append("\n")
    text.append(f"{fit('the score', _LABEL)} {why.score:+.3f}", "bold")
    drawn, tower, learnt = (
        sum(getattr(push, part) for push in why.pushes) for part in ("drawn", "tower", "done")
    )
    parts = [("draws", drawn), ("tower", tower)] if drawn and drawn != why.score else []
    parts += [("what you did", learnt)] if learnt else []
    if parts:
        of = ", ".join(f"{name} {share:+.3f}" for name, share in parts)
        text.append(f"\n  {of}", "dim")
    return text


def words(why: Why) -> Text:
    """The words closest to the track and to the query; shared ones in bold."""
    text = Text()
    both = {word for word, _ in why.track_words} & {word for word, _ in why.query_words}
    for name, near in (("the track", why.track_words), ("the query", why.query_words)):
        text.append(f"{name} is close to  ")
        for at, (word, cosine) in enumerate(near):
            text.append(" · " if at else "").append(word, "bold" if word in both else "")
            text.append(f" {cosine:.2f}", "dim")
        text.append("\n")
    text.rstrip()
    return text


class WhyDialog(Dialog[None]):
    """Explains one hit at a time; j and k go to its neighbours in the list."""

    TITLE_TEXT: ClassVar[str] = "why is this here"
    HINT: ClassVar[str] = "j k next, previous · Esc closes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", "Next", tooltip="the next track", id="why.next"),
        Binding("k,up", "step(-1)", "Previous", tooltip="the track before", id="why.previous"),
        Binding("w", "leave", "Leave", tooltip="close", id="why.leave"),
    ]

    def __init__(self, hit: Hit, rank: int, step: Callable[[int], tuple[Hit, int]]) -> None:
        """`step` moves in the list and returns the hit there and its rank."""
        super().__init__()
        self._hit, self._rank = hit, rank
        self._step = step
        self._answer: Why | str | None = None

    def body(self) -> Iterable[Widget]:
        """The track, the terms, and the words."""
        yield Line(self._named(), id="why-name", classes="strong")
        yield Static(id="why-pushes", markup=False)
        yield Line("")
        yield Static(id="why-words", markup=False)

    def on_mount(self) -> None:
        """Show the answer if it came before the dialog, otherwise that it is being computed."""
        self.show(self._answer)

    def show(self, answer: Why | str | None) -> None:
        """Show the answer, or a sentence in its place."""
        self._answer = answer
        if not self.query("#why-pushes"):
            return
        first, then = Text("taking the score apart …", "dim"), Text("")
        if isinstance(answer, Why):
            first, then = pushes(answer), words(answer)
        elif answer:
            first = Text(answer)
        self.query_one("#why-pushes", Static).update(first)
        self.query_one("#why-words", Static).update(then)

    def action_step(self, by: int) -> None:
        """Go to a neighbour in the list."""
        self._hit, self._rank = self._step(by)
        self.query_one("#why-name", Static).update(Text(self._named()))

    def _named(self) -> str:
        hit = self._hit
        by = f" · {literal(hit.artist)}" if hit.artist else ""
        return f"{self._rank}. {literal(hit.name)}{by}"
