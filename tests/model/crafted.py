"""Files and tags put together byte by byte, and what a file sounds like."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np


def encode(path: Path, codec: str, channels: int, layout: str, seconds: float = 2) -> Path:
    """A file with 440 Hz in its first channel, and a tone of its own in every other."""
    rate_hz = 48000
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    samples = np.stack([np.sin(2 * np.pi * 440 * (n + 1) * t) / 3 for n in range(channels)], 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        packed = (samples * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format=stream.format, frame_size=4608)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        # FLAC ends with a packet of nothing but a header, which Ogg and Matroska refuse.
        last = stream.encode(None)
        container.mux(last if path.suffix == ".flac" else [p for p in last if p.size])
    return path


def id3(*frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    """A tag of raw frames."""
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, flags]) + size + body


def frame(name: bytes, content: bytes, flags: int = 0, version: int = 4) -> bytes:
    n = len(content)
    if version == 2:
        return name + n.to_bytes(3, "big") + content
    size = bytes(n >> s & 0x7F for s in (21, 14, 7, 0)) if version == 4 else n.to_bytes(4, "big")
    return name + size + bytes([0, flags]) + content


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def atom(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def pitch_hz(samples, rate_hz):
    """The strongest frequency, from a windowed spectrum with 1 Hz bins."""
    spectrum = np.abs(np.fft.rfft(samples[: rate_hz * 2] * np.hanning(len(samples[: rate_hz * 2]))))
    return np.argmax(spectrum) * rate_hz / len(samples[: rate_hz * 2])
