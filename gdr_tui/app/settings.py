"""The user's settings, in `settings.toml` in gdr's data folder (`GDR_HOME` overrides it).

    theme = "ansi-dark"                # the terminal's own palette
    guidance = 4.0
    player = ["mpv", "--start={start_s}", "{path}"]

    [keys]
    "search.reroll" = "R"

Without a file the defaults apply. With a file that cannot be read they apply too, and one sentence
says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gdr_model import paths, plain
from gdr_model.errors import UsageError, first_line
from gdr_model.search.milvus.address import LOCAL, Address
from gdr_model.steering import Edit, Steering

FILE_NAME = "settings.toml"
_LIMITS = {
    "guidance": (0, 20),
    "steps": (1, 200),
    "draws": (1, 64),
    "strength": (0.01, 1),
    "results": (1, 1000),
    "volume": (0, 1),
}
_COMMANDS = {"player": ("{path}",), "opener": ("{path}", "{folder}")}
"""Lists of arguments, and the placeholders of which one must occur."""


@dataclass(frozen=True)
class Settings:
    """Every setting with its default."""

    guidance: float = Steering.guidance
    """How closely a new query follows the prompt, 0 to 20; `+` and `-` change it while running."""
    steps: int = Steering.steps
    """Steps of the diffusion sampler, 1 to 200; more is slower and rarely better."""
    draws: int = Steering.draws
    """Points drawn for a query, 1 to 64; each votes for the tracks near it."""
    strength: float = Edit.strength
    """How far an edit moves from its source, above 0 and up to 1; .4 keeps it close."""
    results: int = 50
    """Length of the result list, 1 to 1000."""
    as_you_type: bool = True
    """List what the prompt line would find while it is typed; off spares a slow machine the draws
    and a slow connection the repainting."""
    theme: str = "gdr"
    """A theme of the palette (ctrl+p, Theme); `ansi-dark` and `ansi-light` use the colours of
    the terminal."""
    player: tuple[str, ...] = ()
    """An external player, as a list of arguments in which `{path}` and `{start_s}` are filled
    in; empty plays through the sound device."""
    volume: float = 1.0
    """Initial volume of gdr's own player, 0 to 1; `[` and `]` change it while running."""
    audition: bool = False
    """Play whatever the cursor moves to in the results; `a` toggles it."""
    opener: tuple[str, ...] = ()
    """The command that shows a file in its folder, as a list of arguments in which `{path}` and
    `{folder}` are filled in; empty uses the platform's (`xdg-open`, `open`, `explorer`)."""
    exclude: tuple[str, ...] = ()
    """Globs of files and folders that no library takes, matched against names and against paths
    relative to the music folder; `gdr index` follows it too."""
    index: str = LOCAL
    """Where passages are looked for: `local`, or `milvus:` and a file or server (docs/scale.md);
    the command line follows it too."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by the id of their action (`?` lists the ids), separated by commas."""

    def __post_init__(self) -> None:
        """Validate the values.

        Raises:
            ValueError: naming the setting and its valid values.
        """
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be a number from {low:g} to {high:g}")
        for name, places in _COMMANDS.items():
            parts = getattr(self, name)
            if parts and not any(place in part for part in parts for place in places):
                raise ValueError(f"{name} must name {' or '.join(places)} in one of its arguments")
        try:
            Address.of(self.index)
        except UsageError as error:
            raise ValueError(f"index cannot be used: {error}") from error
        if not all(glob.strip() for glob in self.exclude):
            raise ValueError("exclude must hold names or globs, none of them empty")


def load(file: Path | None = None) -> tuple[Settings, str]:
    """The settings, and one sentence about what is wrong with the file ("" when nothing is)."""
    file = file or paths.home() / FILE_NAME
    try:
        raw = plain.from_toml(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError) as error:
        return (
            Settings(),
            f"{file.name} cannot be read, so the defaults are used: {first_line(error)}",
        )

    from gdr_model import decode  # the first frame of an app without the file need not wait for it

    mistake = f"{file.name} has a mistake, so the defaults are used: "
    try:
        return decode.into(Settings, raw, prefix=mistake), ""
    except UsageError as error:
        return Settings(), str(error)
