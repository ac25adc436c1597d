"""A SoundFont 2 file of one sine, for real synthesis without the fonts of 140 MB and more.

The chunks are those of the SoundFont 2.04 specification: a preset (program 0), an instrument and a
looped sample, each followed by the terminal record that the format asks for.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

RATE_HZ = 32000
ROOT_KEY = 69  # A4
PERIODS, PERIOD = 11, 800  # 11 periods in 800 samples: 440 Hz exactly


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _list(kind: bytes, *chunks: bytes) -> bytes:
    return _chunk(b"LIST", kind + b"".join(chunks))


def write_soundfont(path: Path) -> Path:
    """Write the file: one preset whose only sound is a sine."""
    count = 4 * PERIOD
    wave = 0.5 * np.sin(2 * np.pi * PERIODS * np.arange(count) / PERIOD)
    samples = np.concatenate([wave, np.zeros(46)])  # 46 zeros, as the format demands
    name = b"sine".ljust(20, b"\0")
    info = _list(
        b"INFO",
        _chunk(b"ifil", struct.pack("<HH", 2, 4)),
        _chunk(b"isng", b"EMU8000\0"),
        _chunk(b"INAM", b"sine\0\0"),
    )
    sound = _list(b"sdta", _chunk(b"smpl", (32767 * samples).astype("<i2").tobytes()))
    headers = struct.pack("<20sHHHIII", name, 0, 0, 0, 0, 0, 0)
    headers += struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0)
    loop_and_sample = struct.pack("<HH", 54, 1) + struct.pack("<HH", 53, 0)
    shape = struct.pack(
        "<20sIIIIIBbHH", name, 0, count, PERIOD, 3 * PERIOD, RATE_HZ, ROOT_KEY, 0, 0, 1
    )
    shape += struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    presets = _list(
        b"pdta",
        _chunk(b"phdr", headers),
        _chunk(b"pbag", struct.pack("<HHHH", 0, 0, 1, 0)),
        _chunk(b"pmod", bytes(10)),
        _chunk(b"pgen", struct.pack("<HHHH", 41, 0, 0, 0)),
        _chunk(
            b"inst", name + struct.pack("<H", 0) + b"EOI".ljust(20, b"\0") + struct.pack("<H", 1)
        ),
        _chunk(b"ibag", struct.pack("<HHHH", 0, 0, 2, 0)),
        _chunk(b"imod", bytes(10)),
        _chunk(b"igen", loop_and_sample + bytes(4)),
        _chunk(b"shdr", shape),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + info + sound + presets))
    return path
