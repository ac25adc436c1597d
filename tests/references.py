"""Reference folders made on the spot: recipe, inputs, and the outputs of a network of ours.

They show that a folder is read as it should be; whether the networks are right, only the
outputs of the originals can say.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

SLOW_FAST = {
    "depths": [1, 2, 1, 1],
    "slow_stem": [2, 2, 4, 8],
    "fast_stem": [2, 2, 2, 4],
    "slow_out": [8, 8, 16, 16],
    "fast_out": [4, 4, 8, 8],
    "slow_group": 4,
    "fast_group": 2,
    "alpha": 0.2,
}
MULE = {**SLOW_FAST, "fusion_in": [4, 4, 4, 8], "fusion_out": [4, 8, 8, 16]}
MULE_PORT = {**SLOW_FAST, "kernel_length_time": 7, "fusion_time_stride": 4}
MUSCALL = {
    "projection_dim": 12,
    "audio": {
        "audio_len_seconds": 3,
        "hidden_size": 16,
        "conv_out_channels": 4,
        "n_mels": 128,
        "sample_rate": 16000,
        "n_fft": 1024,
        "f_min": 0,
        "f_max": 11025,
    },
    "text": {
        "num_hidden_layers": 2,
        "hidden_size": 24,
        "num_attention_heads": 4,
        "vocab_size": 600,
        "max_position_embeddings": 77,
    },
}


def alive(net: torch.nn.Module) -> torch.nn.Module:
    """The network with every tensor drawn anew, so that no branch is silent at the start.

    Scalars that are not zero are constants, and stay.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.dtype.is_floating_point and (value.ndim or not value):
                z = torch.randn(value.shape, generator=generator)
                many = value.ndim > 1
                value.copy_(z / value[0].numel() ** 0.5 if many else 1 + 0.1 * z)
    return net.eval()


def recipe_of(tensors: Mapping[str, torch.Tensor], base: int) -> dict[str, dict[str, Any]]:
    """A recipe for tensors of these names and shapes; variances are lognormal."""
    entries: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        shape = list(tensor.shape)
        if tensor.dtype == torch.int64:
            entries[name] = {"shape": shape, "rule": "zeros-int64"}
            continue
        seed = (zlib.crc32(name.encode()) + base) % 2**32
        z = np.random.RandomState(seed).standard_normal(shape)
        rule = "lognormal" if name.endswith("running_var") else "normal"
        a, b = 1.0, 0.1
        if tensor.ndim > 1:
            a, b = 0.0, 1 / max(1, tensor[0].numel()) ** 0.5
        filled = (a * np.exp(b * z) if rule == "lognormal" else a + b * z).astype(np.float32)
        entries[name] = {
            "shape": shape,
            "rule": rule,
            "a": a,
            "b": b,
            "seed": seed,
            "sum": float(filled.sum(dtype=np.float64)),
            "first": filled.reshape(-1)[:3].tolist(),
        }
    return entries


def write_reference(
    folder: Path,
    config: Mapping[str, Any],
    recipe: Mapping[str, Any],
    arrays: Mapping[str, Any],
    suffix: str = "",
) -> Path:
    """One set of a reference folder."""
    folder.mkdir(exist_ok=True)
    (folder / f"config{suffix}.json").write_text(json.dumps(config))
    (folder / f"weights_recipe{suffix}.json").write_text(json.dumps(recipe))
    np.savez(folder / f"io{suffix}.npz", **{k: np.asarray(v) for k, v in arrays.items()})
    return folder
