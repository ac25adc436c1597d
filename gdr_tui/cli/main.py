"""The `gdr` command, put together from its commands; each imports what it needs when it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gdr_model import __version__
from gdr_tui.cli.commands import (
    crate,
    doctor,
    edit,
    extract,
    replay,
    search,
    train,
    tui,
    why,
)
from gdr_tui.cli.commands import eval as evaluate
from gdr_tui.cli.commands.bench import group as bench
from gdr_tui.cli.commands.library import duplicates, forget, index, move, status
from gdr_tui.cli.commands.model import check, convert, pull, show
from gdr_tui.cli.commands.model import list as model_list
from gdr_tui.cli.diagnostics import Failed, say, verdict
from gdr_tui.cli.groups import expanded
from gdr_tui.cli.prompted import Prompted
from gdr_tui.cli.streams import fill_closed

ABOUT = "Find music by generating the query: words in, the nearest passages of your library out."


class Guarded(TyperGroup):
    """Runs every command under `diagnostics.verdict`."""

    def invoke(self, ctx: Any) -> Any:
        """Run; a failure has been reported by then and only sets the exit code."""
        try:
            with verdict():
                return super().invoke(ctx)
        except Failed as failed:
            raise typer.Exit(failed.exit_code) from None


app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=ABOUT,
)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command in some words, or in `sys.argv`, whatever stdin, stdout and stderr are."""
    fill_closed()
    try:
        app(words)
    except SystemExit as ended:
        # The reader of a help text or a table has left, which some libraries count as a failure.
        if isinstance(ended.__context__, BrokenPipeError):
            sys.exit(0)
        raise
    except OSError as error:  # a help text that cannot be written
        say(f"gdr: {error.strerror or error}")
        sys.exit(1)


@app.callback(invoke_without_command=True, help=ABOUT)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Answer `gdr --version`."""
    if version:
        print(__version__)  # noqa: T201 (no command runs that could use `output`)
        raise typer.Exit


def add(
    group: typer.Typer,
    *commands: Callable[..., None],
    cls: type[TyperCommand] = TyperCommand,
) -> None:
    """Add commands that are called as their functions are."""
    for command in commands:
        group.command(cls=cls)(expanded(command))


add(app, tui.tui, index.index)
add(app, search.search, edit.edit, cls=Prompted)
add(app, replay.replay)
add(app, why.why, cls=Prompted)
add(app, status.status, move.move, forget.forget)
add(app, duplicates.duplicates, doctor.doctor, extract.extract, train.train)
app.add_typer(bench.group, name="bench")
app.add_typer(crate.group, name="crate")
models = typer.Typer(no_args_is_help=True, help="The models gdr can use.")
models.command("list")(model_list.list_models)
add(models, show.show, pull.pull, convert.convert, check.check)
app.add_typer(models, name="model")
app.add_typer(evaluate.group, name="eval")
