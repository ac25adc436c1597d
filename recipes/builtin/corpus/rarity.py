"""How rare a track's sound is in the whole collection: what is rare is worth hearing more often.

Half of free game music is electronic, and a network that hears little else tells little else
apart. A track counts for the classes of music or voice that the teacher hears in it far above
their mean, each the more the fewer tracks hold it.
"""

from __future__ import annotations

import numpy as np

from gdr_model.types import Array
from training.words.teacher import MUSIC, VOICE

REMARKABLE = 2.0
"""Deviations above the mean from which a track holds a class."""
LEAST, MOST = 0.4, 4.0


def rarity(logits: Array) -> Array:
    """Mean logits (N, 521) of tracks to weights (N,) about 1, within `LEAST` and `MOST`."""
    own = np.concatenate([logits[:, MUSIC], logits[:, VOICE]], axis=1)
    z = (own - own.mean(axis=0)) / (own.std(axis=0) + 1e-3)
    held = z > REMARKABLE
    share = (held.sum(axis=0) + 1) / (len(held) + 1)
    worth = (held / np.sqrt(share)).max(axis=1, initial=0)
    typical = np.median(worth[worth > 0]) if (worth > 0).any() else 1.0
    return np.asarray(np.clip(worth / typical, LEAST, MOST), dtype=np.float32)
