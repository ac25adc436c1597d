"""How rare a track's sound is in the whole collection: rare sounds are used more often.

Half of free game music is electronic, and a network that learns little else distinguishes little
else. A track is worth more for every class of music or voice that the first teacher scores far
above that class's mean, and the more so the fewer tracks have the class.
"""

from __future__ import annotations

import numpy as np

from gdr_model.types import Array
from training.words.teacher import MUSIC, VOICE

REMARKABLE = 2.0
"""Standard deviations above the mean at which a track counts as having a class."""
LEAST, MOST = 0.4, 4.0


def rarity(logits: Array) -> Array:
    """Weights (N,) around 1, from `LEAST` to `MOST`, for tracks with mean logits (N, 521)."""
    musical = np.concatenate([logits[:, MUSIC], logits[:, VOICE]], axis=1)
    z = (musical - musical.mean(axis=0)) / (musical.std(axis=0) + 1e-3)
    has = z > REMARKABLE  # (N, classes)
    share = (has.sum(axis=0) + 1) / (len(has) + 1)
    worth = (has / np.sqrt(share)).max(axis=1, initial=0)
    typical = np.median(worth[worth > 0]) if (worth > 0).any() else 1.0
    return np.asarray(np.clip(worth / typical, LEAST, MOST), dtype=np.float32)
