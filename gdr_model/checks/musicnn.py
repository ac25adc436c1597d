"""musicnn with its published weights: those that are installed, since the reference has none."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from gdr_model.checks.case import Case, Compared
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn.net import MODEL_TYPE, Musicnn, MusicnnConfig
from gdr_model.encoders.registry.pairs import MUSICNN_WEIGHTS
from gdr_model.models import weights

ATOL = 1e-4


def outputs(case: Case) -> Iterator[Compared]:
    """Logits of mel spectrograms (B, F, M), which the wheel's own graph computed in TensorFlow.

    Raises:
        WeightsMissing: if the weights are not installed.
    """
    net = gdr_folder.load(weights.find(MUSICNN_WEIGHTS), MODEL_TYPE, MusicnnConfig, Musicnn)
    with torch.inference_mode():
        _, logits = net(torch.from_numpy(case.arrays["mel"]))
    yield from case.compare({"msd_logits": logits}, ATOL)
