"""The table of encoder pairs: which encoder reads sound, which reads text, and their weights.

Where both encoders of a pair were trained into one space (`shared`), text can be searched
directly; any pair can have a retriever that draws in its audio space. Nothing here loads torch:
a part's `module` is imported when the part is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gdr_model.types import AudioEncoder, LatentSpace, TextEncoder

if TYPE_CHECKING:
    import torch


class AudioModule(Protocol):
    """What the module of an audio encoder offers."""

    def load_audio(self, folder: Path, space: LatentSpace, device: torch.device, /) -> AudioEncoder:
        """The audio encoder of a folder of weights."""


class TextModule(Protocol):
    """What the module of a text encoder offers."""

    def load_text(self, folder: Path, device: torch.device, /) -> TextEncoder:
        """The text encoder of a folder of weights."""


class PairModule(AudioModule, TextModule, Protocol):
    """The module of a model that reads both."""


@dataclass(frozen=True)
class Weights:
    """What must be on this machine before a part can be used."""

    key: str
    """Name of their folder among the user's models; empty where they come with gdr."""
    about: str
    """What such a folder holds."""
    types: tuple[str, ...] = ()
    """Values of `model_type` in its config.json."""
    hub: str = ""
    """Repository to download them from; empty where there is none."""
    file: str = ""
    """The only file to download; empty for the whole repository."""
    package: str = ""
    """The requirement, for pip, of a package that holds them."""
    tokenizer: str = ""
    """Repository of the tokenizer, where it does not come with the weights."""
    licence: str = ""


@dataclass(frozen=True)
class AudioPart:
    """An audio encoder and the figures of its space."""

    name: str
    """`LatentSpace.encoder`."""
    module: Callable[[], AudioModule] | None
    """Imports its module; None where the encoder is stored with the retriever."""
    weights: Weights
    sample_rate_hz: int
    window_s: float
    width: str = "projection_dim"
    """The field of config.json that holds the width of a latent."""
    tensors: tuple[str, ...] = ("",)
    """Prefixes of the tensors that the space's fingerprint is computed from."""
    coarser: bool = True
    """Whether a coarser hop saves anything, and can be asked for."""


@dataclass(frozen=True)
class TextPart:
    """A text encoder."""

    name: str
    module: Callable[[], TextModule]
    weights: Weights
    find: Callable[[], Path] | None = None
    """Finds its weights, where they are not a folder among the user's models."""


@dataclass(frozen=True)
class Pair:
    """An encoder pair that has a name."""

    name: str
    about: str
    audio: AudioPart
    text: TextPart
    shared: bool = False
    """Whether text and sound share a space, so that it can be searched without a retriever."""


CLAP_WEIGHTS = Weights(
    "clap",
    "a CLAP model in transformers' format",
    ("clap",),
    hub="laion/larger_clap_music_and_speech",
    licence="Apache-2.0",
)
LAION_WEIGHTS = Weights(
    "laion",
    "a CLAP model in transformers' format, or a checkpoint of laion-clap (.pt)",
    ("clap",),
    hub="lukewys/laion_clap",
    file="music_audioset_epoch_15_esc_90.14.pt",
    tokenizer="FacebookAI/roberta-base",
    licence="CC0-1.0",
)
T5_WEIGHTS = Weights(
    "flan-t5-base",
    "a T5 model in transformers' format",
    ("t5", "mt5", "umt5"),
    hub="google/flan-t5-base",
    licence="Apache-2.0",
)
MULE_WEIGHTS = Weights(
    "mule",
    "MULE's published network, converted from Keras",
    ("mule",),
    licence="CC BY-NC 4.0",
)
MULE_PORT_WEIGHTS = Weights(
    "mule-port",
    "the PyTorch port of MULE that the method's authors retrained",
    ("mule-port",),
    licence="private",
)
MUSCALL_WEIGHTS = Weights(
    "muscall",
    "MusCALL and its vocabulary, converted from its state dict",
    ("muscall",),
    licence="private weights",
)
MUSICNN_WEIGHTS = Weights(
    "musicnn",
    "musicnn's network of the Million Song Dataset, converted from its wheel",
    ("musicnn",),
    package="musicnn==0.1.0",
    licence="the wheel's is ISC; it names none for the weights",
)
MINILM_WEIGHTS = Weights("", "all-MiniLM-L6-v2", licence="Apache-2.0")
USE_WEIGHTS = Weights("", "Universal Sentence Encoder, multilingual v3", licence="Apache-2.0")
BUILTIN_WEIGHTS = Weights("", "an encoder in a gdr model's own folder", licence="MIT")


def _clap() -> PairModule:
    from gdr_model.encoders.clap import encoder

    return encoder


def _laion() -> PairModule:
    from gdr_model.encoders.clap import laion

    return laion


def _mule() -> AudioModule:
    from gdr_model.encoders.mule import published_net

    return published_net


def _mule_port() -> AudioModule:
    from gdr_model.encoders.mule import port_net

    return port_net


def _muscall() -> PairModule:
    from gdr_model.encoders.muscall import encoder

    return encoder


def _musicnn() -> AudioModule:
    from gdr_model.encoders.musicnn import encoder

    return encoder


def _minilm() -> TextModule:
    from gdr_model.encoders.builtin import minilm

    return minilm


def _find_minilm() -> Path:
    from gdr_model.encoders.builtin import minilm

    return minilm.find()


def _use() -> TextModule:
    from gdr_model.encoders.use import encoder

    return encoder


def _find_use() -> Path:
    from gdr_model.encoders.use import encoder

    return encoder.find()


def _t5() -> TextModule:
    from gdr_model.encoders import t5

    return t5


# Only what decides a latent: a CLAP with another text tower writes the same space.
_CLAP_TENSORS = ("audio_model.", "audio_projection.")

BUILTIN = AudioPart("builtin", None, BUILTIN_WEIGHTS, 16_000, 4.0)
CLAP = AudioPart("clap", _clap, CLAP_WEIGHTS, 48_000, 10.0, tensors=_CLAP_TENSORS)
LAION = AudioPart("laion", _laion, LAION_WEIGHTS, 48_000, 10.0, tensors=_CLAP_TENSORS)
MULE = AudioPart("mule", _mule, MULE_WEIGHTS, 16_000, 3.0, "dim")
MULE_PORT = AudioPart("mule-port", _mule_port, MULE_PORT_WEIGHTS, 16_000, 3.0, "dim")
MUSCALL = AudioPart("muscall", _muscall, MUSCALL_WEIGHTS, 16_000, 20.0, "dim")
MUSICNN = AudioPart("musicnn", _musicnn, MUSICNN_WEIGHTS, 16_000, 3.0, "dim", coarser=False)

MINILM = TextPart("minilm", _minilm, MINILM_WEIGHTS, _find_minilm)
USE = TextPart("use", _use, USE_WEIGHTS, _find_use)
CLAP_TEXT = TextPart("clap", _clap, CLAP_WEIGHTS)
LAION_TEXT = TextPart("laion", _laion, LAION_WEIGHTS)
T5 = TextPart("t5", _t5, T5_WEIGHTS)
MUSCALL_TEXT = TextPart("muscall", _muscall, MUSCALL_WEIGHTS)

PAIRS: Mapping[str, Pair] = {
    pair.name: pair
    for pair in (
        Pair("builtin", "gdr's own encoder", BUILTIN, USE),
        Pair("musicnn", "musicnn's tagger of songs, multilingual sentence encoder", MUSICNN, USE),
        Pair("clap", "CLAP through transformers, its own text tower", CLAP, CLAP_TEXT, True),
        Pair("laion", "CLAP as laion-clap publishes it, its RoBERTa", LAION, LAION_TEXT, True),
        Pair("clap-t5", "CLAP through transformers, flan-T5", CLAP, T5),
        Pair("mule-t5", "MULE as published, flan-T5", MULE, T5),
        Pair("mule-port-t5", "MULE's PyTorch port, flan-T5", MULE_PORT, T5),
        Pair("muscall", "MusCALL, its own text transformer", MUSCALL, MUSCALL_TEXT, True),
        Pair("muscall-t5", "MusCALL, flan-T5", MUSCALL, T5),
    )
}
"""By name."""

AUDIO_PARTS = (CLAP, LAION, MULE, MULE_PORT, MUSCALL, MUSICNN)
"""Audio encoders with weights in a folder of their own."""
TEXT_PARTS = (CLAP_TEXT, LAION_TEXT, T5, MUSCALL_TEXT, MINILM, USE)
"""Text encoders that go with any audio encoder."""
OWN_TEXT: Mapping[str, TextPart] = {part.name: part for part in (MINILM, USE)}
"""By name, those that a model with an audio encoder of its own can be trained with."""
