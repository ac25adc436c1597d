"""A checkpoint of MULE's PyTorch port (.pt or safetensors), converted to a folder of gdr."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.formats.state_dicts import state_dict
from gdr_model.encoders.mule.port_net import MODEL_TYPE, MulePort, MulePortConfig
from gdr_model.errors import ModelError

PARTS = ("slow_stem.", "fast_stem.", "slow_layers.", "fast_layers.", "fusion_layers.")
"""Prefixes of the network's tensors; a head trained on top of it is left out."""


def convert(source: Path, folder: Path) -> None:
    """Write the folder.

    Raises:
        ModelError: if the checkpoint holds another network, or cannot be read.
    """
    state = state_dict(source, "slow_stem.layers.0.weight", "MULE's PyTorch port")
    tensors = {name: value for name, value in state.items() if name.startswith(PARTS)}
    try:
        config = sizes(tensors)
    except (KeyError, StopIteration, IndexError) as error:
        raise ModelError(f"{source} lacks a part of MULE's PyTorch port: {error}") from error
    gdr_folder.fill(MulePort(config), tensors, str(source))
    gdr_folder.write(folder, MODEL_TYPE, config, tensors)


def sizes(tensors: Mapping[str, Tensor]) -> MulePortConfig:
    """The configuration that follows from the tensors; strides are the authors'.

    Raises:
        KeyError: if a tensor is missing.
    """
    count = len({name.split(".")[1] for name in tensors if name.startswith("slow_layers.")})
    block = "{}_layers.{}.blocks.0.{}"

    def stem(path: str) -> tuple[int, ...]:
        return tuple(len(tensors[f"{path}_stem.layers.{i}.bias"]) for i in (0, 3, 6, 9))

    def widths(path: str) -> tuple[int, ...]:
        skips = (block.format(path, i, "skip_path.1.conv.weight") for i in range(count))
        return tuple(len(tensors[name]) for name in skips)

    def group(path: str) -> int:
        return tensors[block.format(path, 0, "residual_path.1.conv.weight")].shape[1]

    def depth(stage: int) -> int:
        prefix = f"slow_layers.{stage}.blocks."
        return len({n.removeprefix(prefix).split(".")[0] for n in tensors if n.startswith(prefix)})

    return MulePortConfig(
        depths=tuple(map(depth, range(count))),
        slow_stem=stem("slow"),
        fast_stem=stem("fast"),
        slow_out=widths("slow"),
        fast_out=widths("fast"),
        slow_group=group("slow"),
        fast_group=group("fast"),
        # Stored in single precision: 0.2 comes back as 0.20000000298.
        alpha=round(float(tensors[block.format("slow", 0, "residual_path.6.scalar")]), 6),
        kernel_length_time=tensors["fusion_layers.0.conv1.conv.weight"].shape[3],
    )
