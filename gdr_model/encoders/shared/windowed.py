"""The audio encoder that a network over single windows of sound makes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdr_model.encoders.shared.prompts import array
from gdr_model.encoders.shared.windows import Fill, encode_windows, repeat
from gdr_model.types import Array, Cancel, LatentSpace, Samples, never

BATCH_CPU = 8
BATCH_GPU = 64


class WindowedEncoder:
    """One latent a second from the windows of a sound; `windows` says where they start."""

    def __init__(
        self,
        embed: Callable[[Tensor], Tensor],
        space: LatentSpace,
        device: torch.device,
        window: int,
        *,
        margin: int = 0,
        fill: Fill = repeat,
        batch_cpu: int = BATCH_CPU,
    ) -> None:
        """Wrap `embed`, which takes windows (B, window + 2 margin), on the device, to (B, D).

        `fill` makes a window of a shorter sound; `batch_cpu` windows are embedded at once where
        there is no accelerator.
        """
        self.embed = embed
        self.space = space
        self.device = device
        self.window = window
        self.margin = margin
        self.fill = fill
        self.batch = batch_cpu if device.type == "cpu" else BATCH_GPU

    def encode(self, samples: Samples, cancelled: Cancel = never) -> Array:
        """Samples (N,) at the space's rate to unit latents (T, D), T = max(1, round(s)).

        Raises:
            Cancelled: between batches, when the caller asks to stop.
        """
        return encode_windows(
            samples,
            self.space.sample_rate_hz,
            self.window,
            self._embed,
            batch=self.batch,
            hop_s=round(self.space.hop_s),
            margin=self.margin,
            fill=self.fill,
            cancelled=cancelled,
        )

    def _embed(self, stretch: Array, starts: NDArray[np.int64]) -> Array:
        """Windows overlap many times over, so the sound moves to the device before they are cut."""
        with torch.inference_mode():
            sound = torch.from_numpy(np.ascontiguousarray(stretch)).to(self.device)
            windows = sound.unfold(0, self.window + 2 * self.margin, 1)
            return array(self.embed(windows[torch.from_numpy(starts).to(self.device)]))
