"""The weights of musicnn as its wheel holds them, converted to a folder of gdr."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn import bundle
from gdr_model.encoders.musicnn.net import MODEL_TYPE, Musicnn, MusicnnConfig
from gdr_model.errors import ModelError, first_line
from gdr_model.types import Array

INSIDE = "MSD_musicnn"
"""The folder, in the package, of the network that was trained on the Million Song Dataset."""
PUBLISHED = {
    bundle.INDEX: "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
    bundle.DATA: "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
}
"""SHA-256 of its files in musicnn 0.1.0."""
LARGEST = 64 << 20
"""Bytes of a file, at most; the published ones have 9.5 million."""
_BLOCKS = (
    *(f"timbral.{i}" for i in range(2)),
    *(f"temporal.{i}" for i in range(3)),
    *(f"middle.{i}" for i in range(3)),
)
NORMS = ("input_norm", *(f"{block}.norm" for block in _BLOCKS), "pooled_norm", "dense_norm")
CONVOLUTIONS = tuple(f"{block}.conv" for block in _BLOCKS)
DENSE = ("dense", "output")
"""Layers by kind, in the order in which the original makes and numbers them."""
NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
"""What TensorFlow calls the tensors of a batch norm."""


def convert(source: Path, folder: Path) -> None:
    """Write the folder for a wheel of musicnn, an installed package, or the folder of a bundle.

    The weights in a wheel or a package must be the published ones, to the last bit; a bundle that
    is named itself can hold any weights of this network.

    Raises:
        ModelError: if the source holds something else, or is damaged.
    """
    files = wheel_files(source) if source.is_file() else folder_files(source)
    tensors = named(bundle.read(files[bundle.INDEX], files[bundle.DATA], str(source)), source)
    config = MusicnnConfig(dim=len(tensors["dense.bias"]), tags=len(tensors["output.bias"]))
    gdr_folder.fill(Musicnn(config), tensors, str(source))
    gdr_folder.write(folder, MODEL_TYPE, config, tensors)


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """The files of the bundle in a wheel.

    Raises:
        ModelError: if it is no wheel of musicnn, or damaged.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            places = {name: archive.getinfo(f"musicnn/{INSIDE}/{name}") for name in PUBLISHED}
            for place in places.values():
                if place.file_size > LARGEST:
                    raise ModelError(
                        f"{wheel} is not the wheel of musicnn 0.1.0: {place.filename} is too large"
                    )
            return checked({name: archive.read(place) for name, place in places.items()}, wheel)
    except KeyError as error:
        raise ModelError(f"{wheel} is not the wheel of musicnn: {error.args[0]}") from error
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"{wheel} cannot be read as a wheel: {first_line(error)}") from error


def folder_files(folder: Path) -> dict[str, bytes]:
    """The files of a bundle in a folder, or in that of a package.

    Raises:
        ModelError: if there is none, or it cannot be read.
    """
    package = (folder / INSIDE).is_dir()
    inside = folder / INSIDE if package else folder
    try:
        for name in PUBLISHED:
            if (inside / name).stat().st_size > LARGEST:
                raise ModelError(f"{inside / name} is too large for the weights of musicnn")
        files = {name: (inside / name).read_bytes() for name in PUBLISHED}
    except OSError as error:
        raise ModelError(
            f"{folder} holds no weights of musicnn: {inside / name} cannot be read"
        ) from error
    return checked(files, folder) if package else files


def checked(files: dict[str, bytes], where: Path) -> dict[str, bytes]:
    """The files, which must be the published ones.

    Raises:
        ModelError: if they are not.
    """
    for name, content in files.items():
        actual = hashlib.sha256(content).hexdigest()
        if actual != PUBLISHED[name]:
            raise ModelError(
                f"{where} does not hold the weights of musicnn 0.1.0: {INSIDE}/{name} has the "
                f"SHA-256 {actual[:12]}…, not {PUBLISHED[name][:12]}…"
            )
    return files


def named(stored: Mapping[str, Array], source: Path) -> dict[str, Tensor]:
    """The variables of a bundle under the names of `Musicnn`.

    Raises:
        ModelError: if one is missing, or has another number of dimensions.
    """
    tensors = {}
    try:
        for number, name in enumerate(NORMS):
            for ours, theirs in NORM.items():
                variable = f"{layer('batch_normalization', number)}/{theirs}"
                tensors[f"{name}.{ours}"] = stored[variable]
        for number, name in enumerate(CONVOLUTIONS):
            kernel = stored[f"{layer('conv2d', number)}/kernel"]  # (frames, bands, in, out)
            weight = kernel.transpose(3, 2, 0, 1)
            if name.startswith("middle"):
                # To the original, channels are the bands of an image with one channel.
                weight = weight[:, 0].transpose(0, 2, 1)
            tensors[f"{name}.weight"] = weight
            tensors[f"{name}.bias"] = stored[f"{layer('conv2d', number)}/bias"]
        for number, name in enumerate(DENSE):
            tensors[f"{name}.weight"] = stored[f"{layer('dense', number)}/kernel"].T
            tensors[f"{name}.bias"] = stored[f"{layer('dense', number)}/bias"]
    except KeyError as error:
        raise ModelError(
            f"{source} holds another network than musicnn: it has no {error.args[0]}"
        ) from error
    except (ValueError, IndexError) as error:
        raise ModelError(f"{source} holds another network than musicnn: {error}") from error
    return {name: torch.from_numpy(value.copy()) for name, value in tensors.items()}


def layer(kind: str, number: int) -> str:
    """TensorFlow's name of a layer."""
    return f"{kind}_{number}" if number else kind
