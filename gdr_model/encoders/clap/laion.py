"""CLAP as laion-clap publishes it: a folder made by `gdr model convert`, or the checkpoint itself.

A converted folder needs nothing more. A checkpoint (.pt) is run by the laion-clap package, which
is imported on use (`pip install 'gdr-tui[laion]'`) and gets its tensors from us, read without
running anything of the pickle. Both round sound to sixteen bits first, as the package does: that
moves a latent by 3e-4, more than everything else that differs.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gdr_model.encoders.clap import encoder as clap
from gdr_model.encoders.clap.laion_convert import Tensors, converted, read_checkpoint
from gdr_model.encoders.registry.pairs import LAION
from gdr_model.encoders.shared.prompts import MAX_TOKENS, PromptReader, array
from gdr_model.encoders.shared.windows import encode_windows, seconds
from gdr_model.errors import ModelError, WeightsMissing
from gdr_model.search.whitening import unit
from gdr_model.types import Array, AudioEncoder, Cancel, LatentSpace, never

ARCHITECTURES = {96: "HTSAT-tiny", 128: "HTSAT-base", 256: "HTSAT-large"}
"""laion-clap's names by the width of the first layer."""


def load_audio(weights: Path, space: LatentSpace, device: torch.device) -> AudioEncoder:
    """The audio tower of a converted folder or of a checkpoint.

    Raises:
        WeightsMissing: if a checkpoint is given and laion-clap is not installed.
        ModelError: if the weights are something else.
    """
    if weights.is_file():
        return PackageAudio(package_module(weights, device), space)
    found = clap.load_audio(weights, space, device)
    found.as_int16 = True
    return found


def load_text(weights: Path, device: torch.device) -> PromptReader:
    """The text tower of a converted folder or of a checkpoint.

    Raises:
        WeightsMissing: if a checkpoint is given and laion-clap is not installed.
        ModelError: if the weights are something else.
    """
    if not weights.is_file():
        return clap.load_text(weights, device)
    module = package_module(weights, device)

    def tokenize(prompt: str) -> list[int]:
        read = module.tokenize(prompt, truncation=True, max_length=MAX_TOKENS)
        ids: list[int] = read["input_ids"]
        return ids

    def network(ids: Tensor) -> tuple[Array, Array]:
        return read_ids(module, ids.to(device))

    width = module.model.text_branch.config.hidden_size
    return PromptReader(tokenize, network, width, module.model.text_projection[-1].out_features)


def read_ids(module: Any, ids: Tensor) -> tuple[Array, Array]:
    """States (B, L, E) and unit pooled vectors (B, D) of token ids (B, L) without padding."""
    with torch.inference_mode():
        found = module.model.text_branch(input_ids=ids, attention_mask=torch.ones_like(ids))
        pooled = F.normalize(module.model.text_projection(found.pooler_output), dim=-1)
    return array(found.last_hidden_state), array(pooled)


def describe(path: Path) -> tuple[int, str]:
    """Width and fingerprint of a checkpoint's audio tower: those of the folder it converts to.

    Raises:
        ModelError: if it is no checkpoint of laion-clap.
    """
    tensors = converted(read_checkpoint(path))
    return len(tensors["audio_projection.linear2.weight"]), fingerprint(tensors)


def fingerprint(tensors: Tensors) -> str:
    """As `weights.fingerprint` of the file that would hold these tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith(LAION.tensors):
            digest.update(name.encode())
            digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


class PackageAudio:
    """The audio tower as the laion-clap package runs it."""

    def __init__(self, module: Any, space: LatentSpace) -> None:
        self.module = module
        self.space = space
        self.window = round(space.window_s * space.sample_rate_hz)

    def encode(self, samples: Array, cancelled: Cancel = never) -> Array:
        """Samples (N,) at 48 kHz to unit latents (T, D), T = max(1, round(s)).

        Raises:
            Cancelled: between batches, when asked.
        """
        rate_hz = self.space.sample_rate_hz
        if len(samples) < self.window:
            whole = samples if len(samples) else np.zeros(1, np.float32)
            return np.repeat(unit(self.embed(whole[None])), seconds(len(samples), rate_hz), axis=0)
        return encode_windows(
            samples,
            rate_hz,
            self.window,
            self.embed,
            batch=clap.BATCH_CPU,
            hop_s=round(self.space.hop_s),
            cancelled=cancelled,
        )

    def embed(self, windows: Array) -> Array:
        """Windows (B, N) of at most ten seconds to latents (B, D)."""
        with torch.inference_mode():
            found: Array = self.module.get_audio_embedding_from_data(windows, use_tensor=False)
        return found


def package_module(path: Path, device: torch.device) -> Any:
    """A `CLAP_Module` of the laion-clap package with the weights of a checkpoint.

    Raises:
        WeightsMissing: if the package, or the tokenizer it fetches, is not here.
        ModelError: if the checkpoint is of another architecture.
    """
    tensors = read_checkpoint(path)
    # Newer releases of transformers compute these.
    tensors = {k: v for k, v in tensors.items() if not k.endswith(".position_ids")}
    width = len(tensors["audio_branch.patch_embed.proj.weight"])
    if width not in ARCHITECTURES:
        raise ModelError(
            f"{path} has a first layer {width} wide; laion-clap knows "
            f"{', '.join(f'{known} ({name})' for known, name in ARCHITECTURES.items())}"
        )
    try:
        import laion_clap

        module = laion_clap.CLAP_Module(
            enable_fusion=False, device=str(device), amodel=ARCHITECTURES[width]
        )
    except ImportError as error:
        raise WeightsMissing(
            f"laion-clap cannot be imported ({error}); run pip install 'gdr-tui[laion]', or "
            f"gdr model convert {path} --pair laion, which needs no package"
        ) from error
    except OSError as error:
        raise WeightsMissing(
            "laion-clap fetches roberta-base when it is loaded, and could not; go online once, or "
            f"run gdr model convert {path} --pair laion"
        ) from error
    try:
        module.model.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise ModelError(f"{path} is no checkpoint of {ARCHITECTURES[width]}: {first}") from error
    return module.eval()
