"""The outputs of a network's parts while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@contextmanager
def watching(parts: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """The output of each part in its last run, by the part's name; without gradients."""
    outputs: dict[str, Tensor] = {}

    def record(name: str) -> Any:
        def hook(_part: nn.Module, _inputs: object, output: Tensor) -> None:
            outputs[name] = output

        return hook

    handles = [part.register_forward_hook(record(name)) for name, part in parts.items()]
    try:
        with torch.inference_mode():
            yield outputs
    finally:
        for handle in handles:
            handle.remove()


def tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """Arrays as tensors."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
