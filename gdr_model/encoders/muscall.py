"""MusCALL as a pair of encoders: windows of sound, and sentences, to points of one space."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from gdr_model.encoders import own
from gdr_model.encoders.muscall_net import Muscall, MuscallConfig
from gdr_model.encoders.windowed import WindowedEncoder
from gdr_model.types import LatentSpace

MODEL_TYPE = "muscall"
VOCABULARY = ("vocab.json", "merges.txt")
"""CLIP's tokenizer, as openai/clip-vit-base-patch32 and others publish it."""


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> WindowedEncoder:
    """The audio tower of a folder that `muscall_convert` has written.

    Each window has a spectrogram of its own, with the floor of its own loudest band.

    Raises:
        ModelError: if the folder holds something else.
    """
    net = network(folder)
    net.audio_backbone.to(device)
    net.audio_projection.to(device)

    def embed(sound: Tensor) -> Tensor:
        return net.point(net.level(sound).to(device))

    return WindowedEncoder(embed, space, device, net.config.samples)


def network(folder: Path) -> Muscall:
    """Both towers of a folder.

    Raises:
        ModelError: if it holds something else.
    """
    config, tensors = own.read(folder, MODEL_TYPE, MuscallConfig)
    net = Muscall(config)
    own.fill(net, tensors, str(folder))
    return net
