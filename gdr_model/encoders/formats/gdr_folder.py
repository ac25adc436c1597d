"""Folders of networks that gdr builds itself: config.json and model.safetensors.

config.json holds the kind of the network (`model_type`), the width of its latents (`dim`) and the
fields of its configuration; tensors have the network's own names. No pickle is ever loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gdr_model import decode, plain
from gdr_model.errors import Hint, ModelError, WeightsMissing, first_line
from gdr_model.models.weights import TENSORS

BATCH_COUNTER = "num_batches_tracked"
"""Batch norm counts its training batches; inference has no use for the number."""


class NetworkConfig(Protocol):
    """A frozen dataclass of sizes."""

    @property
    def dim(self) -> int:
        """Width of a latent."""


Config = TypeVar("Config", bound=NetworkConfig)
Network = TypeVar("Network", bound=nn.Module)


def sizes(kind: type[Config], described: Mapping[str, Any], where: str) -> Config:
    """A configuration from the fields of the same names, all of which must be there.

    Other fields are ignored. `where` names the source in an error.

    Raises:
        ModelError: if a field is missing or is not what the configuration holds.
    """
    prefix = f"{where} does not give the sizes of this network: "
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    missing = [name for name in names if name not in described]
    if missing:
        raise ModelError(f"{prefix}the field {missing[0]} is missing")
    values = {name: described[name] for name in names}
    return decode.into(kind, values, prefix=prefix, error=ModelError)


def load(
    folder: Path,
    model_type: str,
    kind: type[Config],
    build: Callable[[Config], Network],
) -> Network:
    """The network of a folder with its weights, ready for inference, on the CPU.

    Raises:
        WeightsMissing: if there is no such folder.
        ModelError: if it holds something else.
    """
    config, tensors = read(folder, model_type, kind)
    network = build(config)
    fill(network, tensors, str(folder))
    return network


def read(folder: Path, model_type: str, kind: type[Config]) -> tuple[Config, dict[str, Tensor]]:
    """Configuration and tensors of a folder that must hold this kind of network.

    Raises:
        WeightsMissing: if there is no such folder.
        ModelError: naming what the folder holds and what was expected.
    """
    try:
        described = plain.from_json((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsMissing(
            f"{folder} holds no {model_type} weights: it has no config.json",
            Hint.CONVERT,
            pair=model_type,
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read as JSON") from error
    given_type = described.get("model_type") if isinstance(described, dict) else None
    if given_type != model_type:
        raise ModelError(f"{folder} holds a model of type {given_type!r}, not of {model_type!r}")
    config = sizes(kind, described, str(folder / "config.json"))
    return config, read_tensors(folder / TENSORS)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        ModelError: if it is missing, a pickle, or truncated.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
        if start in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
            raise ModelError(
                f"{path} is a pickle where safetensors is expected; convert its folder"
            )
        return load_file(path)
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent} has no {path.name}") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path} is not a safetensors file, or truncated: {first_line(error)}"
        ) from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Give a network its weights and make it ready for inference.

    Raises:
        ModelError: if a tensor is missing, unexpected, or of another shape.
    """
    expected = {n: value for n, value in network.state_dict().items() if not _is_counter(n)}
    given = {name: value for name, value in tensors.items() if not _is_counter(name)}
    for name, value in expected.items():
        if name not in given:
            raise ModelError(f"{where} has no tensor {name}, which this network needs")
        if given[name].shape != value.shape:
            raise ModelError(
                f"{where} holds {name} of shape {tuple(given[name].shape)}; "
                f"this network needs {tuple(value.shape)}"
            )
    unexpected = sorted(given.keys() - expected.keys())
    if unexpected:
        raise ModelError(
            f"{where} holds {len(unexpected)} tensors that this network does not have; the first "
            f"is {unexpected[0]}"
        )
    network.load_state_dict(given, strict=False)
    network.eval().requires_grad_(False)


def write(
    folder: Path, model_type: str, config: NetworkConfig, tensors: Mapping[str, Tensor]
) -> None:
    """Write a folder that `read` reads, in single precision."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {
        name: value.detach().to("cpu", torch.float32).contiguous()
        for name, value in tensors.items()
        if not _is_counter(name)
    }
    save_file(stored, folder / TENSORS, {"format": "pt"})
    described = {"model_type": model_type, "dim": config.dim} | asdict(config)  # type: ignore[call-overload]
    (folder / "config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def _is_counter(name: str) -> bool:
    return name.endswith(BATCH_COUNTER)
