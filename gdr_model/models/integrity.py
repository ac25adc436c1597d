"""Whether a model's folder holds the file and the shapes that its configuration says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from gdr_model.errors import UsageError
from gdr_model.models.config import ModelConfig

MALFORMED = (
    OSError, SafetensorError, UsageError, MemoryError, RuntimeError, TypeError, ValueError,
    ArithmeticError, LookupError, AttributeError,
)  # fmt: skip
"""What networks of impossible shapes, and files that are none, raise."""


def check_sum(config: ModelConfig) -> None:
    """Compare the file of the weights with its checksum, if the configuration has one.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is another file.
    """
    if config.checksum and config.checksum != sha256(config.weights):
        raise ValueError(
            f"{config.weights.name} is not the file that its config.json describes; install the "
            "model again"
        )


def check_shapes(prefix: str, make: Callable[[], nn.Module], tensors: Mapping[str, Tensor]) -> None:
    """Refuse a network that has other weights than a file, before memory is taken for it.

    Raises:
        ValueError: naming a tensor that differs.
    """
    with torch.device("meta"):
        wanted = make().state_dict()
    for name, weights in wanted.items():
        stored = tensors.get(prefix + name)
        if stored is None or stored.shape != weights.shape:
            shape = None if stored is None else tuple(stored.shape)
            raise ValueError(
                f"{prefix}{name} is {shape or 'missing'}, but its config.json says "
                f"{tuple(weights.shape)}"
            )


def sha256(file: Path) -> str:
    """The SHA-256 of a file in hex digits."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
