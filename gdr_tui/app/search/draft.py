"""The query that is being composed on the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from gdr_model.errors import UsageError
from gdr_model.evidence import preference
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.steering import Slider, Steering, WeightedText
from gdr_model.store import filters
from gdr_tui import labels
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask
from gdr_tui.labels import Chip
from gdr_tui.language.syntax import ParsedLine, as_typed
from gdr_tui.safe_text import literal

_Text = TypeVar("_Text", bound=WeightedText | Slider)


_PLACEHOLDER = "-"
"""A steering needs a prompt or likes; a draft may have neither yet."""


@dataclass
class Draft:
    """Everything of a query that can be changed on the screen."""

    steering: Steering
    """All that steers but the prompt: this one is `_PLACEHOLDER`, which `prompt` replaces."""
    prompt: str = ""
    where: str = ""
    limits: Limits = NO_LIMITS

    @classmethod
    def fresh(cls, settings: Settings) -> Draft:
        """An empty draft with the user's defaults."""
        return cls(
            Steering(
                _PLACEHOLDER, guidance=settings.guidance, steps=settings.steps, draws=settings.draws
            )
        )

    def ask(self) -> Ask:
        """The query as it is drafted.

        Raises:
            UsageError: if it is invalid: neither prompt nor likes, or too long a prompt.
        """
        steering = labels.settled(self.steering.but(prompt=self.prompt.strip()))
        return Ask(steering, self.where, self.limits)

    def become(self, ask: Ask) -> None:
        """Take over a query of the trail."""
        self.steering = ask.steering.but(prompt=ask.steering.prompt or _PLACEHOLDER)
        self.prompt, self.where, self.limits = ask.steering.prompt, ask.where, ask.limits

    def steer(self, **changes: Any) -> bool:
        """Change fields of the steering; False if they had these values.

        Raises:
            UsageError: if a value is out of range; nothing is changed then.
        """
        before, self.steering = self.steering, labels.settled(self.steering.but(**changes))
        return self.steering != before

    def turn_spread(self, by: int) -> bool:
        """Change the spread some steps within its limits; False at the end of them."""
        return self.steer(spread=labels.SPREAD.turned(self.steering.spread, by))

    def like(self, path: Path) -> None:
        """Like a track, or undo that; a liked track is not banned."""
        self.steer(
            likes=_toggled(self.steering.likes, str(path)),
            dislikes=_others(self.steering.dislikes, str(path)),
        )

    def ban(self, path: Path) -> None:
        """Ban a track, or undo that; a banned track is not liked."""
        self.steer(
            likes=_others(self.steering.likes, str(path)),
            dislikes=_toggled(self.steering.dislikes, str(path)),
        )

    def prefer(self, path: Path, sight: Sequence[Path], asked: Steering) -> bool:
        """Take a track as the nearest of those in sight, or undo that; False if it is undone.

        Of one list several can be chosen, the nearest first: each is preferred to those left.
        `asked` is the query that is listed, whose choices belong to earlier lists.

        Raises:
            UsageError: if no other is left, or there are too many choices.
        """
        held = self.steering.evidence
        chosen = [one for one in held if one not in asked.evidence]
        if kept := [one for one in chosen if one.path == str(path)]:
            self.steer(evidence=tuple(one for one in held if one not in kept))
            return False
        self.steer(evidence=(*held, preference(str(path), map(str, sight), chosen)))
        return True

    def push_away(self, typed: str) -> None:
        """Add a negative typed as `text` or `text:1.5`; the same text again changes its weight.

        Raises:
            UsageError: if it is empty or its weight is out of range.
        """
        negative = WeightedText.parse(typed)
        self.steer(negatives=_replaced(self.steering.negatives, negative))

    def take(self, line: ParsedLine, track_at: Callable[[int], Path | None]) -> None:
        """Take over a line of the prompt; words only where it has any.

        `track_at` gives the track of a rank in the list shown, None where there is none.

        Raises:
            UsageError: if a rank is not in the list; nothing is taken over then.
        """
        named = {rank: track_at(rank) for rank in (*line.likes, *line.bans)}
        for rank, path in named.items():
            if path is None:
                raise UsageError(f"there is no result number {rank} to like or ban")
        stays = line.bare and self.steering.likes and not self.prompt
        if not stays and (line.words or not line.steers) and line.words != self.prompt:
            self.prompt = line.words
            self.steer(spread=0.0, roll=1)  # other words begin with their closest list
        for negative in line.negatives:
            self.steer(negatives=_replaced(self.steering.negatives, negative))
        for slider in line.sliders:
            self.steer(sliders=_replaced(self.steering.sliders, slider))
        for rank in line.likes:
            if (path := named[rank]) and str(path) not in self.steering.likes:
                self.like(path)
        for rank in line.bans:
            if (path := named[rank]) and str(path) not in self.steering.dislikes:
                self.ban(path)
        if line.where:
            others = [part for part in conditions(self.where) if part not in line.where]
            self.where = " and ".join([*others, line.where])

        self.limits = replace(self.limits, **dict(line.limits))

    def chips(self) -> list[Chip]:
        """What steers besides the prompt, in the order shown."""
        filters = [Chip("filter", literal(part), part) for part in conditions(self.where)]
        limits = [
            Chip("limit", f"{count} per {name}", name)
            for name, count in (
                ("artist", self.limits.per_artist), ("album", self.limits.per_album)
            )
            if count
        ]  # fmt: skip
        return filters + limits + labels.chips(self.steering)

    def answered_by(self, ask: Ask) -> bool:
        """Whether a query is exactly this one."""
        try:
            return self.ask() == ask
        except UsageError:
            return False

    def weigh(self, chip: Chip, by: int) -> bool:
        """Turn a chip's number some steps; False where it has none or is at its end."""
        if chip.kind == "limit":
            return self._limit(chip.key, max(1, getattr(self.limits, f"per_{chip.key}") + by))
        before, self.steering = self.steering, labels.weighed(self.steering, chip, by)
        return self.steering != before

    def unchip(self, chip: Chip) -> str:
        """Remove the chip of a negative or slider; returns a prompt line that has it typed out."""
        if chip.kind == "negative":
            sign, numbers = "-", {one.text: one.weight for one in self.steering.negatives}
        else:
            sign, numbers = "+", {one.text: one.amount for one in self.steering.sliders}
        words = f'"{chip.key}"' if " " in chip.key else chip.key
        self.remove(chip)
        return f"{as_typed(self.prompt)} {sign}{words}:{numbers[chip.key]:g}".strip()

    def remove(self, chip: Chip) -> None:
        """Remove one of the chips."""
        if chip.kind == "limit":
            self._limit(chip.key, 0)
        elif chip.kind == "filter":
            self.where = " and ".join(p for p in conditions(self.where) if p != chip.key)
        else:
            self.steering = labels.without(self.steering, chip)

    def _limit(self, key: str, count: int) -> bool:
        """Limit an artist or an album; False if it had this limit."""
        before, self.limits = self.limits, replace(self.limits, **{f"per_{key}": count})
        return self.limits != before


def conditions(where: str) -> list[str]:
    """The conditions of a filter that must hold all together; the whole if it cannot be read."""
    try:
        return filters.parts(where) if where else []
    except UsageError:
        return [where]


def _replaced(held: tuple[_Text, ...], new: _Text) -> tuple[_Text, ...]:
    """Weighted texts with one more, at the end; it replaces one of the same words."""
    return (*(one for one in held if one.text != new.text), new)


def _others(paths: tuple[str, ...], path: str) -> tuple[str, ...]:
    return tuple(other for other in paths if other != path)


def _toggled(paths: tuple[str, ...], path: str) -> tuple[str, ...]:
    return _others(paths, path) if path in paths else (*paths, path)
