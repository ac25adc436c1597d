"""Whitening along time, so that what a passage's latents have in common counts only once.

The windows of neighbouring latents overlap and music is continuous, so the latents of a passage
are alike: standardised second by second, the deviation of their time-mean is 7 and that of what
changes within seconds .1. Under unit noise the former is visible almost to the end and the latter
never; and a network narrower than a patch cannot represent the directions that hardly vary, so
inversion returned them unchanged (noise of deviation .47).

With C the orthonormal DCT-II over T frames and s (T, D) the deviation of every coefficient,

    y = C' ((C x) / s)

has unit variance in every coefficient. It is still a sequence (the symmetric root: of all
whitenings the one that changes x least, Kessy et al. 2018), and its time-mean is that of x over
s[0]. Noise is the same before and after, because C is orthonormal.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gdr_model.types import Array

LEAST = 0.02
"""Smallest deviation to divide a coefficient by, so that none is amplified further."""


@lru_cache(maxsize=8)
def basis(frames: int) -> Array:
    """The orthonormal DCT-II (T, T): one row per frequency, that of the mean first."""
    k, n = np.arange(frames)[:, None], np.arange(frames)[None]
    c = np.sqrt(2 / frames) * np.cos(np.pi * (n + 0.5) * k / frames)
    c[0] /= np.sqrt(2)
    return np.asarray(c, np.float32)


def deviations(x: Array) -> Array:
    """Deviations s (T, D) of the coefficients of standardised passages (B, T, D)."""
    coefficients = basis(x.shape[1]) @ x
    rms = np.sqrt(np.square(coefficients, dtype=np.float64).mean(0))
    return np.asarray(np.maximum(rms, LEAST), np.float32)


def evened(x: Array, s: Array) -> Array:
    """Sequences (..., T, D) with every coefficient divided by its deviation s (T, D)."""
    c = basis(x.shape[-2])
    return np.asarray(c.T @ ((c @ x) / s), np.float32)
