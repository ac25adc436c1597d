"""How the screen names, weighs and removes what a `Steering` holds.

`LABELS` is the one table of it: a row for each field, which names the field's changes in the
trail and gives it chips under the prompt, if it has any.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gdr_model.evidence import Evidence, Judgement
from gdr_model.steering import Edit, Steering
from gdr_tui.safe_text import literal


@dataclass(frozen=True)
class Chip:
    """One thing that steers besides the prompt, as it is shown, weighed and removed."""

    kind: str
    """filter, limit, or the `kind` of one of the `LABELS`."""
    text: str
    key: str = ""
    """Which of its kind it is: a condition, a liked or banned path, the words."""


@dataclass(frozen=True)
class Weight:
    """The steps in which a chip's number is changed, and its limits."""

    step: float
    low: float
    high: float

    def turned(self, value: float, by: int) -> float:
        """The number `by` steps further, without the residue of binary fractions."""
        return round(min(max(value + by * self.step, self.low), self.high), 3)


GUIDANCE = Weight(0.5, 0.0, 20.0)
SPREAD = Weight(0.25, 0.0, 1.0)
STRENGTH = Weight(0.05, 0.05, 1.0)
"""Of an edit."""
PULL = Weight(0.1, 0.1, 1.0)
WEIGHT = Weight(0.25, 0.25, 5.0)
"""Of a negative."""
AMOUNT = Weight(0.1, -1.0, 1.0)
"""Of a slider."""


@dataclass(frozen=True)
class Label(ABC):
    """How one field is named; without a kind it has no chips."""

    name: str
    """Of the field in `Steering`."""
    kind: str = ""
    """Of its chips."""
    names_first: bool = field(default=True, kw_only=True)
    """Whether it also labels a first query, as what the user's settings preset need not."""

    @abstractmethod
    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """What tells a steering from the one before it; nothing if the field is equal."""

    def chips(self, steering: Steering) -> Iterable[Chip]:
        """What can be weighed and removed."""
        return ()

    def weighed(self, steering: Steering, key: str, by: int) -> Steering:
        """The steering with a chip's number turned by some steps; equal at the limits."""
        return steering

    def without(self, steering: Steering, key: str) -> Steering:
        """The steering with a chip removed."""
        return steering


@dataclass(frozen=True)
class ValueLabel(Label):
    """A single value."""

    words: Callable[[Any, Any], str] = field(kw_only=True)
    """Names the change from an old value to a new one."""

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """The change in words."""
        old, new = getattr(before, self.name), getattr(after, self.name)
        return [self.words(old, new)] if new != old else []


class PromptLabel(Label):
    """The prompt, unless a new edit names it; without words, the files that are liked."""

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """The new words."""
        edited = after.edit and after.edit != before.edit
        return [] if edited or asked_for(after) == asked_for(before) else [_quoted(after)]


class EditLabel(Label):
    """The edit, together with the prompt it was made with."""

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """The new edit, or that there is none any longer."""
        edit = after.edit
        if edit and edit != before.edit:
            return [f"edit {edit.strength:g} of {source_name(edit)}: {after.prompt}"]
        return ["no edit"] if before.edit and not edit else []

    def chips(self, steering: Steering) -> Iterable[Chip]:
        """One, with strength and source."""
        if edit := steering.edit:
            text = f"edit {edit.strength:g} of {literal(source_name(edit))}"
            yield Chip(self.kind, text)

    def weighed(self, steering: Steering, key: str, by: int) -> Steering:
        """Turn the strength."""
        if edit := steering.edit:
            edit = replace(edit, strength=STRENGTH.turned(edit.strength, by))
        return steering.but(edit=edit)

    def without(self, steering: Steering, key: str) -> Steering:
        """Draw from noise."""
        return steering.but(edit=None)


class PullLabel(ValueLabel):
    """How hard likes and bans act inside the sampler."""

    def chips(self, steering: Steering) -> Iterable[Chip]:
        """One where they act at all."""
        return [Chip(self.kind, self.words(0, steering.pull))] if steering.pull else []

    def weighed(self, steering: Steering, key: str, by: int) -> Steering:
        """Let them act harder or less hard."""
        return steering.but(pull=PULL.turned(steering.pull, by))

    def without(self, steering: Steering, key: str) -> Steering:
        """Let them act on what was drawn only."""
        return steering.but(pull=0.0)


@dataclass(frozen=True)
class TextsLabel(Label):
    """Words with a number each: negatives or sliders."""

    sign: str = field(kw_only=True)
    number: str = field(kw_only=True)
    """The field of each that holds its number."""
    weight: Weight = field(kw_only=True)
    usual: float | None = None
    """The number that a chip leaves out."""

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """Texts that are new or have another number, then those that are gone."""
        old, new = getattr(before, self.name), getattr(after, self.name)
        texts = {one.text for one in new}
        for one in new:
            if one not in old:
                yield f"{self.sign} {one.text}:{getattr(one, self.number):g}"
        yield from (f"no {self.sign} {one.text}" for one in old if one.text not in texts)

    def chips(self, steering: Steering) -> Iterable[Chip]:
        """One a text."""
        for one in getattr(steering, self.name):
            number = getattr(one, self.number)
            shown = "" if number == self.usual else f" {number:g}"
            yield Chip(self.kind, f"{self.sign} {literal(one.text)}{shown}", one.text)

    def weighed(self, steering: Steering, key: str, by: int) -> Steering:
        """Turn the number of one text."""
        turned = [
            replace(one, **{self.number: self.weight.turned(getattr(one, self.number), by)})
            if one.text == key
            else one
            for one in getattr(steering, self.name)
        ]
        return steering.but(**{self.name: tuple(turned)})

    def without(self, steering: Steering, key: str) -> Steering:
        """Leave out one text."""
        others = (one for one in getattr(steering, self.name) if one.text != key)
        return steering.but(**{self.name: tuple(others)})


@dataclass(frozen=True)
class TracksLabel(Label):
    """Paths of tracks: likes or bans."""

    sign: str = field(kw_only=True)

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """Tracks that are new, then those that are gone."""
        old, new = getattr(before, self.name), getattr(after, self.name)
        yield from (f"{self.sign} {Path(path).stem}" for path in new if path not in old)
        yield from (f"no {self.sign} {Path(path).stem}" for path in old if path not in new)

    def chips(self, steering: Steering) -> Iterable[Chip]:
        """One a track."""
        for path in getattr(steering, self.name):
            yield Chip(self.kind, f"{self.sign} {literal(Path(path).stem)}", path)

    def without(self, steering: Steering, key: str) -> Steering:
        """Leave out one track."""
        others = tuple(path for path in getattr(steering, self.name) if path != key)
        return settled(steering.but(**{self.name: others}))


class EvidenceLabel(Label):
    """What was done with results of the session; a chip's key is its place among them."""

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """What was done since, then what no longer counts."""
        old, new = before.evidence, after.evidence
        yield from (_done(one) for one in new if one not in old)
        yield from (f"no {_done(one)}" for one in old if one not in new)
        if old != new and set(old) == set(new):
            yield "other order"

    def chips(self, steering: Steering) -> Iterable[Chip]:
        """One for each thing that was done."""
        for place, one in enumerate(steering.evidence):
            yield Chip(self.kind, literal(_done(one)), str(place))

    def without(self, steering: Steering, key: str) -> Steering:
        """Let one of them no longer count."""
        kept = (one for place, one in enumerate(steering.evidence) if str(place) != key)
        return steering.but(evidence=tuple(kept))


class LikesLabel(TracksLabel):
    """Likes, unless they are what is asked for: then the prompt's label names them."""

    def changes(self, before: Steering, after: Steering) -> Iterable[str]:
        """Likes that are new, then those that are gone."""
        return super().changes(before, after) if after.worded else ()


DONE = {Judgement.PREFERRED: "≈", Judgement.HEARD: "▸", Judgement.PASSED: "↷"}
"""The sign of each thing that is done with a result: nearest, heard to its end, passed over."""


def _done(one: Evidence) -> str:
    return f"{DONE[one.judgement]} {Path(one.path).stem}"


def asked_for(steering: Steering) -> str:
    """What a query asks for in a few words: the prompt, or without one the liked files."""
    if steering.worded:
        return steering.prompt
    # A crate keeps this as text, which the name of a file need not be.
    return f"like: {', '.join(literal(Path(path).stem) for path in steering.likes)}"


def _quoted(steering: Steering) -> str:
    asked = asked_for(steering)
    return f"“{asked}”" if steering.worded else asked


def _interval(_: object, new: tuple[float, float]) -> str:
    return "guided throughout" if new == (0, 1) else f"guided from {new[0]:g} to {new[1]:g}"


LABELS = (
    EditLabel("edit", "edit"),
    PromptLabel("prompt"),
    LikesLabel("likes", "like", sign="♥"),
    TracksLabel("dislikes", "ban", sign="⊘"),
    EvidenceLabel("evidence", "evidence"),
    PullLabel(
        "pull",
        "pull",
        words=lambda _, new: f"drawn with ♥ ⊘ {new:g}" if new else "drawn without ♥ ⊘",
    ),
    TextsLabel("sliders", "slider", sign="+", number="amount", weight=AMOUNT),
    TextsLabel("negatives", "negative", sign="−", number="weight", weight=WEIGHT, usual=1.0),
    ValueLabel("guidance", words=lambda old, new: f"g {old:g}→{new:g}", names_first=False),
    ValueLabel("spread", words=lambda _, new: spread_name(new)),
    ValueLabel("roll", words=lambda _, new: f"roll {new}"),
    ValueLabel("interval", words=_interval),
    ValueLabel("sampler", words=lambda _, new: f"sampler {new}"),
    ValueLabel("steps", words=lambda _, new: f"{new} steps", names_first=False),
    ValueLabel("draws", words=lambda _, new: f"{new} draws", names_first=False),
    ValueLabel("seed", words=lambda _, new: f"seed {new}", names_first=False),
)
"""Every field of `Steering`, in the order in which changes and chips are shown."""
_BY_KIND = {label.kind: label for label in LABELS if label.kind}
KINDS = ("filter", "limit", *_BY_KIND)
"""Of chips."""


def changes(before: Steering | None, after: Steering) -> list[str]:
    """What makes `after` a different steering from `before`, in a few words each.

    Args:
        before: None for a first query, which is compared with what it asks for, not steered at all.
        after: the steering to be labelled.
    """
    if before is None:
        preset = [label.name for label in LABELS if not label.names_first]
        preset += [] if after.worded else ["likes"]
        unsteered = Steering(after.prompt, **{name: getattr(after, name) for name in preset})
        asked = [] if after.edit else [_quoted(after)]
        return asked + changes(unsteered, after)
    return [change for label in LABELS for change in label.changes(before, after)]


def chips(steering: Steering) -> list[Chip]:
    """What steers besides the prompt, in the order shown."""
    return [chip for label in LABELS for chip in label.chips(steering)]


def weighed(steering: Steering, chip: Chip, by: int) -> Steering:
    """The steering with a chip's number turned; equal where it has none or is at its end."""
    label = _BY_KIND.get(chip.kind)
    return label.weighed(steering, chip.key, by) if label else steering


def without(steering: Steering, chip: Chip) -> Steering:
    """The steering with a chip removed."""
    return _BY_KIND[chip.kind].without(steering, chip.key)


def settled(steering: Steering) -> Steering:
    """Without likes and bans nothing is left that could pull, without words nothing is drawn."""
    pulls = steering.worded and (steering.likes or steering.dislikes)
    return steering if pulls else steering.but(pull=0.0)


def spread_name(spread: float) -> str:
    """What a spread is called."""
    return f"spread {spread:g}" if spread else "closest"


def source_name(edit: Edit) -> str:
    """The name of the file that an edit starts from."""
    return Path(edit.path).stem
