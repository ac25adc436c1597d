"""The MLP of the method's authors: on one vector, on a sequence, and under a given condition."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from gdr_model.checks.case import Case, Compared
from gdr_model.checks.watch import tensors, watching
from gdr_model.diffusion.denoisers.context import Context
from gdr_model.diffusion.denoisers.mlp import MlpConfig, MlpDenoiser, time_features

ATOL = 1e-5
ATOL_TIME = 1e-4
"""Angles are up to a thousand radians."""


def outputs(case: Case) -> Iterator[Compared]:
    """Every prediction, the condition, and the outputs of the layers."""
    io = tensors(case.arrays)
    pooled, t = io["pooled_text"], io["t"]
    c = case.config
    net = MlpDenoiser(
        MlpConfig(
            dim=c["in_channels"],
            widths=tuple(c["layer_dims"]),
            condition_width=c["conditioning_embedding_dim"],
            text_width=pooled.shape[-1],
            dropout=c["dropout"],
        )
    ).eval()
    net.load_upstream(tensors(case.weights))
    yield from case.compare({"time_proj_256": time_features(t)}, ATOL_TIME)
    yield from case.compare(layer_outputs(net, io), ATOL)
    yield from case.compare(predictions(net, io), ATOL)


def predictions(net: MlpDenoiser, io: dict[str, Tensor]) -> dict[str, Tensor]:
    """Condition and predictions by the reference's names."""
    pooled, t, one = io["pooled_text"], io["t"], io["x2"][:, None]
    with torch.inference_mode():
        context = read(net, pooled)
        outputs = {
            "cond_embedding": net.time(time_features(t)) + context.pooled,
            "y2": net(one, t, context)[:, 0],
            "y3": net(io["x3"], t, context),
        }
        if "y2_cond_direct" in io:
            outputs["y2_cond_direct"] = net.under(one, pooled)[:, 0]
    return outputs


def layer_outputs(net: MlpDenoiser, io: dict[str, Tensor]) -> dict[str, Tensor]:
    """Outputs of each layer for the single vectors (B, 1, width)."""
    *inner, last = net.layers
    parts = {f"layer{i}_out": layer for i, layer in enumerate(inner)}
    with watching(parts | {"final_linear_out": last.get_submodule("linear")}) as seen:
        net(io["x2"][:, None], io["t"], read(net, io["pooled_text"]))
    return {name: F.silu(y) if name.startswith("layer") else y for name, y in seen.items()}


def read(net: MlpDenoiser, pooled: Tensor) -> Context:
    """The context of pooled text (B, E)."""
    words = torch.ones(len(pooled), 1, dtype=torch.bool)
    return net.read(torch.zeros(len(pooled), 1, pooled.shape[-1]), words, pooled)
