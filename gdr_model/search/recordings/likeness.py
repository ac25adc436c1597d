"""Whether two files hold the same recording, by their latents over the whole length.

Two encodings of one recording give nearly the same latents second by second, and these rise and
fall together. Another take, a cover or a remix can sound alike on average, but its latents take
their own course. So three numbers are compared, all of seconds that are aligned first:

    sound    mean cosine between the seconds of one file and those of the other
    worst    the same over the few seconds in which the files are least alike
    course   correlation of what remains when each file's own mean is subtracted

Another rip may start some tenths of a second earlier or later. Latents are a second apart, so
they are shifted by whole seconds, and between them by linear interpolation.

Shapes: T seconds, D latent width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdr_model.search.whitening import unit
from gdr_model.types import Array, LatentSpace

SHIFTS_S = (0, 1, -1, 2, -2, 3, -3)
"""How much later one file can begin than the other, the likeliest first."""
_HOPELESS = 0.3
"""A course that no finer alignment makes that of a copy."""
_FRACTIONS = (0.25, 0.5, 0.75)
_EDGE_S = 4
"""Seconds at either end that are not compared: silence before the sound reaches into them."""
_WORST_S = 4
"""Seconds in which files are compared separately: a verse that was cut, a voice that enters."""
_LEAST_S = 8
SHORTEST_S = _LEAST_S + 2 * _EDGE_S
"""Shorter files are copies only if their sound is exactly equal: they have no course."""


@dataclass(frozen=True)
class Likeness:
    """How alike two files are; of copies all numbers are near 1."""

    sound: float
    worst: float
    course: float

    def reaches(self, least: Likeness) -> bool:
        """Whether every number is at least that of another likeness."""
        return (
            self.sound >= least.sound and self.worst >= least.worst and self.course >= least.course
        )


_UNLIKE = Likeness(-1.0, -1.0, -1.0)


@dataclass(frozen=True)
class Bounds:
    """From which likeness on two files are copies."""

    surely: Likeness
    """From here on they are."""
    perhaps: Likeness
    """Below they are not; in between they are listened to."""
    agreement: float
    """The least agreement of what is listened to."""
    mean: float
    """Least cosine between the means of two files that are compared at all."""
    longer_s: float = 4.0
    """How much longer one copy can be than the other."""


_NEVER = Likeness(2.0, 2.0, 2.0)
EQUAL_ONLY = Bounds(_NEVER, _NEVER, agreement=2.0, mean=2.0)
"""No two files are this alike: only those of equal sound are copies."""
MEASURED = {
    "builtin": Bounds(
        surely=Likeness(sound=0.997, worst=0.99, course=0.99),
        perhaps=Likeness(sound=0.9, worst=0.85, course=0.65),
        agreement=0.85,
        mean=0.93,
    )
}
"""By encoder; see docs/copies.md."""


def bounds_of(space: LatentSpace) -> Bounds:
    """The bounds that were measured for a space; where none were, only equal sound counts."""
    return MEASURED.get(space.encoder, EQUAL_ONLY)


def likeness(one: Array, other: Array, enough: Likeness | None = None) -> Likeness:
    """Compare two files, given as unit rows of the search space, (T, D) each.

    With `enough`, an alignment that reaches it is not refined further.
    """
    best = _UNLIKE
    aligned = 0
    for shift in SHIFTS_S:
        found = _compared(*_shifted(one, other, shift))
        if found.course > best.course:
            best, aligned = found, shift
        if enough is not None and best.reaches(enough):
            return best
    if best.course < _HOPELESS:
        return best
    # The true shift is within a second of the best whole one.
    for shift in (aligned - 1, aligned):
        a, b = _shifted(one, other, shift, 1)
        for fraction in _FRACTIONS:
            between = unit((1 - fraction) * b[:-1] + fraction * b[1:])
            found = _compared(a[: len(between)], between)
            if found.course > best.course:
                best = found
    return best


def _shifted(one: Array, other: Array, shift: int, more: int = 0) -> tuple[Array, Array]:
    """The seconds both files have, without edges, where `other` begins `shift` s later.

    `more` is how many seconds of `other` are kept beyond those of `one`.
    """
    first = max(0, -shift) + _EDGE_S
    last = min(len(one), len(other) - shift - more) - _EDGE_S
    last = max(first, last)
    return one[first:last], other[first + shift : last + shift + more]


def _compared(a: Array, b: Array) -> Likeness:
    """The likeness of seconds that are aligned."""
    if len(a) < _LEAST_S:
        return _UNLIKE
    cosines = np.einsum("td,td->t", a, b)
    sums = np.cumsum(np.concatenate([[0.0], cosines]))
    worst = float((sums[_WORST_S:] - sums[:-_WORST_S]).min() / _WORST_S)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return Likeness(float(cosines.mean()), worst, float(np.vdot(a, b)) / max(lengths, 1e-9))
