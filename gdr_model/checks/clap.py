"""CLAP through transformers: a laion-clap checkpoint converted, then read as a folder is.

Reference folders hold laion-clap's tensors under its own names, or a checkpoint (.pt) of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.checks.case import Case, Compared, compared_decibels
from gdr_model.checks.watch import tensors
from gdr_model.encoders.clap import laion_convert
from gdr_model.encoders.clap.encoder import LogMel, tower
from gdr_model.encoders.clap.laion import sixteen_bits
from gdr_model.encoders.shared.windows import repeat_and_pad

ATOL = 1e-5
ATOL_DB = 1e-2
"""Two transforms of one sound, by convolution and by FFT, differ by .005 dB at most."""
ATOL_LOGITS = 1e-4
"""Of a cosine times exp(logit_scale), some 14."""


@dataclass(frozen=True)
class Towers:
    """Both halves of a folder, and how its sound is prepared."""

    mel: LogMel
    audio: Any
    text: Any


def outputs(case: Case) -> Iterator[Compared]:
    """Spectrogram, both embeddings, and their logits."""
    theirs = weights(case)
    with towers(case, theirs) as found:
        sounds, words = hear(case, found), read(case, found)
    yield from spectrogram(case, "hf_logmel", sounds["level"])
    sound, sentence = F.normalize(sounds["projection"]), F.normalize(words["projection"])
    yield from case.compare({"hf_audio_embed": sound, "hf_text_embed": sentence}, ATOL)
    logits = theirs["logit_scale_a"].exp() * sound @ sentence.T
    yield from case.compare({"hf_logits_per_audio": logits}, ATOL_LOGITS)


def weights(case: Case) -> dict[str, Tensor]:
    """Tensors of laion-clap: stored, from a checkpoint, or from the recipe.

    Raises:
        ModelError: if there are none.
    """
    stored = case.folder / f"weights{case.suffix}.safetensors"
    checkpoints = sorted(case.folder.glob("*.pt"))
    if checkpoints and not stored.is_file():
        return dict(laion_convert.read_checkpoint(checkpoints[0]))
    return tensors(case.weights)


@contextmanager
def towers(case: Case, theirs: Mapping[str, Tensor]) -> Iterator[Towers]:
    """Both halves as they come back from a folder that the conversion has written."""
    from transformers.models.clap.modeling_clap import (
        ClapAudioModelWithProjection,
        ClapTextModelWithProjection,
    )

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        laion_convert.write(theirs, folder, case.config["roberta"]["num_attention_heads"])
        yield Towers(
            LogMel.of(folder),
            tower(ClapAudioModelWithProjection, "audio_config", folder),
            tower(ClapTextModelWithProjection, "text_config", folder),
        )


def clips(case: Case) -> Tensor:
    """Ten-second clips (B, N), the short one repeated, after laion-clap's rounding."""
    whole = case.arrays["audio_48k"]
    if "audio_short_48k" in case.arrays:
        short = repeat_and_pad(case.arrays["audio_short_48k"], whole.shape[1])
        whole = np.concatenate([whole, short[None]])
    return sixteen_bits(torch.from_numpy(whole))


@contextmanager
def entering(module: nn.Module) -> Iterator[list[Tensor]]:
    """What goes into a module while it runs; without gradients."""
    seen: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    try:
        with torch.inference_mode():
            yield seen
    finally:
        handle.remove()


def hear(case: Case, found: Towers) -> dict[str, Tensor]:
    """Log-mel (B, 1, F, M) of the clips, pooled features (B, C), and their projection (B, D)."""
    with entering(found.audio.audio_projection) as pooled:
        level = found.mel(clips(case))[:, None]
        projection = found.audio(input_features=level).audio_embeds
    return {"level": level, "pooled": pooled[0], "projection": projection}


def read(case: Case, found: Towers) -> dict[str, Tensor]:
    """States (B, L, E), pooled states (B, E) and projection (B, D) of the token ids."""
    ids = torch.from_numpy(case.arrays["text_input_ids"])
    mask = torch.from_numpy(case.arrays["text_attention_mask"])
    with entering(found.text.text_projection) as pooled:
        answer = found.text(input_ids=ids, attention_mask=mask)
    return {
        "states": answer.last_hidden_state,
        "pooled": pooled[0],
        "projection": answer.text_embeds,
    }


def spectrogram(case: Case, name: str, level: Tensor) -> Iterator[Compared]:
    """Our log-mel against the reference's."""
    if name in case.arrays:
        yield compared_decibels(name + case.suffix, level.numpy(), case.arrays[name], ATOL_DB)
