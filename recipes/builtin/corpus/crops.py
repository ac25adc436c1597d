"""Random crops of prepared tracks, disturbed as real recordings are.

Everything is done on the log-mel: gain, tilt, low-pass and high-pass are sums over bands, a
mixture is a sum of powers. The teacher's opinion of the clean crop stays the target, which
teaches the network to hear through the disturbance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS, WINDOW_S
from recipes.builtin.corpus.prepare import HALF, PreparedTrack
from recipes.builtin.corpus.rarity import rarity

CROP_S = 6
SHARES = {"source": 0.35, "remix": 0.3, "voice": 0.15, "render": 0.2}
"""How often a crop comes from each kind; kinds that are absent leave theirs to the others."""
VOICE_BOOST = 3.0
"""Sung excerpts are few: each is drawn this many times as often as its length asks for."""
MIXED = 0.1
"""Share of crops to which another is added. A mixture has no logits to learn from: few."""
JITTER = 12
"""Frames by which a crop may lie beside the teacher's seconds; 64 are a second."""
FLOOR = 1e-5
"""Power added before the logarithm by the front end."""


@dataclass(frozen=True)
class CropBatch:
    """Crops and what the teacher thinks of each second's window."""

    mel: Tensor  # (B, CROP_S * FRAMES_PER_S, MELS)
    logits: Tensor  # (B, CROP_S, 521)
    seconds: Tensor  # (B, CROP_S, 521), logits of the single seconds
    posteriors: Tensor  # (B, CROP_S, 521)
    embedding: Tensor  # (B, CROP_S, 1024)
    mixed: Tensor  # (B,), True where two crops were added


def weight(track: PreparedTrack) -> float:
    """How often a track is drawn among its kind: its length, up to two minutes."""
    boost = VOICE_BOOST if "sung" in str(track.record.get("voice") or "").lower() else 1.0
    return boost * min(track.seconds, 120.0)


@lru_cache(maxsize=8)
def window_matrix(seconds: int) -> Tensor:
    """Mean over each latent's window as a matrix (T, T).

    The window holds its second, the neighbours, and halves of the seconds at its ends; at the
    edges it holds what there is, as in the encoder.
    """
    near = torch.arange(seconds)
    away = (near[:, None] - near[None]).abs()
    half = WINDOW_S // 2
    weights = (away < half).float() + 0.5 * (away == half).float()
    return weights / weights.sum(dim=1, keepdim=True)


def windowed(rows: Tensor) -> Tensor:
    """A row a second (..., T, C) to the mean over each latent's window."""
    return window_matrix(rows.shape[-2]).to(rows.device) @ rows


class CropSampler:
    """Draws batches from prepared tracks; the same seed and step give the same batch.

    Tracks lie end to end on the device that learns, in half precision.
    """

    def __init__(
        self, tracks: Sequence[PreparedTrack], size: int, seed: int, device: str = "cpu"
    ) -> None:
        self.tracks = [t for t in tracks if t.seconds >= CROP_S]
        self.size, self.seed, self.device = size, seed, device

        def laid(rows: Iterable[HALF]) -> Tensor:
            return torch.from_numpy(np.concatenate(list(rows))).to(device)

        self.mel = laid(t.mel[: t.seconds * FRAMES_PER_S] for t in self.tracks)
        self.logits = laid(t.logits for t in self.tracks)
        self.embedding = laid(t.embedding for t in self.tracks)
        self.seconds = np.array([t.seconds for t in self.tracks])
        self.first = np.cumsum(self.seconds) - self.seconds
        kinds = {k: [i for i, t in enumerate(self.tracks) if t.kind == k] for k in SHARES}
        total = sum(share for kind, share in SHARES.items() if kinds[kind])
        self.chance = np.zeros(len(self.tracks))
        for kind, share in SHARES.items():
            if kinds[kind]:
                alike = [self.tracks[i] for i in kinds[kind]]
                weights = np.array([weight(t) for t in alike]) * rarity(
                    np.stack([t.logits.mean(axis=0, dtype=np.float32) for t in alike])
                )
                self.chance[kinds[kind]] = share / total * weights / weights.sum()

    def crops(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Clean crops: mel, logits and embedding, a row a crop."""
        drawn = rng.choice(len(self.tracks), self.size, p=self.chance)
        start = rng.integers(self.seconds[drawn] - CROP_S + 1)
        # The teacher's seconds are a grid; what is heard may lie a little beside it.
        beside = rng.integers(-JITTER, JITTER + 1, self.size)
        last = (self.seconds[drawn] - CROP_S) * FRAMES_PER_S
        frame = self.first[drawn] * FRAMES_PER_S + np.clip(start * FRAMES_PER_S + beside, 0, last)
        second = self.first[drawn] + start
        frames = torch.from_numpy(frame[:, None] + np.arange(CROP_S * FRAMES_PER_S))
        seconds = torch.from_numpy(second[:, None] + np.arange(CROP_S)).to(self.device)
        mel = self.mel[frames.to(self.device)].float()
        return mel, self.logits[seconds].float(), self.embedding[seconds].float()

    def batch(self, step: int) -> CropBatch:
        """The batch of one step."""
        rng = np.random.default_rng([self.seed, step])
        mel, logits, embedding = self.crops(rng)
        seconds = logits
        logits, posteriors = windowed(logits), windowed(torch.sigmoid(logits))
        power = disturb(mel, rng)
        partners = rng.permutation(self.size)
        mixed = (rng.random(self.size) < MIXED) & (partners != np.arange(self.size))
        louder = mixed * rng.uniform(0.3, 1.0, self.size)
        share = torch.from_numpy(louder.astype(np.float32)).to(self.device)[:, None, None]
        other = torch.from_numpy(partners).to(self.device)
        # Noisy-or: what either crop has, the mixture has.
        both = 1 - (1 - posteriors) * (1 - posteriors[other] * (share > 0))
        power = power + share * power[other]
        both_heard = torch.from_numpy(mixed).to(self.device)
        heard = windowed(embedding)
        return CropBatch(torch.log(power + FLOOR), logits, seconds, both, heard, both_heard)


def disturb(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Log-mel (B, F, MELS) to mel power under random gain, tilt, band limits and masks."""
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
