"""Attributes for a library without tags: what a tagger finds in its tracks.

The tagger is the teacher of the built-in model (`training.words.teacher`, found through
`GDR_SHARED`). It is independent of every text model, but the built-in encoder was trained on its
output, so for that model it shows how well steering works within what the encoder represents. Its
logits are cached next to the library's latents.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gdr_model import atomic
from gdr_model.audio import decode
from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ, normalise_loudness
from gdr_model.store.library import Library
from gdr_model.types import PASSAGE_S, Array, Track
from training.words.teacher import MUSIC, VOICE, Teacher, labels

TOP_SHARE = 0.15
"""A track has a class if its logit is among the highest of this share of the library."""
AUDIBLE = -5.5
"""A class is dropped if the mean logit of the tracks that have it is below this."""


def tagger_classes(library: Library, tracks: Sequence[Track]) -> dict[str, NDArray[np.bool_]]:
    """Classes of music and voice by name, and which of the tracks (R,) have each.

    Raises:
        ModelError: if the package that runs the tagger is not installed.
        FileNotFoundError: if `GDR_SHARED` does not name the folder of the tagger.
        DecodeError: if a track can no longer be read.
    """
    logits = logits_of(library, tracks)
    wanted = max(1, round(TOP_SHARE * len(tracks)))
    found = {}
    for number, name in enumerate(labels()):
        if not (MUSIC.start <= number < MUSIC.stop or VOICE.start <= number < VOICE.stop):
            continue
        has = logits[:, number] >= np.sort(logits[:, number])[-wanted]
        if logits[has, number].mean() > AUDIBLE:
            found[name] = has
    return found


def logits_of(library: Library, tracks: Sequence[Track]) -> Array:
    """Mean logits (R, 521) of the first passage of each track."""
    cache = library.store / "tagger-logits.npz"
    logits: dict[str, Array] = {}
    if cache.exists():
        with np.load(cache) as stored:
            logits = dict(zip(map(str, stored["contents"]), stored["logits"], strict=True))
    teacher = None
    for track in tracks:
        if track.content not in logits:
            teacher = teacher or Teacher()
            sound = decode(track.path, SAMPLE_RATE_HZ).samples[: PASSAGE_S * SAMPLE_RATE_HZ]
            sound = np.pad(sound, (0, max(0, SAMPLE_RATE_HZ - len(sound))))
            logits[track.content] = teacher(normalise_loudness(sound))[0].mean(axis=0)
    if teacher is not None:
        with atomic.replacing(cache) as temporary:
            np.savez(
                temporary, contents=np.array(list(logits)), logits=np.stack(list(logits.values()))
            )
    return np.stack([logits[track.content] for track in tracks])
