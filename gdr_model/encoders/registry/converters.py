"""Which weights `gdr model convert` can read: the name of an encoder to the module that converts.

Such a module has `convert(source, folder)`, which writes config.json and model.safetensors. It is
imported when a conversion runs, because it imports torch.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path

from gdr_model import atomic
from gdr_model.errors import ModelError, UsageError

CONVERTERS = {
    "mule": "gdr_model.encoders.mule.published_convert",
    "mule-port": "gdr_model.encoders.mule.port_convert",
    "muscall": "gdr_model.encoders.muscall.convert",
    "laion": "gdr_model.encoders.clap.laion_convert",
    "clap": "gdr_model.encoders.formats.transformers_convert",
    "t5": "gdr_model.encoders.formats.transformers_convert",
}

TEXT_TOWERS = ("laion", "muscall")
"""Encoders whose weights do not show how many attention heads the text tower has."""


def convert(source: Path, name: str, folder: Path, text_heads: int | None = None) -> None:
    """Write published weights as the folder of an encoder, which appears once it is complete.

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
    if folder.exists():
        raise ModelError(f"{folder} exists; name a new folder, or remove it first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir()
    try:
        options = {} if text_heads is None else {"text_heads": text_heads}
        importlib.import_module(CONVERTERS[name]).convert(source, part, **options)
        atomic.move_into_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
