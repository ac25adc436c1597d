"""Write sound files of every format that the libraries write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile

from gdr_model.types import Array

_SOUNDFILE = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".oga": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".aiff": ("AIFF", "PCM_16"),
    ".aif": ("AIFF", "PCM_16"),
}
_PYAV = {
    ".m4a": ("ipod", "aac"),
    ".mp4": ("mp4", "aac"),
    ".aac": ("adts", "aac"),
    ".m4b": ("ipod", "aac"),
    ".m4r": ("ipod", "alac"),
    ".f4a": ("mp4", "aac"),
    ".3gp": ("3gp", "aac"),
    ".3ga": ("3gp", "aac"),
    ".caf": ("caf", "pcm_s16be"),
    ".aifc": ("aiff", "pcm_s16le"),
    ".au": ("au", "pcm_s16be"),
    ".snd": ("au", "pcm_s16be"),
    ".voc": ("voc", "pcm_s16le"),
    ".w64": ("w64", "pcm_s16le"),
    ".rf64": ("wav", "pcm_s16le"),
    ".bwf": ("wav", "pcm_s24le"),
    ".wave": ("wav", "pcm_f32le"),
    ".wv": ("wv", "wavpack"),
    ".tta": ("tta", "tta"),
    ".mp2": ("mp2", "mp2"),
    ".mpa": ("mp2", "mp2"),
    ".wma": ("asf", "wmav2"),
    ".asf": ("asf", "wmav2"),
    ".mka": ("matroska", "pcm_s16le"),
    ".webm": ("webm", "libopus"),
    ".weba": ("webm", "libopus"),
    ".ac3": ("ac3", "ac3"),
    ".eac3": ("eac3", "eac3"),
    ".ec3": ("eac3", "eac3"),
}
WRITABLE = frozenset(_SOUNDFILE) | frozenset(_PYAV)
"""Suffixes whose formats the libraries write as well as read."""


def tone(hz: float, seconds: float, rate_hz: int = 44100, channels: int = 1) -> Array:
    """A sine (N, channels) at a third of full scale."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    one = np.sin(2 * np.pi * hz * t) / 3
    return np.repeat(one[:, None], channels, axis=1).astype(np.float32)


def write_sound(path: Path, samples: Array, rate_hz: int) -> Path:
    """Write samples (N, channels) in the format that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix in _SOUNDFILE:
        kind, subtype = _SOUNDFILE[suffix]
        # A file object, because soundfile cannot encode names that are not valid UTF-8.
        with path.open("wb") as file:
            soundfile.write(file, samples, rate_hz, format=kind, subtype=subtype)
        return path
    kind, codec = _PYAV[suffix]
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T), format="fltp", layout=layout
        )
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(stream.format, layout, rate_hz, frame_size=1024)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                container.mux(packet)
    return path


def falling_noises(count: int, seconds: int, rate_hz: int) -> Iterator[Array]:
    """Noise (N,) below a frequency that falls from one sound to the next."""
    rng = np.random.default_rng(0)
    for number in range(count):
        spectrum = np.fft.rfft(rng.standard_normal(seconds * rate_hz))
        spectrum[round(len(spectrum) / (number + 1.5)) :] = 0
        samples = np.fft.irfft(spectrum)
        yield 0.2 * samples / np.abs(samples).max()
