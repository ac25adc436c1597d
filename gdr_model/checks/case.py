"""Reference folders: configuration, weights, inputs and outputs of a network, in one or more sets.

A set is `config*.json`, `io*.npz` and `weights*.safetensors` or `weights_recipe*.json`, all with
the same suffix (none, `_full`, `_paper`). Stored tensors take precedence; a recipe makes the rest.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from gdr_model import plain
from gdr_model.checks.weight_recipe import rebuild
from gdr_model.errors import ModelError, first_line

RTOL = 1e-4
"""Relative tolerance: single precision on another machine, through a few dozen layers."""


@dataclass(frozen=True)
class Compared:
    """The errors of one of our outputs against the reference."""

    name: str
    shape: tuple[int, ...]
    error: float
    """The largest absolute error."""
    relative: float
    """The largest error over the largest value of the reference."""
    atol: float
    used: float
    """The largest ratio of an error to its tolerance, RTOL · |value| + atol."""

    @property
    def passes(self) -> bool:
        """Whether every value is within its tolerance; false if any is NaN."""
        return self.used <= 1


@dataclass(frozen=True)
class Case:
    """One set of a reference folder."""

    folder: Path
    suffix: str

    @property
    def where(self) -> str:
        """The folder and set, as an error names them."""
        return f"{self.folder} (set {self.suffix.lstrip('_')})" if self.suffix else f"{self.folder}"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The sizes of the network.

        Raises:
            ModelError: if it is unreadable.
        """
        path = self.folder / f"config{self.suffix}.json"
        try:
            raw = plain.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} is not a configuration in JSON") from error
        if not isinstance(raw, dict):
            raise ModelError(f"{path} is not a configuration in JSON")
        return raw

    @cached_property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Inputs and outputs by name.

        Raises:
            ModelError: if they are unreadable.
        """
        path = self.folder / f"io{self.suffix}.npz"
        try:
            with path.open("rb") as file, np.load(file) as archive:
                return dict(archive)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not an archive of reference arrays") from error

    @cached_property
    def weights(self) -> dict[str, NDArray[Any]]:
        """Tensors with the names and in the layout of the original.

        Raises:
            ModelError: if there are none, or a tensor differs from what its recipe promises.
        """
        file = self.folder / f"weights{self.suffix}.safetensors"
        recipe = self.folder / f"weights_recipe{self.suffix}.json"
        stored = load(file) if file.is_file() else {}
        if recipe.is_file():
            return rebuild(recipe, stored, self.config.get("shared_parameters", ()))
        if not stored:
            raise ModelError(f"{self.where} has neither {file.name} nor {recipe.name}")
        return stored

    def compare(self, outputs: Mapping[str, ArrayLike], atol: float) -> Iterator[Compared]:
        """Compare each output for which the set has a reference."""
        for name, ours in outputs.items():
            if name in self.arrays:
                yield compared(name + self.suffix, np.asarray(ours), self.arrays[name], atol)


def cases(folder: Path) -> list[Case]:
    """The sets of a folder, by suffix.

    Raises:
        ModelError: if it is no reference folder.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder")
    suffixes = sorted(path.stem.removeprefix("io") for path in folder.glob("io*.npz"))
    if not suffixes:
        raise ModelError(f"{folder} is no reference folder: it has no io.npz")
    return [Case(folder, suffix) for suffix in suffixes]


def load(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file.

    Raises:
        ModelError: if it is something else, or truncated.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {first_line(error)}") from error


def compared(
    name: str,
    ours: NDArray[Any],
    theirs: NDArray[Any],
    atol: float,
    slack: NDArray[Any] | float = 0.0,
) -> Compared:
    """The errors of one output; `slack` is added to the tolerance, value by value.

    Raises:
        ValueError: if the shapes differ.
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"{name} has shape {ours.shape}; the reference has {theirs.shape}")
    reference = theirs.astype(np.float64)
    error = np.abs(ours.astype(np.float64) - reference)
    allowed = atol + RTOL * np.abs(reference) + slack
    worst = float(error.max(initial=0.0))
    largest = float(np.abs(reference).max(initial=0.0))
    relative = worst / largest if largest else worst
    used = float((error / allowed).max(initial=0.0))
    return Compared(name, theirs.shape, worst, relative, atol, used)


def compared_decibels(name: str, ours: NDArray[Any], theirs: NDArray[Any], atol: float) -> Compared:
    """Like `compared`, for spectrograms (B, ..., bands, F) in dB.

    The rounding of a transform in single precision, some 1e-11 of a clip's loudest power, depends
    on the processor: 110 dB below the peak, values may differ by 3 dB.
    """
    power = 10.0 ** (theirs.astype(np.float64) / 10)
    peak = power.max(axis=tuple(range(1, power.ndim)), keepdims=True)
    return compared(name, ours, theirs, atol, 10 * np.log10(1 + 1e-11 * peak / power))
