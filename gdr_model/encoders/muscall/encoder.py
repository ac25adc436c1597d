"""MusCALL as an audio and a text encoder, both into one space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.formats.transformers_folder import ids_of, quiet
from gdr_model.encoders.muscall.net import Muscall, MuscallConfig
from gdr_model.encoders.shared.prompts import PromptReader, array
from gdr_model.encoders.shared.windowed import WindowedEncoder
from gdr_model.errors import ModelError, WeightsMissing
from gdr_model.search.whitening import unit
from gdr_model.types import Array, LatentSpace

MODEL_TYPE = "muscall"
VOCABULARY = ("vocab.json", "merges.txt")
"""CLIP's tokenizer, as openai/clip-vit-base-patch32 and others publish it."""


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> WindowedEncoder:
    """The audio tower of a folder that `convert` has written.

    Each window has its own spectrogram, floored relative to its own loudest band.

    Raises:
        ModelError: if the folder holds something else.
    """
    net = gdr_folder.load(folder, MODEL_TYPE, MuscallConfig, Muscall)
    net.audio_backbone.to(device)
    net.audio_projection.to(device)

    def embed(sound: Tensor) -> Tensor:
        return net.point(net.level(sound))

    return WindowedEncoder(embed, space, device, net.config.samples)


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text tower of a folder, which must hold the vocabulary too.

    Raises:
        WeightsMissing: if there is no vocabulary.
        ModelError: if the folder holds something else, or the vocabulary does not fit.
    """
    net = gdr_folder.load(folder, MODEL_TYPE, MuscallConfig, Muscall).to(device)
    config = net.config
    tokenizer = vocabulary(folder, config)

    def network(ids: Tensor) -> tuple[Array, Array]:
        states, points = net.words(ids.to(device))
        return array(states), unit(array(points))

    tokenize = ids_of(tokenizer, config.max_tokens)
    return PromptReader(tokenize, network, config.text_width, config.dim, config.max_tokens)


def vocabulary(folder: Path, config: MuscallConfig) -> Any:
    """CLIP's tokenizer, from vocab.json and merges.txt.

    The end token must have the largest id, because that is how the network finds it.

    Raises:
        WeightsMissing: if a file is not there.
        ModelError: if they do not belong to these weights.
    """
    from transformers import CLIPTokenizer

    missing = [name for name in VOCABULARY if not (folder / name).is_file()]
    if missing:
        raise WeightsMissing(
            f"{folder} has no {' and no '.join(missing)}, so text cannot be read; put those of "
            "openai/clip-vit-base-patch32 there"
        )
    with quiet():
        try:
            tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:
            # The tokenizers library raises plain exceptions.
            raise ModelError(
                f"{folder} holds no vocabulary of CLIP's tokenizer: {error}"
            ) from error
    if len(tokenizer) != config.vocabulary or tokenizer.eos_token_id != config.vocabulary - 1:
        raise ModelError(
            f"the vocabulary in {folder} has {len(tokenizer)} tokens, and its end is token "
            f"{tokenizer.eos_token_id}; these weights need {config.vocabulary}, the end last"
        )
    return tokenizer
