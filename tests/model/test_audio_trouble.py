"""Files that would kill, hang or fill the process, and systems that fail while they are read."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from crafted import atom, encode

from gdr_model.audio import decode, load_for_playback, read_tags, source
from gdr_model.errors import DecodeError, FileUnavailable


@pytest.mark.parametrize(
    ("name", "codec", "layout", "channels"),
    [
        ("a.m4a", "aac", "7.1", 8),
        ("b.mka", "flac", "7.1", 8),
        ("a.mka", "pcm_s16le", "7.1", 8),
        ("a.mka", "pcm_s16le", "hexadecagonal", 16),
        ("a.mka", "pcm_s16le", "22.2", 24),
        ("a.caf", "pcm_s16be", "hexadecagonal", 16),
        ("a.m4a", "aac", "5.1", 6),
        ("a.flac", "flac", "7.1", 8),
        ("a.wav", "pcm_s16le", "7.1", 8),
    ],
)
def test_many_channels_are_read(tmp_path, name, codec, layout, channels):
    path = encode(tmp_path / name, codec, channels, layout)
    sound = decode(path, 48000)
    assert sound.channels == channels
    assert sound.duration_s == pytest.approx(2, abs=0.1)
    spectrum = np.abs(np.fft.rfft(sound.samples[24000:72000]))
    heard = set((np.argsort(spectrum)[-channels:] // 440).tolist())
    missing = set(range(1, channels + 1)) - heard
    assert len(missing) <= 1  # a subwoofer's channel keeps low tones alone
    assert load_for_playback(path, 48000).shape[1] == 2


def caf_of_labels(path: Path, labels: list[int]) -> Path:
    """A CAF file that names what each of its channels is, in any order."""
    samples = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100) * 9000
    data = bytes(4) + np.repeat(samples.astype(">i2"), len(labels)).tobytes()
    n = len(labels)
    form = struct.pack(">d4sIIIII", 44100, b"lpcm", 0, 2 * n, 1, n, 16)
    named = b"".join(struct.pack(">II12x", label, 0) for label in labels)
    chunks = (b"desc", form), (b"chan", struct.pack(">III", 0, 0, n) + named), (b"data", data)
    body = b"".join(name + struct.pack(">q", len(content)) + content for name, content in chunks)
    path.write_bytes(b"caff" + struct.pack(">HH", 1, 0) + body)
    return path


DECODE_OFTEN = """
import gc, sys
from pathlib import Path
from gdr_model.audio import decode, read_tags
for path in map(Path, sys.argv[1:]):
    for _ in range(5):
        print(decode(path, 16000).channels, read_tags(path).codec)
        gc.collect()
"""


def in_a_process(code: str, *paths: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *paths],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_channels_in_an_order_of_their_own_do_not_end_the_process(tmp_path):
    """Right before left, nine in reverse, and seven lefts."""
    paths = [
        caf_of_labels(tmp_path / "2.caf", [2, 1]),
        caf_of_labels(tmp_path / "9.caf", list(range(9, 0, -1))),
        caf_of_labels(tmp_path / "7.caf", [1] * 7),
    ]
    said = in_a_process(DECODE_OFTEN, *paths).split("\n")
    assert said[:-1] == ["2 pcm"] * 5 + ["9 pcm"] * 5 + ["7 pcm"] * 5


def flac_of_silence(path: Path, hours: float, announced: bool) -> Path:
    """A FLAC file of 8 kHz silence: a frame of it takes 15 bytes."""
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        block = np.zeros(8000 * 60, np.int16)
        for _ in range(round(hours * 60)):
            file.write(block)
    data = bytearray(path.read_bytes())
    if not announced:
        data[21] &= 0xF0  # the 36 bits of the number of samples, behind STREAMINFO's rate
        data[22:26] = bytes(4)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("announced", [False, True])
def test_silence_that_unpacks_to_hours_is_refused(tmp_path, announced):
    path = flac_of_silence(tmp_path / "a.flac", 2.5, announced)
    with pytest.raises(DecodeError, match=r"it unpacks 0\.\d MB to 1\.\d hours and more"):
        decode(path, 16000)
    short = flac_of_silence(tmp_path / "b.flac", 1, announced)
    assert decode(short, 8000).duration_s == pytest.approx(3600, abs=1)


@pytest.mark.parametrize("suffix", [".mp3", ".aac", ".ogg", ".flac", ".wav", ".mka", ".aiff", ""])
def test_a_terabyte_of_nothing_is_given_up(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError:
            pytest.skip("this file system does not keep holes")
    with pytest.raises(DecodeError):
        decode(path, 16000)


def test_streams_without_end_are_damage_rather_than_a_lack_of_memory(tmp_path):
    tracks = atom(b"moov", atom(b"trak", bytes(8)) * 10_000)
    (tmp_path / "a.m4a").write_bytes(atom(b"ftyp", b"M4A " + bytes(4)) + tracks)
    with pytest.raises(DecodeError) as caught:
        decode(tmp_path / "a.m4a", 16000)
    assert not isinstance(caught.value, FileUnavailable)
    assert read_tags(tmp_path / "a.m4a").title == ""


def test_tags_within_tags_cost_no_time(tmp_path):
    """Every one of these can be read from its first byte or from its fifth."""
    nested = b""
    for _ in range(40):
        head = struct.pack(">II4s4x", 16, 12, b"free")
        nested = atom(b"meta", head + nested)
    (tmp_path / "a.m4a").write_bytes(atom(b"ftyp", b"M4A " + bytes(4)) + atom(b"moov", nested))
    begun = time.monotonic()
    with pytest.raises(DecodeError):
        decode(tmp_path / "a.m4a", 16000)
    assert time.monotonic() - begun < 3


def test_a_pipe_is_refused_at_once(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes here")
    os.mkfifo(tmp_path / "a.mp3")
    with pytest.raises(DecodeError, match="not a regular file"):
        decode(tmp_path / "a.mp3", 16000)


# The system


class Failing:
    """A file whose reads fail from a position on."""

    def __init__(self, file, after: int, error: OSError) -> None:
        self._file, self._after, self._error = file, after, error

    def __getattr__(self, name):
        return getattr(self._file, name)

    def read(self, size=-1):
        if self._file.tell() + size > self._after:
            raise self._error
        return self._file.read(size)


@pytest.fixture
def failing(monkeypatch):
    """`failing(after, number)`: reads beyond `after` bytes fail with an error of the system."""

    def fail(after: int, number: int) -> None:
        def opened(*args, **kwargs):
            error = OSError(number, os.strerror(number))
            return Failing(open(*args, **kwargs), after, error)

        monkeypatch.setattr(source, "open", opened, raising=False)

    return fail


@pytest.mark.parametrize(
    "name", ["EIO", "ESTALE", "ETIMEDOUT", "EHOSTDOWN", "ENXIO", "ENOENT", "EACCES"]
)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus"])
def test_what_the_system_says_is_not_the_files_fault(
    tmp_path, write_tone, failing, suffix, name, capfd
):
    path = write_tone(tmp_path / f"a{suffix}", seconds=20)
    failing(0, getattr(errno, name))
    with pytest.raises(FileUnavailable) as caught:
        decode(path, 16000)
    said = {
        "EACCES": "permission to read it is denied",
        "ENOENT": "it no longer exists",
    }.get(name, f"the system could not read it: {os.strerror(getattr(errno, name)).lower()}")
    assert str(caught.value) == said
    with pytest.raises(FileUnavailable):
        load_for_playback(path, 16000)
    with pytest.raises(FileUnavailable) as caught:
        read_tags(path)
    assert str(caught.value) == said
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus"])
def test_a_disk_that_fails_in_the_middle_does_not_make_a_shorter_file(
    tmp_path, write_tone, failing, suffix
):
    path = write_tone(tmp_path / f"a{suffix}", seconds=20)
    assert decode(path, 16000).duration_s == pytest.approx(20, abs=0.1)
    failing(path.stat().st_size * 3 // 4, errno.EIO)
    with pytest.raises(FileUnavailable, match="input/output error"):
        decode(path, 16000)


def test_a_slow_disk_is_waited_for(tmp_path, write_tone, monkeypatch):
    """Every read takes a moment; together they take many times the limit."""
    path = write_tone(tmp_path / "a.wav", seconds=60)
    now = [0.0]
    monkeypatch.setattr(source.time, "monotonic", lambda: now[0])

    class Slow(Failing):
        def read(self, size=-1):
            now[0] += 1.0
            return self._file.read(size)

    def opened(*args, **kwargs):
        return Slow(open(*args, **kwargs), 0, OSError())

    monkeypatch.setattr(source, "open", opened, raising=False)
    assert decode(path, 16000, limit_s=2).duration_s == pytest.approx(60)
    assert now[0] > 100
    with pytest.raises(FileUnavailable, match="the system needed 1 s to read"):
        decode(path, 16000, limit_s=0.5)


# Headers that are wrong


def broken_wav(path: Path, length: bytes, magic: bytes = b"RIFF") -> Path:
    """Three seconds whose header was never finished."""
    t = np.arange(3 * 8000) / 8000
    soundfile.write(path, np.sin(2 * np.pi * 440 * t) / 3, 8000, format="WAV", subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = length
    if magic == b"RF64":
        data[4:8] = data[at + 4 : at + 8] = b"\xff" * 4
        sizes = length * 6 + bytes(4)
        data[12:12] = b"ds64" + struct.pack("<I", len(sizes)) + sizes
    data[:4] = magic
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("magic", [b"RIFF", b"RF64"])
@pytest.mark.parametrize("length", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\xff\xff\xff"])
def test_a_recording_whose_header_was_not_finished_is_read(tmp_path, length, magic):
    path = broken_wav(tmp_path / "a.wav", length, magic)
    assert decode(path, 16000).duration_s == pytest.approx(3, abs=0.02)
    assert load_for_playback(path, 48000, start_s=1).shape[0] == pytest.approx(96000, abs=1000)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_opposite_channels_do_not_become_silence(tmp_path, suffix):
    t = np.arange(3 * 44100) / 44100
    left = np.sin(2 * np.pi * 440 * t) / 3
    noise = np.random.default_rng(0).standard_normal(len(left)) / 1000
    path, other = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    soundfile.write(path, np.stack([left, -left + noise], 1), 44100)
    soundfile.write(other, np.stack([-left / 2, left / 2], 1), 44100)
    sound = decode(path, 16000)
    middle = sound.samples[16000:32000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(1 / 3 / np.sqrt(2), rel=0.1)
    assert sound.channels == 2
    assert sound.content == decode(path, 8000).content
    assert sound.content != decode(other, 16000).content


def test_channels_that_merely_differ_are_mixed_as_ever(tmp_path):
    noise = np.random.default_rng(0).standard_normal((44100, 2)).astype(np.float32) / 10
    wide = np.stack([noise[:, 0], noise[:, 1] / 4 - noise[:, 0]], 1)
    soundfile.write(tmp_path / "a.wav", wide, 44100, subtype="FLOAT")
    assert decode(tmp_path / "a.wav", 44100).samples == pytest.approx(wide.mean(1), abs=1e-6)


def test_time_in_which_reading_was_made_to_wait_does_not_count(tmp_path):
    """The app lets it wait for queries, and processes for memory that others hold."""
    soundfile.write(tmp_path / "a.flac", np.zeros(3 * 16000), 16000)
    waits = iter([0.6] * 3)

    def cancelled():
        time.sleep(next(waits, 0))
        return False

    sound = decode(tmp_path / "a.flac", 16000, limit_s=0.5, cancelled=cancelled)
    assert sound.duration_s == 3
    assert next(waits, None) is None, "it was made to wait"
