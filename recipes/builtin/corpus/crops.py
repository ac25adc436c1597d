"""Random crops of prepared tracks, disturbed the way real recordings are.

Everything is done on the log-mel: gain, tilt, low-pass and high-pass are added per band, and a
mixture is a sum of powers. The teachers' output for the clean crop stays the target, so that the
network learns to ignore the disturbance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS, WINDOW_S
from recipes.builtin.corpus.prepare import HALF, ROWS, PreparedTrack
from recipes.builtin.corpus.rarity import rarity

CROP_S = 6
SHARES = {"source": 0.35, "remix": 0.3, "voice": 0.15, "render": 0.2}
"""Share of crops from each kind; the shares of absent kinds go to the others."""
VOICE_BOOST = 3.0
"""Sung excerpts are few: each is used this many times as often as its length alone would give."""
MIXED = 0.1
"""Share of crops to which another crop is added; small, because a mixture has no target logits."""
JITTER = 12
"""Largest shift of a crop against the teachers' seconds, in frames (64 per second)."""
FLOOR = 1e-5
"""Power that the front end adds before taking the logarithm."""


@dataclass(frozen=True)
class CropBatch:
    """Crops and the teachers' targets for the window around each second."""

    mel: Tensor  # (B, CROP_S * FRAMES_PER_S, MELS)
    logits: Tensor  # (B, CROP_S, 521)
    seconds: Tensor  # (B, CROP_S, 521), logits of the single seconds
    posteriors: Tensor  # (B, CROP_S, 521)
    embedding: Tensor  # (B, CROP_S, 1024)
    tag_logits: Tensor  # (B, CROP_S, 50)
    tag_features: Tensor  # (B, CROP_S, 200)
    mixed: Tensor  # (B,), True where two crops were added


def weight(track: PreparedTrack) -> float:
    """Weight of a track among its kind: its length in seconds, up to two minutes."""
    boost = VOICE_BOOST if "sung" in str(track.record.get("voice") or "").lower() else 1.0
    return boost * min(track.seconds, 120.0)


@lru_cache(maxsize=8)
def window_matrix(seconds: int) -> Tensor:
    """The matrix (T, T) that averages over each latent's window.

    A window holds its second, the neighbours, and half of the seconds at its ends. At the edges of
    the crop it is cut off, as in the encoder.
    """
    near = torch.arange(seconds)
    away = (near[:, None] - near[None]).abs()
    half = WINDOW_S // 2
    weights = (away < half).float() + 0.5 * (away == half).float()
    return weights / weights.sum(dim=1, keepdim=True)


def windowed(rows: Tensor) -> Tensor:
    """Average rows (..., T, C), one per second, over each latent's window."""
    return window_matrix(rows.shape[-2]).to(rows.device) @ rows


class CropSampler:
    """Takes batches from prepared tracks; the same seed and step give the same batch.

    All tracks are concatenated on the training device, in half precision.
    """

    def __init__(
        self, tracks: Sequence[PreparedTrack], size: int, seed: int, device: str = "cpu"
    ) -> None:
        self.tracks = [t for t in tracks if t.seconds >= CROP_S]
        self.size, self.seed, self.device = size, seed, device

        def joined(rows: Iterable[HALF]) -> Tensor:
            return torch.from_numpy(np.concatenate(list(rows))).to(device)

        self.mel = joined(t.mel[: t.seconds * FRAMES_PER_S] for t in self.tracks)
        # Second by second, everything the teachers say.
        self.rows = {
            name: joined(getattr(t, name) for t in self.tracks) for name in ROWS if name != "mel"
        }
        self.seconds = np.array([t.seconds for t in self.tracks])
        self.first = np.cumsum(self.seconds) - self.seconds
        kinds = {k: [i for i, t in enumerate(self.tracks) if t.kind == k] for k in SHARES}
        total = sum(share for kind, share in SHARES.items() if kinds[kind])
        self.probability = np.zeros(len(self.tracks))
        for kind, share in SHARES.items():
            if kinds[kind]:
                of_kind = [self.tracks[i] for i in kinds[kind]]
                weights = np.array([weight(t) for t in of_kind]) * rarity(
                    np.stack([t.logits.mean(axis=0, dtype=np.float32) for t in of_kind])
                )
                self.probability[kinds[kind]] = share / total * weights / weights.sum()

    def crops(self, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Clean crops: mel, and the teachers' rows of each second, one row per crop."""
        track = rng.choice(len(self.tracks), self.size, p=self.probability)
        start = rng.integers(self.seconds[track] - CROP_S + 1)
        # The teachers' seconds are a grid; the crop may start a little off it.
        shift = rng.integers(-JITTER, JITTER + 1, self.size)
        last = (self.seconds[track] - CROP_S) * FRAMES_PER_S
        frame = self.first[track] * FRAMES_PER_S + np.clip(start * FRAMES_PER_S + shift, 0, last)
        second = self.first[track] + start
        frames = torch.from_numpy(frame[:, None] + np.arange(CROP_S * FRAMES_PER_S))
        seconds = torch.from_numpy(second[:, None] + np.arange(CROP_S)).to(self.device)
        mel = self.mel[frames.to(self.device)].float()
        return mel, {name: rows[seconds].float() for name, rows in self.rows.items()}

    def batch(self, step: int) -> CropBatch:
        """The batch for one step."""
        rng = np.random.default_rng([self.seed, step])
        mel, seconds = self.crops(rng)
        posteriors = windowed(torch.sigmoid(seconds["logits"]))
        power = disturb(mel, rng)
        partners = rng.permutation(self.size)
        mixed = (rng.random(self.size) < MIXED) & (partners != np.arange(self.size))
        louder = mixed * rng.uniform(0.3, 1.0, self.size)
        share = torch.from_numpy(louder.astype(np.float32)).to(self.device)[:, None, None]
        other = torch.from_numpy(partners).to(self.device)
        power = power + share * power[other]
        return CropBatch(
            mel=torch.log(power + FLOOR),
            logits=windowed(seconds["logits"]),
            seconds=seconds["logits"],
            # Noisy-or: a class that either crop has, the mixture has.
            posteriors=1 - (1 - posteriors) * (1 - posteriors[other] * (share > 0)),
            embedding=windowed(seconds["embedding"]),
            tag_logits=windowed(seconds["tag_logits"]),
            tag_features=windowed(seconds["tag_features"]),
            mixed=torch.from_numpy(mixed).to(self.device),
        )


def disturb(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Turn log-mel (B, F, MELS) into mel power with random gain, tilt, band limits and masks."""
    batch = len(mel)
    bands = np.linspace(-1, 1, MELS)
    change = rng.normal(0, 1.0, (batch, 1)) + rng.normal(0, 0.6, (batch, 1)) * bands
    # A soft bump or dip somewhere: loudspeakers, rooms, equalisers.
    centre, height = rng.uniform(-1, 1, (batch, 1)), rng.normal(0, 0.5, (batch, 1))
    change += height * np.exp(-(((bands - centre) / 0.25) ** 2))
    index = np.arange(MELS)
    low_pass = np.where(rng.random(batch) < 0.12, rng.uniform(28, 62, batch), MELS)[:, None]
    high_pass = np.where(rng.random(batch) < 0.05, rng.uniform(2, 12, batch), -1)[:, None]
    change -= 2.5 * np.maximum(0, index - low_pass) + 1.5 * np.maximum(0, high_pass - index)
    first = rng.integers(0, MELS, (batch, 1))
    width = np.where(rng.random(batch) < 0.2, rng.integers(2, 7, batch), 0)[:, None]
    change -= 12.0 * ((index >= first) & (index < first + width))
    power = (torch.exp(mel) - FLOOR).clamp_min(0)
    return power * torch.from_numpy(np.exp(change)[:, None].astype(np.float32)).to(mel.device)
