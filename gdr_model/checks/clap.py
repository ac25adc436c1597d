"""CLAP through transformers, from laion-clap's tensors: converted, then loaded from the folder.

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
"""Transforms of one sound by convolution and by FFT differ by at most .005 dB."""
ATOL_LOGITS = 1e-4
"""Logits are cosines times exp(logit_scale), about 14."""


@dataclass(frozen=True)
class Towers:
    """Both towers of a folder, and its spectrogram."""

    mel: LogMel
    audio: Any
    text: Any


def outputs(case: Case) -> Iterator[Compared]:
    """Spectrogram, both embeddings, and their logits."""
    theirs = weights(case)
    with towers(case, theirs) as converted:
        audio, text = audio_outputs(case, converted), text_outputs(case, converted)
    yield from spectrogram(case, "hf_logmel", audio["level"])
    sounds, prompts = F.normalize(audio["projection"]), F.normalize(text["projection"])
    yield from case.compare({"hf_audio_embed": sounds, "hf_text_embed": prompts}, ATOL)
    logits = theirs["logit_scale_a"].exp() * sounds @ prompts.T
    yield from case.compare({"hf_logits_per_audio": logits}, ATOL_LOGITS)


def weights(case: Case) -> dict[str, Tensor]:
    """Tensors of laion-clap: stored, from a checkpoint, or from a recipe.

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
    """Both towers, loaded from a folder that the conversion has written."""
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
    """The inputs of a module while it runs, without gradients."""
    captured: list[Tensor] = []
    handle = module.register_forward_pre_hook(lambda _module, inputs: captured.append(inputs[0]))
    try:
        with torch.inference_mode():
            yield captured
    finally:
        handle.remove()


def audio_outputs(case: Case, converted: Towers) -> dict[str, Tensor]:
    """Log-mel (B, 1, F, M) of the clips, pooled features (B, C), and their projection (B, D)."""
    with entering(converted.audio.audio_projection) as pooled:
        level = converted.mel(clips(case))[:, None]
        projection = converted.audio(input_features=level).audio_embeds
    return {"level": level, "pooled": pooled[0], "projection": projection}


def text_outputs(case: Case, converted: Towers) -> dict[str, Tensor]:
    """States (B, L, E), pooled states (B, E) and projection (B, D) of the token ids."""
    ids = torch.from_numpy(case.arrays["text_input_ids"])
    mask = torch.from_numpy(case.arrays["text_attention_mask"])
    with entering(converted.text.text_projection) as pooled:
        output = converted.text(input_ids=ids, attention_mask=mask)
    return {
        "states": output.last_hidden_state,
        "pooled": pooled[0],
        "projection": output.text_embeds,
    }


def spectrogram(case: Case, name: str, level: Tensor) -> Iterator[Compared]:
    """Our log-mel, compared with the reference."""
    if name in case.arrays:
        yield compared_decibels(name + case.suffix, level.numpy(), case.arrays[name], ATOL_DB)
