"""Tags of MP4 files: m4a, m4b, alac."""

from __future__ import annotations

from collections.abc import Iterator

from gdr_model.audio.source import Source
from gdr_model.audio.tags.found import Found, field_of, genres, most_bytes

_MOST_ATOMS = 10_000
_MOST_TAGS = 2000
_DEEPEST = 8
"""FFmpeg reads atoms down to the tenth level of a file."""
_ITEMS = {
    b"\xa9nam": "title",
    b"\xa9ART": "artist",
    b"\xa9alb": "album",
    b"\xa9gen": "genre",
    b"gnre": "genre",
    b"\xa9day": "date",
    b"aART": "albumartist",
    b"tmpo": "bpm",
    b"\xa9cmt": "comment",
    b"desc": "comment",
}
_CODECS = {b"mp4a": "aac", b"fLaC": "flac", b"Opus": "opus", b"ac-3": "ac3", b"ec-3": "eac3"}
_UTF16, _WHOLE_NUMBER, _IMPLICIT = 2, 21, 0

Atom = tuple[bytes, int, int]
"""Name, and where its content begins and ends."""


def read(source: Source) -> tuple[Found, bool]:
    """The tags of a file, and whether it can hold chapters."""
    found = Found()
    moov = _child(source, (b"", 0, source.size), b"moov")
    if moov is None:
        return found, False
    tracks = 0
    chapters = False
    for atom in _children(source, moov):
        if atom[0] == b"trak":
            tracks += 1
            found.codec = found.codec or _codec(source, atom)
        elif atom[0] == b"udta":
            chapters = chapters or _child(source, atom, b"chpl") is not None
            _items(source, atom, found)
    return found, chapters or tracks > 1


def excessive(source: Source) -> list[int]:
    """Where the names of atoms are that hold more tags than any program writes."""
    moov = _child(source, (b"", 0, source.size), b"moov")
    tracks = [atom for atom in _children(source, moov) if atom[0] == b"trak"] if moov else []
    found = []
    left = _MOST_ATOMS
    for parent in (moov, *tracks):
        for atom in _children(source, parent) if parent else ():
            if atom[0] in (b"udta", b"meta"):
                count = _count(source, atom, min(left, _MOST_TAGS + 1))
                left -= count
                if count > _MOST_TAGS or not left:
                    found.append(atom[1] - 4)
    return found


def _count(source: Source, atom: Atom, most: int, depth: int = 0) -> int:
    """How many atoms there are below one of tags, as far as `most`.

    A name can come before its four bytes or not, so atoms may be counted twice.
    """
    name, begin, end = atom
    count = 0
    for start in (begin, begin + 4) if name == b"meta" else (begin,):
        for below in _children(source, (name, start, end)):
            if count >= most:
                return most
            count += 1
            if below[0] in (b"meta", b"ilst") and depth < _DEEPEST:
                count += _count(source, below, most - count, depth + 1)
    return count


def _items(source: Source, udta: Atom, found: Found) -> None:
    meta = _child(source, udta, b"meta")
    if meta is None:
        return
    # In MP4 four bytes come first, in QuickTime none.
    plain = source.at(meta[1] + 4, 4) == b"hdlr"
    items = _child(source, (meta[0], meta[1] + (0 if plain else 4), meta[2]), b"ilst")
    for item in _children(source, items) if items else ():
        field = _ITEMS.get(item[0])
        if item[0] == b"----":
            named = _child(source, item, b"name")
            name = source.at(named[1] + 4, min(named[2] - named[1] - 4, 64)) if named else b""
            field = field_of(name.decode("utf-8", "replace"))
        if field is None:
            continue
        for atom in _children(source, item):
            if atom[0] == b"data":
                raw = source.at(atom[1], min(atom[2] - atom[1], most_bytes(field)))
                found.add(field, _value(item[0], int.from_bytes(raw[1:4], "big"), raw[8:]))


def _value(item: bytes, kind: int, raw: bytes) -> str:
    if item == b"gnre":
        return "\0".join(genres([str(int.from_bytes(raw[:2], "big") - 1)]))
    if kind == _WHOLE_NUMBER or (item == b"tmpo" and kind == _IMPLICIT):
        return str(int.from_bytes(raw[:8], "big"))
    return raw.decode("utf-16-be" if kind == _UTF16 else "utf-8", "replace")


def _codec(source: Source, track: Atom) -> str:
    """The codec of a track of sound, "" of any other."""
    at: Atom | None = track
    for name in (b"mdia", b"minf", b"stbl", b"stsd"):
        at = _child(source, at, name) if at else None
        if at and name == b"mdia":
            handler = _child(source, at, b"hdlr")
            if handler is None or source.at(handler[1] + 8, 4) != b"soun":
                return ""
    entry = source.at(at[1] + 12, 4) if at else b""
    return _CODECS.get(entry, entry.decode("latin-1").strip(" .\0").lower())


def _child(source: Source, parent: Atom, name: bytes) -> Atom | None:
    return next((atom for atom in _children(source, parent) if atom[0] == name), None)


def _children(source: Source, parent: Atom) -> Iterator[Atom]:
    _, at, end = parent
    for _ in range(_MOST_ATOMS):
        head = source.at(at, 16) if at + 8 <= end else b""
        if len(head) < 8:
            return
        size, begin = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), at + 16
        stop = end if size == 0 else at + size
        if stop < begin:
            return
        yield head[4:8], begin, min(stop, end)
        at = stop
