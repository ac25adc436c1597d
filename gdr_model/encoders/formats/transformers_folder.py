"""Networks and tokenizers from folders of transformers: whole, or refused in one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from gdr_model.errors import ModelError, WeightsMissing, first_line

TOKENIZERS = ("tokenizer.json", "vocab.json", "spiece.model", "sentencepiece.bpe.model")
COMPUTED = (".relative_position_index", ".position_ids", ".token_type_ids")
"""Tables of indices, which some files leave out and transformers computes."""


def network_of(kind: Any, config: Any, folder: Path, what: str) -> Any:
    """A network with the weights of a folder, in single precision, ready for inference.

    `kind` is a class of transformers; tensors that it does not need are not read.

    Raises:
        ModelError: if a tensor is missing or of another shape, or the file is truncated.
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
            raise mismatch(folder, what, error) from error
    missing = sorted(n for n in report["missing_keys"] if not n.endswith(COMPUTED))
    if missing:
        raise ModelError(
            f"{folder} lacks {len(missing)} tensors of a {what} model, {missing[0]} first; fetch "
            "config.json and model.safetensors from the same place"
        )
    return net.eval().requires_grad_(False)


def config_of(kind: Any, folder: Path, what: str) -> Any:
    """The configuration in config.json, read by a class of transformers.

    Raises:
        ModelError: if it is invalid.
    """
    with quiet():
        try:
            return kind.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise mismatch(folder, what, error) from error


def mismatch(folder: Path, what: str, error: Exception) -> ModelError:
    """The one sentence for weights that are not what their config.json describes."""
    return ModelError(
        f"{folder} does not hold the {what} weights its config.json describes: {first_line(error)}"
    )


def tokenizer_of(folder: Path, published: str) -> Any:
    """The tokenizer next to the weights; `published` is a repository that has it.

    Raises:
        WeightsMissing: if there is none.
    """
    from transformers import AutoTokenizer

    with quiet():
        try:
            # Without vocabulary files, transformers would make up a tokenizer without words.
            if not any((folder / name).is_file() for name in TOKENIZERS):
                raise OSError("there is no vocabulary file")
            return AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
            raise WeightsMissing(
                f"{folder} has no usable tokenizer; put tokenizer.json and tokenizer_config.json "
                f"of {published} next to its weights"
            ) from error


def ids_of(tokenizer: Callable[..., Any], max_tokens: int) -> Callable[[str], list[int]]:
    """A function from a prompt to its token ids, at most `max_tokens`."""

    def tokenize(prompt: str) -> list[int]:
        ids: list[int] = tokenizer(prompt, truncation=True, max_length=max_tokens)["input_ids"]
        return ids

    return tokenize


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' progress bars and warnings; errors still raise."""
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
