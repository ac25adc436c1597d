"""A map of a library: every recording as a point of the plane, near to what sounds like it.

Two ways lead there. PCA is linear, exact and takes a second: the two directions in which the
recordings differ most. t-SNE keeps neighbours together and shows groups; it comes with the extra
`gdr-tui[map]` and is imported on use. It is fitted to at most `FITTED` recordings, its cost
being more than linear; all others are placed beside their nearest ones, as is what is drawn.

    map/NAME.safetensors   the points, with a checksum of what they were computed from

The file is a cache in the library's store. It is used only where checksums agree, of the
recordings and of the points themselves; else it is computed anew and replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gdr_model import atomic
from gdr_model.errors import Cancelled
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Cancel, never

if TYPE_CHECKING:
    from gdr_model.search.index import HnswIndex

PCA, TSNE = "PCA", "t-SNE"
FITTED = 2_000
"""Recordings that t-SNE is fitted to: 5 s of one core, where 5,000 take 20."""
SAMPLED = 20_000
"""Recordings that the directions of PCA are computed from."""
FEWEST = 12
"""Below this there are no groups to keep together, and PCA is what there is."""
ALIKE = 1e-6
"""Recordings that differ by less, all silent or all one sound, have no neighbours."""
PERPLEXITY = 30
ITERATIONS = (100, 300)
"""With exaggeration, then without. Twice as many move hardly a point."""
NEIGHBOURS = 8
SHARPNESS = 8.0
"""A neighbour whose cosine is lower by 1 / 8 counts 1 / e of the best."""
_CHUNK = 2_000
_STEP = 20


@dataclass(frozen=True)
class Recordings:
    """What is to be mapped: the mean of each recording's passages in the search space."""

    contents: tuple[str, ...]
    """In order, so that equal libraries give equal maps."""
    vectors: Array  # (N, D) unit rows

    @classmethod
    def of(cls, parts: Sequence[tuple[Sequence[str], Array]]) -> Recordings:
        """The recordings of some indexes, from the contents (P,) and vectors (P, D) of each."""
        names = np.array([name for contents, _ in parts for name in contents], dtype=np.str_)
        if not len(names):
            return cls((), np.empty((0, 1), np.float32))
        rows = np.concatenate([vectors for _, vectors in parts])
        order = np.argsort(names, kind="stable")
        contents, starts = np.unique(names[order], return_index=True)
        return cls(tuple(contents.tolist()), unit(np.add.reduceat(rows[order], starts)))

    @cached_property
    def checksum(self) -> str:
        """Of everything a map is computed from."""
        digest = hashlib.sha256("\n".join(self.contents).encode())
        digest.update(np.ascontiguousarray(self.vectors).data)
        digest.update(json.dumps([FITTED, SAMPLED, PERPLEXITY, ITERATIONS, NEIGHBOURS]).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Atlas:
    """Where every recording lies."""

    contents: tuple[str, ...]
    xy: Array  # (N, 2), from -1 to 1
    method: str
    fitted: int
    """How many the projection was fitted to; the others lie beside their nearest of these."""

    @cached_property
    def at(self) -> dict[str, int]:
        """The row of every recording."""
        return {content: row for row, content in enumerate(self.contents)}

    def place(self, points: Array, indexes: Sequence[HnswIndex]) -> Array:
        """Where points (Q, D) of the search space lie (Q, 2): among their nearest recordings.

        NaN for a point none of whose neighbours is on the map.
        """
        placed = np.full((len(points), 2), np.nan, np.float32)
        found = [index.search(points, NEIGHBOURS) for index in indexes]
        for at in range(len(points)):
            near: dict[int, float] = {}
            for index, (rows, scores) in zip(indexes, found, strict=True):
                for row, score in zip(rows[at].tolist(), scores[at].tolist(), strict=True):
                    here = self.at.get(index.passages.contents[row])
                    if here is not None:
                        near[here] = max(score, near.get(here, -1.0))
            best = sorted(near, key=lambda row: -near[row])[:NEIGHBOURS]
            if best:
                cosines = np.array([[near[row] for row in best]], np.float32)
                placed[at] = _barycentres(self.xy[[best]], cosines)[0]
        return placed


def best_method() -> str:
    """t-SNE where its extra is installed, else PCA."""
    return TSNE if find_spec("openTSNE") else PCA


def by_pca(recordings: Recordings) -> Atlas:
    """The two directions in which the recordings differ most."""
    vectors, count = recordings.vectors, len(recordings.contents)
    sample = vectors[_some(count, SAMPLED)]
    xy = np.zeros((count, 2), np.float32)
    if count > 1:
        mean = sample.mean(axis=0)
        off = sample - mean
        _, directions = np.linalg.eigh(off.T @ off)
        chosen = directions[:, ::-1][:, :2]
        # A direction has no sign of its own; one is chosen so that equal libraries look equal.
        largest = np.abs(chosen).argmax(axis=0)
        chosen = chosen * np.sign(chosen[largest, np.arange(chosen.shape[1])])
        xy[:, : chosen.shape[1]] = (vectors - mean) @ chosen
    return Atlas(recordings.contents, _framed(xy), PCA, count)


def by_tsne(
    recordings: Recordings,
    cancelled: Cancel = never,
    tell: Callable[[float], object] = lambda _: None,
) -> Atlas:
    """Neighbours together, groups apart; PCA where there are too few recordings for that.

    Args:
        recordings: what is to be mapped.
        cancelled: polled between steps.
        tell: told the share that is done.

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

    def polled(_iteration: int, _error: float, _embedding: object) -> bool:
        nonlocal done
        done += _STEP
        tell(min(1.0, done / sum(ITERATIONS)))
        return cancelled()

    fit = openTSNE.TSNE(
        perplexity=min(PERPLEXITY, (len(chosen) - 1) / 3),
        metric="cosine",
        initialization="pca",
        early_exaggeration_iter=ITERATIONS[0],
        n_iter=ITERATIONS[1],
        negative_gradient_method="bh",
        n_jobs=1,  # the other cores are for what is searched and played meanwhile
        random_state=0,
        callbacks=polled,
        callbacks_every_iters=_STEP,
    ).fit(np.asarray(base, np.float64))
    if cancelled():
        raise Cancelled("stopped")
    fixed = np.asarray(fit, np.float32)
    xy = np.empty((count, 2), np.float32)
    xy[chosen] = fixed
    others = np.setdiff1d(np.arange(count), chosen, assume_unique=True)
    for start in range(0, len(others), _CHUNK):
        if cancelled():
            raise Cancelled("stopped")
        rows = others[start : start + _CHUNK]
        cosines = recordings.vectors[rows] @ base.T  # (C, FITTED)
        near = np.argpartition(-cosines, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        xy[rows] = _barycentres(fixed[near], np.take_along_axis(cosines, near, axis=1))
    return Atlas(recordings.contents, _framed(xy), TSNE, len(chosen))


def cached(folder: Path, name: str, recordings: Recordings, method: str) -> Atlas | None:
    """The map on the disk if it is of these recordings by this method, else None."""
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
    sound = xy.shape == (len(recordings.contents), 2) and xy.dtype == np.float32
    if not sound or _sha256(xy) != facts.get("sha256"):
        return None
    return Atlas(recordings.contents, xy, facts.get("method", method), fitted)


def keep(folder: Path, name: str, recordings: Recordings, atlas: Atlas, asked: str) -> None:
    """Write a map that was `asked` for by a method; without room on the disk it goes unkept."""
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
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(folder / f"{name}.safetensors", content)


def _some(count: int, most: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Up to `most` rows of `count`, the same each time, in order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _barycentres(xy: Array, cosines: Array) -> Array:
    """The middle of neighbours (Q, K, 2), the nearest by cosine (Q, K) counting most."""
    weights = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((weights[:, :, None] * xy).sum(axis=1), np.float32)


def _framed(xy: Array) -> Array:
    """Coordinates from -1 to 1: all but the outermost fill .9 of that, those bend into the rest."""
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
