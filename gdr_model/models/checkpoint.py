"""A model is a folder: `config.json` + `model.safetensors`. No pickle is ever loaded.

Tensors are named by the part they belong to: `encoder.*`, `encoder_projection`, `denoiser.*`,
`contrastive.*`, `latent_mean`, `latent_sd`, `latent_along` if the denoiser was trained on passages
whitened along time, and `common_points` if draws are corrected (`search.indexed.commonness`). They
are stored in half precision, except statistics and the frequencies of a UNet, and used in single
precision. A model of another pair has no `encoder.*`: its config.json names the pair (`config`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from gdr_model import atomic, decode
from gdr_model.diffusion import denoisers
from gdr_model.diffusion.denoisers import Denoiser, Network
from gdr_model.diffusion.prediction import AsVelocity, check
from gdr_model.diffusion.schedule import Schedule
from gdr_model.diffusion.time_whitening import evened
from gdr_model.encoders.builtin import audio as builtin
from gdr_model.encoders.builtin.tower import ContrastiveTower, by_members
from gdr_model.encoders.registry.pairs import MINILM
from gdr_model.encoders.registry.resolve import installed
from gdr_model.errors import Hint, ModelError, UsageError
from gdr_model.models.config import FORMAT, ModelConfig, unreadable
from gdr_model.models.integrity import MALFORMED, check_shapes, check_sum, sha256
from gdr_model.search.indexed.commonness import of_width
from gdr_model.search.understanding import Understanding
from gdr_model.search.whitening import Whitening
from gdr_model.types import Array, AudioEncoder, LatentSpace, Method, TextEncoder


@dataclass
class RetrieverNetworks:
    """The networks of a retriever, which were trained for one pair of encoders."""

    denoiser: Network
    contrastive: ContrastiveTower


@dataclass
class Model:
    """A pair of encoders with its retriever, if it has one; encoders are loaded when first used."""

    config: ModelConfig
    device: torch.device
    schedule: Schedule
    latent_mean: Tensor  # (D,)
    latent_sd: Tensor  # (D,)
    whitening: Whitening
    latent_along: Tensor | None = None  # (T, D), if passages are whitened along time
    common_points: Array | None = None  # (B, D), if draws are corrected by them
    own_encoder: builtin.BuiltinEncoder | None = None
    """The audio encoder, if the model's own folder holds it."""
    networks: RetrieverNetworks | None = None
    """None for a bare pair of encoders."""

    @property
    def mean_sd(self) -> Tensor:
        """(D,) deviations by which a time-mean is divided, and a drawn one multiplied."""
        if self.latent_along is None:
            return self.latent_sd
        return self.latent_sd * self.latent_along[0]

    def means(self, latents: Array) -> Tensor:
        """Standardise time-means (..., D) as those of drawn sequences, on the model's device."""
        x = torch.from_numpy(latents.astype(np.float32)).to(self.device)
        return (x - self.latent_mean) / self.mean_sd

    def passages(self, latents: Array) -> Tensor:
        """Standardise passages (..., T, D) as the denoiser sees them, on the model's device."""
        x = self.means(latents)
        if self.latent_along is None:
            return x
        relative = self.latent_along / self.latent_along[0]
        return torch.from_numpy(evened(x.cpu().numpy(), relative.cpu().numpy())).to(self.device)

    def drawn(self, x: Tensor) -> Array:
        """Raw time-means (..., D) of drawn sequences (..., T, D)."""
        return np.asarray((x.mean(-2) * self.mean_sd + self.latent_mean).cpu().numpy())

    @property
    def name(self) -> str:
        """The model's name in its configuration."""
        return self.config.name

    @property
    def space(self) -> LatentSpace:
        """The space the encoder writes and the denoiser draws in."""
        return self.config.space

    @property
    def denoiser(self) -> Network:
        """The network that draws.

        Raises:
            ModelError: if this is a bare pair.
        """
        if self.networks is None:
            raise self.config.without_retriever()
        return self.networks.denoiser

    @property
    def contrastive(self) -> Tower:
        """The tower from pooled text (B, E) to unit rows (B, D) of the search space.

        Raises:
            ModelError: if this is a bare pair whose text and sound share no space.
        """
        if self.networks is not None:
            return self.networks.contrastive
        if not self.config.pair.shared:
            raise self.config.without_retriever()
        return shared_tower

    def require(self, method: Method) -> None:
        """Check that the model can search by a method.

        Raises:
            ModelError: if it cannot, with a hint at how to get a retriever.
        """
        _ = self.contrastive if method == Method.CONTRASTIVE else self.denoiser

    @property
    def velocity(self) -> Denoiser:
        """The denoiser as one that predicts v, whatever it was trained to predict."""
        if self.config.prediction == "v":
            return self.denoiser
        return AsVelocity(self.denoiser, self.schedule, self.config.prediction)

    @cached_property
    def encoder(self) -> AudioEncoder:
        """The audio encoder.

        Raises:
            ModelError: if its weights cannot be read.
        """
        if self.own_encoder is not None:
            return self.own_encoder
        return self.config.pair.load_audio(self.device)

    @cached_property
    def text(self) -> TextEncoder:
        """The text encoder, imported when first used: indexing a library needs none.

        Raises:
            WeightsMissing: if its weights are not installed.
        """
        if self.own_encoder is not None:
            part = self.config.text
            # Prompts are too short for an accelerator to be faster.
            return part.module().load_text(installed(part), torch.device("cpu"))
        return self.config.pair.load_text(self.device)

    @cached_property
    def understanding(self) -> Understanding | None:
        """What the text encoder reads, if that was measured for this model.

        Raises:
            ModelError: if the file that says so is damaged.
        """
        return Understanding.of(self.config.folder)


class Tower(Protocol):
    """Maps a text to a point of the search space."""

    def __call__(self, pooled: Tensor, /) -> Tensor:
        """Pooled text (B, E) to unit rows (B, D)."""


def shared_tower(pooled: Tensor) -> Tensor:
    """The tower of a pair whose text encoder was trained to write the space of the sound."""
    return functional.normalize(pooled, dim=1)


def pick_device(device: str) -> torch.device:
    """A device by name; `auto` is CUDA if there is one, else Apple's, else the CPU.

    Raises:
        UsageError: if the device is unknown, or this machine has none.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if device not in available:
        raise UsageError(f"unknown device {device!r}; use auto, cpu, cuda or mps")
    if not available[device]:
        raise UsageError(f"this machine has no {device} device", Hint.ANY_DEVICE)
    return torch.device(device)


def fingerprint(tensors: dict[str, Tensor]) -> str:
    """First 16 hex digits of the SHA-256 of the encoder's tensors, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith("encoder"):
            digest.update(name.encode())
            digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def load(name: str = "builtin", device: str = "auto") -> Model:
    """Load a model: `builtin`, a pair of encoders, or a folder.

    Raises:
        ModelError: if the folder is missing or malformed, or its weights have other dimensions than
            its configuration says.
        UsageError: if the device is not available.
    """
    where = pick_device(device)
    config = ModelConfig.read(name)
    whitening = config.whitening()
    if config.bare:
        mean, sd = torch.from_numpy(whitening.mean), torch.from_numpy(whitening.sd)
        return Model(config, where, Schedule(), mean.to(where), sd.to(where), whitening)
    try:
        check_sum(config)
        tensors = load_file(config.weights)
        own = None if config.encoders else _own_encoder(config, tensors, where)
        tensors = {k: v.float() for k, v in by_members(tensors, "contrastive.").items()}
        check_shapes("denoiser.", lambda: denoisers.build(config.denoiser), tensors)
        check_shapes("contrastive.", lambda: ContrastiveTower(**config.contrastive), tensors)
        denoiser = denoisers.build(config.denoiser)
        check(config.prediction)
        contrastive = ContrastiveTower(**config.contrastive)
        along = tensors.get("latent_along")
        shape = (denoiser.config.frames, denoiser.config.dim)
        if along is not None and tuple(along.shape) != shape:
            raise ModelError(f"latent_along is {tuple(along.shape)}; the denoiser draws {shape}")
        _fill(denoiser, "denoiser.", tensors, where)
        _fill(contrastive, "contrastive.", tensors, where)
        return Model(
            config=config,
            device=where,
            schedule=decode.into(Schedule, config.schedule, prefix="the schedule: "),
            latent_mean=tensors["latent_mean"].to(where),
            latent_sd=tensors["latent_sd"].to(where),
            whitening=whitening,
            latent_along=None if along is None else along.to(where),
            own_encoder=own,
            common_points=of_width(tensors.get("common_points"), config.space.dim),
            networks=RetrieverNetworks(denoiser, contrastive),
        )
    except MALFORMED as error:
        raise unreadable(config.folder, error) from error


def load_encoder(name: str) -> AudioEncoder:
    """Load the audio encoder of a model alone, onto the CPU.

    Raises:
        ModelError: if the folder is missing or malformed.
    """
    config = ModelConfig.read(name)
    if config.bare or config.encoders:
        return config.pair.load_audio(torch.device("cpu"))
    try:
        with safe_open(config.weights, "pt") as file:
            parts = [key for key in file.keys() if key.startswith("encoder")]  # noqa: SIM118 (no dict)
            tensors = {key: file.get_tensor(key) for key in parts}
        return _own_encoder(config, tensors, torch.device("cpu"))
    except MALFORMED as error:
        raise unreadable(config.folder, error) from error


def _own_encoder(
    config: ModelConfig, tensors: dict[str, Tensor], where: torch.device
) -> builtin.BuiltinEncoder:
    actual = fingerprint(tensors)
    if actual != config.space.fingerprint:
        raise ModelError(
            f"the encoder in {config.folder} is {actual[:8]}, but its config.json says "
            f"{config.space.fingerprint[:8]}; fetch both files from the same place"
        )
    net = builtin.AudioNet()
    _fill(net, "encoder.", {k: v.float() for k, v in tensors.items()}, where)
    projection = tensors["encoder_projection"].float().to(where)
    return builtin.BuiltinEncoder(net, projection, config.space)


def _fill(part: nn.Module, prefix: str, tensors: dict[str, Tensor], device: torch.device) -> None:
    state = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    part.load_state_dict(state)
    part.eval().requires_grad_(False).to(device)


def save(
    folder: Path,
    *,
    name: str,
    denoiser: Network,
    contrastive: ContrastiveTower,
    schedule: Schedule,
    latent_mean: Tensor,
    latent_sd: Tensor,
    whitening_power: float,
    net: builtin.AudioNet | None = None,
    projection: Tensor | None = None,
    text_encoder: str = MINILM.name,
    pair: ModelConfig | None = None,
    prediction: str = "v",
    distilled: bool = False,
    anchor_share: float = 0.0,
    latent_along: Tensor | None = None,
    common_points: Array | None = None,
) -> None:
    """Write a model folder.

    Args:
        folder: created if it does not exist.
        name: the model's name.
        denoiser: the network that draws.
        contrastive: the tower from text to the search space.
        schedule: of the diffusion.
        latent_mean: (D,) mean of raw latents.
        latent_sd: (D,) their deviation.
        whitening_power: of the search space (see `search.whitening`).
        net: the audio encoder, if it belongs to the model,
        projection: with its projection (FEATURES, D),
        text_encoder: and the name of the text encoder that it was trained with;
        pair: else the configuration of a model with the pair of encoders.
        prediction: what the denoiser predicts: v, x0 or eps.
        distilled: whether it was trained with `loss.consistency`.
        anchor_share: the contrastive tower's share of a score, 0 to 1.
        latent_along: (T, D) deviations along time by which training passages were divided.
        common_points: (B, D) mean draws of many captions, by which draws are corrected.
    """
    tensors = {"latent_mean": latent_mean, "latent_sd": latent_sd}
    if latent_along is not None:
        tensors["latent_along"] = latent_along
    if common_points is not None:
        tensors["common_points"] = torch.from_numpy(common_points)
    parts: list[tuple[str, nn.Module]] = [("denoiser.", denoiser), ("contrastive.", contrastive)]
    if net is not None and projection is not None:
        tensors["encoder_projection"] = projection
        parts.append(("encoder.", net))
    for prefix, part in parts:
        for key, value in part.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                tensors[prefix + key] = value
    stored = {k: _stored(k, v.detach().cpu()).contiguous() for k, v in tensors.items()}
    if pair is not None:
        space = pair.space
    elif projection is not None:
        space = builtin.space(projection.shape[1], fingerprint(stored))
    else:
        raise ValueError("a model needs an audio encoder, its own or that of a pair")
    config: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "space": asdict(space),
        "encoders": pair.encoders if pair else "",
        "denoiser": denoisers.describe(denoiser),
        "prediction": check(prediction),
        "distilled": distilled,
        "anchor_share": anchor_share,
        "contrastive": contrastive.shape,
        "schedule": asdict(schedule),
        "whitening_power": whitening_power,
    }
    if pair is None:
        config["text_encoder"] = text_encoder
    folder.mkdir(parents=True, exist_ok=True)
    # config.json comes last: a folder without it is not a model yet.
    with atomic.replacing(folder / "model.safetensors") as temporary:
        save_file(stored, temporary)
        config["checksum"] = sha256(temporary)
    atomic.write_text(folder / "config.json", json.dumps(config, indent=2) + "\n")


def _stored(name: str, tensor: Tensor) -> Tensor:
    # A UNet multiplies its frequencies by times up to 1000, so half precision would rotate phases.
    exact = name.startswith("latent_") or name.endswith(".frequencies")
    return tensor.float() if exact else tensor.half()


def encoder_of(model: Model) -> dict[str, Any]:
    """Arguments of `save` for another model with the same encoders."""
    own = model.own_encoder
    if own is not None:
        text = model.config.text_encoder
        return {"net": own.net, "projection": own.projection, "text_encoder": text}
    return {"pair": model.config}
