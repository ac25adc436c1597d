"""Crops for the encoder: the teacher's windows are the encoder's windows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from prepared import track

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS, POOLED_PER_S, pool_windows
from recipes.builtin.corpus.crops import (
    CROP_S,
    FLOOR,
    MIXED,
    SHARES,
    VOICE_BOOST,
    CropSampler,
    disturb,
    weight,
    window_matrix,
    windowed,
)


def test_targets_are_averaged_as_the_encoder_pools() -> None:
    rows = torch.randn(2, 9, 3)
    frames = rows.repeat_interleave(POOLED_PER_S, dim=1).transpose(1, 2)  # (B, C, F')
    mean = pool_windows(frames)[..., :3]
    torch.testing.assert_close(windowed(rows), mean)


@pytest.mark.parametrize("seconds", [1, 2, 6, 20])
def test_each_window_is_an_average_around_its_second(seconds: int) -> None:
    weights = window_matrix(seconds)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(seconds))
    assert (weights >= 0).all()
    assert (weights.argmax(dim=1) - torch.arange(seconds)).abs().max() <= 2
    constant = torch.full((1, seconds, 4), 7.0)
    torch.testing.assert_close(windowed(constant), constant)


def test_batches_repeat_and_differ() -> None:
    tracks = [track("a", "source", 30, 0), track("b", "render", 12, 1), track("c", "remix", 4, 2)]
    sampler = CropSampler(tracks, 6, seed=1)
    assert [t.record["id"] for t in sampler.tracks] == ["a", "b"]  # "c" is shorter than a crop
    first, again, other = sampler.batch(0), sampler.batch(0), sampler.batch(1)
    assert first.mel.shape == (6, CROP_S * FRAMES_PER_S, MELS)
    torch.testing.assert_close(first.mel, again.mel)
    assert not torch.equal(first.mel, other.mel)
    assert bool(torch.isfinite(first.mel).all())
    assert 0 <= float(first.posteriors.min()) <= float(first.posteriors.max()) <= 1
    another = CropSampler(tracks, 6, seed=2).batch(0)
    assert not torch.equal(first.mel, another.mel)


def test_a_crop_and_its_targets_are_of_the_same_seconds() -> None:
    # Second s of the track has logits s and a mel of s throughout, so all can be compared.
    one = track("a", "source", 40, 0)
    seconds = np.arange(40, dtype=np.float16)
    one.mel[:] = np.repeat(seconds, FRAMES_PER_S)[:, None]
    one.logits[:] = seconds[:, None]
    one.embedding[:] = seconds[:, None]
    sampler = CropSampler([one], 64, seed=0)
    mel, rows = sampler.crops(np.random.default_rng(0))
    logits, embedding = rows["logits"], rows["embedding"]
    torch.testing.assert_close(logits[..., 0], embedding[..., 0])
    middle = mel[:, FRAMES_PER_S // 2 :: FRAMES_PER_S, 0]  # off by the jitter at most
    torch.testing.assert_close(middle, logits[..., 0])
    starts = logits[:, 0, 0]
    assert starts.min() >= 0
    assert starts.max() <= 40 - CROP_S
    assert len(set(starts.tolist())) > 20


def test_kinds_are_sampled_by_their_shares_whatever_their_number() -> None:
    tracks = [track(f"s{n}", "source", 8, n) for n in range(9)] + [track("r", "render", 8, 9)]
    sampler = CropSampler(tracks, 4, seed=0)
    by_kind: Counter[str] = Counter()
    for one, probability in zip(sampler.tracks, sampler.probability, strict=True):
        by_kind[one.kind] += probability
    total = SHARES["source"] + SHARES["render"]
    assert by_kind["source"] == pytest.approx(SHARES["source"] / total)
    assert by_kind["render"] == pytest.approx(SHARES["render"] / total)


def test_long_and_sung_tracks_weigh_more() -> None:
    assert weight(track("a", "source", 20, 0)) == 20
    assert weight(track("a", "source", 300, 0)) == 120
    assert weight(track("a", "source", 20, 0, voice="Sung, male")) == 20 * VOICE_BOOST


def test_a_mixture_has_what_either_crop_has() -> None:
    tracks = [track(name, "source", 12, seed) for seed, name in enumerate("abcd")]
    sampler = CropSampler(tracks, 64, seed=3)
    mixed = clean = 0
    for step in range(4):
        batch = sampler.batch(step)
        alone = windowed(torch.sigmoid(batch.seconds))
        torch.testing.assert_close(batch.posteriors[~batch.mixed], alone[~batch.mixed])
        assert (batch.posteriors[batch.mixed] >= alone[batch.mixed] - 1e-6).all()
        if batch.mixed.any():
            # Two crops with about the same faint classes: either is twice as likely.
            both, one = batch.posteriors[batch.mixed].mean(), alone[batch.mixed].mean()
            assert float(both / one) == pytest.approx(2, abs=0.3)
        mixed, clean = mixed + int(batch.mixed.sum()), clean + int((~batch.mixed).sum())
    assert mixed / (mixed + clean) == pytest.approx(MIXED, abs=0.07)


def test_disturbing_silence_leaves_silence() -> None:
    mel = torch.full((16, 64, MELS), float(np.log(FLOOR)))
    power = disturb(mel, np.random.default_rng(0))
    assert float(power.min()) >= 0
    assert float(power.max()) < FLOOR


def test_a_disturbance_is_one_curve_over_the_bands_for_the_whole_crop() -> None:
    rng = np.random.default_rng(1)
    mel = torch.from_numpy(rng.normal(-2, 1, (32, 64, MELS)).astype(np.float32))
    power = disturb(mel, rng)
    gain = power / (torch.exp(mel) - FLOOR).clamp_min(1e-9)  # (B, F, MELS)
    torch.testing.assert_close(gain, gain[:, :1].expand_as(gain), rtol=1e-3, atol=1e-6)
    assert gain.log().std(dim=0).min() > 0.3  # crops differ in every band
    assert abs(float(gain.log().median())) < 0.5  # and are as often louder as softer
