"""The commands of `gdr model`; each imports what it needs when it runs and not before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_tui.cli.diagnostics import say


def register(app: typer.Typer) -> None:
    """Add `gdr model` to `gdr`."""
    models = typer.Typer(no_args_is_help=True, help="The models gdr can use.")
    models.command("list")(list_models)
    models.command("show")(show)
    models.command("pull")(pull)
    models.command("convert")(convert)
    models.command("check")(check)
    app.add_typer(models, name="model")


def list_models() -> None:
    """List every pair, what it needs and whether that is here; then models of one's own."""
    from gdr_tui.cli.commands.model.list import list_models as show_list

    show_list()


def show(name: Annotated[str, typer.Argument()] = "builtin") -> None:
    """Show what a model is made of, and its card."""
    from gdr_tui.cli.commands.status import show_model

    show_model(name)


def pull(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="clap, laion, flan-t5-base, or OWNER/NAME of the hub."),
    ],
) -> None:
    """Fetch weights from the Hugging Face hub; goes on where it was interrupted."""
    from gdr_tui.cli.commands.model.pull import pull_weights

    pull_weights(name)


def convert(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Weights as their authors publish them."),
    ],
    pair: Annotated[
        str,
        typer.Option(
            "--pair", help="Whose they are: laion, mule, mule-port, muscall; or clap, t5."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="The new folder. Default: where gdr looks for weights of that name.",
            show_default=False,
        ),
    ] = None,
    text_heads: Annotated[
        int | None,
        typer.Option(min=1, help="Attention heads of an unusual text tower.", show_default=False),
    ] = None,
) -> None:
    """Write published weights as a folder that gdr reads; no pickle in it is ever run."""
    from gdr_model import paths
    from gdr_model.encoders.registry.converters import convert as write_folder

    folder = out or paths.models() / pair
    write_folder(file, pair, folder, text_heads)
    say(f"{file} is now {folder}")


def check(
    pair: Annotated[
        str,
        typer.Argument(metavar="PAIR", help="mule, mule-port, muscall, clap, laion; or unet, mlp."),
    ],
    reference: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Folder of a reference: config.json, io.npz, and weights or their recipe.",
            readable=False,
        ),
    ],
) -> None:
    """Run a network on reference inputs and say how far each output is from the original's."""
    from gdr_tui.cli.commands.model.check import check_reference

    if not check_reference(pair, reference):
        raise typer.Exit(1)
