"""MULE's published Keras weights, converted to a folder of gdr; only this module reads HDF5.

A `.keras` archive holds `model.weights.h5`, in which the name of a layer is that of its class and
its number in Keras' own order: by depth, both paths side by side. The fast path is ahead of the
slow one, which waits for the fusion, up to the last stage, where the slow path comes first.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule.published_net import MODEL_TYPE, Mule, MuleConfig, from_keras
from gdr_model.errors import Hint, ModelError, WeightsMissing, first_line

INSIDE = "model.weights.h5"
CONVOLUTION, DENSE, SCALAR = "weight_standardization", "dense", "scalar_multiply"
STEMS = 10
"""Standardised convolutions before the first stage: those of both stems and the first fusion."""

Arrays = dict[str, NDArray[np.float32]]


def convert(source: Path, folder: Path) -> None:
    """Write the folder for a `.keras` archive or its `model.weights.h5`.

    Raises:
        WeightsMissing: if h5py is not installed.
        ModelError: if the file holds something else, or is truncated.
    """
    stored = datasets(source)
    try:
        blocks = depths(stored)
        named = {name: stored[path] for name, path in h5_paths(blocks).items()}
        config = sizes(named, blocks)
    except (KeyError, IndexError, ValueError) as error:
        raise ModelError(
            f"{source} does not hold the layers of MULE's SF-NFNet-F0 as Keras 2.13 to 2.15 saves "
            f"them: {error} is missing"
        ) from error
    tensors = from_keras({name: torch.from_numpy(array) for name, array in named.items()})
    gdr_folder.fill(Mule(config), tensors, str(source))
    gdr_folder.write(folder, MODEL_TYPE, config, tensors)


def datasets(source: Path) -> Arrays:
    """Every array of the file, by its path.

    Raises:
        WeightsMissing: if h5py is not installed.
        ModelError: if the file cannot be read.
    """
    try:
        import h5py
    except ImportError as error:
        raise WeightsMissing(
            "reading Keras weights needs h5py", Hint.INSTALL, package="gdr-tui[convert]"
        ) from error
    arrays: Arrays = {}

    def collect(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            arrays[path] = np.asarray(item[()], np.float32)

    try:
        opened: Any = source
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                opened = io.BytesIO(archive.read(INSIDE))
        with h5py.File(opened, "r") as file:
            file.visititems(collect)
    except KeyError as error:
        raise ModelError(
            f"{source} is an archive without {INSIDE}, so Keras did not write it"
        ) from error
    except (OSError, RuntimeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{source} cannot be read as Keras weights (.keras or .h5): {first_line(error)}"
        ) from error
    return arrays


def numbered(kind: str, number: int) -> str:
    """Keras' name of a layer."""
    return f"layers/{kind}_{number}" if number else f"layers/{kind}"


def depths(stored: Mapping[str, NDArray[np.float32]]) -> tuple[int, ...]:
    """Blocks of each stage, found by the seven-frame convolutions of the fusions.

    Raises:
        ValueError: if there are none.
    """
    count, fusions = 0, []
    while (kernel := stored.get(f"{numbered(CONVOLUTION, count)}/vars/0")) is not None:
        if kernel.shape[1] == 7:
            fusions.append(count)
        count += 1
    if len(fusions) < 2:
        raise ValueError("a fusion with a kernel of 1×7")
    begins = [STEMS, *(fusion + 2 for fusion in fusions[1:])]
    ends = [*fusions[1:], count]
    # Four convolutions a block and one for the skip of the first, on both paths.
    return tuple((end - begin - 2) // 8 for begin, end in zip(begins, ends, strict=True))


def h5_paths(depths: Sequence[int]) -> dict[str, str]:
    """Our name for each tensor, to its path in the file."""
    convolutions = [
        *(f"{path}_stem.{i}" for i in range(3) for path in ("fast", "slow")),
        *("fast_stem.3", "fusion.0.time", "slow_stem.3", "fusion.0.expand"),
    ]
    dense: list[str] = []
    scalars: list[str] = []
    last = len(depths) - 1
    for stage, depth in enumerate(depths):
        if stage:
            convolutions += [f"fusion.{stage}.time", f"fusion.{stage}.expand"]
        for block in range(depth):
            # In the last stage neither path waits for a fusion.
            paths = ("slow", "fast") if stage == last else ("fast", "slow")
            both = [f"{path}.{stage}.{block}" for path in paths]
            parts = ["conv0", "conv1", "conv2", "conv3", *([] if block else ["skip"])]
            convolutions += [f"{name}.{part}" for part in parts for name in both]
            together = [(name, part) for part in ("se1", "se2") for name in both]
            dense += [f"{name}.{part}" for name, part in _ordered(together, stage == last)]
            scalars += _scalars(both, stage == last)
    return dict(_datasets(convolutions, dense, scalars))


def _ordered(pairs: list[tuple[str, str]], together: bool) -> list[tuple[str, str]]:
    """Part by part where both paths are at the same depth, else path by path."""
    return pairs if together else sorted(pairs, key=lambda pair: pair[0])


def _scalars(both: list[str], together: bool) -> list[str]:
    """The six scalars of a pair of blocks: beta (a constant), the learned gain, alpha."""
    first, second = (f"{name}.residual_gain" for name in both)
    return ["", "", first, second, "", ""] if together else ["", "", first, "", second, ""]


def _datasets(
    convolutions: list[str], dense: list[str], scalars: list[str]
) -> Iterator[tuple[str, str]]:
    for number, name in enumerate(convolutions):
        layer = numbered(CONVOLUTION, number)
        yield f"{name}.weight_v", f"{layer}/vars/0"
        yield f"{name}.gain", f"{layer}/vars/1"
        yield f"{name}.bias", f"{layer}/layer/vars/0"
    for number, name in enumerate(dense):
        yield f"{name}.weight", f"{numbered(DENSE, number)}/vars/0"
        yield f"{name}.bias", f"{numbered(DENSE, number)}/vars/1"
    for number, name in enumerate(scalars):
        if name:
            yield name, f"{numbered(SCALAR, number)}/vars/0"


def sizes(named: Mapping[str, NDArray[np.float32]], depths: tuple[int, ...]) -> MuleConfig:
    """The configuration that follows from arrays in Keras' layout; alpha is the published one.

    Raises:
        KeyError: if one is missing.
    """

    def widths(pattern: str, count: int = len(depths)) -> tuple[int, ...]:
        return tuple(len(named[pattern.format(i)]) for i in range(count))

    return MuleConfig(
        depths=depths,
        slow_stem=widths("slow_stem.{}.bias", 4),
        fast_stem=widths("fast_stem.{}.bias", 4),
        slow_out=widths("slow.{}.0.conv3.bias"),
        fast_out=widths("fast.{}.0.conv3.bias"),
        slow_group=named["slow.0.0.conv1.weight_v"].shape[2],
        fast_group=named["fast.0.0.conv1.weight_v"].shape[2],
        fusion_in=widths("fusion.{}.time.bias"),
        fusion_out=widths("fusion.{}.expand.bias"),
    )
