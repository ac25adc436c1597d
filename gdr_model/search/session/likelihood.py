"""How likely each recording makes what a person did: the words are the prior, this is the evidence.

A search score s(t) is read as the prior of a recording t, p(t) ~ exp(s(t) / PRIOR). If the one that
a person has in mind is t, the file a of those shown S is preferred with the probability

    p(a | t, S) = exp(t.a / CHOICE) / sum over b in S of exp(t.b / CHOICE),

a file is listened to until its end with sigmoid(t.a / HEARD), and left soon with
sigmoid(-t.a / PASSED). All of it multiplies, so the posterior is ranked by

    s(t) + PRIOR (log p(a | t, S) + log |S|) + ...,

a score in cosines as before, to which each thing that was done adds a part of its own. What says
nothing about t adds 0 to it; files that were shown and not preferred sink, because they would have
been preferred had they been wanted. Without evidence nothing is added.

Two recordings are compared as they sound from beginning to end: by the cosine of their means over
time, centred and not whitened. The whitening that serves words spreads out small differences that
a person does not judge by (training/README.md, Sessions).

Shapes: N recordings, D latent width, S files of a choice.
"""

from __future__ import annotations

import numpy as np

from gdr_model.evidence import Judgement
from gdr_model.search.whitening import Whitening, unit
from gdr_model.types import Array, Judged

PRIOR = 0.05
CHOICE = 0.1
HEARD = 0.25
PASSED = 0.25
"""Temperatures: how far in cosines a score, or what a person hears, has to differ to count. Chosen
with simulated persons on other tracks than those reported (training/README.md, Sessions)."""


def as_heard(means: Array, whitening: Whitening) -> Array:
    """The points (..., D) of sounds as evidence compares them, from their means over time."""
    return unit(means - whitening.mean)


def pushes(judged: Judged, sounds: Array) -> Array:
    """What one thing that was done adds to the scores (N,) of recordings (N, D), `as_heard`."""
    cosines = sounds @ judged.points.T  # (N, S)
    if judged.evidence.judgement == Judgement.PREFERRED:
        scaled = cosines / np.float32(CHOICE)
        most = scaled.max(axis=1)
        of_all = most + np.log(np.exp(scaled - most[:, None]).sum(axis=1))
        likelihood = scaled[:, 0] - of_all + np.log(np.float32(scaled.shape[1]))
    elif judged.evidence.judgement == Judgement.HEARD:
        likelihood = _log_sigmoid(cosines[:, 0] / np.float32(HEARD))
    else:
        likelihood = _log_sigmoid(-cosines[:, 0] / np.float32(PASSED))
    return np.asarray(np.float32(PRIOR) * likelihood, np.float32)


def _log_sigmoid(values: Array) -> Array:
    """Log of twice the sigmoid: 0 where a value says nothing."""
    return np.asarray(np.log(2.0) - np.logaddexp(0.0, -values), np.float32)
