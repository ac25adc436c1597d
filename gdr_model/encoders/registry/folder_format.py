"""Weights of encoders that gdr builds itself: a folder with config.json and model.safetensors.

config.json names the encoder (`model_type`), the width of its latents (`dim`) and the sizes of its
network; the tensors have the names of the network. No pickle is ever read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gdr_model.errors import ModelError, WeightsMissing

TENSORS = "model.safetensors"
COUNTERS = "num_batches_tracked"
"""Batch norm counts its batches; nobody needs to know."""


class Sizes(Protocol):
    """A frozen dataclass of sizes."""

    @property
    def dim(self) -> int:
        """Width of a latent."""


Config = TypeVar("Config", bound=Sizes)


def sizes(kind: type[Config], described: Mapping[str, Any]) -> Config:
    """A configuration from the fields of the same names; others are left alone.

    Raises:
        KeyError: if one is missing.
        TypeError: if one is no number and no list of numbers.
    """
    found = {}
    for field in fields(kind):  # type: ignore[arg-type]
        value = described[field.name]
        numbers = value if isinstance(value, list) else [value]
        if not all(isinstance(number, int | float) for number in numbers):
            raise TypeError(f"{field.name} is {value!r}")
        found[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**found)


def read(folder: Path, model_type: str, kind: type[Config]) -> tuple[Config, dict[str, Tensor]]:
    """Sizes and tensors of a folder that must hold this encoder.

    Raises:
        WeightsMissing: if there is no such folder.
        ModelError: naming what was found and what was expected.
    """
    try:
        described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsMissing(
            f"{folder} holds no {model_type} weights: it has no config.json; make the folder with "
            f"gdr model convert"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read as JSON") from error
    found = described.get("model_type") if isinstance(described, dict) else None
    if found != model_type:
        raise ModelError(f"{folder} holds a model of type {found!r}, not of {model_type!r}")
    try:
        config = sizes(kind, described)
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / 'config.json'} does not say the sizes of a {model_type} network: {error}"
        ) from error
    return config, read_tensors(folder / TENSORS)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        ModelError: if it is missing, a pickle, or breaks off.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
        if start in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
            raise ModelError(
                f"{path} is a pickle where safetensors is expected; run gdr model convert on it"
            )
        return load_file(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent} has no {path.name}") from error
    except (OSError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is no safetensors file, or not all of one: {reason}") from error


def fill(net: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Give a network its weights, ready to be asked.

    Raises:
        ModelError: if a tensor is missing, left over, or of another shape.
    """
    own = {name: value for name, value in net.state_dict().items() if not _counter(name)}
    given = {name: value for name, value in tensors.items() if not _counter(name)}
    for name, value in own.items():
        if name not in given:
            raise ModelError(f"{where} has no tensor {name}, which this network needs")
        if given[name].shape != value.shape:
            raise ModelError(
                f"{where} holds {name} of shape {tuple(given[name].shape)}; "
                f"this network needs {tuple(value.shape)}"
            )
    left = sorted(given.keys() - own.keys())
    if left:
        raise ModelError(
            f"{where} holds {len(left)} tensors that this network does not know, {left[0]} first"
        )
    net.load_state_dict(given, strict=False)
    net.eval().requires_grad_(False)


def _counter(name: str) -> bool:
    return name.endswith(COUNTERS)


def write(folder: Path, model_type: str, config: Sizes, tensors: Mapping[str, Tensor]) -> None:
    """Write a folder that `read` reads, in single precision."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value.detach().to("cpu", torch.float32).contiguous()
        for name, value in tensors.items()
        if not _counter(name)
    }
    save_file(kept, folder / TENSORS, {"format": "pt"})
    described = {"model_type": model_type, "dim": config.dim} | asdict(config)  # type: ignore[call-overload]
    (folder / "config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
