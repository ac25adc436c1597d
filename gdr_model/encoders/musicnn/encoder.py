"""musicnn as an audio encoder: the penultimate features of the 3 s around every second.

The convolutions are computed once and windows pool their frames, where the original computes every
window separately, with zeros around it: the same up to the frames at the edges of a window.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gdr_model.encoders.builtin.audio import LOUDNESS_DB
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn.net import (
    FFT,
    HOP,
    MODEL_TYPE,
    SAMPLE_RATE_HZ,
    WINDOW,
    Musicnn,
    MusicnnConfig,
    log_mel,
)
from gdr_model.encoders.shared import loudness, windows
from gdr_model.encoders.shared.prompts import array
from gdr_model.errors import Cancelled
from gdr_model.types import Array, Cancel, LatentSpace, Samples, never

SAMPLES = 3 * SAMPLE_RATE_HZ
"""Of a window."""
CHUNK_S = 60
"""Seconds of windows computed at once."""
MARGIN = 80
"""Frames on either side of a chunk, more than a window's features depend on."""


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> MusicnnEncoder:
    """The encoder of a folder that `convert` has written.

    Raises:
        ModelError: if the folder holds something else.
    """
    net = gdr_folder.load(folder, MODEL_TYPE, MusicnnConfig, Musicnn)
    return MusicnnEncoder(net.to(device), space, device)


class MusicnnEncoder:
    """One latent a second."""

    def __init__(self, net: Musicnn, space: LatentSpace, device: torch.device) -> None:
        self.net = net
        self.space = space
        self.device = device

    def encode(self, samples: Samples, cancelled: Cancel = never) -> Array:
        """Samples (N,) at 16 kHz to latents (T, D), T = max(1, round(N / 16000)).

        Raises:
            Cancelled: between chunks, when the caller asks to stop.
        """
        return listen(self.net, samples, self.device, cancelled)[0]


def listen(
    net: Musicnn,
    samples: Samples,
    device: torch.device,
    cancelled: Cancel = never,
) -> tuple[Array, Array]:
    """Samples (N,) at 16 kHz to penultimate features (T, D) and logits (T, tags), one a second.

    The network depends on level, so the sound is brought to one loudness first.

    Raises:
        Cancelled: between chunks, when the caller asks to stop.
    """
    count = windows.seconds(len(samples), SAMPLE_RATE_HZ)
    gain = loudness.gain(samples, len(samples), LOUDNESS_DB)
    sound = samples
    if len(sound) < SAMPLES:
        sound = windows.repeat(samples[:], SAMPLES)
    frames = 1 + len(sound) // HOP
    starts = windows.starts(np.arange(count), len(sound), SAMPLE_RATE_HZ, SAMPLES)
    first = np.minimum(np.rint(starts / HOP).astype(int), frames - WINDOW)
    features, logits = [], []
    for begin in range(0, count, CHUNK_S):
        if cancelled():
            raise Cancelled("encoding was stopped")
        these = first[begin : begin + CHUNK_S]
        low, high = max(0, these[0] - MARGIN), min(frames, these[-1] + WINDOW + MARGIN)
        # Frames are centred, so a stretch begins half of one before it.
        begin, end = low * HOP - FFT // 2, (high - 1) * HOP + FFT // 2
        stretch = torch.from_numpy(gain * windows.mirrored(sound, begin, end)).to(device)
        with torch.inference_mode():
            inside = net.frames(log_mel(stretch[None]))[0].unfold(0, WINDOW, 1)
            pooled = inside[torch.from_numpy(these - low).to(device)]  # (T', 753, WINDOW)
            found: Tensor = net.pooled(pooled.amax(dim=2), pooled.mean(dim=2))
            features.append(array(found))
            logits.append(array(net.output(found)))
    return np.concatenate(features), np.concatenate(logits)
