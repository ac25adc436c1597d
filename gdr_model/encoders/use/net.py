"""The network: convolutions over the vectors of pieces, their sum, and four dense layers.

Shapes: B texts of equally many pieces, L pieces.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gdr_model.types import Array

WIDTH = 512
_ORDERS = (2, 3, 5)
"""Pieces that the convolutions of each branch see at once."""
_BRANCH = 256
_CHUNKS = 17
"""Parts of the table of vectors, each with its own scale; piece p is in part p % 17."""
_ROWS = 7530


class Vectors:
    """The vectors of pieces, inflated from the archive as far as they have been asked for.

    Frequent pieces come first in it, so that a prompt needs a few milliseconds instead of the
    quarter of a second of the whole table.
    """

    def __init__(self, archive: ZipFile) -> None:
        self._scale, self._low = _array(archive, "scale"), _array(archive, "lo")
        self._levels = np.empty((_CHUNKS, _ROWS, WIDTH), np.uint8)
        self._known = np.zeros(_CHUNKS, np.int64)
        self._lock = Lock()
        self._streams = [archive.open(f"q{chunk + 1}.npy") for chunk in range(_CHUNKS)]
        for stream in self._streams:
            np.lib.format.read_magic(stream)
            np.lib.format.read_array_header_1_0(stream)

    def of(self, pieces: NDArray[np.int64]) -> Array:
        """Pieces (B, L) to vectors (B, L, WIDTH)."""
        row, chunk = np.divmod(pieces, _CHUNKS)
        needed = np.zeros(_CHUNKS, np.int64)
        np.maximum.at(needed, chunk, row + 1)
        with self._lock:
            for one in np.flatnonzero(needed > self._known):
                first, end = self._known[one], needed[one]
                more = self._streams[one].read((end - first) * WIDTH)
                self._levels[one, first:end] = np.frombuffer(more, np.uint8).reshape(-1, WIDTH)
                self._known[one] = end
        levels: Array = self._levels[chunk, row].astype(np.float32)
        levels *= self._scale[chunk, None]
        levels += self._low[chunk, None]
        return levels


class Network:
    """Pieces (B, L), with those of begin and end, to unit vectors (B, WIDTH)."""

    def __init__(self, weights: Path) -> None:
        # In memory: a file would have to stay open for the vectors that are read later.
        archive = ZipFile(BytesIO(weights.read_bytes()))
        self._vectors = Vectors(archive)
        names = [Path(file).stem for file in archive.namelist() if not file.startswith("q")]
        self._w = {name: torch.from_numpy(_array(archive, name)) for name in names}
        self._eps = float(self._w["eps"])

    def __call__(self, pieces: Tensor) -> Tensor:
        """Read texts."""
        w, length = self._w, pieces.shape[1]
        x = torch.from_numpy(self._vectors.of(pieces.numpy()))
        projected = torch.cat([x @ w[f"proj{n}"] + w[f"proj_b{n}"] for n in _ORDERS], dim=2)
        gain, bias = (torch.cat([w[f"{name}{n}"] for n in _ORDERS]) for name in ("ln_g", "ln_b"))
        normed = F.layer_norm(projected, gain.shape, gain, bias, self._eps)
        parts = [x]
        for order, branch in zip(_ORDERS, torch.split(normed, _BRANCH, dim=2), strict=True):
            for layer in ("1", "2"):
                seen = _windows(branch, order) @ w[f"w{layer}_{order}"] + w[f"b{layer}_{order}"]
                branch = branch + F.relu(seen)
            parts.append(branch)
        features = torch.cat(parts, dim=2)
        features = F.layer_norm(features, features.shape[2:], w["ln_g"], w["ln_b"], self._eps)
        summed = (features.sum(1) @ w["cnn_W"] + length * w["cnn_b"]) / length**0.5
        first = F.relu(summed @ w["d0"])
        second = F.relu(summed @ w["p1"] + first @ w["d1"])
        third = F.relu(second @ w["d2"])
        return F.normalize(torch.tanh(second @ w["p3"] + third @ w["d3"]), dim=1)


def _array(archive: ZipFile, name: str) -> NDArray[Any]:
    """An array of numpy's archive; none of its arrays holds objects."""
    with archive.open(f"{name}.npy") as stream:
        values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return values


def _windows(x: Tensor, order: int) -> Tensor:
    """Each piece of x (B, L, C) with its neighbours, zeros outside: (B, L, order * C)."""
    left = (order - 1) // 2
    padded = F.pad(x, (0, 0, left, order - 1 - left))
    return padded.unfold(1, order, 1).transpose(2, 3).flatten(2)
