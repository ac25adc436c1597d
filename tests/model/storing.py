"""How the tests of the store put things into it."""

from __future__ import annotations

import os

import numpy as np

from gdr_model.audio import Tags
from gdr_model.store.records import Sound, Stamp
from gdr_model.types import LatentSpace

SPACE = LatentSpace("plain", 8, 16000, 1.0, 1.0, "ab" * 8)
OTHER = LatentSpace("plain", 8, 16000, 1.0, 1.0, "cd" * 8)
RANDOM = np.random.default_rng(0)


def put(library, name, content=None, seconds=3, latents=None, space=SPACE, **tags):
    sound = Sound(content or f"sound of {name}", float(seconds), -20.0)
    if latents is None:
        latents = RANDOM.standard_normal((seconds, 8)).astype(np.float32)
    library.put_latents(sound, space, latents)
    library.files.put_track(os.fsencode(name), Stamp(1, 2), sound, Tags(**tags))
    return latents
