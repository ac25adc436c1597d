"""The contrastive tower: one point of the search space for a prompt, without diffusion.

A two-layer map from a text's pooled vector, trained with InfoNCE against the search vectors of
passages. A contrastive search uses it alone, and it is the baseline that generation has to beat.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 512


class ContrastiveTower(nn.Module):
    """Pooled text (B, E) to unit rows (B, D) of the search space."""

    def __init__(self, text_width: int, dim: int) -> None:
        super().__init__()
        self.text_width = text_width
        self.dim = dim
        # The norm brings every prompt, and every text encoder, to one scale.
        self.body = nn.Sequential(
            nn.LayerNorm(text_width),
            nn.Linear(text_width, HIDDEN),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(HIDDEN, dim),
        )

    def forward(self, pooled: Tensor) -> Tensor:
        """Map a batch."""
        return F.normalize(self.body(pooled), dim=1)
