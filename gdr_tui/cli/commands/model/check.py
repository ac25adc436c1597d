"""`gdr model check`: a line an output, and the verdict."""

from __future__ import annotations

from pathlib import Path

from gdr_model.checks import check
from gdr_model.checks.case import RTOL, Compared
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write

COLUMNS = "{:<34}{:>16}{:>12}{:>12}{:>18}{:>8}  {}".format
HEADING = COLUMNS("output", "shape", "error", "relative", "allowed", "used", "").rstrip()
"""Of the greatest errors: absolute, and relative to the greatest value of the reference."""


def check_reference(pair: str, reference: Path) -> bool:
    """Print each comparison as it is made; False if an output is beyond its tolerance."""
    compared: list[Compared] = []
    for output in check(pair, reference):
        if not compared:
            write(
                COLUMNS("output", "shape", "error", "relative", "allowed", "used", "").rstrip()
                + "\n"
            )
        write(_line(output) + "\n")
        compared.append(output)
    failed = [output for output in compared if not output.passes]
    if failed:
        worst = max(failed, key=lambda output: output.used)
        say(
            f"gdr: {len(failed)} of {len(compared)} outputs of {pair} are beyond their tolerance; "
            f"{worst.name} has a relative error of {worst.relative:.1e}"
        )
        return False
    closest = max(compared, key=lambda output: output.used)
    say(
        f"{pair}: all {len(compared)} outputs are within their tolerance; {closest.name} uses "
        f"{closest.used:.0%} of it"
    )
    return True


def _line(output: Compared) -> str:
    return COLUMNS(
        output.name,
        "×".join(map(str, output.shape)) or "1",
        f"{output.error:.1e}",
        f"{output.relative:.1e}",
        f"{RTOL:.0e}·|x|+{output.atol:.0e}",
        f"{output.used:.1%}",
        "" if output.passes else "beyond",
    ).rstrip()
