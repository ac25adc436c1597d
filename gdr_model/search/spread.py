"""How much the tower has to say in a list: at each spread, from closest to widest, and of an edit.

At 0 every draw and the tower make the list together, which is the closest to the words and hardly
changes with the seed. Above 0 it is made from one draw, the one of the roll, and the tower has a
smaller share of the score the wider the spread: rolls differ more, and are less close to the words.

An edit starts from sound, of which the tower knows nothing. It has a smaller share there, which
grows with the strength: a strong edit reaches what the words ask for, a weak one keeps its source.
"""

from __future__ import annotations

from gdr_model.steering import Steering

OF_EDIT = 0.7
"""The tower's share of an edit at strength 1, of the one it has otherwise."""


def cloud(steering: Steering) -> Steering:
    """What draws the points among which a roll chooses; equal for all rolls of the same points."""
    if not steering.spread:
        return steering.but(roll=1)
    block = (steering.roll - 1) // steering.draws
    return steering.but(spread=0.0, roll=1, seed=steering.seed + block)


def chosen(steering: Steering) -> int | None:
    """Which of the drawn points makes the list; None for all."""
    return (steering.roll - 1) % steering.draws if steering.spread else None


def share(steering: Steering, anchor_share: float) -> float:
    """The tower's share of a score, given the one it has of a list from all draws."""
    of_edit = OF_EDIT * steering.edit.strength if steering.edit else 1.0
    return anchor_share * of_edit * (1 - steering.spread)
