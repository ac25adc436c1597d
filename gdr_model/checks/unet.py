"""The UNet of the method's authors, at guidance 0, 1 and 3, with and without a negative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gdr_model.checks.case import Case, Compared
from gdr_model.checks.watch import tensors, watching
from gdr_model.diffusion.denoisers.unet import UnetConfig, UnetDenoiser

ATOL = 2e-3
"""Times become sines of thousands of radians: single and double precision differ by 2e-4."""
GUIDANCE = 3.0


def outputs(case: Case) -> Iterator[Compared]:
    """Every prediction, and the outputs of the levels under the prompt."""
    net = UnetDenoiser(config(case.config)).eval()
    net.load_upstream(tensors(case.weights))
    io = tensors(case.arrays)
    yield from case.compare(level_outputs(net, io), ATOL)
    yield from case.compare(predictions(net, io), ATOL)
    net.double()
    x, text = io["x"].double(), io["text_tokens"].double()
    with torch.inference_mode():
        p, u = (predict(net, x, io["t"], text, words) for words in (True, False))
    yield from case.compare({"y_scale3_f64": u + GUIDANCE * (p - u)}, ATOL)


def config(described: dict[str, Any]) -> UnetConfig:
    """Our configuration from the authors'.

    Raises:
        KeyError: if one is missing.
        ValueError: if ours cannot have this shape.
    """
    c = described
    if c["in_channels"] != c["out_channels"] or c["attentions"] != c["cross_attentions"]:
        raise ValueError("its input and output, or its two attentions, differ")
    return UnetConfig(
        dim=c["in_channels"],
        channels=tuple(c["channels"]),
        factors=tuple(c["factors"]),
        items=tuple(c["items"]),
        attentions=tuple(c["attentions"]),
        heads=c["attention_heads"],
        head_width=c["attention_features"],
        groups=c["resnet_groups"],
        features=c["modulation_features"],
        text_width=c["embedding_features"],
        null_length=c["embedding_max_length"],
        null="prompt",
        masked=False,
    )


def predict(net: UnetDenoiser, x: Tensor, t: Tensor, tokens: Tensor, words: bool) -> Tensor:
    """The prediction (B, D, T) at x (B, D, T) under tokens (B, L, E), or under their null."""
    mask = torch.full(tokens.shape[:2], words)
    context = net.read(tokens, mask, tokens[:, 0])
    prediction: Tensor = net(x.transpose(1, 2), t, context)
    return prediction.transpose(1, 2)


def predictions(net: UnetDenoiser, io: dict[str, Tensor]) -> dict[str, Tensor]:
    """Predictions by the reference's names."""
    x, t, text = io["x"], io["t"], io["text_tokens"]
    with torch.inference_mode():
        p, u = (predict(net, x, t, text, words) for words in (True, False))
        outputs = {
            "y_scale1": p,
            "y_scale0": u,
            "y_null_mask1": u,
            "y_scale3": u + GUIDANCE * (p - u),
            "y_timefloat": predict(net, x, t + 0.5, text, True),
        }
        if "neg_text_tokens" in io:
            n, n_u = (predict(net, x, t, io["neg_text_tokens"], words) for words in (True, False))
            # The authors undo the guidance of both prompts with the null of the positive alone.
            mixed = u + (n_u + GUIDANCE * (n - n_u) - u) / GUIDANCE
            outputs["y_neg_scale3"] = mixed + GUIDANCE * (p - mixed)
    return outputs


def level_outputs(net: UnetDenoiser, io: dict[str, Tensor]) -> dict[str, Tensor]:
    """Outputs of the parts of each level in an evaluation under the prompt."""
    parts: dict[str, nn.Module] = {"time_embedder_out": net.time_in}
    for depth, level in enumerate(net.levels):
        name, first = f"depth{depth}", level.get_submodule("before.0")
        parts |= {f"{name}_downsample": level.get_submodule("down")}
        parts |= {f"{name}_upsample": level.get_submodule("up")}
        parts |= {f"{name}_out": level.get_submodule("merge")}
        for theirs, ours in (
            ("resnet", "resnet"),
            ("attention", "self_attention"),
            ("cross_attention", "cross_attention"),
        ):
            part = dict(first.named_children()).get(ours)
            if part is not None:
                parts[f"{name}_first_{theirs}"] = part
    with watching(parts) as seen:
        predict(net, io["x"], io["t"], io["text_tokens"], True)
        seen["time_features"] = net.time_features(io["t"])
    return seen
