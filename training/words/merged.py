"""What both teachers say of a passage, class by class, as the captions are written from it.

The first teacher knows instruments, moods, voices and genres of all sound; the second, which
learned listeners' tags of songs, tells genres of songs apart far better. Where both have a class,
it is a mixture, mostly of the one that is better at it; the second's other tags are classes of
their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gdr_model.types import Array
from training.words.tagger import TAGS

SHARED: dict[str, tuple[str, float]] = {
    "Rock music": ("rock", 0.7),
    "Pop music": ("pop", 0.5),
    "Electronic music": ("electronic", 0.3),
    "Electronica": ("electronica", 0.5),
    "House music": ("House", 0.4),
    "Dance music": ("dance", 0.5),
    "Ambient music": ("ambient", 0.4),
    "Jazz": ("jazz", 0.75),
    "Soul music": ("soul", 0.75),
    "Rhythm and blues": ("rnb", 0.7),
    "Funk": ("funk", 0.6),
    "Blues": ("blues", 0.75),
    "Country": ("country", 0.75),
    "Folk music": ("folk", 0.7),
    "Hip hop music": ("Hip-Hop", 0.6),
    "Heavy metal": ("heavy metal", 0.5),
    "Punk rock": ("punk", 0.7),
    "Progressive rock": ("Progressive rock", 0.6),
    "Rock and roll": ("oldies", 0.6),
    "Independent music": ("indie", 0.7),
    "Sad music": ("sad", 0.4),
    "Happy music": ("happy", 0.4),
}
"""Classes of the first teacher, the tag of the second that means the same, and its share."""
OWN = {
    "alternative rock": "Alternative rock",
    "indie rock": "Indie rock",
    "indie pop": "Indie pop",
    "classic rock": "Classic rock",
    "hard rock": "Hard rock",
    "electro": "Electro",
    "chillout": "Chillout music",
    "easy listening": "Easy listening",
    "acoustic": "Acoustic music",
    "experimental": "Experimental music",
    "female vocalists": "Female vocals",
    "male vocalists": "Male vocals",
    "Mellow": "Mellow music",
    "beautiful": "Beautiful music",
    "sexy": "Sensual music",
    "catchy": "Catchy music",
    "party": "Party music",
    "60s": "Music of the 1960s",
    "70s": "Music of the 1970s",
    "80s": "Music of the 1980s",
    "90s": "Music of the 1990s",
    "00s": "Music of the 2000s",
}
"""Tags that become classes, and what those are called here."""


@dataclass(frozen=True)
class Classes:
    """The merged classes: the first teacher's, then the second's own."""

    names: tuple[str, ...]
    tags: bool = True
    """Whether the second teacher has a say."""

    @classmethod
    def of(cls, labels: Sequence[str], *, tags: bool = True) -> Classes:
        """After the first teacher's labels in their order; without `tags`, those alone."""
        return cls((*labels, *OWN.values()) if tags else tuple(labels), tags)

    def merge(self, first: Array, second: Array) -> Array:
        """Rows (N, labels) and (N, tags) of one kind, z-scores say, to (N, classes)."""
        if not self.tags:
            return first
        merged = np.concatenate([first, second[:, [TAGS.index(tag) for tag in OWN]]], axis=1)
        for name, (tag, share) in SHARED.items():
            if name in self.names:
                column = self.names.index(name)
                own = merged[:, column]
                merged[:, column] = (1 - share) * own + share * second[:, TAGS.index(tag)]
        return merged
