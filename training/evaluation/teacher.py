"""The teacher as it is: a pair whose text and sound share a space, compared without training.

Its point for a caption is its own text embedding; a track's is the mean of its latents, neither
centred nor whitened. A search with the bare pair (`gdr search --model clap`) ranks so.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

from gdr_model.diffusion.schedule import Schedule
from gdr_model.encoders.registry.pairs import PAIRS
from gdr_model.errors import GdrError
from gdr_model.models.checkpoint import Model
from gdr_model.models.config import ModelConfig
from gdr_model.search.retriever import Retriever
from gdr_model.types import LatentSpace
from training.data.corpus import Corpus
from training.retrievers.gallery import Gallery


def shares_a_space(corpus: Corpus) -> bool:
    """Whether the pair that encoded a set compares words and sound by itself."""
    if corpus.texts.pooled.shape[1] != corpus.latents[0].shape[1]:
        return False
    plain = re.sub(r"@\d+$", "", corpus.model)
    if plain in PAIRS:
        return PAIRS[plain].shared
    try:
        config = ModelConfig.read(corpus.model)
        return bool(config.encoders) and config.pair.shared
    except GdrError:  # its weights are elsewhere, and nothing else says what they are
        return False


def retriever(gallery: Gallery, space: LatentSpace) -> Retriever:
    """A retriever of raw latents, for queries of the teacher's text embeddings."""
    config = ModelConfig(Path(), "teacher", space)
    nothing, ones = np.zeros(space.dim, np.float32), np.ones(space.dim, np.float32)
    model = Model(
        config,
        torch.device("cpu"),
        Schedule(),
        torch.from_numpy(nothing),
        torch.from_numpy(ones),
        config.whitening(),
    )
    return Retriever(model, [gallery.library])
