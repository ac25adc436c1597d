"""A map of a library: every recording as a point in the plane, near to those that sound like it.

There are two methods. PCA is linear, exact and takes a second: the two directions in which the
recordings differ most. t-SNE keeps neighbours together and shows groups; it needs the extra
`gdr-tui[map]`, which is imported on use. It is fitted to at most `FITTED` recordings, because
its cost is more than linear; the others, and draws, are placed among their nearest neighbours.

    map/NAME.safetensors   the points, with a checksum of what they were computed from

The file is a cache in the library's store. It is used only if the checksums of the recordings and
of the points agree; otherwise the map is recomputed and replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gdr_model import atomic
from gdr_model.errors import Cancelled
from gdr_model.private import make_private
from gdr_model.search.indexed.vectors import Rows, Vectors
from gdr_model.types import Array, Cancel, never

if TYPE_CHECKING:
    from gdr_model.search.indexed.protocol import Index

PCA, TSNE = "PCA", "t-SNE"
FITTED = 2_000
"""Recordings that t-SNE is fitted to: 5 s of one core, where 5,000 take 20."""
SAMPLED = 20_000
"""Recordings that the directions of PCA are computed from."""
FEWEST = 12
"""Fewer recordings have no groups to keep together, so they are mapped by PCA."""
ALIKE = 1e-6
"""Recordings that differ by less, all silent or all the same, have no neighbours."""
PERPLEXITY = 30
ITERATIONS = (100, 300)
"""With exaggeration, then without. Twice as many make hardly a difference."""
NEIGHBOURS = 8
SHARPNESS = 8.0
"""A neighbour whose cosine is 1 / 8 lower than the best counts 1 / e as much."""
_CHUNK = 2_000
_STEP = 20


class _ByRow(Protocol):
    """Unit rows (N, D), some of which can be read."""

    def __getitem__(self, rows: Rows, /) -> Array: ...


@dataclass(frozen=True)
class _Sorted:
    """Rows of an index in another order, as they are stored; a mapped file stays on the disk."""

    stored: Vectors
    order: Rows

    def __getitem__(self, rows: Rows, /) -> Array:
        return self.stored.approximate(self.order[rows])


@dataclass(frozen=True)
class Recordings:
    """What a map is made from: the mean of each recording's passages in the search space."""

    contents: tuple[str, ...]
    """Sorted, so that equal libraries give equal maps."""
    vectors: _ByRow  # (N, D)

    @classmethod
    def of(cls, parts: Sequence[tuple[NDArray[np.bytes_], Vectors]]) -> Recordings:
        """Those of several indexes, from the contents (R,) and vectors (R, D) of each.

        What several of them have is taken from the first.
        """
        if not parts:
            return cls((), np.empty((0, 1), np.float32))
        names, order = np.unique(np.concatenate([part[0] for part in parts]), return_index=True)
        blocks = [block for _, vectors in parts for block in vectors.blocks]
        stored = Vectors(blocks, parts[0][1].shape[1], _no_others)
        return cls(tuple(name.decode() for name in names.tolist()), _Sorted(stored, order))

    @cached_property
    def checksum(self) -> str:
        """A checksum of everything a map is computed from."""
        digest = hashlib.sha256("\n".join(self.contents).encode())
        for rows in _chunks(np.arange(len(self.contents))):
            digest.update(np.ascontiguousarray(self.vectors[rows]).data)
        digest.update(json.dumps([FITTED, SAMPLED, PERPLEXITY, ITERATIONS, NEIGHBOURS]).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Atlas:
    """The position of every recording."""

    contents: tuple[str, ...]
    xy: Array  # (N, 2), from -1 to 1
    method: str
    fitted: int
    """How many the projection was fitted to; the others are placed among their nearest of these."""

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of every recording."""
        return {content: row for row, content in enumerate(self.contents)}

    def place(self, points: Array, indexes: Sequence[Index]) -> Array:
        """Positions (Q, 2) for points (Q, D) of the search space, among their nearest recordings.

        NaN for a point without neighbours on the map.
        """
        placed = np.full((len(points), 2), np.nan, np.float32)
        answers = [index.search(points, NEIGHBOURS) for index in indexes]
        for point in range(len(points)):
            near: dict[int, float] = {}  # row on the map to cosine
            for index, (rows, scores) in zip(indexes, answers, strict=True):
                for row, score in zip(rows[point].tolist(), scores[point].tolist(), strict=True):
                    mapped = self.row_of.get(index.passages.contents[row])
                    if mapped is not None:
                        near[mapped] = max(score, near.get(mapped, -1.0))
            best = sorted(near, key=lambda row: -near[row])[:NEIGHBOURS]
            if best:
                cosines = np.array([[near[row] for row in best]], np.float32)
                placed[point] = _barycentres(self.xy[[best]], cosines)[0]
        return placed


def best_method() -> str:
    """t-SNE if its extra is installed, else PCA."""
    return TSNE if find_spec("openTSNE") else PCA


def by_pca(recordings: Recordings) -> Atlas:
    """Map recordings to the two directions in which they differ most."""
    count = len(recordings.contents)
    sample = recordings.vectors[_some(count, SAMPLED)]
    xy = np.zeros((count, 2), np.float32)
    if count > 1:
        mean = sample.mean(axis=0)
        centred = sample - mean
        _, directions = np.linalg.eigh(centred.T @ centred)
        chosen = directions[:, ::-1][:, :2]
        # The sign of a direction is arbitrary; it is fixed so that equal libraries look equal.
        largest = np.abs(chosen).argmax(axis=0)
        chosen = chosen * np.sign(chosen[largest, np.arange(chosen.shape[1])])
        for rows in _chunks(np.arange(count)):
            xy[rows, : chosen.shape[1]] = (recordings.vectors[rows] - mean) @ chosen
    return Atlas(recordings.contents, _framed(xy), PCA, count)


def by_tsne(
    recordings: Recordings,
    cancelled: Cancel = never,
    on_progress: Callable[[float], object] = lambda _: None,
) -> Atlas:
    """Map recordings so that neighbours stay together; by PCA if there are too few for that.

    Args:
        recordings: what to map.
        cancelled: polled between steps.
        on_progress: called with the share that is done.

    Raises:
        ImportError: if the extra is not installed.
        Cancelled: when asked.
    """
    count = len(recordings.contents)
    chosen = _some(count, FITTED)
    base = recordings.vectors[chosen]
    if count < FEWEST or np.ptp(base, axis=0).max() < ALIKE:
        return by_pca(recordings)
    import openTSNE

    done = 0

    def poll(_iteration: int, _error: float, _embedding: object) -> bool:
        nonlocal done
        done += _STEP
        on_progress(min(1.0, done / sum(ITERATIONS)))
        return cancelled()

    fit = openTSNE.TSNE(
        perplexity=min(PERPLEXITY, (len(chosen) - 1) / 3),
        metric="cosine",
        initialization="pca",
        early_exaggeration_iter=ITERATIONS[0],
        n_iter=ITERATIONS[1],
        negative_gradient_method="bh",
        n_jobs=1,  # leaves the other cores to searching and playing
        random_state=0,
        callbacks=poll,
        callbacks_every_iters=_STEP,
    ).fit(np.asarray(base, np.float64))
    if cancelled():
        raise Cancelled("stopped")
    fixed = np.asarray(fit, np.float32)
    xy = np.empty((count, 2), np.float32)
    xy[chosen] = fixed
    others = np.setdiff1d(np.arange(count), chosen, assume_unique=True)
    for rows in _chunks(others):
        if cancelled():
            raise Cancelled("stopped")
        cosines = recordings.vectors[rows] @ base.T  # (C, FITTED)
        near = np.argpartition(-cosines, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        xy[rows] = _barycentres(fixed[near], np.take_along_axis(cosines, near, axis=1))
    return Atlas(recordings.contents, _framed(xy), TSNE, len(chosen))


def cached(folder: Path, name: str, recordings: Recordings, method: str) -> Atlas | None:
    """The map on disk if it is of these recordings by this method, else None."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / f"{name}.safetensors", framework="numpy") as file:
            facts = file.metadata() or {}
            if facts.get("recordings") != recordings.checksum or facts.get("asked") != method:
                return None
            xy = np.asarray(file.get_tensor("xy"))
            fitted = int(facts["fitted"])
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    is_valid = xy.shape == (len(recordings.contents), 2) and xy.dtype == np.float32
    if not is_valid or _sha256(xy) != facts.get("sha256"):
        return None
    return Atlas(recordings.contents, xy, facts.get("method", method), fitted)


def keep(folder: Path, name: str, recordings: Recordings, atlas: Atlas, asked: str) -> None:
    """Save a map for which the method `asked` was requested; on a full disk it is not saved."""
    from safetensors.numpy import save

    facts = {
        "recordings": recordings.checksum,
        "asked": asked,
        "method": atlas.method,
        "fitted": str(atlas.fitted),
        "sha256": _sha256(atlas.xy),
    }
    content = save({"xy": np.ascontiguousarray(atlas.xy)}, facts)
    with contextlib.suppress(OSError):
        make_private(folder)
        atomic.write_bytes(folder / f"{name}.safetensors", content)


def _no_others(rows: Rows, checked: bool) -> Array:
    raise NotImplementedError("a map is made from the vectors as they are stored")


def _chunks(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _some(count: int, most: int) -> Rows:
    """Up to `most` rows of `count`, the same every time, in order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _barycentres(xy: Array, cosines: Array) -> Array:
    """Weighted means of neighbours (Q, K, 2), those with a high cosine (Q, K) counting most."""
    weights = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((weights[:, :, None] * xy).sum(axis=1), np.float32)


def _framed(xy: Array) -> Array:
    """Scale to -1 to 1: all but the outermost 1 % fill .9 of it, the others are squeezed in."""
    if not len(xy):
        return xy
    low, high = np.quantile(xy, [0.005, 0.995], axis=0)
    spread = np.maximum((high - low) / 2, 1e-9)
    scaled = 0.9 * (xy - (low + high) / 2) / spread
    beyond = np.maximum(np.abs(scaled) - 0.9, 0.0)
    inside = np.clip(scaled, -0.9, 0.9)
    return np.asarray(inside + np.sign(scaled) * 0.1 * np.tanh(beyond), np.float32)


def _sha256(xy: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(xy).data).hexdigest()
