"""APEv2 tags: at the end of Monkey's Audio, Musepack and WavPack files, and of old MP3s."""

from __future__ import annotations

import struct

from gdr_model.audio.source import Source
from gdr_model.audio.tags.found import Found, field_of, most_bytes

_FOOTER = struct.Struct("<8sIIII8x")
_MAGIC = b"APETAGEX"
_MOST_ITEMS = 1000
_LONGEST_KEY = 255


def read(source: Source) -> Found:
    """The tag at the end of a file, before an ID3v1 tag if there is one."""
    found = Found()
    for behind in (0, 128):
        end = source.size - behind - _FOOTER.size
        footer = source.at(end, _FOOTER.size) if end >= 0 else b""
        if footer.startswith(_MAGIC):
            _, _, size, count, _ = _FOOTER.unpack(footer)
            _items(source, end + _FOOTER.size - size, end, min(count, _MOST_ITEMS), found)
            break
    return found


def _items(source: Source, at: int, end: int, count: int, found: Found) -> None:
    for _ in range(count):
        head = source.at(at, 8 + _LONGEST_KEY + 1) if 0 <= at < end else b""
        key_end = head.find(b"\0", 8)
        if key_end < 0:
            return
        size, flags = struct.unpack_from("<II", head)
        name = field_of(head[8:key_end].decode("latin-1"))
        at += key_end + 1
        if name and flags >> 1 & 3 == 0:
            text = source.at(at, min(size, most_bytes(name), end - at)).decode("utf-8", "replace")
            found.add(name, text)
        at += size
