"""Networks small enough for a test."""

from __future__ import annotations

from gdr_model.diffusion.denoisers.unet import UnetConfig

UNET = UnetConfig(
    dim=8,
    frames=16,
    channels=(8, 16),
    factors=(2, 4),
    items=(1, 1),
    attentions=(0, 1),
    heads=2,
    head_width=8,
    groups=4,
    features=16,
    text_width=12,
    null_length=5,
)
"""Two levels, with attention in the second."""
