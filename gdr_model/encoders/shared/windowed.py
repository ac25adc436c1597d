"""An audio encoder made of a network that reads one window of sound at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gdr_model.encoders.shared.windows import encode_windows
from gdr_model.types import Array, Cancel, LatentSpace, never

BATCH_CPU = 8
BATCH_GPU = 64


class WindowedEncoder:
    """`embed` over the windows of a sound, one latent a second; see `windows` for the edges."""

    def __init__(
        self,
        embed: Callable[[Tensor], Tensor],
        space: LatentSpace,
        device: torch.device,
        window: int,
        margin: int = 0,
    ) -> None:
        """`embed` takes windows (B, window + 2 margin), on the CPU, to vectors (B, D)."""
        self.embed = embed
        self.space = space
        self.device = device
        self.window = window
        self.margin = margin

    def encode(self, samples: Array, cancelled: Cancel = never) -> Array:
        """Samples (N,) at the space's rate to unit latents (T, D), T = max(1, round(s)).

        Raises:
            Cancelled: between batches, when asked.
        """
        return encode_windows(
            samples,
            self.space.sample_rate_hz,
            self.window,
            self._read,
            batch=BATCH_CPU if self.device.type == "cpu" else BATCH_GPU,
            hop_s=round(self.space.hop_s),
            margin=self.margin,
            cancelled=cancelled,
        )

    def _read(self, windows: Array) -> Array:
        with torch.inference_mode():
            vectors = self.embed(torch.from_numpy(np.ascontiguousarray(windows)))
        read: Array = vectors.float().cpu().numpy()
        return read
