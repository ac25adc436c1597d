"""Look inside a network while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@contextmanager
def watching(parts: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """What each part gave in its last run, by the part's name; without gradients."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_part: nn.Module, _inputs: object, output: Tensor) -> None:
            seen[name] = output

        return hook

    handles = [part.register_forward_hook(keep(name)) for name, part in parts.items()]
    try:
        with torch.inference_mode():
            yield seen
    finally:
        for handle in handles:
            handle.remove()


def tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """Arrays as tensors."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
