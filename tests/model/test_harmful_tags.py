"""Tags made to do harm are read within bounds of time and memory."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from crafted import atom, chunk, frame, id3

from gdr_model.audio import Tags, decode, read_tags


def measured(path: Path) -> Tags:
    """Read tags, in little time and memory."""
    tracemalloc.start()
    begun = time.perf_counter()
    tags = read_tags(path)
    seconds = time.perf_counter() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 5
    assert peak < 80 << 20
    return tags


def bomb(megabytes: int, flags: int = 0x09) -> bytes:
    """A title of NULs, compressed a thousandfold."""
    packed = zlib.compress(b"\x03" + bytes(megabytes << 20), 9)
    return frame(b"TIT2", bytes([0x7F] * 4) + packed, flags=flags)


TITLE = frame(b"TIT2", b"\x03Here")
HARM = {
    "nuls": id3(frame(b"TIT2", b"\x03" + bytes(4 << 20)), frame(b"TALB", b"\x03A")),
    "packed": id3(bomb(100), frame(b"TALB", b"\x03A")),
    "packed, version 3": id3(
        frame(b"TIT2", b"\x7f" * 4 + zlib.compress(bytes(50 << 20)), flags=0x80, version=3),
        frame(b"TALB", b"\x03A", version=3),
        version=3,
    ),
    "packed frames": id3(*[bomb(1)] * 2000),
    "packed in a chapter": id3(
        frame(b"CHAP", b"c\0" + bytes(16) + bomb(50)), frame(b"TALB", b"\x03A")
    ),
    "frames": id3(TITLE, *[frame(b"TXXX", b"\x03%d\0x" % n) for n in range(200_000)]),
    "chapters": id3(
        TITLE, *[frame(b"CHAP", b"%d\0" % n + bytes(16) + TITLE) for n in range(100_000)]
    ),
    "frames in a chapter": id3(frame(b"CHAP", b"c\0" + bytes(16) + TITLE * 500_000)),
    "comments": id3(*[frame(b"COMM", b"\x03eng%d\0x" % n) for n in range(100_000)]),
    "a comment": id3(frame(b"COMM", b"\x03eng" + bytes(8 << 20)), TITLE),
    "values": id3(frame(b"TCON", b"\x03" + b"1\0" * (1 << 20)), TITLE),
    "unsynchronised": id3(
        frame(b"TIT2", b"\0" + b"\xff\0" * (4 << 20), version=3), version=3, flags=0x80
    ),
    "a cover": id3(TITLE, frame(b"APIC", b"\0image/png\0\3\0" + bytes(20 << 20))),
    "many tags": id3(TITLE) * 10_000,
    "a size beyond the file": id3(TITLE)[:6] + b"\x7f\x7f\x7f\x7f" + TITLE,
}


@pytest.mark.parametrize("kind", HARM)
def test_harmful_id3(tagged, kind, monkeypatch):
    path = tagged(HARM[kind])
    tags = measured(path)
    if kind in ("frames", "chapters", "a comment", "a cover", "many tags", "values"):
        assert tags.title == "Here"
    if kind in ("nuls", "packed", "packed, version 3", "packed in a chapter"):
        assert tags.album == "A"
    plain = decode(path.with_name("plain.mp3"), 16000)
    begun = time.perf_counter()
    if kind != "a size beyond the file":
        assert decode(path, 16000).content == plain.content
    assert time.perf_counter() - begun < 5


def ogg_pages(packets: list[bytes]) -> bytes:
    """Ogg pages of one stream; checksums are left out."""
    data, number = b"", 0
    for n, packet in enumerate(packets):
        lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
        for begin in range(0, len(lacing), 255):
            part = lacing[begin : begin + 255]
            flags = (2 if n == 0 else 0) | (1 if begin else 0)
            head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, 0, 7, number, 0, len(part))
            data += head + bytes(part) + packet[begin * 255 : begin * 255 + sum(part)]
            number += 1
    return data


def comments(count: int, claimed: int | None = None, value: bytes = b"x") -> bytes:
    """A block of Vorbis comments, the first of them a title."""
    texts = [b"TITLE=Here", *(b"n%d=" % n + value for n in range(count - 1))]
    block = struct.pack("<I", 0) + struct.pack("<I", len(texts) if claimed is None else claimed)
    return block + b"".join(struct.pack("<I", len(text)) + text for text in texts)


@pytest.mark.parametrize(
    "block",
    [
        comments(500_000),
        comments(3, claimed=2**32 - 1),
        comments(2, value=bytes(15 << 20)),
        comments(1) + b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff" * 3,
    ],
    ids=["many", "count", "long", "length", "noise"],
)
@pytest.mark.parametrize("kind", ["flac", "ogg"])
def test_harmful_vorbis_comments(tmp_path, kind, block):
    path = tmp_path / f"a.{kind}"
    if kind == "flac":
        soundfile.write(path, np.zeros(8000, np.int16), 8000)
        data = path.read_bytes()
        head = data[:4] + b"\0" + data[5:42]
        path.write_bytes(head + b"\x84" + len(block).to_bytes(3, "big") + block)
    else:
        path.write_bytes(ogg_pages([b"\x01vorbis" + bytes(23), b"\x03vorbis" + block]))
    tags = measured(path)
    assert tags.codec == {"ogg": "vorbis"}.get(kind, kind)
    assert tags.title == ("" if block.startswith(b"\xff") else "Here")


def test_harmful_mp4(tmp_path):
    path = tmp_path / "a.m4a"
    start = atom(b"ftyp", b"M4A \0\0\0\0")
    title = atom(b"\xa9nam", atom(b"data", b"\0\0\0\1\0\0\0\0Here"))

    def tagged(*items: bytes) -> bytes:
        return atom(b"udta", atom(b"meta", bytes(4) + atom(b"ilst", b"".join(items))))

    deep = b""
    for _ in range(20_000):
        deep = struct.pack(">I", min(8 + len(deep), 2**32 - 1)) + b"moov" + deep
    for moov in (
        tagged(title, *[atom(b"free", b"")] * 300_000),
        tagged(title, atom(b"\xa9ART", atom(b"data", b"\0\0\0\1\0\0\0\0" + bytes(8 << 20)))),
        tagged(title) + b"\0\0\0\1" + b"free" + b"\xff" * 8,
        tagged(title) + deep,
    ):
        path.write_bytes(start + atom(b"moov", moov))
        assert measured(path).title == "Here"
    path.write_bytes(start + deep)
    measured(path)


def test_sound_is_read_past_more_tags_than_any_program_writes(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.m4a")
    plain = path.read_bytes()
    at = plain.index(b"moov") - 4  # the last atom of the file
    before = decode(path, 16000).content
    items = b"".join(
        atom(b"----", atom(b"name", b"\0\0\0\0n%d" % n) + atom(b"data", bytes(8) + b"x"))
        for n in range(40_000)
    )
    head = atom(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    extra = atom(b"udta", atom(b"meta", bytes(4) + head + atom(b"ilst", items)))
    size = struct.pack(">I", len(plain) - at + len(extra))
    path.write_bytes(plain[:at] + size + plain[at + 4 :] + extra)
    begun = time.perf_counter()
    assert decode(path, 16000).content == before
    assert time.perf_counter() - begun < 4  # quadratic in C: a minute for twice as many
    measured(path)


@pytest.mark.parametrize("count", [3, 2**32 - 1])
def test_harmful_ape(tagged, count):
    item = struct.pack("<II", 4, 0) + b"Title\0Here"
    others = b"".join(struct.pack("<II", 1, 0) + b"n%d\0x" % n for n in range(300_000))
    long = struct.pack("<II", 8 << 20, 0) + b"Artist\0" + bytes(8 << 20)
    for body in (item + others, long + item):
        footer = struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(body) + 32, count, 0)
        assert measured(tagged(b"", body + footer)).title == "Here"
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2000, 2**32 - 1, count, 0)
    measured(tagged(b"", item + footer))


def test_harmful_chunks(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav")
    plain = path.read_bytes()
    info = chunk(b"INAM", b"Here") + chunk(b"IART", bytes(1 << 20)) + chunk(b"IXXX", b"x") * 200_000
    path.write_bytes(plain[:12] + chunk(b"LIST", b"INFO" + info) + plain[12:])
    assert measured(path).title == "Here"
    path.write_bytes(plain[:12] + chunk(b"junk", b"") * 300_000 + plain[12:])
    measured(path)
    path.write_bytes(plain + b"id3 \xff\xff\xff\xff" + id3(bomb(50), TITLE))
    measured(path)


def test_what_was_collected_elsewhere(golden):
    """Files that stopped other versions for hours, or took hundreds of megabytes."""
    folder = golden("ddim").parents[1] / "cases" / "hostile"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    for name in ("id3_nul.mp3", "id3_zlib.mp3", "seven_one_aac.m4a"):
        measured(folder / name)
        assert decode(folder / name, 16000).duration_s == pytest.approx(1, abs=0.05)
