"""What a denoiser makes of the text, and what everything else may ask of a denoiser.

Shapes: B batch, T latents of a passage, D latent width, L text tokens, E text width. Text comes
as states (B, L, E), mask (B, L) that is True where there is a token, and pooled (B, E); a row
whose mask is all False means "no words", for which every network has learned a null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Context:
    """Text as the layers read it, computed once a query and not at every step."""

    keys_values: tuple[tuple[Tensor, Tensor], ...]
    """One pair a cross-attention, each (B, heads, tokens, width / heads)."""
    mask: Tensor  # (B, 1, 1, tokens), True where attended
    pooled: Tensor  # (B, width)

    def repeat(self, times: int) -> Context:
        """Each row `times` over: (B, ...) to (B * times, ...)."""
        return Context(
            tuple(
                (k.repeat_interleave(times, 0), v.repeat_interleave(times, 0))
                for k, v in self.keys_values
            ),
            self.mask.repeat_interleave(times, 0),
            self.pooled.repeat_interleave(times, 0),
        )


class Denoiser(Protocol):
    """A network that reads the text once and then answers at any time."""

    @property
    def null(self) -> Tensor:
        """What it has learned to stand for "no words"; lies on the network's device."""

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, E) to a context."""

    def __call__(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """Prediction (B, T, D) from a noisy x (B, T, D) at times t (B,)."""
