"""Hits and tracks as the rows of every machine-readable form, on stdout and in exported files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gdr_model.notebook.crates import CrateTrack
from gdr_model.types import Hit, Results, Track
from gdr_tui.safe_text import literal


def hit_row(rank: int, hit: Hit, results: Results) -> dict[str, Any]:
    """One result of a query."""
    steering = results.query.steering
    return {
        "prompt": steering.prompt,
        "rank": rank,
        "path": str(hit.track.path),
        "title": hit.track.title,
        "artist": hit.track.artist,
        "start_s": round(hit.start_s, 3),
        "score": round(hit.score, 5),
        "seed": steering.seed,
        "section": hit.section.title if hit.section else "",
        "copies": [str(copy.path) for copy in hit.copies],
    }


def copies_note(copies: Sequence[Track], *, short: bool = False) -> str:
    """How many other files a recording has; "" for none."""
    count = len(copies)
    if not count or short:
        return f"+{count}" if count else ""
    return f"+{count} cop{'y' if count == 1 else 'ies'}"


def sound_format(track: Track) -> str:
    """Codec and bit rate of a file."""
    rate = f" {track.bitrate_bps / 1000:.0f} kb/s" if track.bitrate_bps else ""
    return codec(track) + rate


def codec(track: Track) -> str:
    """The codec of a file, or its suffix if that is unknown."""
    return track.codec or track.path.suffix.removeprefix(".").lower()


def crate_row(number: int, track: CrateTrack) -> dict[str, Any]:
    """One track of a crate."""
    return {
        "rank": number,
        "path": str(track.path),
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "genre": track.genre,
        "duration_s": round(track.duration_s, 3),
        "start_s": round(track.start_s, 3),
        "prompt": track.prompt,
    }


def as_json(value: object, indent: int | None = None) -> str:
    """JSON with readable letters; lone surrogates, which UTF-8 cannot hold, are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def playlist_entry(
    location: str, name: str, artist: str, duration_s: float, start_s: float = 0.0
) -> str:
    """The lines of a track in an extended M3U playlist, which VLC starts at `start_s`."""
    shown = f"{artist} - {name}" if artist else name
    seconds = round(duration_s) or -1  # which players take for unknown
    start = f"#EXTVLCOPT:start-time={start_s:.3f}\n" if start_s > 0 else ""
    return f"#EXTINF:{seconds},{literal(shown)}\n{start}{location}\n"


def fits_playlist(path: str) -> bool:
    """Whether a playlist, whose entries end with their lines, can name a file."""
    return not set(path) & {"\n", "\r"}
