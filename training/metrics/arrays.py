"""The check that every metric starts with, and the geometry they share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdr_model.errors import UsageError

Floats = NDArray[np.float64]


def checked(values: ArrayLike, name: str, dims: int, least: int = 1) -> Floats:
    """`values` as float64: `dims` axes, none of them empty, and at least `least` rows.

    Raises:
        UsageError: naming what is wrong with it.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} is not an array of numbers: {error}") from error
    if array.ndim != dims:
        raise UsageError(f"{name} has {array.ndim} axes of shape {array.shape}; {dims} are needed")
    if not array.size:
        raise UsageError(f"{name} is empty: its shape is {array.shape}")
    if len(array) < least:
        raise UsageError(f"{name} has {len(array)} rows; at least {least} are needed")
    if not np.isfinite(array).all():
        raise UsageError(f"{name} holds values that are not finite numbers")
    return array


def pair(real: ArrayLike, drawn: ArrayLike, least: int = 2) -> tuple[Floats, Floats]:
    """Two sets (N, D) and (M, D) of one width.

    Raises:
        UsageError: if either is malformed, or their widths differ.
    """
    a, b = checked(real, "the real set", 2, least), checked(drawn, "the drawn set", 2, least)
    if a.shape[1] != b.shape[1]:
        raise UsageError(
            f"the real set is {a.shape[1]} wide and the drawn set {b.shape[1]}; they must be equal"
        )
    return a, b


def unit(vectors: Floats) -> Floats:
    """The last axis at length one.

    Raises:
        UsageError: if a vector has no direction.
    """
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not norms.all():
        raise UsageError("a vector is zero everywhere and has no direction")
    return vectors / norms  # type: ignore[no-any-return]


def distances(a: Floats, b: Floats) -> Floats:
    """Euclidean distances (N, M) between the rows of (N, D) and (M, D)."""
    aa, bb = (a**2).sum(1)[:, None], (b**2).sum(1)[None]  # (N, 1), (1, M)
    squared = aa + bb - 2 * (a @ b.T)  # (N, M)
    # Equal points are at distance 0, not at the square root of a rounding error.
    squared[squared < 1e-14 * (aa + bb)] = 0
    return np.sqrt(squared)  # type: ignore[no-any-return]
