"""The table of encoder pairs: who reads the sound, who reads the words, and with which weights.

A pair is an audio encoder and a text encoder. Where both were trained into one space (`shared`)
words can be looked up directly; every pair can have a retriever that draws in its audio space.
Nothing here loads torch: a part names the module that does.

An audio module offers `load_audio(folder, space, device) -> AudioEncoder`, a text module
`load_text(folder, device) -> TextEncoder`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """What has to be on this machine before a part can be used."""

    key: str
    """Name of their folder below the user's models; empty where they come with gdr."""
    about: str
    """What a folder of them holds."""
    types: tuple[str, ...] = ()
    """What `model_type` in its config.json may say."""
    hub: str = ""
    """Where `gdr model pull` gets them; empty where nobody has published any there."""
    file: str = ""
    """The one file that is pulled; empty takes the folder."""
    licence: str = ""


@dataclass(frozen=True)
class AudioPart:
    """An audio encoder and the numbers of its space."""

    name: str
    """What `LatentSpace.encoder` says."""
    module: str
    weights: Weights
    sample_rate_hz: int
    window_s: float
    width: str = "projection_dim"
    """The field of config.json that holds the width of a latent."""
    tensors: tuple[str, ...] = ("",)
    """Prefixes of the tensors whose content is the space's fingerprint."""


@dataclass(frozen=True)
class TextPart:
    """A text encoder."""

    name: str
    module: str
    weights: Weights


@dataclass(frozen=True)
class Pair:
    """What `--model` can be beside a folder."""

    name: str
    about: str
    audio: AudioPart
    text: TextPart
    shared: bool = False
    """Whether words and sound lie in one space, so that it can be searched without a retriever."""


CLAP_WEIGHTS = Weights(
    "clap",
    "a CLAP model in the form of transformers",
    ("clap",),
    hub="laion/larger_clap_music_and_speech",
    licence="Apache-2.0",
)
LAION_WEIGHTS = Weights(
    "laion",
    "a CLAP model in the form of transformers, or a checkpoint of laion-clap (.pt)",
    ("clap",),
    hub="lukewys/laion_clap",
    file="music_audioset_epoch_15_esc_90.14.pt",
    licence="CC0-1.0",
)
T5_WEIGHTS = Weights(
    "flan-t5-base",
    "a T5 model in the form of transformers",
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
    "the PyTorch port of MULE that the method's authors trained anew",
    ("mule-port",),
    licence="private",
)
MUSCALL_WEIGHTS = Weights(
    "muscall",
    "MusCALL with its vocabulary, converted from its state dict",
    ("muscall",),
    licence="private weights",
)
MINILM_WEIGHTS = Weights("", "all-MiniLM-L6-v2", licence="Apache-2.0")
BUILTIN_WEIGHTS = Weights("", "an encoder in a gdr model's own folder", licence="MIT")

_ENCODERS = "gdr_model.encoders."
# Only what decides a latent: a CLAP with another text tower writes the same space.
_CLAP_TENSORS = ("audio_model.", "audio_projection.")

BUILTIN = AudioPart("builtin", f"{_ENCODERS}builtin.audio", BUILTIN_WEIGHTS, 16_000, 4.0)
CLAP = AudioPart(
    "clap", f"{_ENCODERS}clap.encoder", CLAP_WEIGHTS, 48_000, 10.0, tensors=_CLAP_TENSORS
)
LAION = AudioPart(
    "laion", f"{_ENCODERS}clap.laion", LAION_WEIGHTS, 48_000, 10.0, tensors=_CLAP_TENSORS
)
MULE = AudioPart("mule", f"{_ENCODERS}mule.published", MULE_WEIGHTS, 16_000, 3.0, "dim")
MULE_PORT = AudioPart("mule-port", f"{_ENCODERS}mule.port", MULE_PORT_WEIGHTS, 16_000, 3.0, "dim")
MUSCALL = AudioPart("muscall", f"{_ENCODERS}muscall.encoder", MUSCALL_WEIGHTS, 16_000, 20.0, "dim")

MINILM = TextPart("minilm", f"{_ENCODERS}builtin.minilm", MINILM_WEIGHTS)
CLAP_TEXT = TextPart("clap", f"{_ENCODERS}clap.encoder", CLAP_WEIGHTS)
LAION_TEXT = TextPart("laion", f"{_ENCODERS}clap.laion", LAION_WEIGHTS)
T5 = TextPart("t5", f"{_ENCODERS}t5", T5_WEIGHTS)
MUSCALL_TEXT = TextPart("muscall", f"{_ENCODERS}muscall.encoder", MUSCALL_WEIGHTS)

PAIRS: Mapping[str, Pair] = {
    pair.name: pair
    for pair in (
        Pair("builtin", "gdr's own encoder, all-MiniLM-L6-v2", BUILTIN, MINILM),
        Pair("clap", "CLAP through transformers, its own text tower", CLAP, CLAP_TEXT, True),
        Pair("laion", "CLAP as laion-clap publishes it, its RoBERTa", LAION, LAION_TEXT, True),
        Pair("clap-t5", "CLAP through transformers, flan-T5", CLAP, T5),
        Pair("mule-t5", "MULE as published, flan-T5", MULE, T5),
        Pair("mule-port-t5", "MULE's PyTorch port, flan-T5", MULE_PORT, T5),
        Pair("muscall", "MusCALL, its own text transformer", MUSCALL, MUSCALL_TEXT, True),
        Pair("muscall-t5", "MusCALL, flan-T5", MUSCALL, T5),
    )
}
"""By the name that `--model` takes."""

AUDIO_PARTS = (CLAP, LAION, MULE, MULE_PORT, MUSCALL)
"""Audio encoders whose weights lie in a folder of their own."""
TEXT_PARTS = (CLAP_TEXT, LAION_TEXT, T5, MUSCALL_TEXT)
"""Text encoders, likewise."""
