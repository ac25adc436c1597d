"""How each field of a `Steering` is named, in the trail and on the chips under the prompt.

`LABELS` is the one table of both. A new field of `Steering` needs a row here, its option in
`gdr_tui.cli.options` and nothing else on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model.types import Edit, Slider, Steering, WeightedText
from gdr_tui.safe_text import literal


@dataclass(frozen=True)
class Chip:
    """One thing that steers besides the prompt, as it is shown, weighed and removed."""

    kind: str
    """filter, edit, like, ban, pull, negative or slider."""
    text: str
    key: str = ""
    """Which of its kind it is: a condition, a liked or banned path, the words."""


@dataclass(frozen=True)
class Label:
    """How one field is named."""

    field: str
    """Its name in `Steering`."""
    changes: Callable[[Steering, Steering], Iterable[str]]
    """In the trail: what tells a steering from the one before it; nothing if the field is equal."""
    chips: Callable[[Steering], Iterable[Chip]] = lambda steering: ()
    """On chips: what can be weighed and removed."""
    names_first: bool = True
    """Whether it also labels a first query, as what the user's settings preset need not."""


def changes(before: Steering | None, after: Steering) -> list[str]:
    """What makes `after` a different steering from `before`, in a few words each.

    Args:
        before: None for a first query, which is compared with its prompt, not steered at all.
        after: the steering to be labelled.
    """
    if before is None:
        preset = [label.field for label in LABELS if not label.names_first]
        unsteered = Steering(after.prompt, **{name: getattr(after, name) for name in preset})
        prompt = [] if after.edit else [_quoted(after)]
        return prompt + changes(unsteered, after)
    return [change for label in LABELS for change in label.changes(before, after)]


def chips(steering: Steering) -> list[Chip]:
    """What steers besides the prompt, in the order shown."""
    return [chip for label in LABELS for chip in label.chips(steering)]


def source_name(edit: Edit) -> str:
    """The name of the file that an edit starts from."""
    return Path(edit.path).stem


def _quoted(steering: Steering) -> str:
    return f"“{steering.prompt}”"


def _prompt(before: Steering, after: Steering) -> Iterable[str]:
    """The new words; a new edit names them itself."""
    edited = after.edit and after.edit != before.edit
    return [_quoted(after)] if after.prompt != before.prompt and not edited else []


def _edit(before: Steering, after: Steering) -> Iterable[str]:
    edit = after.edit
    if edit and edit != before.edit:
        return [f"edit {edit.strength:g} of {source_name(edit)}: {after.prompt}"]
    return ["no edit"] if before.edit and not edit else []


def _edit_chips(steering: Steering) -> Iterable[Chip]:
    if edit := steering.edit:
        yield Chip("edit", f"edit {edit.strength:g} of {literal(source_name(edit))}")


def _negatives(before: Steering, after: Steering) -> Iterable[str]:
    texts = {negative.text for negative in after.negatives}
    new = [n for n in after.negatives if n not in before.negatives]
    yield from (f"− {n.text}:{n.weight:g}" for n in new)
    yield from (f"no − {n.text}" for n in before.negatives if n.text not in texts)


def _negative_chip(negative: WeightedText) -> Chip:
    weight = f" {negative.weight:g}" if negative.weight != 1 else ""
    return Chip("negative", f"− {literal(negative.text)}{weight}", negative.text)


def _sliders(before: Steering, after: Steering) -> Iterable[str]:
    texts = {slider.text for slider in after.sliders}
    yield from (f"+ {s.text}:{s.amount:g}" for s in after.sliders if s not in before.sliders)
    yield from (f"no + {s.text}" for s in before.sliders if s.text not in texts)


def _slider_chip(slider: Slider) -> Chip:
    return Chip("slider", f"+ {literal(slider.text)} {slider.amount:g}", slider.text)


def _tracks(sign: str, field: str) -> Callable[[Steering, Steering], Iterable[str]]:
    """Tracks that came to a field and tracks that left it."""

    def changed(before: Steering, after: Steering) -> Iterable[str]:
        old, new = getattr(before, field), getattr(after, field)
        yield from (f"{sign} {Path(path).stem}" for path in new if path not in old)
        yield from (f"no {sign} {Path(path).stem}" for path in old if path not in new)

    return changed


def _track_chips(kind: str, sign: str, field: str) -> Callable[[Steering], Iterable[Chip]]:
    return lambda steering: [
        Chip(kind, f"{sign} {literal(Path(path).stem)}", path) for path in getattr(steering, field)
    ]


def _value(field: str, words: Callable[[Any, Any], str]) -> Callable[..., Iterable[str]]:
    """A field that holds one value; `words` names the change from an old to a new one."""

    def changed(before: Steering, after: Steering) -> Iterable[str]:
        old, new = getattr(before, field), getattr(after, field)
        return [words(old, new)] if new != old else []

    return changed


def _interval(_: object, new: tuple[float, float]) -> str:
    return "guided throughout" if new == (0, 1) else f"guided from {new[0]:g} to {new[1]:g}"


LABELS = (
    Label("edit", _edit, _edit_chips),
    Label("prompt", _prompt),
    Label("likes", _tracks("♥", "likes"), _track_chips("like", "♥", "likes")),
    Label("dislikes", _tracks("⊘", "dislikes"), _track_chips("ban", "⊘", "dislikes")),
    Label(
        "pull",
        _value("pull", lambda _, new: f"drawn with ♥ ⊘ {new:g}" if new else "drawn without ♥ ⊘"),
        lambda steering: [Chip("pull", f"drawn with ♥ ⊘ {steering.pull:g}")] * bool(steering.pull),
    ),
    Label("sliders", _sliders, lambda steering: map(_slider_chip, steering.sliders)),
    Label("negatives", _negatives, lambda steering: map(_negative_chip, steering.negatives)),
    Label("guidance", _value("guidance", lambda old, new: f"g {old:g}→{new:g}"), names_first=False),
    Label("interval", _value("interval", _interval)),
    Label("sampler", _value("sampler", lambda _, new: f"sampler {new}")),
    Label("steps", _value("steps", lambda _, new: f"{new} steps"), names_first=False),
    Label("draws", _value("draws", lambda _, new: f"{new} draws"), names_first=False),
    Label("seed", _value("seed", lambda _, new: f"re-roll seed {new}"), names_first=False),
)
"""Every field of `Steering`, in the order in which changes and chips are shown."""
