"""The styles the composer knows: who plays what, over which chords, how fast, in which mood.

The styles themselves are in `styles.toml`; this module says what the fields mean and reads them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class StyleLayer:
    """One line of the score: a role, the programs that may take it, and how it plays."""

    role: str  # melody, counter, chords, voice, bass or drone
    programs: tuple[int, ...]
    figure: str = ""  # of rhythm.BASS or rhythm.COMPS; none for melodies and drones
    centre: int = 60  # MIDI pitch around which it moves
    level: float = 0.7
    enter: int = 0  # first section in which it plays
    size: int = 4  # voices in a chord; for the role "voice", which of the four it takes
    busy: float = 0.45  # melodies: 0 long notes, 1 sixteenths
    scale: int = 12  # melodies: range in semitones on either side of the centre


USUAL: dict[str, StyleLayer] = {
    "melody": StyleLayer("melody", (), centre=74, level=0.85, size=1),
    "counter": StyleLayer("counter", (), centre=66, level=0.6, enter=1, size=1, busy=0.15),
    "chords": StyleLayer("chords", (), level=0.6),
    "voice": StyleLayer("voice", ()),
    "bass": StyleLayer("bass", (), centre=40, level=0.75),
    "drone": StyleLayer("drone", (), centre=48, level=0.45),
}
"""Defaults of a layer by role."""


@dataclass(frozen=True)
class Style:
    """A kind of music."""

    name: str
    genre: str
    tempo: tuple[int, int]  # lowest and highest, in beats per minute
    modes: tuple[str, ...]
    chords: tuple[str, ...]  # progressions, one symbol per bar (two with a comma); see theory.chord
    layers: tuple[StyleLayer, ...]
    moods: tuple[str, ...]
    grooves: tuple[str, ...] = ()
    kits: tuple[str, ...] = ("standard kit",)
    meter: str = "4/4"
    swing: float = 0.5  # where in its beat the off-beat falls; 0.5 is straight
    swing_beats: float = 1.0  # the unit that is swung: 1 swings eighths, 0.5 sixteenths
    loose: float = 0.010  # standard deviation of the timing in seconds; 0 is a machine
    drums_enter: int = 0


def read_layer(text: str) -> StyleLayer:
    """Parse a layer from its line in styles.toml.

    >>> read_layer("bass:walking 32 33 level=0.5").programs
    (32, 33)
    """
    head, *words = text.split()
    # A figure may have two words (boom chuck): it is everything up to the first number.
    while words and not words[0].isdigit():
        head += f" {words.pop(0)}"
    role, _, figure = head.partition(":")
    options = dict(word.split("=") for word in words if "=" in word)
    programs = tuple(int(word) for word in words if "=" not in word)
    kinds: dict[str, type] = {"level": float, "busy": float}
    changes: dict[str, Any] = {key: kinds.get(key, int)(value) for key, value in options.items()}
    return replace(USUAL[role], programs=programs, figure=figure, **changes)


def _style(name: str, fields: dict[str, Any]) -> Style:
    """Build a style from its table."""
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    sets: dict[str, list[str]] = _TABLE["progressions"]
    given["chords"] = tuple(c for text in given["chords"] for c in sets.get(text[1:], [text]))
    given["layers"] = tuple(read_layer(text) for text in given["layers"])
    return Style(name, **given)


_TABLE: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("styles.toml").read_text(encoding="utf-8")
)
TITLES: dict[str, list[str]] = _TABLE["titles"]
STYLES: tuple[Style, ...] = tuple(_style(name, f) for name, f in _TABLE["styles"].items())
BY_NAME: dict[str, Style] = {style.name: style for style in STYLES}
