"""A model is a folder: `config.json` + `model.safetensors`. No pickle is ever loaded.

Tensors are named by what they belong to: `encoder.*`, `encoder_projection`, `denoiser.*`,
`contrastive.*`, `latent_mean`, `latent_sd`. They are stored in half precision and used in
single.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gdr_model.config import FORMAT, ModelConfig, unreadable
from gdr_model.diffusion import denoisers
from gdr_model.diffusion.denoisers import Denoiser, Network
from gdr_model.diffusion.prediction import AsVelocity, check
from gdr_model.diffusion.schedule import Schedule
from gdr_model.encoders import builtin
from gdr_model.encoders.contrastive import ContrastiveTower
from gdr_model.errors import ModelError, UsageError
from gdr_model.types import LatentSpace
from gdr_model.whitening import Whitening


@dataclass
class Model:
    """An encoder pair with its retriever, loaded; the text side waits until it is used."""

    config: ModelConfig
    device: torch.device
    encoder: builtin.BuiltinEncoder
    denoiser: Network
    contrastive: ContrastiveTower
    schedule: Schedule
    latent_mean: Tensor  # (D,)
    latent_sd: Tensor  # (D,)
    whitening: Whitening

    @property
    def name(self) -> str:
        """What the model calls itself."""
        return self.config.name

    @property
    def space(self) -> LatentSpace:
        """The space the encoder writes and the denoiser draws in."""
        return self.config.space

    @property
    def velocity(self) -> Denoiser:
        """The denoiser as one that predicts v, whatever it was trained to predict."""
        if self.config.prediction == "v":
            return self.denoiser
        return AsVelocity(self.denoiser, self.schedule, self.config.prediction)

    @cached_property
    def text(self) -> Any:
        """The text encoder. Imported on use: indexing a library never reads a word.

        Raises:
            WeightsMissing: if its weights are not on this machine.
        """
        from gdr_model.encoders.minilm import MiniLM

        return MiniLM()


def pick_device(device: str) -> torch.device:
    """`auto` takes CUDA where there is one, else the CPU.

    Raises:
        UsageError: if the device is unknown or not on this machine.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device not in here:
        raise UsageError(f"unknown device {device!r}; use auto, cpu, cuda or mps")
    if not here[device]:
        raise UsageError(f"this machine has no {device} device; use --device auto")
    return torch.device(device)


def fingerprint(tensors: dict[str, Tensor]) -> str:
    """First 16 hex digits of the SHA-256 of the encoder's tensors, in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith("encoder"):
            digest.update(name.encode())
            digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def load(name: str = "builtin", device: str = "auto") -> Model:
    """Read a model from its folder.

    Raises:
        ModelError: if the folder is missing, malformed, or of other dimensions than it says.
        UsageError: if the device is not here.
    """
    where = pick_device(device)
    # The networks are too small to share: on a busy two-core machine a second thread made
    # queries ten times slower, and on an idle one no faster.
    torch.set_num_threads(1)
    config = ModelConfig.read(name)
    try:
        tensors = load_file(config.weights)
        found = fingerprint(tensors)
        if found != config.space.fingerprint:
            raise ModelError(
                f"the encoder in {config.folder} is {found[:8]}, but its config.json says "
                f"{config.space.fingerprint[:8]}; fetch both files from the same place"
            )
        tensors = {k: v.float() for k, v in tensors.items()}
        net, projection = builtin.AudioNet(), tensors["encoder_projection"].to(where)
        denoiser = denoisers.build(config.denoiser)
        check(config.prediction)
        contrastive = ContrastiveTower(**config.contrastive)
        _fill(net, "encoder.", tensors, where)
        _fill(denoiser, "denoiser.", tensors, where)
        _fill(contrastive, "contrastive.", tensors, where)
        return Model(
            config=config,
            device=where,
            encoder=builtin.BuiltinEncoder(net, projection, config.space),
            denoiser=denoiser,
            contrastive=contrastive,
            schedule=Schedule(**config.schedule),
            latent_mean=tensors["latent_mean"].to(where),
            latent_sd=tensors["latent_sd"].to(where),
            whitening=config.whitening(),
        )
    except (OSError, SafetensorError, KeyError, TypeError, RuntimeError, UsageError) as error:
        raise unreadable(config.folder, error) from error


def _fill(part: nn.Module, prefix: str, tensors: dict[str, Tensor], device: torch.device) -> None:
    own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    part.load_state_dict(own)
    part.eval().requires_grad_(False).to(device)


def save(
    folder: Path,
    *,
    name: str,
    net: builtin.AudioNet,
    projection: Tensor,
    denoiser: Network,
    contrastive: ContrastiveTower,
    schedule: Schedule,
    latent_mean: Tensor,
    latent_sd: Tensor,
    whitening_power: float,
    prediction: str = "v",
    distilled: bool = False,
    anchor_share: float = 0.0,
) -> None:
    """Write a model folder, each file under a temporary name and renamed into place.

    `prediction` is what the denoiser predicts; `distilled` says that it was trained with
    `loss.consistency`; `anchor_share` is how much the contrastive tower has to say in a query.
    """
    tensors = {"encoder_projection": projection, "latent_mean": latent_mean, "latent_sd": latent_sd}
    for prefix, part in (("encoder.", net), ("denoiser.", denoiser), ("contrastive.", contrastive)):
        for key, value in part.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensors[prefix + key] = value
    half = {k: v.detach().cpu().half().contiguous() for k, v in tensors.items()}
    config = {
        "format": FORMAT,
        "name": name,
        "space": asdict(builtin.space(projection.shape[1], fingerprint(half))),
        "denoiser": denoisers.describe(denoiser),
        "prediction": check(prediction),
        "distilled": distilled,
        "anchor_share": anchor_share,
        "contrastive": {"text_width": contrastive.text_width, "dim": contrastive.dim},
        "schedule": asdict(schedule),
        "whitening_power": whitening_power,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(half, folder / "model.safetensors.part")
    (folder / "config.json.part").write_text(json.dumps(config, indent=2) + "\n")
    for file in ("model.safetensors", "config.json"):
        os.replace(folder / f"{file}.part", folder / file)
