"""The audio encoder that ships: length, chunks, loudness and the mel scale."""

import numpy as np
import pytest
import torch

from gdr_model.encoders.builtin import audio as builtin
from gdr_model.encoders.builtin.tower import ContrastiveTower
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


def test_the_network_has_the_size_on_its_card(encoder: builtin.BuiltinEncoder) -> None:
    stored = [v for v in encoder.net.state_dict().values() if v.dtype.is_floating_point]
    assert sum(value.numel() for value in stored) / 1e6 == pytest.approx(2.79, abs=0.005)


def test_a_latent_sees_the_seconds_around_it_alone(encoder: builtin.BuiltinEncoder) -> None:
    samples = builtin.normalise_loudness(sound(40))
    changed = samples.copy()
    changed[: 4 * RATE] = samples[RATE : 5 * RATE]  # as loud, so that nothing is scaled
    with torch.inference_mode():
        before, after = (
            encoder.net(builtin.log_mel(torch.from_numpy(x)[None]))[0] for x in (samples, changed)
        )
    distances = (before - after).norm(dim=1)
    assert float(distances[:4].min()) > 1e-3
    assert float(distances[12:].max()) < 1e-4


def test_a_block_adds_its_input_only_where_shapes_allow() -> None:
    assert builtin.Separable(8, 8).residual
    assert not builtin.Separable(8, 8, (2, 1)).residual
    assert not builtin.Separable(8, 16).residual
    block = builtin.Separable(8, 8).eval()
    torch.nn.init.zeros_(block.body[-1].weight)
    x = torch.randn(2, 8, 5, 4)
    torch.testing.assert_close(block(x), x.relu())
    assert builtin.Separable(8, 16, (2, 2)).eval()(x).shape == (2, 16, 3, 2)


def test_loudness_is_that_of_the_teacher_and_silence_stays_silent() -> None:
    for gain in (1e-3, 1.0, 30.0):
        scaled = builtin.normalise_loudness(gain * sound(3))
        level_db = 20 * np.log10(np.sqrt(np.mean(scaled**2)))
        assert level_db == pytest.approx(builtin.LOUDNESS_DB, abs=0.01)
    assert not builtin.normalise_loudness(np.zeros(100, np.float32)).any()
    assert len(builtin.normalise_loudness(np.zeros(0, np.float32))) == 0


def test_the_space_names_its_encoder_and_weights() -> None:
    space = builtin.space(128, "0123456789abcdef")
    assert (space.encoder, space.dim, space.sample_rate_hz) == ("builtin", 128, 16_000)
    assert (space.window_s, space.hop_s, space.fingerprint) == (4, 1, "0123456789abcdef")


def test_the_tower_maps_text_of_any_scale_to_unit_rows() -> None:
    torch.manual_seed(0)
    tower = ContrastiveTower(12, 5).eval()
    pooled = torch.randn(7, 12)
    with torch.inference_mode():
        rows = tower(pooled)
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(7))
        torch.testing.assert_close(tower(40 * pooled), rows, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(tower(pooled[[3]]), rows[[3]])
    assert rows.shape == (7, 5)


def test_towers_together_are_the_mean_of_their_points() -> None:
    torch.manual_seed(0)
    towers = [ContrastiveTower(12, 5).eval() for _ in range(3)]
    whole, pooled = ContrastiveTower.together(towers).eval(), torch.randn(7, 12)
    mean = torch.stack([tower(pooled) for tower in towers]).mean(0)
    torch.testing.assert_close(whole(pooled), mean / mean.norm(dim=1, keepdim=True))
    again = ContrastiveTower(**whole.shape).eval()
    again.load_state_dict(whole.state_dict())
    assert torch.equal(again(pooled), whole(pooled))


def test_the_tower_drops_features_only_while_it_is_trained() -> None:
    tower, pooled = ContrastiveTower(12, 5), torch.randn(3, 12)
    assert not torch.equal(tower(pooled), tower(pooled))
    tower.eval()
    assert torch.equal(tower(pooled), tower(pooled))
