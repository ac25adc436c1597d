"""Bundles of variables as TensorFlow writes them: a table of blocks, and the numbers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

MAGIC = 0xDB4775248B80FB57
BLOCK = 600
"""Bytes after which a block of the table is closed; TensorFlow takes more."""
RESTART = 16
"""Every so many entries of a block, a key is written whole."""


def varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def described(array: np.ndarray, offset: int) -> bytes:
    """A `BundleEntryProto`, zeros left out as protocol buffers leave them out."""
    shape = b"".join(field(2, field(1, size)) for size in array.shape)
    kind = {"f": 1, "i": 9}[array.dtype.kind]
    place = field(4, offset) if offset else b""
    checksum = varint(6 << 3 | 5) + b"\1\2\3\4"
    return field(1, kind) + field(2, shape) + place + field(5, array.nbytes) + checksum


def block(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    content, restarts, last = bytearray(), [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % RESTART == 0:
            restarts.append(len(content))
        else:
            pairs = zip(key, last, strict=False)
            shared = next(
                (i for i, (a, b) in enumerate(pairs) if a != b), min(map(len, (key, last)))
            )
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        last = key
    for number in [*restarts, len(restarts)]:
        content += number.to_bytes(4, "little")
    return bytes(content)


def bundle(arrays: Mapping[str, np.ndarray]) -> tuple[bytes, bytes]:
    """The table and the numbers."""
    entries, data = [(b"", field(1, 1) + field(3, field(1, 1)))], bytearray()
    for name in sorted(arrays):
        entries.append((name.encode(), described(arrays[name], len(data))))
        data += arrays[name].tobytes()
    table, places, waiting = bytearray(), [], []

    def place(content: bytes) -> bytes:
        where = varint(len(table)) + varint(len(content))
        table.extend(content + b"\0" + b"\5\6\7\10")  # uncompressed, and a checksum
        return where

    for entry in entries:
        waiting.append(entry)
        if sum(len(key) + len(value) for key, value in waiting) > BLOCK:
            places.append((entry[0], place(block(waiting))))
            waiting = []
    if waiting:
        places.append((waiting[-1][0], place(block(waiting))))
    footer = place(block([])) + place(block(places))
    table += footer.ljust(40, b"\0") + MAGIC.to_bytes(8, "little")
    return bytes(table), bytes(data)


def first_block(table: bytes) -> int:
    """Where the table says how its first block of variables is compressed."""
    return table.index(b"\0\5\6\7\10")


def write(folder: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """A folder with a bundle."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip((".index", ".data-00000-of-00001"), bundle(arrays), strict=True):
        (folder / name).write_bytes(content)
    return folder


def wheel(path: Path, bundles: Path) -> Path:
    """A wheel of musicnn with the bundle of a folder in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("musicnn/__init__.py", "raise ImportError('this is not to be imported')\n")
        for file in sorted(bundles.iterdir()):
            archive.write(file, f"musicnn/MSD_musicnn/{file.name}")
        about = "musicnn-0.1.0.dist-info"
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: musicnn\nVersion: 0.1.0\n"
        )
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path
