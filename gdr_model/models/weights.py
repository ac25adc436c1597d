"""Installed weights: find them, check that they are complete, and fingerprint them.

Weights are a folder with config.json and model.safetensors: among the user's models by the name
of a part, any folder the user names, or in the Hugging Face cache. Nothing here loads torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gdr_model import atomic, paths, plain
from gdr_model.encoders.registry.pairs import Weights
from gdr_model.errors import Hint, ModelError, WeightsMissing, first_line
from gdr_model.private import make_private

TENSORS = "model.safetensors"
PICKLE = "pytorch_model.bin"
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
)
"""Files of a tokenizer, of which a repository has some."""
_BLOCK = 1 << 20


def find(weights: Weights) -> Path:
    """The folder or file of a part's weights: the user's models first, then the Hugging Face cache.

    Raises:
        WeightsMissing: with a hint at how to get them.
    """
    folder = paths.models() / weights.key
    if (folder / "config.json").is_file():
        return folder
    if weights.file and (folder / weights.file).is_file():
        return folder / weights.file
    cached = in_hub_cache(weights.hub, weights.file or "config.json") if weights.hub else None
    if cached is not None:
        return cached if weights.file else cached.parent
    sentence = f"the weights of {weights.key} are not on this machine"
    if weights.hub or weights.package:
        raise WeightsMissing(sentence, Hint.PULL, name=weights.key)
    raise WeightsMissing(sentence, Hint.CONVERT, pair=weights.key)


def in_hub_cache(repository: str, file: str) -> Path | None:
    """A file of a repository in the Hugging Face cache, or None."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return None
    return Path(cached) if isinstance(cached, str) else None


def described(folder: Path) -> dict[str, Any]:
    """The content of a folder's config.json.

    Raises:
        ModelError: if there is none, or it is not a JSON object.
    """
    try:
        raw = plain.from_json((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} has no readable config.json") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{folder / 'config.json'} does not describe a model")
    return raw


def require(folder: Path, weights: Weights) -> dict[str, Any]:
    """The content of config.json of a folder that must hold the weights of a part.

    Raises:
        ModelError: naming what the folder holds and what was expected.
    """
    raw = described(folder)
    model_type = raw.get("model_type")
    if model_type not in weights.types:
        raise ModelError(
            f"{folder} holds a model of type {model_type!r}; {weights.key} needs {weights.about}"
        )
    if not (folder / TENSORS).is_file() and not (folder / f"{TENSORS}.index.json").is_file():
        if (folder / PICKLE).is_file():
            raise ModelError(
                f"{folder} holds a pickle ({PICKLE}) where {TENSORS} is expected",
                Hint.CONVERT_FOLDER,
                path=folder,
                pair=weights.types[0],
            )
        raise ModelError(f"{folder} has a config.json but no {TENSORS}; fetch it again")
    return raw


def fingerprint(file: Path, prefixes: Sequence[str]) -> str:
    """First 16 hex digits of the SHA-256 of some tensors: names and bytes, sorted by name.

    The result is cached by the file's size and time, because reading a gigabyte takes longer than
    finding out that nothing in a library has changed.

    Raises:
        ModelError: if the file is not a safetensors file, or is truncated.
    """
    return str(remembered(file, "|".join(prefixes), lambda: _hashed(file, prefixes)))


def remembered(file: Path, what: str, make: Callable[[], Any]) -> Any:
    """The result of `make()`, called once for a file of this size and time; a JSON value.

    Cached in `fingerprints.json` in gdr's folder; losing it costs only time.
    """
    facts = file.stat()
    key = f"{os.path.realpath(file)}|{facts.st_size}|{facts.st_mtime_ns}|{what}"
    path = paths.home() / "fingerprints.json"
    entries = _entries(path)
    if key not in entries:
        entries[key] = make()
        with contextlib.suppress(OSError):
            make_private(path.parent)
            atomic.write_text(path, json.dumps(entries, indent=1) + "\n")
    return entries[key]


def _entries(path: Path) -> dict[str, Any]:
    try:
        raw = plain.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _hashed(file: Path, prefixes: Sequence[str]) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            header = plain.from_json(source.read(length)) if length <= file.stat().st_size else None
            if not isinstance(header, dict):
                raise ModelError(f"{file} is not a safetensors file, or is truncated")
            header.pop("__metadata__", None)
            end = 8 + length + max((t["data_offsets"][1] for t in header.values()), default=0)
            if end != file.stat().st_size:
                raise ModelError(
                    f"{file} holds {file.stat().st_size:,} bytes where its header says {end:,}; "
                    "the download was interrupted: fetch it again"
                )
            names = [name for name in sorted(header) if name.startswith(tuple(prefixes))]
            if not names:
                raise ModelError(f"{file} holds no tensor of {' or '.join(prefixes)}")
            for name in names:
                digest.update(name.encode())
                start, stop = header[name]["data_offsets"]
                source.seek(8 + length + start)
                for position in range(start, stop, _BLOCK):
                    digest.update(source.read(min(_BLOCK, stop - position)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} cannot be read as safetensors: {first_line(error)}") from error
    return digest.hexdigest()[:16]
