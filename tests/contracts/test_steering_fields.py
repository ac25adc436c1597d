"""Whoever adds a field to `Steering` also labels it, gives it an option, and can store it."""

from __future__ import annotations

from dataclasses import fields
from importlib import resources
from typing import Any

import pytest
from typer.main import get_command

from gdr_model.evidence import Evidence, Judgement
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_tui.app.trail.trail import Ask, what_changed
from gdr_tui.cli.main import app
from gdr_tui.labels import KINDS

PLAIN = Steering("warm piano", likes=("/m/liked.mp3",))
CHANGES: dict[str, Any] = {
    "prompt": "cold piano",
    "negatives": (WeightedText("drums", 0.5),),
    "likes": ("/m/other.mp3",),
    "dislikes": ("/m/banned.mp3",),
    "guidance": 4.0,
    "steps": 20,
    "draws": 4,
    "seed": 7,
    "edit": Edit("/m/source.mp3", 64.0, 0.5, "words"),
    "sliders": (Slider("strings", 0.5),),
    "sampler": "ddim",
    "interval": (0.2, 0.8),
    "pull": 0.2,
    "spread": 0.5,
    "roll": 3,
    "evidence": (Evidence(Judgement.PREFERRED, "/m/a.mp3", ("/m/b.mp3", "/m/c.mp3")),),
}
"""A change of each field."""
OPTIONS = {
    "negatives": "--not",
    "likes": "--like",
    "dislikes": "--unlike",
    "guidance": "--guidance",
    "steps": "--steps",
    "draws": "--draws",
    "seed": "--seed",
    "sliders": "--slide",
    "sampler": "--sampler",
    "interval": "--interval",
    "pull": "--pull",
    "spread": "--spread",
    "roll": "--roll",
    "evidence": "--session",
}
"""The option of each field; the prompt is an argument, and an edit is a command of its own."""
FIELDS = [field.name for field in fields(Steering)]


def test_every_field_is_covered_here() -> None:
    assert sorted(CHANGES) == sorted(FIELDS)
    assert sorted(OPTIONS) == sorted({*FIELDS} - {"prompt", "edit"})


@pytest.mark.parametrize("name", FIELDS)
def test_a_change_of_any_one_field_is_named_in_the_trail(name: str) -> None:
    changed = PLAIN.but(**{name: CHANGES[name]})
    there, back = what_changed(Ask(PLAIN), Ask(changed)), what_changed(Ask(changed), Ask(PLAIN))
    assert "again" not in (there, back)
    assert there != back


@pytest.mark.parametrize("name", FIELDS)
def test_any_one_field_survives_the_way_through_json(name: str) -> None:
    changed = PLAIN.but(**{name: CHANGES[name]})
    assert changed != PLAIN
    assert Steering.from_json(changed.to_json()) == changed


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_chip_has_its_colours(kind: str) -> None:
    style = resources.files("gdr_tui.app").joinpath("gdr.tcss").read_text(encoding="utf-8")
    assert style.count(f".chips--{kind} {{") + style.count(f".chips--{kind},") >= 2, (
        "in the themes of gdr, and in those of the terminal's own colours"
    )


@pytest.mark.parametrize("command", ["search", "edit", "why"])
@pytest.mark.parametrize("name", OPTIONS)
def test_every_field_has_its_option_in_every_command_that_steers(command: str, name: str) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    options = {option for param in commands[command].params for option in param.opts}
    assert OPTIONS[name] in options
