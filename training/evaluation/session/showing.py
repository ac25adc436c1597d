"""Which ten results are shown: the most probable ones, or others that may tell more.

Scores are read as log probabilities, as `gdr_model.search.session` reads them. The product shows
the most probable ones; the others are measured against that.

Shapes: R recordings, C candidates, S likely targets, K shown.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdr_model.search.session.likelihood import CHOICE, PRIOR
from gdr_model.types import Array

SHOWN = 10
CANDIDATES, LIKELY = 60, 300
"""Recordings that can be shown for what they tell, and those that may be the target."""
INFORMATION = 0.5
"""What a nat is worth in chances of seeing the target at once; .02, .1 and .5 were tried."""

Show = Callable[[Array, np.random.Generator], list[int]]
"""From scores (R,), -inf for what has been seen, to the columns of the results shown."""


def most_probable(scores: Array, rng: np.random.Generator) -> list[int]:
    """The highest scores, best first."""
    return _best(scores, SHOWN)


def thompson(scores: Array, rng: np.random.Generator) -> list[int]:
    """Ten draws from the posterior without replacement."""
    noise = rng.gumbel(size=len(scores)).astype(np.float32)
    return _best(scores / np.float32(PRIOR) + noise, SHOWN)


def informative(sounds: Array) -> Show:
    """One by one what adds most chance of being the target, and most information by a choice.

    `sounds` are the recordings' points (R, D) as evidence compares them. The information is that
    between the target and which of those shown would be preferred.
    """

    def show(scores: Array, rng: np.random.Generator) -> list[int]:
        likely = np.array(_best(scores, LIKELY))
        p = np.exp((scores[likely] - scores[likely[0]]) / PRIOR)  # (S,)
        p /= p.sum()
        candidates = likely[:CANDIDATES]
        odds = np.exp(sounds[likely] @ sounds[candidates].T / CHOICE)  # (S, C)
        chosen, total = [0], odds[:, 0].copy()
        while len(chosen) < min(SHOWN, len(candidates)):
            others = [one for one in range(len(candidates)) if one not in chosen]
            sums = total[:, None] + odds[:, others]  # (S, others)
            answers = np.stack(
                [odds[:, [one]] / sums for one in chosen] + [odds[:, others] / sums], axis=1
            )  # (S, K, others)
            certain = -(answers * np.log(answers + 1e-12)).sum(1)
            mean = np.einsum("s,sko->ko", p, answers)
            information = -(mean * np.log(mean + 1e-12)).sum(0) - p @ certain
            chosen.append(others[int(np.argmax(p[others] + INFORMATION * information))])
            total += odds[:, chosen[-1]]
        return [int(candidates[one]) for one in chosen]

    return show


def _best(scores: Array, count: int) -> list[int]:
    """The columns of the highest scores, best first, of those that are not -inf."""
    count = min(count, int(np.isfinite(scores).sum()))
    top = np.argpartition(-scores, count - 1)[:count]
    return [int(one) for one in top[np.lexsort((top, -scores[top]))]]
