"""MULE as published: the Keras network, and its front end if the folder has sound."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gdr_model.checks.case import Case, Compared
from gdr_model.checks.watch import tensors, watching
from gdr_model.encoders.formats.gdr_folder import fill, sizes
from gdr_model.encoders.mule import frontend
from gdr_model.encoders.mule.published_net import Mule, MuleConfig, from_keras

ATOL = 1e-5


def outputs(case: Case) -> Iterator[Compared]:
    """Network, front end, or both, depending on the inputs of the set."""
    arrays = tensors(case.arrays)
    if "input" in arrays:
        yield from case.compare(network(case, arrays["input"]), ATOL)
    if "pandora_logmel" in arrays:
        yield from case.compare(front_end(arrays["audio"]), ATOL)


def network(case: Case, slices: Tensor) -> dict[str, Tensor]:
    """All outputs from slices (B, 96, 300, 1) to embeddings, channels last."""
    net = Mule(sizes(MuleConfig, case.config, case.where))
    fill(net, from_keras(tensors(case.weights)), case.where)
    with watching(parts(net)) as seen:
        seen["embedding"] = net(slices.permute(0, 3, 1, 2))
    return {name: x.permute(0, 2, 3, 1) if x.ndim == 4 else x for name, x in seen.items()}


def parts(net: Mule) -> dict[str, nn.Module]:
    """Parts of the network by the reference's names."""
    named: dict[str, nn.Module] = {"slow_stem_out": net.slow_stem, "fast_stem_out": net.fast_stem}
    named |= {f"fused{i}": fusion for i, fusion in enumerate(net.fusion)}
    for path, stages in (("slow", net.slow), ("fast", net.fast)):
        for i, stage in enumerate(stages):
            named[f"{path}_stage{i}_out"] = stage
            named |= {f"{path}_stage{i}_block{j}_out": block for j, block in stage.named_children()}
    return named


def front_end(samples: Tensor) -> dict[str, Tensor]:
    """Filters, log-mel and standardised slice of clips (B, N) of three seconds."""
    mel = frontend.log10_mel(samples)
    power = frontend.MEL.power(samples.double(), frontend.published_filters())
    return {
        "pandora_fbanks": frontend.published_filters(),
        "pandora_mel_power": power,
        "pandora_logmel": mel,
        "pandora_model_input": frontend.standardise(mel)[..., None],
        "window_400": torch.hann_window(frontend.MEL.window),
    }
