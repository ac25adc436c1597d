"""What a user may set, in `settings.toml` in gdr's data folder (`GDR_HOME` overrides it).

    theme = "ansi-dark"                # the terminal's own palette
    guidance = 4.0
    player = ["mpv", "--start={start_s}", "{path}"]

    [keys]
    "search.reroll" = "R"

A missing file means the defaults. A file that cannot be read means the defaults and one
sentence that says why.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from gdr_model import paths
from gdr_model.types import Edit, Steering

FILE_NAME = "settings.toml"


@dataclass(frozen=True)
class Settings:
    """Every setting with its default."""

    guidance: float = Steering.guidance
    """How hard a new query follows the prompt, 0 to 20; `+` and `-` change it while running."""
    steps: int = Steering.steps
    """Steps of the diffusion sampler, 1 to 200; more is slower and rarely better."""
    draws: int = Steering.draws
    """Points drawn for a query, 1 to 64; each votes for the tracks near it."""
    strength: float = Edit.strength
    """How far an edit walks from its source, above 0 and up to 1; .4 keeps it close."""
    results: int = 50
    """Length of the result list, 1 to 1000."""
    theme: str = "gdr"
    """A theme of the palette (ctrl+p, Theme); `ansi-dark` and `ansi-light` use the colours of
    the terminal."""
    player: tuple[str, ...] = ()
    """An external player, as a list of arguments in which `{path}` and `{start_s}` are filled
    in; empty plays through the sound device."""
    volume: float = 1.0
    """How loud gdr's own player begins, 0 to 1; `[` and `]` change it while running."""
    audition: bool = False
    """Whether moving in the results plays what is under the cursor; `a` changes it."""
    opener: tuple[str, ...] = ()
    """What shows a file in its folder, as a list of arguments in which `{path}` and `{folder}`
    are filled in; empty asks the platform (`xdg-open`, `open`, `explorer`)."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by the id of their action (`?` lists the ids); several are divided by commas."""


_LIMITS = {
    "guidance": (0, 20),
    "steps": (1, 200),
    "draws": (1, 64),
    "strength": (0.01, 1),
    "results": (1, 1000),
    "volume": (0, 1),
}
_COMMANDS = {"player": ("{path}",), "opener": ("{path}", "{folder}")}
"""Lists of arguments, and what one of them must name."""


def load(file: Path | None = None) -> tuple[Settings, str]:
    """The settings, and one sentence about what is wrong with the file ("" when nothing is)."""
    file = file or paths.home() / FILE_NAME
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(), f"{file.name} cannot be read, so the defaults are used: {error}"
    try:
        return replace(Settings(), **{name: _value(name, raw[name]) for name in raw}), ""
    except ValueError as error:
        return Settings(), f"{file.name} has a mistake, so the defaults are used: {error}"


def _value(name: str, value: Any) -> Any:
    """One setting, checked.

    Raises:
        ValueError: naming the setting and what it may be.
    """
    if name not in {f.name for f in fields(Settings)}:
        raise ValueError(f"there is no setting called {name}")
    if name in _LIMITS:
        return _number(name, value)
    if name in _COMMANDS:
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise ValueError(f'{name} must be a list of texts, as in ["mpv", "{{path}}"]')
        places = _COMMANDS[name]
        if value and not any(place in part for part in value for place in places):
            raise ValueError(f"{name} must name {' or '.join(places)} in one of its arguments")
        return tuple(value)
    if name == "audition":
        if not isinstance(value, bool):
            raise ValueError("audition must be true or false")
        return value
    if name == "keys":
        if not isinstance(value, dict) or not all(isinstance(k, str) for k in value.values()):
            raise ValueError('keys must be a table of texts, as in "search.reroll" = "R"')
        return dict(value)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value


def _number(name: str, value: Any) -> float | int:
    """A number inside the limits of the setting, whole where the default is whole."""
    low, high = _LIMITS[name]
    whole = isinstance(getattr(Settings(), name), int)
    kind = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        noun = "a whole number" if whole else "a number"
        raise ValueError(f"{name} must be {noun} from {low:g} to {high:g}")
    return value if whole else float(value)
