"""Options that several commands share.

A field of `Steering` becomes an option by a field of the same name in `SteeringOptions`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from gdr_model.errors import UsageError
from gdr_model.limits import Limits
from gdr_model.patience import NAMED_S, answered
from gdr_model.remote.files import at_hand
from gdr_model.steering import Edit, Sampler, Slider, Steering, WeightedText
from gdr_model.types import Method
from gdr_tui.cli.output import Format
from gdr_tui.cli.session_files import Earlier, read


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


ModelOption = Annotated[
    str,
    typer.Option("--model", "-m", metavar="MODEL", help="A name from gdr model list, or a folder."),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="INDEX",
        help="Where passages are looked for: local, or milvus: and a FILE.db or http://HOST:PORT. "
        "Default: the setting index.",
        show_default=False,
    ),
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where the networks run.")]


def slider(text: str) -> Slider:
    """Read `acoustic:0.5`.

    Raises:
        UsageError: if no number follows the last colon.
    """
    words, _, amount = text.rpartition(":")
    try:
        return Slider(words.strip(), float(amount))
    except ValueError:
        raise UsageError(
            f'the slider "{text}" has no amount; write it as in --slide "acoustic:0.5"'
        ) from None


def existing_file(path: str) -> str:
    """The absolute path of a file.

    Raises:
        UsageError: if it does not exist.
        FileUnavailable: if it is at an address and cannot be fetched.
    """
    at_hand(Path(path))
    if not answered(lambda: Path(path).is_file(), False, NAMED_S):
        raise UsageError(f"there is no file {path}")
    return str(Path(path).absolute())


@dataclass(frozen=True)
class SteeringOptions:
    """Everything that shapes a query besides its prompt and its edit."""

    PANEL: ClassVar[str] = "Steering"

    negatives: Annotated[
        list[WeightedText] | None,
        typer.Option(
            "--not",
            parser=WeightedText.parse,
            metavar="TEXT[:WEIGHT]",
            help="Rank what sounds like these words lower; the weight is 1 by default, 5 at most. "
            "Repeatable.",
        ),
    ] = None
    sliders: Annotated[
        list[Slider] | None,
        typer.Option(
            "--slide",
            parser=slider,
            metavar="TEXT:AMOUNT",
            help="Move along these words, by -1 (away) to 1 (towards). Repeatable.",
        ),
    ] = None
    likes: Annotated[
        list[str] | None,
        typer.Option(
            "--like",
            parser=existing_file,
            metavar="FILE",
            help="Rank tracks similar to this one higher; without a prompt, find them. Repeatable.",
        ),
    ] = None
    dislikes: Annotated[
        list[str] | None,
        typer.Option(
            "--unlike",
            parser=existing_file,
            metavar="FILE",
            help="Leave this track out and rank similar ones lower. Repeatable.",
        ),
    ] = None
    evidence: Annotated[
        Path | None,
        typer.Option(
            "--session",
            metavar="FILE",
            help="Rank by what was done with earlier results, too: a file printed with -f json, or "
            "a trail.",
            show_default=False,
            readable=False,
        ),
    ] = None
    nearest: Annotated[
        list[int] | None,
        typer.Option(
            "--nearest",
            metavar="N",
            help="Of the results in the --session file, N is the nearest to what you want. "
            "Repeatable: the next nearest.",
        ),
    ] = None
    finished: Annotated[
        list[int] | None,
        typer.Option("--finished", metavar="N", help="You played result N to its end. Repeatable."),
    ] = None
    passed: Annotated[
        list[int] | None,
        typer.Option("--passed", metavar="N", help="You passed over result N. Repeatable."),
    ] = None
    pull: Annotated[
        float,
        typer.Option(
            help="How strongly --like and --unlike also steer the draws, 0 to 1.",
        ),
    ] = Steering.pull
    guidance: Annotated[
        float, typer.Option(help="How closely the draws follow the prompt, 0 to 20.")
    ] = Steering.guidance
    steps: Annotated[
        int,
        typer.Option(help="Sampling steps, 1 to 200."),
    ] = Steering.steps
    draws: Annotated[
        int, typer.Option(help="Points drawn for a prompt, 1 to 64; results combine them.")
    ] = Steering.draws
    seed: Seed = Steering.seed
    sampler: Annotated[
        Sampler,
        typer.Option(
            help="Sampling method: the first three are gdr's, consistency for "
            "distilled models; the others are those of diffusers."
        ),
    ] = Steering.sampler
    interval: Annotated[
        tuple[float, float],
        typer.Option(
            metavar="START END",
            help="Steer only in this part of a draw, from 0 (noise) to 1 (result).",
        ),
    ] = Steering.interval
    spread: Annotated[
        float,
        typer.Option(
            help="How much lists differ, 0 to 1: at 0 all draws make the closest one, above it "
            "each leans towards a draw.",
        ),
    ] = Steering.spread
    roll: Annotated[
        int,
        typer.Option(help="Which of the differing lists, from 1, if --spread is above 0."),
    ] = Steering.roll

    def steering(self, prompt: str, edit: Edit | None = None) -> Steering:
        """The steering of a prompt.

        Raises:
            UsageError: if a value is out of range.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        lists = {"negatives", "sliders", "likes", "dislikes"}
        values |= {name: tuple(values[name] or ()) for name in lists}
        since = (
            values.pop("nearest") or (),
            values.pop("finished") or (),
            values.pop("passed") or (),
        )
        values["evidence"] = self._earlier().and_then(*since)
        return Steering(prompt, edit=edit, **values)

    def _earlier(self) -> Earlier:
        if self.evidence is not None:
            return read(self.evidence)
        if self.nearest or self.finished or self.passed:
            raise UsageError(
                "--nearest, --finished and --passed number the results of a --session file"
            )
        return Earlier()


@dataclass(frozen=True)
class RetrieverOptions:
    """The libraries and the model that answer a query."""

    PANEL: ClassVar[str] = "Library and model"

    library: Annotated[
        list[Path] | None,
        typer.Option(
            "--library",
            "-L",
            metavar="DIR",
            parser=Path,  # otherwise typer looks at it, which can hang, before gdr does
            help="Indexed music folder. Repeatable. Default: the one indexed last.",
            show_default=False,
        ),
    ] = None
    model: ModelOption = "builtin"
    device: DeviceOption = Device.AUTO
    index: IndexOption = None


@dataclass(frozen=True)
class OutputOptions:
    """How results are printed."""

    PANEL: ClassVar[str] = "Output"

    form: Annotated[Format, typer.Option("--format", "-f", help="Output format.")] = Format.TABLE
    starts: Annotated[
        bool,
        typer.Option("--starts", help="With -f m3u8, start each track at its passage (VLC)."),
    ] = False
    print0: Annotated[
        bool, typer.Option("--print0", help="Print only paths, each ended by NUL, for xargs -0.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print more details on stderr.")
    ] = False

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            UsageError: if there is no playlist to start tracks in.
        """
        if self.starts and (self.form is not Format.M3U8 or self.print0):
            raise UsageError("--starts is for --format m3u8")


@dataclass(frozen=True)
class ListOptions:
    """Which of the files that match are listed."""

    PANEL: ClassVar[str] = "List"

    per_artist: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="At most N results of an artist; 0 is any number."),
    ] = 0
    per_album: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="At most N results of an album; 0 is any number."),
    ] = 0
    every_file: Annotated[
        bool,
        typer.Option("--copies", help="List every copy of a recording, not one line for all."),
    ] = False

    @property
    def limits(self) -> Limits:
        """The limits of an artist and an album."""
        return Limits(self.per_artist, self.per_album)


Where = Annotated[
    str | None,
    typer.Option(
        metavar="FILTER", help="Search only matching tracks: 'genre = jazz and duration_s < 240'."
    ),
]
KeepWords = Annotated[
    bool,
    typer.Option("--literal", help="Keep all of the prompt as words; no sign in it steers."),
]
K = Annotated[int, typer.Option("-k", metavar="N", help="Number of results.")]
MethodOption = Annotated[
    Method, typer.Option(help="gdr draws the query; contrastive, the baseline, does not.")
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=1, metavar="N", help="Files decoded in parallel.")
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        min=1,
        metavar="N",
        help="Files decoded and encoded in parallel; by default one for each core.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed; change it for different results.")]
Print0 = Annotated[bool, typer.Option("--print0", help="Print paths ended by NUL, for xargs -0.")]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        help="Where files are read: local, or on a Ray cluster: ray or ray://HOST:PORT.",
    ),
]
