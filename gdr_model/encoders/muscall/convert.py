"""The official checkpoint of MusCALL (.pt), converted to a folder of gdr."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.formats.state_dicts import state_dict
from gdr_model.encoders.muscall.encoder import MODEL_TYPE, VOCABULARY
from gdr_model.encoders.muscall.net import Muscall, MuscallConfig, learned
from gdr_model.errors import ModelError

FILTERS = "audio_backbone.spec.mel_scale.fb"
LONGEST_S = 120


def convert(source: Path, folder: Path, text_heads: int = MuscallConfig.text_heads) -> None:
    """Write the folder, and the vocabulary if it is next to the checkpoint.

    The number of heads of the text transformer does not follow from the tensors.

    Raises:
        ModelError: if the checkpoint holds another network, or cannot be read.
    """
    state = state_dict(source, "audio_backbone.attnpool.positional_embedding", "MusCALL")
    try:
        config = sizes(state, text_heads)
    except (KeyError, StopIteration, IndexError) as error:
        raise ModelError(f"{source} lacks a part of MusCALL: {error}") from error
    filters = state.get(FILTERS)
    if filters is not None and not torch.allclose(filters, config.mel.triangles(), atol=1e-4):
        raise ModelError(
            f"{source} was trained with other mel filters than MusCALL's "
            f"({config.low_hz:g} to {config.high_hz:g} Hz)"
        )
    tensors = learned(state)
    gdr_folder.fill(Muscall(config), tensors, str(source))
    gdr_folder.write(folder, MODEL_TYPE, config, tensors)
    for name in VOCABULARY:
        file = source.parent / name
        if file.is_file():
            shutil.copyfile(file, folder / name)


def sizes(tensors: Mapping[str, Tensor], text_heads: int) -> MuscallConfig:
    """The configuration that follows from the tensors; the sample rate is the paper's.

    Raises:
        KeyError: if a tensor is missing.
        StopIteration: if no window length gives the attention pool its number of positions.
    """
    audio, text = "audio_backbone.", "textual_head."
    dim, audio_width = tensors["audio_projection.weight"].shape
    layers = f"{text}transformer.layers."
    vocabulary, text_width = tensors[f"{text}token_embedding.weight"].shape
    bins, mels = tensors[FILTERS].shape if FILTERS in tensors else (513, MuscallConfig.mels)
    config = MuscallConfig(
        dim=dim,
        audio_width=audio_width,
        audio_channels=len(tensors[f"{audio}conv3.weight"]),
        mels=mels,
        fft=2 * (bins - 1),
        text_layers=len({n.split(".")[3] for n in tensors if n.startswith(layers)}),
        text_width=text_width,
        text_heads=text_heads,
        vocabulary=vocabulary,
        max_tokens=len(tensors[f"{text}position_embedding.weight"]),
    )
    positions = len(tensors[f"{audio}attnpool.positional_embedding"])
    candidates = (replace(config, audio_seconds=s) for s in range(1, LONGEST_S))
    return next(candidate for candidate in candidates if candidate.positions == positions)
