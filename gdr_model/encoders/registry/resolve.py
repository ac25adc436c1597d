"""What a name refers to: a pair of encoders, with the weights of both on this machine; no torch.

`clap`                     a pair from the table
`clap@4`                   the same, encoding every 4 s and interpolating to one latent a second
`/folder`, `owner/name`    weights in a folder, or in the Hugging Face cache
`/file.pt`                 a checkpoint of laion-clap
`AUDIO+TEXT`               both encoders, each by name, folder or repository
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model import paths
from gdr_model.encoders.registry.pairs import (
    AUDIO_PARTS,
    CLAP,
    LAION,
    PAIRS,
    TEXT_PARTS,
    AudioPart,
    Pair,
    TextPart,
)
from gdr_model.errors import Hint, ModelError, UsageError
from gdr_model.models import weights
from gdr_model.types import AudioEncoder, LatentSpace, TextEncoder

if TYPE_CHECKING:
    import torch

_HOP = re.compile(r"(.+)@(\d{1,3})")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Located:
    """A pair, and where its weights are."""

    argument: str
    """The name that leads here again, with absolute paths of folders."""
    audio: AudioPart
    audio_weights: Path
    """A folder, or a checkpoint of laion-clap."""
    text: TextPart
    text_weights: Path | None
    """None where they are looked for when the text encoder is first used."""
    shared: bool
    space: LatentSpace

    def load_audio(self, device: torch.device) -> AudioEncoder:
        """The audio encoder.

        Raises:
            ModelError: if its weights cannot be read.
        """
        if self.audio.module is None:
            raise ModelError(f"{self.argument} has no audio encoder apart from a retriever")
        return self.audio.module().load_audio(self.audio_weights, self.space, device)

    def load_text(self, device: torch.device) -> TextEncoder:
        """The text encoder.

        Raises:
            WeightsMissing: if its weights are not on this machine.
            ModelError: if they cannot be read.
        """
        return self.text.module().load_text(self.text_weights or installed(self.text), device)


def installed(part: AudioPart | TextPart) -> Path:
    """The weights of a part that no folder was named for.

    Raises:
        WeightsMissing: if they are not on this machine.
        ModelError: if they are others than the published ones.
    """
    if isinstance(part, TextPart) and part.find is not None:
        return part.find()
    return weights.find(part.weights)


def locate(name: str) -> Located:
    """The pair that a name refers to.

    Raises:
        WeightsMissing: if the weights of its audio encoder are not on this machine.
        ModelError: if there is no such pair, or a folder holds something else.
        UsageError: for a hop out of range.
    """
    plain, hop_s = _hop(name)
    if plain in PAIRS and plain != "builtin":
        return _located(name, PAIRS[plain], weights.find(PAIRS[plain].audio.weights), None, hop_s)
    first, plus, second = plain.partition("+")
    if plus and not Path(plain).exists():
        audio, sound = _audio(first)
        text, words = _text(second)
        one = audio.weights == text.weights and sound == words
        pair = Pair(plain, "", audio, text, shared=one)
        spelled = f"{_spelled(first)}+{_spelled(second)}"
        return _located(spelled + name[len(plain) :], pair, sound, words, hop_s)
    audio, sound = _audio(plain)
    pair = next(pair for pair in PAIRS.values() if pair.audio == audio)
    return _located(_spelled(plain) + name[len(plain) :], pair, sound, None, hop_s)


def _located(argument: str, pair: Pair, sound: Path, words: Path | None, hop_s: float) -> Located:
    if words is None and pair.text.weights == pair.audio.weights:
        words = sound
    space = _space(pair.audio, sound, hop_s)
    return Located(argument, pair.audio, sound, pair.text, words, pair.shared, space)


def _spelled(name: str) -> str:
    """The absolute path where there is one; any other name unchanged."""
    path = Path(name).expanduser()
    return str(path.absolute()) if path.exists() else name


def _hop(name: str) -> tuple[str, float]:
    """`clap@4` to `clap` and 4, unless a folder has this very name."""
    parts = _HOP.fullmatch(name)
    if parts is None or Path(name).exists():
        return name, 1.0
    return parts[1], float(parts[2])


def _space(part: AudioPart, folder: Path, hop_s: float) -> LatentSpace:
    if hop_s != 1 and not part.coarser:
        raise UsageError(f"a coarser hop would not make {part.name} faster; leave out @{hop_s:g}")
    if not 1 <= hop_s <= part.window_s:
        raise UsageError(
            f"a hop of {hop_s:g} s is out of range for {part.name}; use 1 to {part.window_s:g}"
        )
    if folder.is_file():
        from gdr_model.encoders.clap.laion import describe

        dim, fingerprint = weights.remembered(folder, part.name, lambda: list(describe(folder)))
    else:
        raw = weights.require(folder, part.weights)
        dim = raw.get(part.width, 512)
        fingerprint = weights.fingerprint(folder / weights.TENSORS, part.tensors)
    if not isinstance(dim, int) or dim < 1:
        raise ModelError(f"{folder / 'config.json'} gives {dim!r} as the width of a latent")
    return LatentSpace(part.name, dim, part.sample_rate_hz, part.window_s, hop_s, fingerprint)


def _audio(name: str) -> tuple[AudioPart, Path]:
    """An audio encoder by its name, folder or repository."""
    for part in AUDIO_PARTS:
        if name == part.name:
            return part, weights.find(part.weights)
    path = _path(name)
    if path.is_file():
        return LAION, path
    kind = weights.described(path).get("model_type")
    if kind in CLAP.weights.types:
        return (LAION if weights.described(path).get("gdr_pair") == LAION.name else CLAP), path
    for part in AUDIO_PARTS:
        if kind in part.weights.types:
            return part, path
    for text in TEXT_PARTS:
        if kind in text.weights.types:
            raise ModelError(
                f"{path} reads text only ({kind}), so it needs an audio encoder too",
                Hint.ADD_AUDIO_SIDE,
                text=name,
            )
    raise ModelError(
        f"{path} holds a model of type {kind!r}; gdr reads its own model folders, "
        "finished training runs, and musicnn, CLAP, MULE and MusCALL weights"
    )


def _text(name: str) -> tuple[TextPart, Path | None]:
    """A text encoder by its name, folder or repository."""
    for part in TEXT_PARTS:
        if name == part.name:
            return part, None if part.find else weights.find(part.weights)
    path = _path(name)
    kind = weights.described(path).get("model_type") if path.is_dir() else None
    for part in TEXT_PARTS:
        if kind in part.weights.types:
            return part, path
    raise ModelError(
        f"{path} holds no text encoder that gdr reads; it reads T5, CLAP and "
        "MusCALL, and by name minilm and use"
    )


def _path(name: str) -> Path:
    """A folder, a checkpoint, or a repository in the Hugging Face cache."""
    path = Path(name).expanduser()
    pulled = paths.models() / name
    if not path.exists() and (pulled / "config.json").is_file():
        path = pulled
    if (path / "config.json").is_file() or (path.is_file() and path.suffix == ".pt"):
        return path
    if path.is_file():
        raise ModelError(f"{path} is neither a model folder nor a laion-clap checkpoint (.pt)")
    if path.is_dir():
        raise ModelError(f"{path} holds no model: it has no config.json")
    cached = None
    if _REPOSITORY.fullmatch(name):
        cached = weights.in_hub_cache(name, "config.json")
    if cached is None:
        sentence = (
            f"there is no model {name!r}; use {', '.join(PAIRS)}, or a folder with config.json and "
            "model.safetensors"
        )
        if _REPOSITORY.fullmatch(name):
            raise ModelError(sentence, Hint.FIND_OR_PULL, name=name)
        raise ModelError(sentence)
    return cached.parent
