"""Which of several files with the same recording represents it."""

from __future__ import annotations

from pathlib import Path

from gdr_model.types import Track

_LOSSLESS = (
    "flac", "alac", "pcm", "wav", "aif", "ape", "tta", "tak", "w64", "shorten", "dsd", "dst",
    "truehd", "mlp", "wmalossless", "mp4als",
)  # fmt: skip
_LOSSLESS_SUFFIXES = {".flac", ".wav", ".aiff", ".aif", ".aifc", ".ape", ".wv", ".tta", ".dsf"}


def preference(track: Track) -> tuple[bool, bool, float, Path]:
    """What files are sorted by, the best first.

    Titled sections before none, lossless before lossy, then bitrate, then path.
    """
    return (not track.sections, not is_lossless(track), -track.bitrate_bps, track.path)


def is_lossless(track: Track) -> bool:
    """Whether a file's format keeps every sample, by its codec, or by its suffix if unknown."""
    if track.codec:
        return track.codec.lower().startswith(_LOSSLESS)
    return track.path.suffix.lower() in _LOSSLESS_SUFFIXES
