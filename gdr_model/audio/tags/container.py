"""What FFmpeg knows of a file: its codec, chapters, and the tags of rarer formats."""

from __future__ import annotations

from typing import Any

from gdr_model.audio import av_reader
from gdr_model.audio.cue import MAX_CHARS, in_order
from gdr_model.audio.source import Source
from gdr_model.audio.tags.found import Found, field_of
from gdr_model.characters import cut
from gdr_model.types import Section

_SHORT = (  # families of codecs, by how FFmpeg's names begin
    ("pcm_alaw", "alaw"),
    ("pcm_mulaw", "mulaw"),
    ("pcm_", "pcm"),
    ("adpcm_", "adpcm"),
    ("dsd_", "dsd"),
    ("wmav", "wma"),
    ("wmalossless", "wmalossless"),
    ("wma", "wma"),
    ("dca", "dts"),
    ("musepack", "mpc"),
    ("amr_", "amr"),
    ("ra_", "ra"),
    ("atrac", "atrac"),
)
_MOST_SECTIONS = 1000


def read(source: Source) -> Found:
    """Everything that FFmpeg finds without decoding the file."""
    source.begin_at(0)
    av_reader.skip_harmful_tags(source)
    with av_reader.opened(source) as container:
        stream = container.streams.audio[0]
        found = Found(codec=_short(stream.codec_context.codec.canonical_name))
        for texts in (container.metadata, stream.metadata):
            later = Found()
            for name, value in texts.items():
                later.add(field_of(name), value)
            found.fill(later)
        found.sections = in_order(_chapters(container))
    return found


def _chapters(container: Any) -> list[Section]:
    sections = []
    for number, chapter in enumerate(container.chapters()[:_MOST_SECTIONS], 1):
        start_s = float(chapter["start"] * chapter["time_base"])
        title = cut(chapter["metadata"].get("title", "").strip(), MAX_CHARS)
        sections.append(Section(max(0.0, start_s), title or f"Chapter {number}"))
    return sections


def _short(name: str) -> str:
    return next((short for begin, short in _SHORT if name.startswith(begin)), name)
