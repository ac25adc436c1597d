"""The encoder that processes share: loaded by the one they are forked from, which imports this.

Their pages of it stay the same until somebody writes to them, and nobody does. It encodes a second
of silence once, because that lays out weights for the CPU, too.
"""

from __future__ import annotations

import os
from contextlib import suppress

from gdr_model.types import AudioEncoder

VARIABLE = "GDR_PRELOADED_ENCODER"
"""The environment variable that says which."""

ENCODERS: dict[str, AudioEncoder] = {}
"""By the argument that names the model."""


def _preload(model: str) -> None:
    import numpy as np
    import torch

    from gdr_model.models.checkpoint import load_encoder

    torch.set_num_threads(1)  # threads would be missing after a fork
    encoder = load_encoder(model)
    encoder.encode(np.zeros(encoder.space.sample_rate_hz, np.float32))
    ENCODERS[model] = encoder


if wanted := os.environ.pop(VARIABLE, ""):
    with suppress(Exception):  # whoever reads files loads it again, and says what is wrong
        _preload(wanted)
