"""The prompts of an evaluation of clouds: vague ones as a set has them, narrow ones joined of two.

A set whose captions name a genre or a mood has many right answers to each. Two such captions in
one prompt ask for what answers both, which is fewer tracks, closer together.

Shapes: N tracks, D latent width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from gdr_model.errors import UsageError
from training.data.division import Mask

LEAST = 24
"""Right answers below which a cloud cannot be measured."""
NARROW = 12
"""Prompts of two captions, at most."""


@dataclass(frozen=True)
class Asked:
    """A prompt and the tracks that answer it."""

    text: str
    right: Mask = field(repr=False)  # (N,)
    narrow: bool = False


def asked(captions: Sequence[str], right: Mask) -> list[Asked]:
    """The captions with at least `LEAST` answers (P, N), and the narrowest pairs of them.

    Raises:
        UsageError: if no caption has so many answers.
    """
    vague = [
        Asked(text, answers)
        for text, answers in zip(captions, right, strict=True)
        if answers.sum() >= LEAST
    ]
    if not vague:
        raise UsageError(
            f"no caption of the set has {LEAST} right answers; a cloud is measured on captions "
            "with many, such as names of genres"
        )
    return [*vague, *pairs(vague)]


def pairs(vague: Sequence[Asked]) -> list[Asked]:
    """Up to `NARROW` pairs with enough common answers, the fewest first."""
    joined = [
        Asked(f"{one.text}, {other.text}", one.right & other.right, narrow=True)
        for one, other in combinations(vague, 2)
    ]
    enough = [pair for pair in joined if pair.right.sum() >= LEAST]
    return sorted(enough, key=lambda pair: int(np.sum(pair.right)))[:NARROW]
