"""A folder of transformers whose tensors are a pickle, converted to one with safetensors."""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from gdr_model.encoders.formats.state_dicts import read_pickle
from gdr_model.errors import ModelError
from gdr_model.models import weights


def convert(source: Path, folder: Path) -> None:
    """Write the folder; configuration and tokenizer are copied along with the tensors.

    Raises:
        ModelError: if the source is no such folder, or its pickle holds more than tensors.
    """
    weights.described(source)
    pickle = source / weights.PICKLE
    if not pickle.is_file():
        raise ModelError(f"{source} has no {weights.PICKLE}, so there is nothing to convert")
    rewrite(pickle, folder / weights.TENSORS)
    for path in source.iterdir():
        if path.is_file() and path.suffix in (".json", ".txt", ".model"):
            shutil.copyfile(path, folder / path.name)


def rewrite(pickle: Path, file: Path) -> None:
    """Write the tensors of a pickle as safetensors.

    Raises:
        ModelError: if it holds anything else.
    """
    state = read_pickle(pickle)
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise ModelError(f"{pickle} holds more than named tensors")
    # Tied tensors share memory, which safetensors refuses.
    separate = {str(name): tensor.clone().contiguous() for name, tensor in state.items()}
    save_file(separate, file, {"format": "pt"})
