"""The table of what `gdr model convert` can read: an encoder's name to the module that converts.

Each offers `convert(source, folder)`, which writes config.json and model.safetensors; torch is
imported by those modules, and so when a conversion runs and not before.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path

from gdr_model.errors import ModelError, UsageError

CONVERTERS = {
    "mule": "gdr_model.encoders.mule.published_convert",
    "mule-port": "gdr_model.encoders.mule.port_convert",
    "muscall": "gdr_model.encoders.muscall.convert",
    "laion": "gdr_model.encoders.clap.laion_convert",
    "clap": "gdr_model.encoders.registry.folder_convert",
    "t5": "gdr_model.encoders.registry.folder_convert",
}

TEXT_TOWERS = ("laion", "muscall")
"""Those whose weights do not tell how many attention heads the text tower has."""


def convert(source: Path, name: str, folder: Path, text_heads: int | None = None) -> None:
    """Write published weights as a folder of an encoder; the folder appears when it is whole.

    Raises:
        UsageError: if weights of that name cannot be converted.
        ModelError: if the file holds something else, or the folder exists.
    """
    if name not in CONVERTERS:
        raise UsageError(f"weights of {name!r} cannot be converted; use {', '.join(CONVERTERS)}")
    if text_heads is not None and name not in TEXT_TOWERS:
        raise UsageError(f"weights of {name} have no text tower whose heads could be named")
    if not source.exists():
        raise ModelError(f"{source} does not exist")
    if folder.exists():
        raise ModelError(f"{folder} exists; name a new folder, or remove it first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir()
    try:
        options = {} if text_heads is None else {"text_heads": text_heads}
        importlib.import_module(CONVERTERS[name]).convert(source, part, **options)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
