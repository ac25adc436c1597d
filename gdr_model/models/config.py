"""What a model says of itself, read without torch.

A model is a pair of encoders with, or without, a retriever that draws in its space:

- a gdr folder (`config.json` + `model.safetensors`): denoiser, contrastive tower, statistics; it
  holds its audio encoder itself, or names the pair it was trained with;
- a folder of `gdr train`, which has such a folder in it;
- a bare pair (`encoders.located`), which is searched by its own text tower where words and sound
  share a space, in its own unit latents: neither centred nor whitened.

Indexing an unchanged library needs the latent space and the whitening only, and should not
wait seconds for the networks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from gdr_model import decode, paths
from gdr_model.encoders.registry.pairs import PAIRS
from gdr_model.encoders.registry.resolve import Located, locate
from gdr_model.errors import Hint, ModelError, SpaceMismatch
from gdr_model.search.whitening import Whitening
from gdr_model.types import LatentSpace

FORMAT = 1
SHIPPED = Path(__file__).parents[1] / "builtin"
FINISHED = "model"
"""Where a folder of `gdr train` keeps the model it made."""


@dataclass(frozen=True)
class ModelConfig:
    """`config.json` of a model folder, checked as far as its own text goes; or a bare pair."""

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
    """Whether one or two steps of the consistency sampler are enough."""
    anchor_share: float = 0.0
    """How much the contrastive tower's point counts beside the draws of a query, 0 to 1."""
    encoders: str = ""
    """What `--model` takes for the pair; empty where the encoder lies in this folder."""

    @classmethod
    def read(cls, name: str = "builtin") -> ModelConfig:
        """The configuration of `builtin`, of a model or run in a folder, or of a bare pair.

        Raises:
            ModelError: if there is no such model, or its configuration cannot be used.
            WeightsMissing: if the weights of a pair are not here.
        """
        folder = SHIPPED if name == "builtin" else _find(name)
        if folder is None:
            pair = locate(name)
            called = name if name in PAIRS else pair.audio.name
            return cls(pair.audio_weights, called, pair.space, encoders=pair.argument)
        try:
            raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            found = raw.pop("format")
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{folder / 'config.json'} does not describe a gdr model") from error
        if found != FORMAT:
            raise ModelError(f"{folder} holds a model of format {found}; this gdr reads {FORMAT}")
        refusal = f"{folder / 'config.json'} does not describe a gdr model: "
        config = decode.into(cls, raw | {"folder": folder}, prefix=refusal, error=ModelError)
        if not (config.name + config.space.encoder).isprintable():
            raise ModelError(f"{refusal}its name would act on a terminal")
        return config

    @property
    def bare(self) -> bool:
        """Whether this is a pair without a retriever."""
        return not self.denoiser

    @cached_property
    def pair(self) -> Located:
        """The pair this model reads sound and words with, if not its own.

        Raises:
            ModelError: if its weights are missing, or are not those it was trained with.
        """
        pair = locate(self.encoders)
        if pair.space != self.space:
            raise ModelError(
                f"the model in {self.folder} was trained on latents of {self.space}; "
                f"{self.encoders} makes {pair.space} now"
            )
        return pair

    @property
    def spelled(self) -> str:
        """What `--model` takes for this model."""
        if self.bare:
            return self.encoders
        return "builtin" if self.folder == SHIPPED else str(self.folder)

    def other_than(self, held: Sequence[LatentSpace], root: Path) -> SpaceMismatch:
        """The refusal to search a library that holds latents of other spaces only."""
        return SpaceMismatch(
            f"this library holds {' and '.join(map(str, held))} latents; the model draws in "
            f"{self.space}",
            Hint.INDEX_WITH_MODEL,
            root=root,
            model=self.spelled,
        )

    def without_retriever(self) -> ModelError:
        """The refusal to draw in the space of a bare pair."""
        hint = Hint.TRAIN_OR_LOOK_UP if self.pair.shared else Hint.TRAIN
        return ModelError(f"{self.name} has no retriever of its own yet", hint, model=self.spelled)

    @property
    def weights(self) -> Path:
        """The file of the tensors."""
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
        return Whitening(mean.astype("float32"), sd.astype("float32"), self.whitening_power)


def unreadable(folder: Path, error: Exception) -> ModelError:
    """The one sentence for weights that do not load."""
    return ModelError(f"the model in {folder} cannot be read: {str(error).splitlines()[0]}")


def _find(name: str) -> Path | None:
    """The gdr folder that a name stands for; None if it stands for a pair."""
    if name in PAIRS:
        return None
    for folder in (paths.models() / name, Path(name).expanduser()):
        found = _model_in(folder)
        if found is not None:
            return found
    return None


def _model_in(folder: Path) -> Path | None:
    """A folder's own model, or the one a finished run has in it.

    Raises:
        ModelError: for a run that has none.
    """
    try:
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
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
        f"the run in {folder} has no model for searching: it is not finished, or it was trained on "
        "arrays that no encoder of gdr makes"
    )
