"""Weights and tokenizers in folders of transformers, loaded whole or refused in one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from gdr_model.errors import ModelError, WeightsMissing

TOKENIZERS = ("tokenizer.json", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
COMPUTED = (".relative_position_index", ".position_ids", ".token_type_ids")
"""Tables of indices, which some files leave out and transformers computes."""


def network_of(kind: Any, config: Any, folder: Path, what: str) -> Any:
    """A network with the weights of a folder, in single precision, ready to be asked.

    `kind` is a class of transformers; of the file only what it needs is read.

    Raises:
        ModelError: if a tensor is missing, of another shape, or the file breaks off.
    """
    with quiet():
        try:
            net, report = kind.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                dtype=torch.float32,
            )
        except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise unlike(folder, what, error) from error
    missing = sorted(n for n in report["missing_keys"] if not n.endswith(COMPUTED))
    if missing:
        raise ModelError(
            f"{folder} lacks {len(missing)} tensors of a {what} model, {missing[0]} first; fetch "
            "config.json and model.safetensors from the same place"
        )
    return net.eval().requires_grad_(False)


def config_of(kind: Any, folder: Path, what: str) -> Any:
    """What config.json says, as a class of transformers reads it.

    Raises:
        ModelError: if it cannot be meant.
    """
    with quiet():
        try:
            return kind.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise unlike(folder, what, error) from error


def unlike(folder: Path, what: str, error: Exception) -> ModelError:
    """The one sentence for weights that are not what they say."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ModelError(
        f"{folder} does not hold the {what} weights its config.json describes: {lines[0][:200]}"
    )


def tokenizer_of(folder: Path) -> Any:
    """The tokenizer beside the weights.

    Raises:
        WeightsMissing: if there is none.
    """
    from transformers import AutoTokenizer

    # Without any, transformers makes up one that knows no word.
    with quiet():
        try:
            if not any((folder / name).is_file() for name in TOKENIZERS):
                raise OSError("there is no file of its words")
            return AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
            raise WeightsMissing(
                f"{folder} has no tokenizer that can be read; put tokenizer.json and "
                "tokenizer_config.json beside its weights"
            ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars and warnings away: what is wrong is said in one sentence."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
