"""`gdr bench memory`: what a process that answers queries holds."""

from __future__ import annotations

from gdr_tui.cli.commands.bench.figures import row
from gdr_tui.cli.commands.bench.stages import measured
from gdr_tui.cli.options import RetrieverOptions


def memory(backend: RetrieverOptions) -> None:
    """Measure memory in a fresh process, after each stage of a query and at rest."""
    before_mb = 0.0
    for stage in measured(backend):
        now_mb = stage.resident_mb
        if now_mb is None:
            row(stage.name, "unknown", "this system does not report it")
            return
        row(stage.name, f"{now_mb:,.0f} MB", f"{now_mb - before_mb:+,.0f}")
        before_mb = now_mb
