"""A musicnn of random weights, stored as TensorFlow stores the published one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import references as ref

from gdr_model.encoders.musicnn import convert as conversion
from gdr_model.encoders.musicnn.net import Musicnn, MusicnnConfig

NET = ref.alive(Musicnn(MusicnnConfig(dim=24, tags=5)))
LAYERS = (
    *("timbral.0", "timbral.1", "temporal.0", "temporal.1", "temporal.2"),
    *("middle.0", "middle.1", "middle.2"),
)


def variables(net: Musicnn = NET) -> dict[str, np.ndarray]:
    """The network as TensorFlow stores it, with what its optimiser keeps."""
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    stored: dict[str, np.ndarray] = {}

    def numbered(kind: str, number: int) -> str:
        return f"{kind}_{number}" if number else kind

    norms = ("input_norm", *(f"{layer}.norm" for layer in LAYERS), "pooled_norm", "dense_norm")
    for number, norm in enumerate(norms):
        place = numbered("batch_normalization", number)
        stored[f"{place}/gamma"] = state[f"{norm}.weight"]
        stored[f"{place}/beta"] = state[f"{norm}.bias"]
        stored[f"{place}/moving_mean"] = state[f"{norm}.running_mean"]
        stored[f"{place}/moving_variance"] = state[f"{norm}.running_var"]
    for number, layer in enumerate(LAYERS):
        kernel = state[f"{layer}.conv.weight"]
        axes = (2, 3, 1, 0) if kernel.ndim == 4 else (2, 1, 0)
        kernel = kernel.transpose(axes)  # (frames, bands, 1, out), or without the 1
        place = numbered("conv2d", number)
        stored[f"{place}/kernel"] = kernel if kernel.ndim == 4 else kernel[:, :, None]
        stored[f"{place}/bias"] = state[f"{layer}.conv.bias"]
        stored[f"{place}/bias/Adam"] = np.zeros(3, np.float32)
    for place, layer in (("dense", "dense"), ("dense_1", "output")):
        stored[f"{place}/kernel"] = state[f"{layer}.weight"].T
        stored[f"{place}/bias"] = state[f"{layer}.bias"]
    return stored | {"beta1_power": np.array(0.9, np.float32), "step": np.array([7], np.int32)}


def count_as_published(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the files of a bundle's folder those that a wheel must hold."""
    digests = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in stored.iterdir()}
    monkeypatch.setattr(conversion, "PUBLISHED", digests)
