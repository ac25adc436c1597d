"""T5's encoder as a text encoder (`google/flan-t5-base`, or the folder of any T5).

Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer",
2020. A prompt's states are those of the encoder's last layer; its pooled vector is their mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gdr_model.encoders.formats.transformers_folder import (
    config_of,
    ids_of,
    network_of,
    tokenizer_of,
)
from gdr_model.encoders.registry.pairs import T5_WEIGHTS
from gdr_model.encoders.shared.prompts import MAX_TOKENS, PromptReader, array
from gdr_model.models import weights
from gdr_model.types import Array


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The encoder of a folder of T5 weights; the decoder's are not read.

    Raises:
        WeightsMissing: if the folder has no tokenizer.
        ModelError: if it does not hold the weights its config.json describes.
    """
    weights.require(folder, T5_WEIGHTS)
    tokenizer = tokenizer_of(folder, T5_WEIGHTS.hub)
    net = _encoder(folder).to(device)

    def network(ids: Tensor) -> tuple[Array, Array]:
        states = array(net(input_ids=ids.to(device)).last_hidden_state)
        return states, states.mean(1)

    width = net.config.d_model
    return PromptReader(ids_of(tokenizer, MAX_TOKENS), network, width, width)


def _encoder(folder: Path) -> Any:
    from transformers import AutoConfig, MT5EncoderModel, T5EncoderModel, UMT5EncoderModel

    kinds = {"t5": T5EncoderModel, "mt5": MT5EncoderModel, "umt5": UMT5EncoderModel}
    config = config_of(AutoConfig, folder, "T5")
    return network_of(kinds[config.model_type], config, folder, "T5")
