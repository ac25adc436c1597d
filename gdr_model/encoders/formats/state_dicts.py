"""Checkpoints of other projects, read without running anything they contain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdr_model.encoders.formats.gdr_folder import read_tensors
from gdr_model.errors import ModelError


def state_dict(source: Path, landmark: str, what: str) -> dict[str, Tensor]:
    """The tensors of the network that has a tensor `landmark`, under the network's own names.

    A checkpoint may be the state dict itself or hold it at some depth, and may put a prefix
    (`module.`, `encoder.`) before the names; tensors without that prefix are left out.

    Raises:
        ModelError: if the file cannot be read, or holds another network than `what`.
    """
    checkpoint = read_tensors(source) if source.suffix == ".safetensors" else read_pickle(source)
    first = "nothing"
    for state in _states(checkpoint):
        candidates = [name for name in state if name.endswith(landmark)]
        if candidates:
            prefix = min(candidates, key=len).removesuffix(landmark)
            return {
                name.removeprefix(prefix): value
                for name, value in state.items()
                if name.startswith(prefix)
            }
        first = next(iter(state), first)
    raise ModelError(f"{source} holds other weights ({first}, …); {what} has a tensor {landmark}")


def _states(node: Any) -> Iterator[dict[str, Tensor]]:
    """Every mapping of names to tensors in a checkpoint, the outermost first."""
    if not isinstance(node, Mapping):
        return
    tensors = {str(name): value for name, value in node.items() if isinstance(value, Tensor)}
    if tensors:
        yield tensors
    for value in node.values():
        yield from _states(value)


def read_pickle(path: Path) -> Any:
    """The content of a checkpoint of torch, read without running anything in it.

    Raises:
        ModelError: if it holds more than tensors and numbers, is truncated, or is no pickle.
    """
    # Old checkpoints keep their epoch's loss as a number of numpy's: data, not code.
    scalar = np.float64(0).__reduce__()[0]
    numbers: list[Any] = [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype]
    numbers += [np.dtypes.Float64DType, np.dtypes.Int64DType]
    try:
        with torch.serialization.safe_globals(numbers):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises whatever its unpickler, its zip reader or the disk came upon.
        forbidden = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it would run {forbidden[1]}" if forbidden else "it is damaged or no such file"
        raise ModelError(
            f"{path} cannot be read as a checkpoint that holds tensors alone: {reason}"
        ) from error
