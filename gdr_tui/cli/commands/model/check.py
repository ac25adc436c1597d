"""`gdr model check`: compare a network's outputs with the original's, one line per output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_tui.cli.diagnostics import Failed, say
from gdr_tui.cli.output import write

if TYPE_CHECKING:
    from gdr_model.checks.case import Compared

_COLUMNS = "{:<34}{:>16}{:>12}{:>12}{:>18}{:>8}  {}"
HEADING = _COLUMNS.format("output", "shape", "error", "relative", "allowed", "used", "").rstrip()
"""Of the greatest errors: absolute, and relative to the greatest value of the reference."""


def check(
    pair: Annotated[
        str,
        typer.Argument(
            metavar="PAIR", help="mule, mule-port, muscall, musicnn, clap, laion; or unet, mlp."
        ),
    ],
    reference: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder of a reference: io.npz, config.json, and weights or their recipe.",
            readable=False,
        ),
    ],
) -> None:
    """Run a network on reference inputs and report how far each output is from the original's."""
    from gdr_model import checks

    compared: list[Compared] = []
    for output in checks.check(pair, reference):
        if not compared:
            write(HEADING + "\n")
        write(_line(output) + "\n")
        compared.append(output)
    failed = [output for output in compared if not output.passes]
    if failed:
        worst = max(failed, key=lambda output: output.used)
        say(
            f"gdr: {len(failed)} of {len(compared)} outputs of {pair} are beyond their tolerance; "
            f"{worst.name} has a relative error of {worst.relative:.1e}"
        )
        raise Failed(1)
    closest = max(compared, key=lambda output: output.used)
    say(
        f"{pair}: all {len(compared)} outputs are within their tolerance; {closest.name} uses "
        f"{closest.used:.0%} of it"
    )


def _line(output: Compared) -> str:
    from gdr_model.checks.case import RTOL

    return _COLUMNS.format(
        output.name,
        "×".join(map(str, output.shape)) or "1",
        f"{output.error:.1e}",
        f"{output.relative:.1e}",
        f"{RTOL:.0e}·|x|+{output.atol:.0e}",
        f"{output.used:.1%}",
        "" if output.passes else "beyond",
    ).rstrip()
