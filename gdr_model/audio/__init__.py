"""Sound files: decoding, tags, playback and waveforms.

decode            a file to mono float32 at the encoder's rate, with the hash of its sound
load_for_playback a file (or part of one) to stereo float32 for a loudspeaker
read_tags         title, artist, album, genre, year ...
peaks             samples to min and max per column of a waveform

What decodes is imported when it is first asked for: who wants the suffixes alone loads no codec.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gdr_model.audio.formats import SUFFIXES, UNREAD_SUFFIXES
from gdr_model.audio.tags.values import Tags

if TYPE_CHECKING:
    from gdr_model.audio.decoding import decode, load_for_playback
    from gdr_model.audio.tags.reading import read_tags
    from gdr_model.audio.waveform import peaks

__all__ = [
    "SUFFIXES",
    "UNREAD_SUFFIXES",
    "Tags",
    "decode",
    "load_for_playback",
    "peaks",
    "read_tags",
]

_LAZY = {
    "decode": "decoding",
    "load_for_playback": "decoding",
    "peaks": "waveform",
    "read_tags": "tags.reading",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
