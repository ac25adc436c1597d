"""Read the tags of a file.

Tags are untrusted: their readers walk over what is there by its headers, read no more than a text
can use, and stop after as many items as any real file has. FFmpeg is asked for what they leave
open: the tags of rarer formats, and chapters.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import mutagen.mp3

from gdr_model.audio.pieces import FAILURES
from gdr_model.audio.source import Source
from gdr_model.audio.tags import ape, container, id3, mp4, riff, vorbis
from gdr_model.audio.tags.found import Found
from gdr_model.audio.tags.values import Tags
from gdr_model.errors import DecodeError, FileUnavailable

_LIMIT_S = 30.0
_LAYERS = {1: "mp1", 2: "mp2", 3: "mp3"}


def read_tags(path: Path) -> Tags:
    """Read the tags of a file; a file without tags that can be understood is still music.

    Raises:
        FileUnavailable: if the system could not read the file, which says nothing of its tags.
    """
    try:
        with Source(path, _LIMIT_S) as source:
            try:
                return _read(source).tags()
            finally:
                source.check()
    except FileUnavailable:
        raise
    except MemoryError as error:
        raise FileUnavailable("there is too little memory to read its tags") from error
    except Exception:  # a malformed file can make a reader raise anything
        return Tags()


def _read(source: Source) -> Found:
    start = id3.end_of(source)
    found = id3.read(source)
    source.seek(start)
    magic = source.read(12)
    if magic[:4] == b"fLaC":
        own = vorbis.read_flac(source, start)
        own.fill(found)
        return own
    if magic[:4] == b"OggS":
        found.fill(vorbis.read_ogg(source))
    elif magic[:4] in (b"RIFF", b"RF64", b"BW64") and magic[8:] == b"WAVE":
        found.fill(riff.read_wave(source))
    elif magic[:4] == b"FORM" and magic[8:11] == b"AIF":
        found.fill(riff.read_aiff(source))
    elif magic[4:8] == b"ftyp":
        own, chapters = mp4.read(source)
        found.fill(own)
        if chapters or not own.texts:
            _ask_ffmpeg(source, found)
    else:
        _read_others(source, magic, start, found)
    return found


def _read_others(source: Source, magic: bytes, start: int, found: Found) -> None:
    """Formats that have ID3 tags in front or APE tags at the end, and those that FFmpeg knows."""
    if magic[:4] == b"DSD ":
        source.seek(20)
        found.fill(id3.read(source, int.from_bytes(source.read(8), "little")))
    found.fill(ape.read(source))
    found.fill(id3.read_v1(source))
    if len(magic) > 1 and magic[0] == 0xFF and magic[1] & 0xE6 > 0xE0:
        source.seek(0)
        info = mutagen.mp3.MPEGInfo(source, start)
        found.codec = _LAYERS.get(info.layer, "")
    if not found.codec:
        _ask_ffmpeg(source, found)


def _ask_ffmpeg(source: Source, found: Found) -> None:
    with contextlib.suppress(DecodeError, *FAILURES):
        found.fill(container.read(source))
