"""How a list is made at each spread, from closest to widest, and how much the tower has to say.

At 0 all draws and the tower make one list, the closest to the words, which hardly changes with the
seed. Above 0 a list is a roll. With d the draw of the roll, m the mean of all draws, r the root
mean square of their distances to m, and a the tower's share, the score of a passage t is

    a e.t + (1 - a) m.t + LEAN spread (d - m).t / r  -  SHOWN spread w n(t),

where e is the tower's point and n(t) is how many lists before this one showed the recording of t
among their first LOOK: the closest list, then the rolls from the same draws. So a roll leans
towards its draw, and makes room for what has not been seen.

w is how far the recordings of the closest list are apart (`apart`). It follows how far all answers
are apart, which the distance r between the draws does not; so vague words change more from roll to
roll than narrow ones do. How far guidance draws the draws together does not matter: every prompt
has rolls.

An edit starts from sound, of which the tower knows nothing. It has a smaller share there, which
grows with the strength: a strong edit reaches what the words ask for, a weak one keeps its source.

The two numbers of rolls were chosen on `labels-a`, where more leaning is less precise and none is
level; `gdr eval spread` measures them (training/README.md).

Shapes: Q draws, R recordings, D latent width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from gdr_model.steering import Steering
from gdr_model.types import Array

LEAN = 0.2
"""How far the widest roll leans towards its draw, in cosines."""
SHOWN = 0.065
"""What every list before takes at the widest spread from what it showed, in cosines, if the
recordings of the closest list have nothing in common."""
LOOK = 20
"""The first recordings of a list, which count as shown."""
ALIKE = 1e-4
"""Mean distance of draws to their mean below which they are one."""
OF_EDIT = 0.7
"""The tower's share of an edit at strength 1, of the one it has otherwise."""


def cloud(steering: Steering) -> Steering:
    """What draws the points that a roll is made from; equal for all rolls of the same points."""
    if not steering.spread:
        return steering.but(roll=1)
    block = (steering.roll - 1) // steering.draws
    return steering.but(spread=0.0, roll=1, seed=(steering.seed + block) % 2**63)


def place(steering: Steering) -> int:
    """Which of the lists from the same draws this one is: 0 the closest, 1 the first roll."""
    return (steering.roll - 1) % steering.draws + 1 if steering.spread else 0


def share(steering: Steering, anchor_share: float) -> float:
    """The tower's share of a score, given the model's."""
    of_edit = OF_EDIT * steering.edit.strength if steering.edit else 1.0
    return anchor_share * of_edit


def weights(vectors: Array, steering: Steering, place: int, share: float) -> Array | None:
    """What each draw (Q, D) has of a score besides the tower's `share`; None for equal parts.

    The weights (Q,) sum to 1.
    """
    apart = vectors - vectors.mean(axis=0)
    distance = float(np.sqrt((apart**2).sum(axis=1).mean()))
    if not place or share >= 1 or distance < ALIKE:
        return None
    lean = LEAN * steering.spread / distance / (1 - share)
    chosen = np.arange(len(vectors)) == place - 1
    return np.asarray((1 - lean) / len(vectors) + lean * chosen, np.float32)


def apart(points: Array) -> float:
    """1 - the mean cosine between two unit points (R, D); 0 where there are fewer than two."""
    count = len(points)
    if count < 2:
        return 0.0
    return float(1 - ((points.sum(axis=0) ** 2).sum() - count) / (count * (count - 1)))


def taken(
    lists: Sequence[Collection[str]], steering: Steering, apart: float
) -> Mapping[str, float]:
    """What lists before take from the score of each recording that they showed, by content.

    Args:
        lists: the contents that each showed.
        steering: of the roll.
        apart: how far the recordings of the closest list are apart.
    """
    shown = Counter(content for contents in lists for content in contents)
    each = SHOWN * steering.spread * apart
    return {content: each * count for content, count in shown.items()}
