"""CLAP as laion-clap publishes it: a converted folder, or the checkpoint itself.

A converted folder needs nothing else. A checkpoint (.pt) is run by the laion-clap package, which
is imported on use and is given tensors that we have read without
running anything in the pickle. Both round sound to sixteen bits first, as the package does: that
moves a latent by 3e-4, more than every other difference together.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfApi, constants
from torch import Tensor
from torch.nn import functional as F

from gdr_model.encoders.clap import encoder as clap
from gdr_model.encoders.clap.laion_convert import Tensors, converted, read_checkpoint
from gdr_model.encoders.formats.transformers_folder import ids_of, quiet
from gdr_model.encoders.registry.pairs import LAION
from gdr_model.encoders.shared.prompts import MAX_TOKENS, PromptReader, array
from gdr_model.encoders.shared.windowed import WindowedEncoder
from gdr_model.errors import Hint, ModelError, WeightsMissing
from gdr_model.types import Array, LatentSpace

ARCHITECTURES = {96: "HTSAT-tiny", 128: "HTSAT-base", 256: "HTSAT-large"}
"""laion-clap's names by the width of the first layer."""
REACHED_S = 5
"""Seconds in which the hub must answer to count as reached."""


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> WindowedEncoder:
    """The audio tower of a converted folder or of a checkpoint.

    Raises:
        WeightsMissing: if a checkpoint is given and laion-clap is not installed.
        ModelError: if the weights are something else.
    """
    if folder.is_file():
        package = package_module(folder, device)

        def embed_with_package(windows: Tensor) -> Tensor:
            # The package rounds to sixteen bits on its own.
            vectors = package.get_audio_embedding_from_data(array(windows), use_tensor=False)
            return torch.from_numpy(vectors)

        return clap.windowed(embed_with_package, space, device)
    embed = clap.audio_tower(folder, device)
    return clap.windowed(lambda windows: embed(sixteen_bits(windows)), space, device)


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text tower of a converted folder or of a checkpoint.

    Raises:
        WeightsMissing: if a checkpoint is given and laion-clap is not installed.
        ModelError: if the weights are something else.
    """
    if not folder.is_file():
        return clap.load_text(folder, device)
    package = package_module(folder, device)

    def network(ids: Tensor) -> tuple[Array, Array]:
        return read_ids(package, ids.to(device))

    width = package.model.text_branch.config.hidden_size
    pooled_width = package.model.text_projection[-1].out_features
    return PromptReader(ids_of(package.tokenize, MAX_TOKENS), network, width, pooled_width)


def sixteen_bits(samples: Tensor) -> Tensor:
    """To sixteen bits and back, with laion-clap's rounding: towards zero."""
    return (samples.clamp(-1, 1) * 32767).to(torch.int16).float() / 32767


def read_ids(package: Any, ids: Tensor) -> tuple[Array, Array]:
    """States (B, L, E) and unit pooled vectors (B, D) of token ids (B, L) without padding."""
    with torch.inference_mode():
        output = package.model.text_branch(input_ids=ids, attention_mask=torch.ones_like(ids))
        pooled = F.normalize(package.model.text_projection(output.pooler_output), dim=-1)
    return array(output.last_hidden_state), array(pooled)


def describe(path: Path) -> tuple[int, str]:
    """Width and fingerprint of a checkpoint's audio tower: those of the folder it converts to.

    Raises:
        ModelError: if it is no checkpoint of laion-clap.
    """
    tensors = converted(read_checkpoint(path))
    return len(tensors["audio_projection.linear2.weight"]), fingerprint(tensors)


def fingerprint(tensors: Tensors) -> str:
    """Equal to `weights.fingerprint` of a file that holds these tensors."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        if name.startswith(LAION.tensors):
            digest.update(name.encode())
            digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def package_module(path: Path, device: torch.device) -> Any:
    """A `CLAP_Module` of the laion-clap package with the weights of a checkpoint.

    Raises:
        WeightsMissing: if the package is missing, or the tokenizer it downloads.
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
        with _no_waiting():
            import laion_clap

            module = laion_clap.CLAP_Module(
                enable_fusion=False, device=str(device), amodel=ARCHITECTURES[width]
            )
    except ImportError as error:
        raise WeightsMissing(
            f"laion-clap cannot be imported ({error}); install gdr-tui[laion] and the torchvision "
            "of your torch, or convert the checkpoint, which needs neither",
            Hint.CONVERT_FILE,
            path=path,
            pair="laion",
        ) from error
    except OSError as error:
        raise WeightsMissing(
            "laion-clap downloads tokenizers and roberta-base on first use, and "
            f"{constants.ENDPOINT} cannot be reached; go online once, or convert the checkpoint",
            Hint.CONVERT_FILE,
            path=path,
            pair="laion",
        ) from error
    try:
        module.model.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise ModelError(f"{path} is no checkpoint of {ARCHITECTURES[width]}: {first}") from error
    return module.eval()


@contextlib.contextmanager
def _no_waiting() -> Iterator[None]:
    """Use what is cached if the hub does not answer, instead of retrying every file for minutes."""
    offline = constants.HF_HUB_OFFLINE
    with quiet():
        try:
            if not offline:
                HfApi().model_info("roberta-base", timeout=REACHED_S)
        except Exception:
            # Includes the errors of whichever HTTP client the hub's library uses.
            constants.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = offline
