"""What a model folder says of itself, read without torch.

Indexing an unchanged library needs the latent space and the whitening only, and should not
wait seconds for the networks.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from gdr_model import paths
from gdr_model.errors import ModelError, SpaceMismatch
from gdr_model.types import LatentSpace
from gdr_model.whitening import Whitening

FORMAT = 1
SHIPPED = Path(__file__).parent / "builtin"


@dataclass(frozen=True)
class ModelConfig:
    """`config.json` of a model folder, checked as far as its own text goes."""

    folder: Path
    name: str
    space: LatentSpace
    whitening_power: float
    denoiser: dict[str, Any]
    contrastive: dict[str, Any]
    schedule: dict[str, Any]
    prediction: str = "v"
    """What the denoiser predicts: v, x0 or eps."""
    distilled: bool = False
    """Whether one or two steps of the consistency sampler are enough."""
    anchor_share: float = 0.0
    """How much the contrastive tower's point counts beside the draws of a query, 0 to 1."""

    @classmethod
    def read(cls, name: str = "builtin") -> ModelConfig:
        """The configuration of `builtin`, of a model in the user's model folder, or of a path.

        Raises:
            ModelError: if there is no such model, or its configuration cannot be used.
        """
        folder = SHIPPED if name == "builtin" else _find(name)
        try:
            raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            found = raw.pop("format")
            if found == FORMAT:
                config = cls(folder=folder, space=LatentSpace(**raw.pop("space")), **raw)
                if not (config.name + config.space.encoder).isprintable():
                    raise ValueError("its name would act on a terminal")
                return config
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{folder / 'config.json'} does not describe a gdr model") from error
        raise ModelError(f"{folder} holds a model of format {found}; this gdr reads {FORMAT}")

    @property
    def argument(self) -> str:
        """What `--model` takes for this model, fit for a shell."""
        return "builtin" if self.folder == SHIPPED else shlex.quote(str(self.folder))

    def other_than(self, held: Sequence[LatentSpace], root: Path) -> SpaceMismatch:
        """The refusal to search a library that holds latents of other spaces only."""
        return SpaceMismatch(
            f"this library holds {' and '.join(map(str, held))} latents; the model draws in "
            f"{self.space}. Run gdr index --model {self.argument} {shlex.quote(str(root))}"
        )

    @property
    def weights(self) -> Path:
        """The file of the tensors."""
        return self.folder / "model.safetensors"

    def whitening(self) -> Whitening:
        """The map to the search space.

        Raises:
            ModelError: if the weights cannot be read.
        """
        try:
            with safe_open(self.weights, framework="numpy") as tensors:
                mean, sd = (tensors.get_tensor(f"latent_{part}") for part in ("mean", "sd"))
        except (OSError, SafetensorError) as error:
            raise unreadable(self.folder, error) from error
        return Whitening(mean.astype("float32"), sd.astype("float32"), self.whitening_power)


def unreadable(folder: Path, error: Exception) -> ModelError:
    """The one sentence for weights that do not load."""
    return ModelError(f"the model in {folder} cannot be read: {str(error).splitlines()[0]}")


def _find(name: str) -> Path:
    for folder in (paths.models() / name, Path(name)):
        if (folder / "config.json").is_file():
            return folder
    raise ModelError(
        f"there is no model {name!r}; use builtin, or a folder with config.json and "
        "model.safetensors"
    )
