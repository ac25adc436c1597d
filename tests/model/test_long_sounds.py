"""Sounds that are too long to hold: the same numbers, piece by piece."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from gdr_model.audio import decode, peaks
from gdr_model.audio.held import Held, energy
from gdr_model.audio.long_sound import LongSound
from gdr_model.encoders.builtin import audio as builtin
from gdr_model.encoders.builtin.on_cpu import on_cpu
from gdr_model.encoders.musicnn.encoder import MusicnnEncoder
from gdr_model.encoders.musicnn.net import Musicnn, MusicnnConfig
from gdr_model.encoders.shared import loudness
from gdr_model.encoders.shared.windowed import WindowedEncoder
from gdr_model.errors import Cancelled, DecodeError
from gdr_model.types import LatentSpace

RATE_HZ = 16_000


def noise(seconds, rate_hz=RATE_HZ, seed=0):
    loud = np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))
    return (0.1 * loud * np.linspace(0.1, 1, len(loud))).astype(np.float32)


@pytest.fixture
def file(tmp_path):
    """Five minutes and a bit, of another rate than the encoders'."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([noise(310.3, 22050), noise(310.3, 22050, 1)], 1), 22050)
    return path


def both(path, cancelled=lambda: False):
    """The sound of a file, held and not held."""
    whole = decode(path, RATE_HZ)
    long = decode(path, RATE_HZ, most=RATE_HZ, cancelled=cancelled)
    assert isinstance(whole.samples, np.ndarray)
    assert isinstance(long.samples, LongSound)
    return whole, long


def test_a_long_sound_has_the_samples_and_the_hash_of_a_held_one(file):
    whole, long = both(file)
    assert long.content == whole.content
    assert long.duration_s == whole.duration_s
    found = [
        long.samples[first : first + 700_000] for first in range(0, len(long.samples), 650_000)
    ]
    for first, part in zip(range(0, len(whole.samples), 650_000), found, strict=True):
        assert np.array_equal(part, whole.samples[first : first + 700_000])
    assert np.array_equal(long.samples[5:9], whole.samples[5:9])  # back to the beginning
    again = pickle.loads(pickle.dumps(long.samples))  # noqa: S301 (our own)
    assert np.array_equal(again[-20000:], whole.samples[-20000:])


def test_where_channels_cancel_the_strongest_is_read_again(tmp_path):
    left = noise(40, 8000)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -0.99 * left], 1), 8000)
    whole, long = both(tmp_path / "a.wav")
    assert long.content == whole.content
    assert np.array_equal(long.samples[:], whole.samples)
    assert np.abs(whole.samples).max() > 0.1


def test_a_file_that_became_shorter_meanwhile_is_refused(file):
    _, long = both(file)
    soundfile.write(file, noise(5), 22050)
    with pytest.raises(DecodeError, match="it changed while it was read"):
        long.samples[:]


def test_reading_stops_when_asked(file):
    stop = []
    _, long = both(file, cancelled=lambda: bool(stop))
    assert len(long.samples[:100]) == 100
    stop.append(True)
    with pytest.raises(Cancelled):
        long.samples[-100:]


@pytest.mark.parametrize("count", [3 * RATE_HZ, 3 * RATE_HZ + 5])
def test_energy_is_counted_while_nothing_is_held(count):
    samples = noise(count / RATE_HZ)
    held = Held(RATE_HZ, limit=1000)
    for first in range(0, count, 7001):
        held.append(samples[first : first + 7001])
    assert held.finished() is None
    for part in (RATE_HZ, 2 * RATE_HZ, count):
        wanted = float(np.square(samples[:part], dtype=np.float64).sum())
        assert energy(held.energies, RATE_HZ, part) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("count", [1, 7, 131_073, 3_000_001])
def test_the_gain_is_that_of_numpys_mean_to_the_bit(count):
    samples = noise(count / RATE_HZ)
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    assert loudness.gain(samples, count, -20) == np.float32(10 ** (-20 / 20) / rms)


# The encoders


def encoders():
    torch.manual_seed(0)
    net = builtin.AudioNet()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    yield builtin.BuiltinEncoder(net, torch.randn(256, 16), builtin.space(16, "0" * 16))
    space = LatentSpace("x", 753, RATE_HZ, 3.0, 1.0, "0" * 16)
    yield MusicnnEncoder(Musicnn(MusicnnConfig()).eval(), space, torch.device("cpu"))
    for margin in (0, 300):
        yield WindowedEncoder(
            lambda x: torch.stack([x.mean(1), x.std(1), x[:, 0], x[:, -1]], 1),
            LatentSpace("y", 4, RATE_HZ, 2.0, 1.0, "0" * 16),
            torch.device("cpu"),
            2 * RATE_HZ,
            margin=margin,
        )


@pytest.mark.parametrize("number", range(4))
def test_latents_of_a_long_sound_are_those_of_a_held_one(file, number):
    encoder = list(encoders())[number]
    whole, long = both(file)
    latents = encoder.encode(whole.samples)
    assert len(latents) == 310
    assert np.array_equal(encoder.encode(long.samples), latents)


def test_the_network_on_a_cpu_computes_what_it_is_trained_as():
    net = next(encoders()).net
    with torch.inference_mode():
        mel = builtin.log_mel(torch.from_numpy(noise(20))[None])
        torch.testing.assert_close(on_cpu(net)(mel), net(mel), rtol=1e-4, atol=1e-5)


# Memory

PEAK = """
import resource, sys
from pathlib import Path
from gdr_model.audio import decode, peaks
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
decode(Path(sys.argv[2]), 16000)
before = peak()
sound = decode(Path(sys.argv[1]), 16000, most=1 << 20)
peaks(sound.samples, 1000)
print(peak() - before, round(sound.duration_s))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is of POSIX")
def test_hours_are_never_in_memory(tmp_path):
    """Three hours are 690 MB of samples; their waveform is drawn too."""
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 8000, 1, "PCM_U8") as file:
        for _ in range(180):
            file.write(np.zeros(8000 * 60, np.int16))
    soundfile.write(tmp_path / "b.wav", np.zeros(8000), 8000)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "a.wav", tmp_path / "b.wav"],
        capture_output=True,
        text=True,
        check=True,
    )
    grown_mb, seconds = map(int, done.stdout.split())
    assert seconds == 3 * 3600
    assert grown_mb < 100


def test_the_waveform_of_a_long_sound_is_that_of_a_held_one(file):
    whole, long = both(file)
    assert np.array_equal(peaks(long.samples, 300), peaks(whole.samples, 300))


def test_a_hole_in_a_file_is_no_sound(tmp_path):
    """Ten hours that the disk has four kilobytes of."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(800), 8000, subtype="PCM_U8")
    size = 36_000 * 8000
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8], data[at + 4 : at + 8] = (size + at).to_bytes(4, "little"), size.to_bytes(4, "little")
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.truncate(at + 8 + size)
    if path.stat().st_blocks * 512 > size // 2:
        pytest.skip("this file system keeps no holes")
    with pytest.raises(DecodeError, match=r"it unpacks 0\.0 MB to 1\.2 hours and more"):
        decode(path, 16000)
