"""An edit that is being tried: where it starts, what is asked, which answer is the latest."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.types import Edit, Results, Sampler, Steering, Track, WeightedText
from gdr_tui.app.trail.trail import Ask
from gdr_tui.safe_text import literal


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
    """From fields to a query, and from tries to the latest answer."""

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
        self._number = 0
        self.tried: Ask | None = None
        """The edit that is drawn, or was drawn last."""

    def ask(self, words: str, without: str, strength: float, guidance: float, steps: int) -> Ask:
        """The query of some words, negatives as typed, and dials.

        Raises:
            UsageError: if it is invalid.
        """
        source = self.source
        edit = Edit(source.path, source.start_s, strength, source.from_prompt)
        steering = self.steering.but(
            prompt=words.strip(),
            negatives=weighted(without),
            guidance=guidance,
            steps=steps,
            sampler=Sampler.DDIM,
            edit=edit,
        )
        return Ask(steering, self._where, self._limits)

    def try_out(self, ask: Ask, number: int) -> None:
        """Take note that an edit is being drawn; answers with other numbers are stale now."""
        self.tried, self._number = ask, number

    def give_up(self) -> None:
        """Ignore any answer under way: the fields are invalid now."""
        self.tried, self._number = None, 0

    def is_latest(self, number: int) -> bool:
        """Whether an answer is to the edit drawn last."""
        return number == self._number


def weighted(typed: str) -> tuple[WeightedText, ...]:
    """Negatives typed as `drums, vocals:0.5`; of the same words the last weight counts."""
    parts = [part for part in typed.split(",") if part.strip()]
    return tuple({n.text: n for n in map(WeightedText.parse, parts)}.values())
