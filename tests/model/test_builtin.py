"""The audio encoder that ships: length, chunks, loudness and the mel scale."""

import numpy as np
import pytest
import torch

from gdr_model.encoders.builtin import audio as builtin
from gdr_model.errors import Cancelled

RATE = builtin.SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def encoder() -> builtin.BuiltinEncoder:
    torch.manual_seed(0)
    return builtin.BuiltinEncoder(
        builtin.AudioNet(), torch.randn(256, 16), builtin.space(16, "0" * 16)
    )


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    count = int(seconds * RATE)
    return 0.1 * np.random.default_rng(seed).standard_normal(count).astype(np.float32)


@pytest.mark.parametrize(("seconds", "latents"), [(0.01, 1), (1.4, 1), (1.6, 2), (64, 64)])
def test_one_latent_a_second(encoder: builtin.BuiltinEncoder, seconds: float, latents: int) -> None:
    assert encoder.encode(sound(seconds)).shape == (latents, 16)


def test_chunks_leave_no_seam(encoder: builtin.BuiltinEncoder) -> None:
    samples = sound(2 * builtin.CHUNK_S + 30)
    whole = builtin.normalise_loudness(samples)
    with torch.inference_mode():
        features = encoder.net(builtin.log_mel(torch.from_numpy(whole)[None]))[0]
    expected = (features @ encoder.projection).numpy()
    np.testing.assert_allclose(encoder.encode(samples), expected, atol=2e-3)


def test_loudness_does_not_matter(encoder: builtin.BuiltinEncoder) -> None:
    samples = sound(8)
    np.testing.assert_allclose(encoder.encode(samples), encoder.encode(0.05 * samples), atol=1e-3)


def test_silence_is_encoded_to_finite_numbers(encoder: builtin.BuiltinEncoder) -> None:
    assert np.isfinite(encoder.encode(np.zeros(5 * RATE, np.float32))).all()


def test_a_tone_lights_the_band_that_holds_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    mel = builtin.log_mel(torch.from_numpy(tone)[None])[0].mean(0)
    centres = builtin.mel_filters().argmax(0) * RATE / builtin.FFT
    assert abs(float(centres[int(mel.argmax())]) - 1000) < 60


def test_encoding_stops_when_asked(encoder: builtin.BuiltinEncoder) -> None:
    with pytest.raises(Cancelled):
        encoder.encode(sound(2), lambda: True)
