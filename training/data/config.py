"""Which data a run or an evaluation reads, and the space it is learned in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from gdr_model.encoders.registry.pairs import MINILM, OWN_TEXT
from gdr_model.errors import UsageError


def need(holds: bool, sentence: str) -> None:
    """Refuse a configuration for which something does not hold.

    Raises:
        UsageError: with the sentence.
    """
    if not holds:
        raise UsageError(sentence)


@dataclass(frozen=True)
class DataConfig:
    """The training data, and the space it is learned in."""

    path: str = ""
    """An extraction (a folder), or arrays (.npz, .safetensors) with captions and track ids."""
    text_encoder: str = MINILM.name
    """For arrays: what reads their captions, minilm or use. An extraction has its own."""
    labels: str = ""
    """For arrays whose dimensions are classes: a file of their names, one per line."""
    floor: float | None = None
    """For class probabilities: the latents are log(p + floor). None takes arrays as they are."""
    components: int | None = None
    """How many principal components of the training tracks to keep; None keeps the axes."""
    standardise: bool = True
    """Divide by the deviation of the training tracks; False is upstream's unscaled latents."""
    power: float = 0.5
    """The search space divides by sd^power: 0 is the plain cosine of the centred latents."""
    folds: int = 5
    """The tracks are divided into this many folds; `--fold K` holds out fold K."""
    split_seed: int = 0
    """Seed of the folds."""
    held_out: str = ""
    """Instead of folds: the split, as the dataset names it, to hold out for evaluation."""
    validation: float = 0.1
    """Share of the other tracks that is not trained on: the run is checked on them while it trains,
    and the tower's share of a score is chosen on them. 0 trains on all of them."""

    def __post_init__(self) -> None:
        """Validate the fields."""
        known = self.text_encoder in OWN_TEXT
        need(known, f"data.text_encoder must be {' or '.join(OWN_TEXT)}")
        need(self.floor is None or self.floor > 0, "data.floor must be above 0")
        need(self.components is None or self.components > 0, "data.components must be above 0")
        need(0 <= self.power <= 1, "data.power must lie between 0 and 1")
        need(self.folds >= 2, "data.folds must be 2 or more")
        need(0 <= self.validation < 1, "data.validation must be 0 or more, and below 1")


def resolved(path: str) -> Path:
    """A path of a configuration; `$GDR_SHARED` and other variables are filled in.

    Raises:
        UsageError: naming a variable that is not set.
    """
    found = os.path.expanduser(os.path.expandvars(path))
    unset = re.search(r"\$\{?(\w+)", found)
    if unset:
        raise UsageError(f"{path} needs the environment variable {unset[1]}; it is not set")
    return Path(found)
