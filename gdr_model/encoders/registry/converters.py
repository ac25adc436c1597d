"""Which published weights can be converted: the name of an encoder to the module that converts.

Such a module has `convert(source, folder)`, which writes config.json and model.safetensors. It is
imported when a conversion runs, because it imports torch.
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

from gdr_model import atomic, paths
from gdr_model.encoders.registry.pairs import LAION_WEIGHTS
from gdr_model.errors import ModelError, UsageError
from gdr_model.models import weights

CONVERTERS = {
    "mule": "gdr_model.encoders.mule.published_convert",
    "mule-port": "gdr_model.encoders.mule.port_convert",
    "muscall": "gdr_model.encoders.muscall.convert",
    "laion": "gdr_model.encoders.clap.laion_convert",
    "musicnn": "gdr_model.encoders.musicnn.convert",
    "clap": "gdr_model.encoders.formats.transformers_convert",
    "t5": "gdr_model.encoders.formats.transformers_convert",
}

TEXT_TOWERS = ("laion", "muscall")
"""Encoders whose weights do not show how many attention heads the text tower has."""


def convert(source: Path, name: str, folder: Path, text_heads: int | None = None) -> str:
    """Write published weights as the folder of an encoder, which appears once it is complete.

    A folder that holds the source, and no other weights, gets them next to it: what was pulled to
    where weights of this name are looked for is converted in place.

    Returns:
        The repository of the tokenizer that the folder still lacks; empty if it lacks none.

    Raises:
        UsageError: if weights of that name cannot be converted.
        ModelError: if the file holds something else, or the folder exists.
    """
    if name not in CONVERTERS:
        raise UsageError(f"weights of {name!r} cannot be converted; use {', '.join(CONVERTERS)}")
    if text_heads is not None and name not in TEXT_TOWERS:
        raise UsageError(
            f"the number of text heads is needed for {' and '.join(TEXT_TOWERS)} alone, not for "
            f"{name}"
        )
    if not source.exists():
        raise ModelError(f"{source} does not exist")
    in_place = folder == paths.models() / name and source.absolute().parent == folder
    if folder.exists() and (not in_place or (folder / "config.json").exists()):
        raise ModelError(f"{folder} exists; name a new folder, or remove it first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    atomic.sweep(folder.parent)
    part = atomic.temporary_for(folder)
    part.mkdir()
    try:
        options = {} if text_heads is None else {"text_heads": text_heads}
        importlib.import_module(CONVERTERS[name]).convert(source, part, **options)
        if in_place:
            # config.json comes last: a folder without it is no model yet.
            for file in sorted(part.iterdir(), key=lambda file: file.name == "config.json"):
                atomic.move_into_place(file, folder / file.name)
        else:
            atomic.move_folder_into_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    has_one = any((folder / file).is_file() for file in weights.TOKENIZER)
    return "" if has_one or name != LAION_WEIGHTS.key else LAION_WEIGHTS.tokenizer
