"""A captioned set divided for one run: what it trains on, validates on and is asked.

No caption is asked that was trained on, whatever its case and punctuation, and no sound. Splits
keep tracks with equal captions together where they can. Where they cannot (the set names its own
splits, or a caption is on too many tracks), training leaves such captions out if they are few, and
otherwise they are not asked. If every caption was trained on, as tags of genres are, all are asked,
and the counts say so: the sounds are new, the words are not.

Shapes: R tracks, I items (a caption of a track).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.splits import Splits

Mask = NDArray[np.bool_]
FEW = 0.1
"""Share of the captions that training goes without, at most, so that others can be asked."""


@dataclass(frozen=True)
class Division:
    """Which tracks and items play which part."""

    trained: Mask  # (R,) tracks trained on
    held_out: Mask  # (R,)
    validation: Mask  # (R,) tracks of the check while training
    items: Mask  # (I,) captions trained on
    asked: Mask  # (I,) held-out captions that are searched for, each once
    checked: Mask  # (I,) the same of the validation
    left_out: int
    """Captions that are neither trained on nor asked, because they would be both."""
    repeated: int
    """Captions asked although they were trained on, with other tracks; then all of them are."""
    checked_repeated: int
    """The same of the validation."""

    def said(self) -> str:
        """What was left out or repeats, as a sentence; empty if there is nothing to say."""
        if self.repeated:
            return (
                f"All {self.repeated} captions were trained on too, with other tracks: this "
                "measures new sounds, not new words."
            )
        if self.left_out:
            return f"{self.left_out} captions are left out, because they were also trained on."
        return ""


def divide(
    splits: Splits,
    part: str,
    validation: float,
    *,
    tracks: Sequence[str],
    sounds: Sequence[str],
    track_of: NDArray[np.int64],
    said_of: NDArray[np.int64],
) -> Division:
    """Hold out a part, and a share of the other tracks for validation.

    `tracks` (R) are the names and `sounds` (R) the fingerprints, `track_of` (I,) and `said_of` (I,)
    the numbers of each item's track and words.

    Raises:
        UsageError: if there is no such part.
    """
    names, heard = np.array(tracks), np.array(sounds)
    held_out = np.isin(names, np.array(splits.fold(part)[1], names.dtype))
    chosen = np.isin(names, np.array(splits.validation(part, validation), names.dtype))
    # A set's own splits can have one sound in two of them.
    chosen &= ~np.isin(heard, heard[held_out])
    trained = ~held_out & ~chosen & ~np.isin(heard, heard[held_out | chosen])
    items = trained[track_of]
    away = (held_out | chosen)[track_of]
    both = items & np.isin(said_of, said_of[away])
    left_out = 0
    if both.sum() <= FEW * items.sum():
        items, left_out = items & ~both, int(both.sum())
    known = np.isin(said_of, said_of[items])
    asked = held_out[track_of]
    fresh = asked & ~known
    repeated = 0
    if fresh.any():
        left_out += _different(asked, said_of) - _different(fresh, said_of)
        asked = fresh
    else:
        repeated = _different(asked, said_of)
    checked = chosen[track_of]
    checked_repeated = 0
    if (checked & ~known).any():
        checked &= ~known
    else:
        checked_repeated = _different(checked, said_of)
    return Division(
        trained,
        held_out,
        chosen,
        items,
        once(asked, said_of),
        once(checked, said_of),
        left_out,
        repeated,
        checked_repeated,
    )


def once(items: Mask, said_of: NDArray[np.int64]) -> Mask:
    """The first of the items (I,) with each words."""
    first = np.zeros_like(items)
    rows = np.flatnonzero(items)
    first[rows[np.unique(said_of[rows], return_index=True)[1]]] = True
    return first


def _different(items: Mask, said_of: NDArray[np.int64]) -> int:
    return len(np.unique(said_of[items]))
