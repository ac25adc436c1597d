"""An edit that is being tried: where it starts, and what is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from gdr_model.errors import UsageError
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.steering import OF_EDITS, Edit, Slider, Steering, WeightedText
from gdr_model.types import Results, Track
from gdr_tui.app.trail.trail import Ask
from gdr_tui.language.syntax import NEUTRAL, parse
from gdr_tui.safe_text import literal

_Text = TypeVar("_Text", WeightedText, Slider)


@dataclass(frozen=True)
class Source:
    """Where an edit starts."""

    path: str
    title: str
    start_s: float
    from_prompt: str
    """The words it is inverted under."""
    words: str
    """The words to begin with."""

    @classmethod
    def of(cls, edit: Edit, words: str) -> Source:
        """That of an earlier edit, in other words."""
        stem = edit.path.replace("\\", "/").rpartition("/")[2]
        return cls(edit.path, literal(stem), edit.start_s or 0.0, edit.from_prompt, words)

    @classmethod
    def result(cls, track: Track, start_s: float, words: str) -> Source:
        """A passage that was found with some words."""
        by = f" · {literal(track.artist)}" if track.artist else ""
        return cls(str(track.path), literal(track.name) + by, start_s, words, words)


class EditState:
    """From fields to a query."""

    def __init__(
        self,
        source: Source,
        steering: Steering,
        where: str,
        before: Results,
        strength: float,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self.source = source
        self.steering = steering
        """All that steers besides the edit, as drafted."""
        self.before = before
        self.strength = strength
        """To begin with."""
        self._where = where
        self._limits = limits

    def ask(self, words: str, without: str, strength: float, guidance: float, steps: int) -> Ask:
        """The query of a prompt and negatives as typed, and of dials.

        Raises:
            UsageError: if it is invalid.
        """
        source, line = self.source, parse(words)
        if line.likes or line.bans:
            raise UsageError("like:N and unlike:N belong in the prompt above the results")
        edit = Edit(source.path, source.start_s, strength, source.from_prompt)
        sampler = self.steering.sampler
        steering = self.steering.but(
            prompt=line.words or (NEUTRAL if line.steers else ""),
            negatives=_each_once(*weighted(without), *line.negatives),
            sliders=_each_once(*self.steering.sliders, *line.sliders),
            guidance=guidance,
            steps=steps,
            sampler=sampler if sampler in OF_EDITS else Steering.sampler,
            edit=edit,
            spread=0.0,
            roll=1,
        )
        both = self._where and line.where
        where = f"({self._where}) and {line.where}" if both else line.where or self._where
        return Ask(steering, where, replace(self._limits, **dict(line.limits)))


def weighted(typed: str) -> tuple[WeightedText, ...]:
    """Negatives typed as `drums, vocals:0.5`; of the same words the last weight counts."""
    parts = [part for part in typed.split(",") if part.strip()]
    return _each_once(*map(WeightedText.parse, parts))


def _each_once(*texts: _Text) -> tuple[_Text, ...]:
    """Weighted texts, of the same words the last."""
    return tuple({one.text: one for one in texts}.values())
