"""The contrastive tower: one point of the search space for a prompt, without diffusion.

A two-layer map from a text's pooled vector, trained with InfoNCE against the search vectors of
passages, or the mean of several such maps that were trained apart. A contrastive search uses it
alone, and it is the baseline that generation has to beat.

Where latents are scores of named classes, a tower can keep the classes that words name, too
(`NamedClasses`). Their point is fused with draws; a contrastive search leaves it out.

Shapes: B texts, E text width, D latent width, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HIDDEN = 512
NAME_TEMPERATURE = 0.1
"""Of the cosine between a text and the names of the classes."""


class NamedClasses(nn.Module):
    """The point of the search space that has more of the classes that a text names.

    Half of it are the classes that captions like the text were labelled with, by linear regression;
    half are those whose names are like the text. Fitted by `training.words.named`.
    """

    usual: Tensor  # (E,) mean unit text
    labels: Tensor  # (K, E) the regression
    names: Tensor  # (K, E) unit texts
    axes: Tensor  # (K, D) what one more of each class is in the search space

    def __init__(self, text_width: int, dim: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(text_width))
        self.register_buffer("labels", torch.zeros(classes, text_width))
        self.register_buffer("names", torch.zeros(classes, text_width))
        self.register_buffer("axes", torch.zeros(classes, dim))

    def forward(self, pooled: Tensor) -> Tensor:
        """Pooled text (B, E) to unit rows (B, D)."""
        said = F.normalize(pooled, dim=1) - self.usual
        labelled = F.normalize(said @ self.labels.T, dim=1)
        likely = (said @ self.names.T / NAME_TEMPERATURE).softmax(1)
        called = F.normalize(likely - likely.mean(1, keepdim=True), dim=1)
        return F.normalize((labelled + called) @ self.axes, dim=1)


class ContrastiveTower(nn.Module):
    """Pooled text (B, E) to unit rows (B, D) of the search space."""

    def __init__(self, text_width: int, dim: int, classes: int = 0, members: int = 1) -> None:
        super().__init__()
        self.text_width = text_width
        self.dim = dim
        self.named = NamedClasses(text_width, dim, classes) if classes else None
        # The norm brings every prompt, and every text encoder, to one scale.
        self.members = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(text_width),
                nn.Linear(text_width, HIDDEN),
                nn.GELU(),
                nn.Dropout(0.2),
                nn.Linear(HIDDEN, dim),
            )
            for _ in range(members)
        )

    @classmethod
    def together(cls, towers: Sequence[ContrastiveTower]) -> ContrastiveTower:
        """The mean of towers of one shape."""
        whole = cls(towers[0].text_width, towers[0].dim, members=0)
        whole.members = nn.ModuleList(one for tower in towers for one in tower.members)
        return whole

    def forward(self, pooled: Tensor) -> Tensor:
        """Map a batch."""
        points = [F.normalize(member(pooled), dim=1) for member in self.members]
        return F.normalize(torch.stack(points).sum(0), dim=1)

    def fused(self, pooled: Tensor) -> Tensor:
        """The points that are fused with draws: the tower's own, with the classes if it has any."""
        own = self(pooled)
        return own if self.named is None else F.normalize(own + self.named(pooled), dim=1)

    @property
    def shape(self) -> dict[str, Any]:
        """Arguments that make a tower of the same shape."""
        shape = {"text_width": self.text_width, "dim": self.dim, "members": len(self.members)}
        return shape if self.named is None else shape | {"classes": len(self.named.names)}


def by_members(tensors: Mapping[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """Tensors of a tower, also of one map alone, which had a name of its own (`body`)."""
    old, new = f"{prefix}body.", f"{prefix}members.0."
    return {
        new + name.removeprefix(old) if name.startswith(old) else name: value
        for name, value in tensors.items()
    }


def fused_by(tower: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """What maps words to the point that is fused with draws, where a tower alone answers."""
    return tower.fused if isinstance(tower, ContrastiveTower) else tower
