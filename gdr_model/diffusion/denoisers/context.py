"""The text as a denoiser's layers see it, and the interface of a denoiser.

Shapes: B batch, T latents of a passage, D latent width, L text tokens, E text width. Text comes
as states (B, L, E), mask (B, L), True where there is a token, and pooled (B, E); a row whose mask
is all False means "no words", for which every network has learned a null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Context:
    """Text as the layers use it, computed once per query, not at every step."""

    keys_values: tuple[tuple[Tensor, ...], ...]
    """One group per cross-attention: keys and values (B, heads, tokens, width / heads), or what
    a layer makes of them."""
    mask: Tensor  # (B, 1, 1, tokens), True where attended
    pooled: Tensor  # (B, width)

    def repeat(self, times: int) -> Context:
        """Each row repeated: (B, ...) to (B * times, ...)."""
        return Context(
            tuple(
                tuple(part.repeat_interleave(times, 0) for part in group)
                for group in self.keys_values
            ),
            self.mask.repeat_interleave(times, 0),
            self.pooled.repeat_interleave(times, 0),
        )


class Denoiser(Protocol):
    """A network that reads the text once and can then be evaluated at any time."""

    @property
    def null(self) -> Tensor:
        """The learned stand-in for "no words", on the network's device."""

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, E) to a context."""

    def __call__(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """Prediction (B, T, D) from a noisy x (B, T, D) at times t (B,)."""
