"""Sound for the player, and the waveform."""

from __future__ import annotations

import av
import numpy as np
import pytest
import soundfile
from crafted import pitch_hz

from gdr_model.audio import (
    load_for_playback,
    peaks,
)
from gdr_model.errors import DecodeError


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a", ".flac"])
def test_playback_is_stereo_from_where_it_is_asked(tmp_path, suffix):
    """The pitch tells where the stretch came from: 300 Hz for 5 s, then 1200 Hz."""
    rate_hz = 44100
    t = np.arange(5 * rate_hz) / rate_hz
    both = np.concatenate([np.sin(2 * np.pi * hz * t) / 3 for hz in (300, 1200)])
    path = tmp_path / f"a{suffix}"
    if suffix == ".m4a":
        with av.open(str(path), "w", format="ipod") as container:
            stream = container.add_stream("aac", rate=rate_hz)
            stream.layout = "mono"
            frame = av.AudioFrame.from_ndarray(
                both[None].astype(np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate = rate_hz
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
    else:
        soundfile.write(path, both, rate_hz)
    whole = load_for_playback(path, 48000)
    assert whole.shape[1] == 2
    assert whole.dtype == np.float32
    assert len(whole) == pytest.approx(480000, rel=0.02)
    assert np.array_equal(whole[:, 0], whole[:, 1])
    part = load_for_playback(path, 48000, start_s=6, length_s=2)
    assert len(part) == pytest.approx(96000, abs=48)
    assert pitch_hz(part[:, 0], 48000) == pytest.approx(1200, abs=2)
    edge = load_for_playback(path, 48000, start_s=4, length_s=2)
    assert pitch_hz(edge[:40000, 0], 48000) == pytest.approx(300, abs=3)
    assert pitch_hz(edge[56000:, 0], 48000) == pytest.approx(1200, abs=3)
    with pytest.raises(DecodeError):
        load_for_playback(path, 48000, start_s=60)


def test_playback_keeps_left_and_right(tmp_path):
    left = np.full(44100, 0.5, np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -left], 1), 44100, subtype="FLOAT")
    stereo = load_for_playback(tmp_path / "a.wav", 44100)
    assert stereo[1000].tolist() == [0.5, -0.5]


def test_playback_refuses_what_cannot_be_read(tmp_path):
    (tmp_path / "a.mp3").write_text("no music")
    with pytest.raises(DecodeError, match="not a readable sound file"):
        load_for_playback(tmp_path / "a.mp3", 44100)


@pytest.mark.parametrize(("count", "columns"), [(1000, 10), (7, 20), (1, 3), (0, 4), (5, 0)])
def test_peaks_hold_the_extremes(count, columns):
    samples = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    found = peaks(samples, columns)
    assert found.shape == (columns, 2)
    assert (found[:, 0] <= found[:, 1]).all()
    if count and columns:
        assert (found[:, 0].min(), found[:, 1].max()) == (samples.min(), samples.max())
