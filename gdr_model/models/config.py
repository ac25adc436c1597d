"""The configuration of a model, read without torch.

A model is a pair of encoders with or without a retriever that draws in its space:

- a gdr folder (`config.json` + `model.safetensors`): denoiser, contrastive tower, statistics; it
  holds its audio encoder itself, or names the pair it was trained with;
- a folder of a training run, which contains such a folder;
- a pair by its name, for whose published weights a retriever comes with gdr;
- a bare pair (`encoders.registry`), which is searched by its own text tower if text and sound
  share a space, in its own unit latents: neither centred nor whitened.

Indexing an unchanged library needs only the latent space and the whitening, and should not wait
seconds for the networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open

from gdr_model import decode, paths, plain
from gdr_model.encoders.registry.pairs import MINILM, OWN_TEXT, PAIRS, TextPart
from gdr_model.encoders.registry.resolve import Located, locate
from gdr_model.errors import Hint, ModelError, SpaceMismatch, first_line
from gdr_model.search.whitening import Whitening
from gdr_model.types import LatentSpace

FORMAT = 1
SHIPPED = Path(__file__).parents[1] / "builtin"
RETRIEVERS = Path(__file__).parents[1] / "retrievers"
"""Model folders that come with gdr, without their pairs' encoders, by the names of the pairs."""
FINISHED = "model"
"""The folder of the finished model in the folder of a training run."""


_MOST_WIDE, _MOST_TIMES = 16_384, 100_000
"""Limits of a model's widths, and of its schedule's times."""
_LIMITS = (
    dict.fromkeys(("dim", "frames", "patch", "width", "widths", "channels"), (1, _MOST_WIDE))
    | dict.fromkeys(("layers", "heads", "blocks", "groups"), (1, 256))
    | {"times": (1, _MOST_TIMES)}
)
"""Of fields that cannot be 0, or that count something."""
_Limited: TypeAlias = tuple[str, float, float, float]
"""The name of a number, the number, and its limits."""


def _numbers(part: str, fields: Mapping[str, Any], most: int) -> Iterator[_Limited]:
    """The numbers in a part of a configuration, each with its limits."""
    for name, value in fields.items():
        low, high = _LIMITS.get(name, (0, most))
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, int | float):
                yield f"{part}.{name}", each, low, high


@dataclass(frozen=True)
class ModelConfig:
    """The validated `config.json` of a model folder; or a bare pair."""

    folder: Path
    name: str
    space: LatentSpace
    whitening_power: float = 0.0
    denoiser: dict[str, Any] = field(default_factory=dict)
    """Empty for a bare pair."""
    contrastive: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=dict)
    prediction: str = "v"
    """What the denoiser predicts: v, x0 or eps."""
    distilled: bool = False
    """Whether the consistency sampler can draw in one or two steps."""
    anchor_share: float = 0.0
    """Share of a score that the contrastive tower's point has, 0 to 1; the draws have the rest."""
    encoders: str = ""
    """The name by which the pair is loaded; empty if the audio encoder is in this folder."""
    text_encoder: str = MINILM.name
    """The text encoder of a model with an audio encoder of its own, by its name in `OWN_TEXT`."""
    checksum: str = ""
    """SHA-256 of the file of the weights; models of earlier versions have none."""

    def __post_init__(self) -> None:
        """Validate the numbers: networks are made as large as they say.

        Raises:
            ValueError: naming a field and its limits.
        """
        space = self.space
        for name, value, low, high in (
            ("space.dim", space.dim, 1, _MOST_WIDE),
            ("space.sample_rate_hz", space.sample_rate_hz, 1, 768_000),  # 1 for arrays
            ("space.window_s", space.window_s, 0.001, 3600),
            ("space.hop_s", space.hop_s, 0.001, 3600),
            ("whitening_power", self.whitening_power, 0, 2),
            ("anchor_share", self.anchor_share, 0, 1),
            *_numbers("denoiser", self.denoiser, _MOST_WIDE),
            *_numbers("contrastive", self.contrastive, _MOST_WIDE),
            *_numbers("schedule", self.schedule, _MOST_TIMES),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} must be a number from {low:g} to {high:g}")

    @classmethod
    def read(cls, name: str = "builtin") -> ModelConfig:
        """The configuration of `builtin`, of a model or run in a folder, or of a pair.

        A pair has the retriever that comes with gdr if its weights are those of the training.

        Raises:
            ModelError: if there is no such model, or its configuration is invalid.
            WeightsMissing: if the weights of a pair are not installed.
        """
        folder = SHIPPED if name == "builtin" else _find(name)
        if folder is None:
            pair = locate(name)
            shipped = retriever_of(name)
            if shipped is not None and shipped.space == pair.space:
                return shipped
            called = name if name in PAIRS else pair.audio.name
            return cls(pair.audio_weights, called, pair.space, encoders=pair.argument)
        return cls._in(folder)

    @classmethod
    def _in(cls, folder: Path) -> ModelConfig:
        """The configuration in a model's folder.

        Raises:
            ModelError: if it is missing or invalid.
        """
        try:
            raw = plain.from_json((folder / "config.json").read_text(encoding="utf-8"))
            version = raw.pop("format")
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{folder / 'config.json'} does not describe a gdr model") from error
        if version != FORMAT:
            raise ModelError(f"{folder} holds a model of format {version}; this gdr reads {FORMAT}")
        refusal = f"{folder / 'config.json'} does not describe a gdr model: "
        config = decode.into(cls, raw | {"folder": folder}, prefix=refusal, error=ModelError)
        if not (config.name + config.space.encoder).isprintable():
            raise ModelError(f"{refusal}its name has characters that cannot be printed")
        if config.text_encoder not in OWN_TEXT:
            raise ModelError(
                f"{refusal}it was trained with the text encoder {config.text_encoder!r}; "
                f"this gdr has {' and '.join(OWN_TEXT)}"
            )
        return config

    @property
    def bare(self) -> bool:
        """Whether this is a pair without a retriever."""
        return not self.denoiser

    @property
    def text(self) -> TextPart:
        """The text encoder that the model was trained with.

        Raises:
            ModelError: if its pair's weights are missing, or differ from those of the training.
        """
        return self.pair.text if self.encoders else OWN_TEXT[self.text_encoder]

    @cached_property
    def pair(self) -> Located:
        """The pair of encoders that the model was trained with, unless it has its own.

        Raises:
            ModelError: if the pair's weights are missing, or differ from those of the training.
        """
        pair = locate(self.encoders)
        if pair.space != self.space:
            raise ModelError(
                f"the model in {self.folder} was trained on latents of {self.space}; "
                f"{self.encoders} now encodes to {pair.space}"
            )
        return pair

    @property
    def argument(self) -> str:
        """The name by which this model can be loaded."""
        if self.bare:
            return self.encoders
        if self.folder == SHIPPED or self.folder.parent == RETRIEVERS:
            return self.folder.name
        return str(self.folder)

    def space_mismatch(self, spaces: Sequence[LatentSpace], root: Path) -> SpaceMismatch:
        """The error for a library that only has latents of other spaces."""
        return SpaceMismatch(
            f"this library holds {' and '.join(map(str, spaces))} latents; the model draws in "
            f"{self.space}",
            Hint.INDEX_WITH_MODEL,
            root=root,
            model=self.argument,
        )

    def without_retriever(self) -> ModelError:
        """The error for drawing with a bare pair."""
        hint = Hint.TRAIN_OR_LOOK_UP if self.pair.shared else Hint.TRAIN
        sentence = f"{self.name} has no retriever of its own yet"
        shipped = retriever_of(self.encoders)
        if shipped is not None:
            sentence += (
                f": the one that comes with gdr draws in {shipped.space}, and the installed "
                f"weights encode to {self.space}"
            )
        return ModelError(sentence, hint, model=self.argument)

    @property
    def size_bytes(self) -> int:
        """Bytes of its largest file of weights, its own or its audio encoder's.

        Raises:
            ModelError: if the pair's weights are missing, or differ from those of the training.
        """
        own = self.folder if self.folder.is_file() else self.weights
        sound = self.pair.audio_weights if self.encoders else own
        files = (own, sound if sound.is_file() else sound / own.name)
        return max(file.stat().st_size for file in files if file.is_file())

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.folder / "model.safetensors"

    def whitening(self) -> Whitening:
        """The map to the search space.

        Raises:
            ModelError: if the weights cannot be read.
        """
        if self.bare:
            dim = self.space.dim
            return Whitening(np.zeros(dim, np.float32), np.ones(dim, np.float32), 0.0)
        try:
            with safe_open(self.weights, framework="numpy") as tensors:
                mean, sd = (tensors.get_tensor(f"latent_{part}") for part in ("mean", "sd"))
        except (OSError, SafetensorError) as error:
            raise unreadable(self.folder, error) from error
        if mean.shape != (self.space.dim,) or sd.shape != mean.shape or not (sd > 0).all():
            raise unreadable(self.folder, ValueError("its statistics are not those of its latents"))
        return Whitening(mean.astype("float32"), sd.astype("float32"), self.whitening_power)


def retriever_of(pair: str) -> ModelConfig | None:
    """The configuration of the retriever that comes with gdr for a pair, if there is one.

    Raises:
        ModelError: if it is invalid.
    """
    folder = RETRIEVERS / pair
    return ModelConfig._in(folder) if pair in PAIRS and folder.is_dir() else None


def unreadable(folder: Path, error: Exception) -> ModelError:
    """The error for weights that cannot be loaded."""
    return ModelError(f"the model in {folder} cannot be read: {first_line(error)}")


def _find(name: str) -> Path | None:
    """The folder of a gdr model by name or path; None if the name is that of a pair."""
    if name in PAIRS:
        return None
    for folder in (paths.models() / name, Path(name).expanduser()):
        model = _model_in(folder)
        if model is not None:
            return model
    return None


def _model_in(folder: Path) -> Path | None:
    """The gdr model in a folder: the folder itself, or that of a finished run.

    Raises:
        ModelError: for a run without a model.
    """
    try:
        raw = plain.from_json((folder / "config.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    except ValueError:
        return folder
    if not isinstance(raw, dict) or "model_type" in raw:
        return None if isinstance(raw, dict) else folder
    if "run" not in raw:
        return folder
    if (folder / FINISHED / "config.json").is_file():
        return folder / FINISHED
    raise ModelError(
        f"the run in {folder} has no model to search with: it is not finished, or it was trained "
        "on arrays that do not come from an encoder of gdr"
    )
