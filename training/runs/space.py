"""The space of a run: raw latents to standardised ones, and those to search vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdr_model.diffusion.time_whitening import evened
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.config import DataConfig

LEAST_SD = 1e-6


@dataclass(frozen=True)
class Space:
    """raw -> [log] -> minus mean -> [principal axes] -> over sd; fitted on training tracks."""

    mean: Array  # (W,)
    basis: Array  # (W, D), the identity where the axes are kept
    sd: Array  # (D,), ones where nothing is scaled
    spread: Array  # (D,) deviation of the training tracks, whatever `sd` is
    floor: float
    """0 where no logarithm is taken."""
    power: float
    along: Array | None = None
    """(T, D) deviations along time relative to the time-mean's, if passages are whitened along time
    (`diffusion.time_whitening`)."""

    @classmethod
    def fit(cls, data: DataConfig, latents: list[Array] | tuple[Array, ...]) -> Space:
        """From the latents R × (T, W) of the training tracks."""
        floor = data.floor or 0.0
        rows = np.concatenate([_logged(track, floor) for track in latents]).astype(np.float64)
        mean = rows.mean(0) if data.standardise or data.components else np.zeros(rows.shape[1])
        basis = np.eye(rows.shape[1])
        if data.components:
            _, _, axes = np.linalg.svd(rows - mean, full_matrices=False)
            basis = axes[: data.components].T
            # The sign of an axis is arbitrary; make it the same on every machine.
            basis *= np.sign(basis[np.abs(basis).argmax(0), np.arange(basis.shape[1])])
        spread = np.maximum(((rows - mean) @ basis).std(0, ddof=min(1, len(rows) - 1)), LEAST_SD)
        sd = spread if data.standardise else np.ones_like(spread)
        return cls(_single(mean), _single(basis), _single(sd), _single(spread), floor, data.power)

    @property
    def dim(self) -> int:
        """Width of the space."""
        return len(self.sd)

    @property
    def per_axis(self) -> bool:
        """Whether a raw latent's axes are shifted and scaled one by one, and nothing else."""
        turned = len(self.mean) != self.dim or (self.basis != np.eye(self.dim)).any()
        return not self.floor and not turned

    def standard(self, latents: Array) -> Array:
        """Raw latents (..., W), standardised (..., D)."""
        return np.asarray((_logged(latents, self.floor) - self.mean) @ self.basis / self.sd)

    def passage(self, x: Array) -> Array:
        """Standardised passages (..., T, D) as the network gets them."""
        return x if self.along is None else evened(x, self.along)

    def search(self, x: Array) -> Array:
        """Standardised time-means (..., D) to unit vectors of the search space."""
        return unit(x * self.sd / self.spread**self.power)

    def towards(self, latents: Array) -> Array:
        """What is added to raw (or logged) latents (..., W), as it is in the search space (..., D).

        Not of unit length: latents can be added up before.
        """
        return np.asarray(latents @ self.basis / self.spread**self.power, np.float32)

    def tensors(self) -> dict[str, Array]:
        """Tensors to store with the weights; `from_tensors` reads them."""
        along = {} if self.along is None else {"space.along": self.along}
        return along | {
            "space.mean": self.mean,
            "space.basis": self.basis,
            "space.sd": self.sd,
            "space.spread": self.spread,
            "space.scalars": np.array([self.floor, self.power], np.float32),
        }

    @classmethod
    def from_tensors(cls, kept: dict[str, Array]) -> Space:
        """Read what `tensors` returned."""
        floor, power = (float(value) for value in kept["space.scalars"])
        mean, basis, sd, spread = (
            kept[f"space.{name}"] for name in ("mean", "basis", "sd", "spread")
        )
        return cls(mean, basis, sd, spread, floor, power, kept.get("space.along"))


def _single(values: NDArray[np.floating]) -> Array:
    return np.asarray(values, np.float32)


def _logged(latents: Array, floor: float) -> Array:
    return np.log(latents + np.float32(floor)) if floor else latents
