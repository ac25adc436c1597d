"""Weights on this machine: where they lie, whether they are whole, and what they are.

Weights are a folder with config.json and model.safetensors, found by the name of a part below the
user's models, as a folder the user names, or in the Hugging Face cache. Nothing here loads torch.
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

from gdr_model import atomic, paths
from gdr_model.encoders.registry.pairs import Weights
from gdr_model.errors import Hint, ModelError, WeightsMissing

TENSORS = "model.safetensors"
PICKLE = "pytorch_model.bin"
_BLOCK = 1 << 20


def find(weights: Weights) -> Path:
    """Where the weights of a part lie: the user's models first, then the Hugging Face cache.

    Raises:
        WeightsMissing: with a hint how to get them.
    """
    own = paths.models() / weights.key
    if (own / "config.json").is_file() or (weights.file and (own / weights.file).is_file()):
        return own if (own / "config.json").is_file() else own / weights.file
    cached = in_hub_cache(weights.hub, weights.file or "config.json") if weights.hub else None
    if cached is not None:
        return cached if weights.file else cached.parent
    sentence = f"the weights of {weights.key} are not on this machine"
    if weights.hub:
        raise WeightsMissing(sentence, Hint.PULL, name=weights.key)
    raise WeightsMissing(sentence, Hint.CONVERT, pair=weights.key)


def in_hub_cache(repository: str, file: str) -> Path | None:
    """A file of a repository, if the Hugging Face cache holds it."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def described(folder: Path) -> dict[str, Any]:
    """What config.json says.

    Raises:
        ModelError: if there is none, or it is no JSON object.
    """
    try:
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} has no config.json that can be read") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{folder / 'config.json'} does not describe a model")
    return raw


def require(folder: Path, weights: Weights) -> dict[str, Any]:
    """The configuration of a folder that must hold the weights of a part.

    Raises:
        ModelError: naming what was found and what was expected.
    """
    raw = described(folder)
    found = raw.get("model_type")
    if found not in weights.types:
        raise ModelError(
            f"{folder} holds a model of type {found!r}; {weights.key} needs {weights.about}"
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
    """First 16 hex digits of the SHA-256 of some tensors: their names and bytes, by name.

    What was found is remembered for a file of this size and time, because reading a gigabyte
    takes longer than finding out that nothing in a library has changed.

    Raises:
        ModelError: if the file is no safetensors file, or breaks off.
    """
    return str(remembered(file, "|".join(prefixes), lambda: _hashed(file, prefixes)))


def remembered(file: Path, what: str, make: Callable[[], Any]) -> Any:
    """What `make()` says (in JSON) of a file as it is now, made once for this size and time.

    Kept in `fingerprints.json` in gdr's folder: a cache, so losing it costs time alone.
    """
    facts = file.stat()
    key = f"{os.path.realpath(file)}|{facts.st_size}|{facts.st_mtime_ns}|{what}"
    path = paths.home() / "fingerprints.json"
    known = _entries(path)
    if key not in known:
        known[key] = make()
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_text(path, json.dumps(known, indent=1) + "\n")
    return known[key]


def _entries(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return raw if isinstance(raw, dict) else {}


def _hashed(file: Path, prefixes: Sequence[str]) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            header = json.loads(source.read(length)) if length <= file.stat().st_size else None
            if not isinstance(header, dict):
                raise ModelError(f"{file} is no safetensors file, or only the beginning of one")
            header.pop("__metadata__", None)
            end = 8 + length + max((t["data_offsets"][1] for t in header.values()), default=0)
            if end != file.stat().st_size:
                raise ModelError(
                    f"{file} holds {file.stat().st_size:,} bytes where its header says {end:,}; "
                    "the download broke off: fetch it again"
                )
            names = [name for name in sorted(header) if name.startswith(tuple(prefixes))]
            if not names:
                raise ModelError(f"{file} holds no tensor of {' or '.join(prefixes)}")
            for name in names:
                digest.update(name.encode())
                start, stop = header[name]["data_offsets"]
                source.seek(8 + length + start)
                for at in range(start, stop, _BLOCK):
                    digest.update(source.read(min(_BLOCK, stop - at)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} cannot be read as safetensors: {error}") from error
    return digest.hexdigest()[:16]
