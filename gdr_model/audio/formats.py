"""Which files are music, by their suffix, and which formats FFmpeg is allowed to read."""

from __future__ import annotations

SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".mp4", ".aiff", ".aif"}
)
"""Suffixes of music files, lower case."""

AV_OPTIONS = {
    # A playlist renamed to .mp3 must not make FFmpeg open the files it names.
    "protocol_whitelist": "none",
    "format_whitelist": "mp3,aac,mov,mp4,m4a,flac,ogg,wav,w64,aiff,caf,asf,matroska,webm",
}
