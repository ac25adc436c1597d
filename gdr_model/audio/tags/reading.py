"""Read the tags of a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import mutagen

from gdr_model.audio.tags.values import Tags

_ID3_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "genre": "TCON",
    "date": "TDRC",
}


def read_tags(path: Path) -> Tags:
    """Read the tags of a file. Never raises: a file without tags is still music."""
    try:
        file = mutagen.File(path, easy=True)
        if file is None:
            return Tags()
        length_s = float(getattr(file.info, "length", 0) or 0)
        tags: Any = file.tags or {}
        if hasattr(tags, "getall"):  # WAV and AIFF hold plain ID3 frames
            frames = {name: tags.getall(frame) for name, frame in _ID3_FRAMES.items()}
            tags = {name: [str(t) for f in texts for t in f] for name, texts in frames.items()}
        texts: dict[str, Any] = {name: _joined(tags.get(name)) for name in _ID3_FRAMES}
        year = re.search(r"\d{4}", texts.pop("date"))
        return Tags(**texts, year=int(year[0]) if year else None, length_s=max(0.0, length_s))
    except Exception:  # mutagen raises whatever a malformed file makes it raise
        return Tags()


def _joined(values: Any) -> str:
    """Join several values to one text; characters that SQLite cannot store are replaced."""
    text = "; ".join(str(value) for value in values) if values else ""
    return text.encode("utf-8", "replace").decode()[:1000]
