"""The commands of `gdr bench`; without one, a summary of the machine."""

from __future__ import annotations

import typer

from gdr_tui.cli.commands.bench import index, ingest, memory, query, startup, summary
from gdr_tui.cli.groups import expanded

group = typer.Typer()
group.callback(invoke_without_command=True)(expanded(summary.bench))
for command in (query.query, index.index, ingest.ingest, startup.startup, memory.memory):
    group.command()(expanded(command))
