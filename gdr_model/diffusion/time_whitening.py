"""Whitening along time: what a passage's latents have in common is not counted a second each.

The windows of neighbouring latents overlap and music goes on, so the latents of a passage are
alike: standardised second by second, their time-mean varies by 7 and what moves within seconds
by .1. Against unit noise the first is known nearly to the end and the second never seen; and a
network that is narrower than a patch cannot answer for the directions that hardly vary, so that
inversion gave them back as they were (noise of deviation .47).

With C the orthonormal DCT-II over T frames and s (T, D) the deviation of every coefficient,

    y = C' ((C x) / s)

has unit variance in every coefficient. It is a sequence still (the symmetric root: of all
whitenings the one that moves x least, Kessy et al. 2018), and its mean over time is x's over s[0].
Noise is the same before and after, C being orthonormal.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gdr_model.types import Array

LEAST = 0.02
"""Deviation below which a coefficient is taken to have this one; nothing is blown up beyond."""


@lru_cache(maxsize=8)
def basis(frames: int) -> Array:
    """The orthonormal DCT-II (T, T): a row a frequency, the mean's first."""
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
    """Sequences (..., T, D) with every coefficient over its deviation s (T, D)."""
    c = basis(x.shape[-2])
    return np.asarray(c.T @ ((c @ x) / s), np.float32)
