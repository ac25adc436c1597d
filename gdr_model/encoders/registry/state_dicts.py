"""State dicts in checkpoints of other hands, read without running anything that they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gdr_model.encoders.registry.folder_format import read_tensors
from gdr_model.errors import ModelError


def state_dict(source: Path, landmark: str, what: str) -> dict[str, Tensor]:
    """The tensors of the network that owns `landmark`, under the network's own names.

    A checkpoint may be the state dict itself or hold it somewhere inside, and may put a prefix
    (`module.`, `encoder.`) before its names; what lies outside of the prefix is left out.

    Raises:
        ModelError: if the file cannot be read, or holds another network than `what`.
    """
    whole = read_tensors(source) if source.suffix == ".safetensors" else read_pickle(source)
    first = "nothing"
    for state in _states(whole):
        owners = [name for name in state if name.endswith(landmark)]
        if owners:
            prefix = min(owners, key=len).removesuffix(landmark)
            return {
                name.removeprefix(prefix): value
                for name, value in state.items()
                if name.startswith(prefix)
            }
        first = next(iter(state), first)
    raise ModelError(f"{source} holds other weights ({first}, …); {what} has a tensor {landmark}")


def _states(found: Any) -> Iterator[dict[str, Tensor]]:
    """Every mapping of names to tensors, the outermost first."""
    if not isinstance(found, Mapping):
        return
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    if tensors:
        yield tensors
    for value in found.values():
        yield from _states(value)


def read_pickle(source: Path) -> Any:
    """What a checkpoint of torch holds.

    Raises:
        ModelError: if it is none, breaks off, or holds more than tensors and plain values.
    """
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises whatever its unpickler, its zip reader or the disk came upon.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{source} cannot be read as a checkpoint of tensors alone: {reason[:200]}"
        ) from error
