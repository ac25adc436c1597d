"""Sound files: decoding, tags, playback and waveforms.

decode            a file to mono float32 at the encoder's rate, with the hash of its sound
load_for_playback a file (or part of one) to stereo float32 for a loudspeaker
read_tags         title, artist, album, genre, year; never raises
peaks             samples to min and max per column of a waveform

Everything is read in blocks of about a second, so that time limits and cancellation are polled
and only the result is held in memory. soundfile reads WAV, FLAC, Ogg and AIFF, recognised by
their first bytes rather than their suffix; PyAV reads everything else, and what soundfile
refuses. MP3 goes to PyAV although soundfile reads it: libmpg123 writes its warnings straight to
file descriptor 2, across the terminal's display, and PyAV decodes three times as fast.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import av
import mutagen
import numpy as np
import soundfile
import soxr

from gdr_model.errors import Cancelled, DecodeError
from gdr_model.types import Array, Audio, Cancel, Section, never

SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".mp4", ".aiff", ".aif"}
)
"""Suffixes of music files, lower case."""

MAX_S = 6 * 3600
"""Longer files are refused: at 48 kHz six hours are 4 GiB, and a crafted file can claim more."""

_PIECE, _BLOCK = 1 << 12, 1 << 16
_SOUNDFILE_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM")
_AV_OPTIONS = {
    # A playlist renamed to .mp3 must not make FFmpeg open the files it names.
    "protocol_whitelist": "file",
    "format_whitelist": "mp3,aac,mov,mp4,m4a,flac,ogg,wav,w64,aiff,caf,asf,matroska,webm",
}
_LOUDEST = 1e5
"""Samples are clipped to this: far above any sound, and its square fits float32."""


class _Block(NamedTuple):
    samples: Array  # (N, channels)
    rate_hz: int
    announced_s: float
    """Length by the file's header, 0 if it has none."""


@dataclass(frozen=True)
class Tags:
    """The tags of a file; those it lacks are empty."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    length_s: float = 0.0
    """Length by the header, which can be wrong; 0 if unknown."""
    albumartist: str = ""
    bpm: float | None = None
    originalyear: int | None = None
    key: str = ""
    comment: str = ""
    codec: str = ""
    sections: tuple[Section, ...] = ()
    """Chapters of the file, or the tracks of its cue sheet."""


def decode(
    path: Path, sample_rate_hz: int, *, limit_s: float = 120.0, cancelled: Cancel = never
) -> Audio:
    """Decode a file, mix it to mono and resample it.

    Of a truncated file the rest is kept if it is at least a second long. `content` hashes the
    mono mix before resampling, so it does not depend on `sample_rate_hz`.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
        Cancelled: when asked, between two blocks.
    """
    deadline = time.monotonic() + limit_s
    digest = hashlib.blake2b(digest_size=16)
    out = _GrowingArray()
    resampler: Any = None
    rate_hz = channels = frames = 0
    announced_s = 0.0
    broken = False
    blocks = _blocks(path)
    while True:
        if cancelled():
            raise Cancelled("stopped")
        if time.monotonic() > deadline:
            raise DecodeError(f"decoding took longer than {limit_s:g} s")
        try:
            block = next(blocks, None)
        except _FAILURES as error:
            if not frames:
                raise _refusal(error) from error
            block, broken = None, True
        if block is None:
            break
        if resampler is None:
            rate_hz, channels, announced_s = block.rate_hz, block.samples.shape[1], block[2]
            if not 1000 <= rate_hz <= 1_000_000:
                raise DecodeError(f"its sample rate of {rate_hz:,} Hz is implausible")
            resampler = soxr.ResampleStream(rate_hz, sample_rate_hz, 1, dtype="float32")
            digest.update(rate_hz.to_bytes(4, "little"))
        mono = np.ascontiguousarray(_clean(block.samples).mean(axis=1, dtype=np.float32))
        frames += len(mono)
        if frames > MAX_S * rate_hz:
            raise DecodeError(f"it is longer than {MAX_S // 3600} hours")
        digest.update(mono.data)
        out.append(resampler.resample_chunk(mono))
    if not frames:
        raise DecodeError("it holds no sound")
    if frames < rate_hz and (broken or announced_s > 2):
        raise DecodeError(f"it breaks off after {frames / rate_hz:.1f} s")
    out.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    # Sound shorter than one sample at the new rate becomes one sample.
    samples = out.finished() if out.size else np.zeros(1, np.float32)
    return Audio(samples, sample_rate_hz, digest.hexdigest(), channels)


def load_for_playback(
    path: Path, sample_rate_hz: int, *, start_s: float = 0.0, length_s: float | None = None
) -> Array:
    """Decode a file, or `length_s` of it from `start_s` on, to stereo (N, 2).

    Mono goes to both sides; more than two channels are averaged to both.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
    """
    out = _GrowingArray()
    resampler: Any = None
    frames = 0
    try:
        for block in _blocks(path, start_s):
            if resampler is None:
                resampler = soxr.ResampleStream(block.rate_hz, sample_rate_hz, 2, dtype="float32")
            stereo = _clean(block.samples)
            if stereo.shape[1] != 2:
                stereo = np.repeat(stereo.mean(axis=1, keepdims=True, dtype=np.float32), 2, axis=1)
            if length_s is not None:
                stereo = stereo[: max(0, round(length_s * block.rate_hz) - frames)]
            if not len(stereo) or frames > MAX_S * block.rate_hz:
                break
            frames += len(stereo)
            out.append(resampler.resample_chunk(np.ascontiguousarray(stereo)))
    except _FAILURES as error:
        if not frames:
            raise _refusal(error) from error
    if not frames:
        raise DecodeError("there is no sound to play here")
    out.append(resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True))
    return out.finished().reshape(-1, 2)


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


def peaks(samples: Array, columns: int) -> Array:
    """Minimum and maximum of each column (columns, 2) of a waveform, from mono samples (N,)."""
    if not len(samples) or columns < 1:
        return np.zeros((max(columns, 0), 2), np.float32)
    edges = np.arange(columns) * len(samples) // columns
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    return np.stack([low, high], axis=1).astype(np.float32)


_ID3_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "genre": "TCON",
    "date": "TDRC",
}

# PyAV's errors derive from ValueError, OSError and others; IndexError means no audio stream.
_FAILURES = (
    soundfile.SoundFileError,
    av.FFmpegError,
    OSError,
    ValueError,
    IndexError,
    RuntimeError,
    MemoryError,
)


def _refusal(error: BaseException) -> DecodeError:
    """The reason for a failure in words a user can act on."""
    if isinstance(error, PermissionError):
        return DecodeError("permission to read it is denied")
    if isinstance(error, FileNotFoundError):
        return DecodeError("it no longer exists")
    if isinstance(error, av.FFmpegError | soundfile.SoundFileError | IndexError):
        return DecodeError("it is not a readable sound file")
    if isinstance(error, OSError) and error.strerror:
        return DecodeError(f"it cannot be read: {error.strerror.lower()}")
    return DecodeError(f"it cannot be decoded: {type(error).__name__}")


def _blocks(path: Path, start_s: float = 0.0) -> Iterator[_Block]:
    """Decode a file from `start_s` on, in blocks of about a second.

    The libraries return pieces of some milliseconds, so that a truncated file loses no more than
    its last piece; processing each piece on its own would take longer than decoding.
    """
    waiting: list[Array] = []
    waiting_frames = rate_hz = 0
    announced_s = 0.0
    pieces = _pieces(path, start_s)
    try:
        for samples, rate_hz, announced_s in pieces:
            waiting.append(samples)
            waiting_frames += len(samples)
            if waiting_frames >= _BLOCK:
                yield _Block(np.concatenate(waiting), rate_hz, announced_s)
                waiting, waiting_frames = [], 0
    except _FAILURES:
        if waiting_frames:
            yield _Block(np.concatenate(waiting), rate_hz, announced_s)
        raise
    finally:
        pieces.close()
    if waiting_frames:
        yield _Block(np.concatenate(waiting), rate_hz, announced_s)


def _pieces(path: Path, start_s: float) -> Generator[_Block, None, None]:
    """Decode a file with whichever library reads it."""
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise DecodeError("it is not a regular file")
        magic = file.read(4)
    if not magic:
        raise DecodeError("the file is empty")
    if magic in _SOUNDFILE_MAGIC:
        try:
            # Bytes, because soundfile cannot encode names that are not valid UTF-8.
            source = soundfile.SoundFile(
                str(path) if sys.platform == "win32" else os.fsencode(path)
            )
        except soundfile.SoundFileError:
            pass
        else:
            yield from _soundfile_pieces(source, start_s)
            return
    yield from _av_pieces(path, start_s)


def _soundfile_pieces(source: Any, start_s: float) -> Generator[_Block, None, None]:
    with source:
        rate_hz, announced_s = source.samplerate, source.frames / max(source.samplerate, 1)
        if start_s:
            source.seek(min(round(start_s * rate_hz), source.frames))
        while len(samples := source.read(_PIECE, dtype="float32", always_2d=True)):
            yield _Block(samples, rate_hz, announced_s)


def _av_pieces(path: Path, start_s: float) -> Generator[_Block, None, None]:
    av.logging.set_level(None)  # FFmpeg's messages would appear in the middle of the screen
    with av.open(str(path), options=_AV_OPTIONS, metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        announced_s = (container.duration or 0) / 1e6
        if start_s:
            container.seek(int(start_s * 1e6))
        resampler = av.AudioResampler(format="fltp")  # only the sample format changes
        damage: av.InvalidDataError | None = None
        sound = False
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.InvalidDataError as error:
                damage = error  # players skip damaged parts too
                continue
            for frame in frames:
                sound = True
                early = round((start_s - (frame.time or 0.0)) * frame.sample_rate)
                for part in resampler.resample(frame):
                    samples = np.asarray(part.to_ndarray(), np.float32)  # (channels, N)
                    skipped = max(early, 0) if start_s else 0
                    yield _Block(samples.T[skipped:], frame.sample_rate, announced_s)
        if damage and not sound:
            raise damage


def _clean(samples: Array) -> Array:
    """Replace NaN and infinity, which would spread from one bad float WAV to every mean."""
    if np.isfinite(samples.sum(dtype=np.float64)):
        return np.clip(samples, -_LOUDEST, _LOUDEST)
    finite = np.where(np.isfinite(samples), samples, 0)
    return np.clip(finite, -_LOUDEST, _LOUDEST).astype(np.float32)


def _joined(values: Any) -> str:
    """Join several values to one text; characters that SQLite cannot store are replaced."""
    text = "; ".join(str(value) for value in values) if values else ""
    return text.encode("utf-8", "replace").decode()[:1000]


class _GrowingArray:
    """An array that grows in place: joining a list of blocks would need twice the memory."""

    def __init__(self) -> None:
        self.size = 0
        self._room = np.empty(1 << 20, np.float32)

    def append(self, block: Array) -> None:
        """Add a block of any shape, flattened."""
        end = self.size + block.size
        if end > self._room.size:
            self._room.resize(max(end, self._room.size * 3 // 2), refcheck=False)
        self._room[self.size : end] = block.reshape(-1)
        self.size = end

    def finished(self) -> Array:
        """Everything appended so far (N,); nothing can be appended afterwards."""
        self._room.resize(self.size, refcheck=False)
        return self._room
