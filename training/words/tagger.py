"""The second teacher: musicnn, which learned listeners' tags from real songs.

Its weights are published inside a wheel of Python; `gdr model pull musicnn` gets them. Nothing of
them is in the model that learns from it.
"""

from __future__ import annotations

import torch

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn.encoder import listen
from gdr_model.encoders.musicnn.net import MODEL_TYPE, Musicnn, MusicnnConfig
from gdr_model.encoders.registry.pairs import MUSICNN_WEIGHTS
from gdr_model.models import weights
from gdr_model.types import Array

TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s"),
    *("alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists"),
    *("classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill"),
    *("instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic"),
    *("experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country"),
    *("easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock"),
    *("60s", "rnb", "indie pop", "sad", "House", "happy"),
)
"""Tags of the Million Song Dataset, in the order of the network's outputs."""


class Tagger:
    """musicnn on one thread."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            WeightsMissing: if it has not been pulled.
        """
        folder = weights.find(MUSICNN_WEIGHTS)
        self.net = gdr_folder.load(folder, MODEL_TYPE, MusicnnConfig, Musicnn)

    def __call__(self, samples: Array) -> tuple[Array, Array]:
        """Samples (N,) at 16 kHz, whole seconds, to logits (T, 50) and features (T, 200)."""
        features, logits = listen(self.net, samples, torch.device("cpu"))
        return logits, features
