"""Fidelity: how far the distribution of draws is from that of real music.

Fréchet   ||m₁ - m₂||² + tr C₁ + tr C₂ - 2 tr (C₁ C₂)^½, the distance of two Gaussians with the
          means and covariances (divisor N - 1) of the sets. 0 for equal sets. It is biased upwards
          by about 1 / N, and with fewer rows than dimensions the covariances are singular: then use
          `frechet_shrunk`, and compare only values of equal N, which every value carries.
Kernel    unbiased squared maximum mean discrepancy with the kernel (x·y / D + 1)³, known as KID
          (Bińkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018). It needs
          no covariance and is unbiased at any N, so it can be slightly negative for equal
          distributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from training.metrics.arrays import Floats, pair


@dataclass(frozen=True)
class Distance:
    """A distance between two sets, with the sizes it was estimated from."""

    value: float
    n_real: int
    n_drawn: int
    dim: int
    shrinkage: tuple[float, float] = (0.0, 0.0)
    """Share of each covariance (real, drawn) that was replaced by a sphere, from 0 to 1."""

    def __str__(self) -> str:
        return f"{self.value:.4g} (N = {self.n_real} real, {self.n_drawn} drawn, D = {self.dim})"


def frechet(real: ArrayLike, drawn: ArrayLike) -> Distance:
    """The exact distance of the sets (N, D) and (M, D), also if N or M is below D."""
    a, b = pair(real, drawn)
    # The roots come from the data itself: a root of the covariance would turn eigenvalues of
    # 1e-16, which should be 0, into 1e-8 each, which limits the usual formulas.
    return _distance(a, b, _data_root(a), _data_root(b), (0.0, 0.0))


def frechet_shrunk(real: ArrayLike, drawn: ArrayLike) -> Distance:
    """The distance with both covariances shrunk towards spheres (Ledoit and Wolf, 2004)."""
    a, b = pair(real, drawn)
    by_a, by_b = shrinkage(a), shrinkage(b)
    return _distance(a, b, _shrunk_root(a, by_a), _shrunk_root(b, by_b), (by_a, by_b))


def shrinkage(rows: Floats) -> float:
    """The share of a sphere that brings the covariance of (N, D) nearest to the true one.

    With S the covariance of divisor N, m = tr S / D, d² = ||S - mI||² / D and
    b² = Σₖ ||xₖxₖᵀ - S||² / (N² D), it is min(b², d²) / d².
    """
    n, dim = rows.shape
    x = rows - rows.mean(axis=0)
    s = x.T @ x / n  # (D, D)
    d2 = float(((s - np.trace(s) / dim * np.eye(dim)) ** 2).sum()) / dim
    # Σₖ ||xₖxₖᵀ||² = Σₖ |xₖ|⁴, and the mean of the xₖxₖᵀ is S itself.
    b2 = (float(((x**2).sum(axis=1) ** 2).sum()) / n - float((s**2).sum())) / (n * dim)
    return min(b2, d2) / d2 if d2 > 0 else 1.0


def kernel_distance(real: ArrayLike, drawn: ArrayLike) -> Distance:
    """The unbiased kernel distance of the sets (N, D) and (M, D)."""
    a, b = pair(real, drawn)
    n, m = len(a), len(b)
    within_a, within_b, between = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    value = (
        (within_a.sum() - np.trace(within_a)) / (n * (n - 1))
        + (within_b.sum() - np.trace(within_b)) / (m * (m - 1))
        - 2 * between.mean()
    )
    return Distance(float(value), n, m, a.shape[1])


def _kernel(a: Floats, b: Floats) -> Floats:
    return (a @ b.T / a.shape[1] + 1) ** 3  # type: ignore[no-any-return]


def _distance(
    a: Floats, b: Floats, root_a: Floats, root_b: Floats, shrunk: tuple[float, float]
) -> Distance:
    """The distance from roots R (r, D) of the covariances, C = RᵀR."""
    gap = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    traces = float((root_a**2).sum() + (root_b**2).sum())
    # tr (C₁ C₂)^½ is the sum of the singular values of R₁R₂ᵀ.
    overlap = float(np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum())
    # Equal sets give 0 minus a rounding error.
    value = max(0.0, gap + traces - 2 * overlap)
    return Distance(value, len(a), len(b), a.shape[1], shrunk)


def _data_root(rows: Floats) -> Floats:
    """R (min(N, D), D) with RᵀR the covariance."""
    centred = (rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1)
    return np.linalg.qr(centred).R


def _shrunk_root(rows: Floats, share: float) -> Floats:
    """R (D, D) with RᵀR the covariance shrunk by `share`."""
    n, dim = rows.shape
    x = rows - rows.mean(axis=0)
    c = x.T @ x / (n - 1)
    values, vectors = np.linalg.eigh((1 - share) * c + share * np.trace(c) / dim * np.eye(dim))
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T  # type: ignore[no-any-return]
