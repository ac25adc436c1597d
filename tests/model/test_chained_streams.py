"""Ogg files of several streams, one after another, are read to their end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from crafted import encode, pitch_hz

from gdr_model.audio import decode, load_for_playback


def tones(path: Path, *links: tuple[float, int, int]) -> Path:
    """One Ogg stream after another: pitch, rate and channels of each, three seconds long."""
    data = b""
    for hz, rate_hz, channels in links:
        t = np.arange(3 * rate_hz) / rate_hz
        one = np.repeat(np.sin(2 * np.pi * hz * t)[:, None] / 3, channels, 1)
        subtype = "OPUS" if path.suffix == ".opus" else "VORBIS"
        soundfile.write(path, one, rate_hz, format="OGG", subtype=subtype)
        data += path.read_bytes()
    path.write_bytes(data)
    return path


def same_serial(path: Path) -> Path:
    """The same stream twice, as from an encoder whose serial number is always the same."""
    path.write_bytes(path.read_bytes() * 2)
    return path


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_a_chain_is_read_to_its_end(tmp_path, suffix):
    rates = (48000, 48000, 24000) if suffix == ".opus" else (44100, 22050, 48000)
    links = [(hz, rate, n) for hz, rate, n in zip((300, 900, 600), rates, (1, 2, 1), strict=True)]
    path = tones(tmp_path / f"a{suffix}", *links)
    sound = decode(path, 16000)
    assert sound.duration_s == pytest.approx(9, abs=0.05)
    for second, hz in ((1, 300), (4, 900), (7, 600)):
        heard = pitch_hz(sound.samples[second * 16000 : (second + 1) * 16000], 16000)
        assert heard == pytest.approx(hz, abs=2)
        part = load_for_playback(path, 48000, start_s=second, length_s=1)
        assert len(part) == pytest.approx(48000, abs=100)
        assert pitch_hz(part[:, 0], 48000) == pytest.approx(hz, abs=2)
    assert len(load_for_playback(path, 48000)) == pytest.approx(9 * 48000, abs=2400)
    edge = load_for_playback(path, 48000, start_s=2.5, length_s=1)
    assert pitch_hz(edge[:20000, 0], 48000) == pytest.approx(300, abs=5)
    assert pitch_hz(edge[28000:, 0], 48000) == pytest.approx(900, abs=5)


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_a_chain_of_equal_serial_numbers_is_read_too(tmp_path, write_tone, suffix):
    path = same_serial(write_tone(tmp_path / f"a{suffix}", seconds=20))
    assert decode(path, 16000).duration_s == pytest.approx(40, abs=0.1)
    assert len(load_for_playback(path, 16000, start_s=30)) == pytest.approx(160000, abs=1600)


def long_noise(path: Path, seconds: int, subtype: str) -> bytes:
    """A stream longer than any reader looks ahead."""
    noise = np.random.default_rng(0).standard_normal((48000, 2)) / 10
    with soundfile.SoundFile(path, "w", 48000, 2, subtype, format="OGG") as file:
        for _ in range(seconds):
            file.write(noise)
    return path.read_bytes()


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_long_links_are_found_too(tmp_path, subtype):
    path = tmp_path / "a.ogg"
    data = b"".join(long_noise(path, seconds, subtype) for seconds in (20, 12, 16))
    path.write_bytes(data)
    assert len(data) > 500_000
    assert decode(path, 16000).duration_s == pytest.approx(48, abs=0.05)
    for start_s in (10, 25, 40):
        assert len(load_for_playback(path, 16000, start_s=start_s, length_s=1)) == 16000


def test_links_can_have_different_codecs(tmp_path):
    """FLAC in Ogg as FFmpeg writes it, which libsndfile refuses, around Vorbis."""
    flac = encode(tmp_path / "a.oga", "flac", 2, "stereo").read_bytes()
    (tmp_path / "b.ogg").write_bytes(
        flac + tones(tmp_path / "c.ogg", (440, 44100, 1)).read_bytes() + flac
    )
    assert decode(tmp_path / "b.ogg", 16000).duration_s == pytest.approx(7, abs=0.1)


def test_a_chain_is_no_copy_of_its_first_link(tmp_path):
    first = tones(tmp_path / "a.ogg", (300, 44100, 1))
    chain = tones(tmp_path / "b.ogg", (300, 44100, 1), (600, 44100, 1))
    assert decode(first, 16000).content != decode(chain, 16000).content
