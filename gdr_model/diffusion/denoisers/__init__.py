"""Denoisers: networks that predict from a noisy sequence of latents, the time and the text.

`KINDS` maps the name of a kind, as config.json holds it, to its network and its configuration;
`build` and `describe` go from such a description to a network and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from gdr_model import decode
from gdr_model.diffusion.denoisers.context import Context, Denoiser
from gdr_model.diffusion.denoisers.mlp import MlpConfig, MlpDenoiser
from gdr_model.diffusion.denoisers.residual import ResidualConfig, ResidualDenoiser
from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.denoisers.unet import UnetConfig, UnetDenoiser
from gdr_model.errors import UsageError

__all__ = ["KINDS", "POOLED", "Context", "Denoiser", "Network", "build", "describe"]

Network: TypeAlias = TransformerDenoiser | UnetDenoiser | MlpDenoiser | ResidualDenoiser

KINDS: dict[str, tuple[Callable[[Any], Network], type[Any]]] = {
    "transformer": (TransformerDenoiser, TransformerConfig),
    "unet": (UnetDenoiser, UnetConfig),
    "mlp": (MlpDenoiser, MlpConfig),
    "residual": (ResidualDenoiser, ResidualConfig),
}
"""Kind to its network and configuration."""

POOLED = ("mlp", "residual")
"""Kinds that read pooled text alone and draw time-means."""


def build(described: Mapping[str, Any]) -> Network:
    """The network of a description, with fresh weights; without `kind` it is a transformer.

    Raises:
        UsageError: if the kind or a field is unknown, or a field is missing or invalid.
    """
    fields = dict(described)
    kind = fields.pop("kind", "transformer")
    if kind not in KINDS:
        raise UsageError(f"unknown kind of denoiser {kind!r}; use {', '.join(KINDS)}")
    network, config = KINDS[kind]
    return network(decode.into(config, fields, prefix="the denoiser: "))


def describe(network: Network) -> dict[str, Any]:
    """A description from which `build` makes a network of the same shape."""
    kind = next(kind for kind, (network_type, _) in KINDS.items() if network_type is type(network))
    return {"kind": kind, **asdict(network.config)}
