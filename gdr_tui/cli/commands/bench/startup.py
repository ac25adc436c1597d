"""`gdr bench startup`: where the time of a first query goes."""

from __future__ import annotations

from gdr_tui.cli.commands.bench.figures import ms, row
from gdr_tui.cli.commands.bench.stages import measured
from gdr_tui.cli.options import RetrieverOptions


def startup(backend: RetrieverOptions) -> None:
    """Measure a first query in a fresh process, stage by stage."""
    found = measured(backend)[:-1]
    total_s = sum(stage.wall_s for stage in found)
    row("start to first results", ms(total_s))
    for stage in found:
        row(f"  {stage.name}", ms(stage.wall_s), f"{stage.wall_s / total_s:.2f} of that")
