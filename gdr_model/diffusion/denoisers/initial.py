"""What weights begin with before they are trained or read from a file."""

from __future__ import annotations

import torch
from torch import nn


def normal(*shape: int, deviation: float = 1.0) -> nn.Parameter:
    """A parameter of normal numbers.

    On the meta device, where shapes are checked before a model is loaded, there are no numbers to
    draw, and asking for them makes torch import its compiler, which takes a second.
    """
    weights = torch.empty(*shape)
    if not weights.is_meta:
        nn.init.normal_(weights, std=deviation)
    return nn.Parameter(weights)
