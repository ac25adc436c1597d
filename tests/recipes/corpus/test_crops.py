"""Crops for the encoder: the teacher's windows are the encoder's windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS, POOLED_PER_S, pool_windows
from recipes.builtin.corpus.crops import CROP_S, FLOOR, CropSampler, disturb, windowed
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack


def track(name: str, kind: str, seconds: int, seed: int) -> PreparedTrack:
    rng = np.random.default_rng(seed)
    return PreparedTrack(
        {"id": name, "kind": kind, "split": "train"},
        rng.normal(-4, 1, (seconds * FRAMES_PER_S, MELS)).astype(np.float16),
        rng.normal(-5, 1, (seconds, 521)).astype(np.float16),
        rng.random((seconds, 1024)).astype(np.float16),
    )


def test_targets_are_averaged_as_the_encoder_pools() -> None:
    rows = torch.randn(2, 9, 3)
    frames = rows.repeat_interleave(POOLED_PER_S, dim=1).transpose(1, 2)  # (B, C, F')
    mean = pool_windows(frames)[..., :3]
    torch.testing.assert_close(windowed(rows), mean)


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


def test_disturbing_keeps_power_positive() -> None:
    mel = torch.full((16, 64, MELS), float(np.log(FLOOR)))
    power = disturb(mel, np.random.default_rng(0))
    assert float(power.min()) >= 0


def test_the_store_reads_back_what_was_added(tmp_path: Path) -> None:
    store, one = PreparedFolder(tmp_path), track("music/one.ogg", "source", 5, 3)
    rows = {"mel": one.mel, "logits": one.logits, "embedding": one.embedding}
    store.add(one.record, rows)
    store.add({**one.record, "style": "anew"}, rows)  # prepared again: the last holds
    (read,) = store.load()
    assert read.record["id"] == "music/one.ogg"
    assert read.record["style"] == "anew"
    assert read.seconds == 5
    np.testing.assert_array_equal(read.mel, one.mel)
