"""A run's state on disk: weights, their mean and the optimiser's moments, as safetensors.

Everything else follows from the configuration and the step, because every batch and every dropout
mask is a function of seed and step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gdr_model import atomic, decode, plain
from gdr_model.diffusion.denoisers import Network, build
from gdr_model.errors import GdrError, UsageError
from training.runs.config import RunConfig
from training.runs.ema import Ema
from training.runs.space import Space

STATE, MODEL, CONFIG = "state.safetensors", "model.safetensors", "config.json"
MOMENTS = ("exp_avg", "exp_avg_sq")


class RunError(GdrError):
    """A run's folder is incomplete, or belongs to another configuration."""


def require_free(folder: Path, resume: bool) -> None:
    """Refuse to overwrite a run.

    Raises:
        UsageError: if the folder holds one and it is not to be resumed.
        RunError: if it is to be resumed and is finished.
    """
    if (folder / CONFIG).exists() and not resume:
        raise UsageError(f"{folder} already holds a run; give --resume, or another --out")
    if resume and (folder / MODEL).exists():
        raise RunError(f"the run in {folder} is finished; there is nothing to resume")


def write_json(path: Path, content: Any) -> None:
    """Write a value as JSON."""
    atomic.write_text(path, json.dumps(content, indent=1) + "\n")


def save_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write tensors; `about` goes into the header as JSON."""
    # Copies, because the library refuses tensors that share memory.
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with atomic.replacing(path) as temporary:
        save_file(copies, temporary, {"about": json.dumps(about)})


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and `about`.

    Raises:
        RunError: if the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, plain.from_json((file.metadata() or {})["about"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise RunError(f"{path} cannot be read; run gdr train again") from error


def save_state(
    folder: Path, step: int, net: nn.Module, ema: Ema, optimiser: torch.optim.Optimizer
) -> None:
    """Save everything a run needs to continue from `step`."""
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    tensors |= {f"ema.{name}": value for name, value in ema.weights.items()}
    for i, moments in enumerate(optimiser.state[p] for p in net.parameters()):
        tensors |= {f"moment.{i}.{name}": moments[name] for name in MOMENTS if name in moments}
    save_tensors(folder / STATE, tensors, {"step": step})


def load_state(folder: Path, net: nn.Module, ema: Ema, optimiser: torch.optim.Optimizer) -> int:
    """Restore everything; returns the step to continue from.

    Raises:
        RunError: if the state is missing, damaged, or of another network.
    """
    tensors, about = read_tensors(folder / STATE)
    step = int(about["step"])
    try:
        net.load_state_dict(_under("net.", tensors))
        weights: dict[str, Tensor | int] = {
            f"weights.{name}": value for name, value in _under("ema.", tensors).items()
        }
        ema.restore({"steps": step, **weights})
        for i, p in enumerate(net.parameters()):
            moments = _under(f"moment.{i}.", tensors)
            # A parameter that never had a gradient has no moments.
            if moments:
                there = {name: moment.to(p.device) for name, moment in moments.items()}
                optimiser.state[p] = {"step": torch.tensor(float(step)), **there}
    except (RuntimeError, KeyError) as error:
        raise RunError(
            f"the state in {folder} is of another network; leave out --resume"
        ) from error
    return step


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def save_model(folder: Path, net: Network, ema: Ema, space: Space) -> None:
    """Keep what a finished run leaves: the mean weights, the last ones, and the space."""
    tensors = {f"ema.{name}": value for name, value in ema.weights.items()}
    tensors |= {f"net.{name}": value for name, value in net.state_dict().items()}
    tensors |= {name: torch.from_numpy(value) for name, value in space.tensors().items()}
    save_tensors(folder / MODEL, tensors, {})


def write_config(folder: Path, config: RunConfig, part: str, network: dict[str, Any]) -> None:
    """Write the configuration of a run."""
    write_json(
        folder / CONFIG, {"format": 1, "run": config.described(), "part": part, "network": network}
    )


def read_config(folder: Path) -> tuple[RunConfig, str, dict[str, Any]]:
    """Configuration, held-out part and network of a run's folder.

    Raises:
        RunError: if it is not the folder of a run.
    """
    try:
        raw = plain.from_json((folder / CONFIG).read_text(encoding="utf-8"))
        config = decode.into(RunConfig, raw["run"])
        return config, str(raw["part"]), dict(raw["network"])
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise RunError(
            f"{folder} is not a folder of gdr train: it has no usable {CONFIG}"
        ) from error


@dataclass(frozen=True)
class Finished:
    """A finished run."""

    config: RunConfig
    part: str
    net: Network
    """With the mean weights."""
    space: Space


def load_model(folder: Path) -> Finished:
    """Read a finished run.

    Raises:
        RunError: if it is not finished, or damaged.
    """
    config, part, described = read_config(folder)
    if not (folder / MODEL).is_file():
        raise RunError(f"the run in {folder} is not finished; continue it with gdr train --resume")
    tensors, _ = read_tensors(folder / MODEL)
    try:
        net = build(described)
        net.load_state_dict(_under("ema.", tensors))
        arrays = {k: v.numpy() for k, v in tensors.items() if k.startswith("space.")}
        space = Space.from_tensors(arrays)
    except (RuntimeError, KeyError, TypeError) as error:
        raise RunError(f"the model in {folder} does not fit its {CONFIG}") from error
    net.eval().requires_grad_(False)
    return Finished(config, part, net, space)
