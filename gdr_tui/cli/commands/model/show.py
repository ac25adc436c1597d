"""`gdr model show`: the networks of a model and its card."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gdr_tui.cli.output import write
from gdr_tui.safe_text import literal


def show(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="A name from gdr model list, or a folder.")
    ] = "builtin",
) -> None:
    """Show the networks of a model, its text encoder and its card."""
    from gdr_model.models.checkpoint import load

    model = load(name)
    write(f"{literal(model.name)}: {model.space}, in {literal(str(model.config.folder))}\n")
    networks: dict[str, Any] = {}
    if model.own_encoder is not None:
        networks["audio encoder"] = model.own_encoder.net
    if model.networks is not None:
        networks["denoiser"] = model.networks.denoiser
        networks["contrastive tower"] = model.networks.contrastive
    for part, network in networks.items():
        count = sum(parameter.numel() for parameter in network.parameters())
        write(f"  {part}: {count / 1e6:.2f} M parameters\n")
    write(f"  text encoder: {model.config.text.name}\n")
    card = model.config.folder / "MODEL_CARD.md"
    if card.is_file():
        write("\n" + card.read_text(encoding="utf-8"))
