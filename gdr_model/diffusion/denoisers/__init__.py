"""Networks that predict from a noisy sequence of latents, the time and the text.

`KINDS` is the table from a kind's name, as `config.json` has it, to its network and the shape
that it is built from; `build` and `describe` go from that text to a network and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from gdr_model.diffusion.denoisers.context import Context, Denoiser
from gdr_model.diffusion.denoisers.mlp import MlpConfig, MlpDenoiser
from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.denoisers.unet import UnetConfig, UnetDenoiser

__all__ = ["KINDS", "Context", "Denoiser", "Network", "build", "describe"]

Network: TypeAlias = TransformerDenoiser | UnetDenoiser | MlpDenoiser

KINDS: dict[str, tuple[Callable[[Any], Network], Callable[..., Any]]] = {
    "transformer": (TransformerDenoiser, TransformerConfig),
    "unet": (UnetDenoiser, UnetConfig),
    "mlp": (MlpDenoiser, MlpConfig),
}
"""Kind to (network, its configuration)."""


def build(described: Mapping[str, Any]) -> Network:
    """The network of a description, with fresh weights; without `kind` it is a transformer.

    Raises:
        KeyError: if the kind is unknown.
        TypeError: if a field is unknown or missing.
    """
    network, config = KINDS[described.get("kind", "transformer")]
    fields = {
        # JSON has no tuples.
        name: tuple(value) if isinstance(value, list) else value
        for name, value in described.items()
        if name != "kind"
    }
    return network(config(**fields))


def describe(network: Network) -> dict[str, Any]:
    """What `build` makes an equal network of."""
    kind = next(kind for kind, (made, _) in KINDS.items() if made is type(network))
    return {"kind": kind, **asdict(network.config)}
