"""A checkpoint of laion-clap as tensors and configuration of transformers' `ClapModel`.

Both hold the same network under different names; queries, keys and values are one matrix in
laion-clap and three in transformers. Tensors that are left out are recomputed (filters, index
tables) or unused (the classifier and the second transforms). Sizes follow from the shapes of the
tensors, except for the number of attention heads of the text tower.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from gdr_model import paths, plain
from gdr_model.encoders.formats.state_dicts import read_pickle
from gdr_model.encoders.registry.pairs import CLAP_WEIGHTS, LAION_WEIGHTS
from gdr_model.errors import Hint, ModelError
from gdr_model.models.weights import TENSORS, TOKENIZER, in_hub_cache

Tensors = dict[str, Tensor]

DROPPED = (
    "audio_branch.spectrogram_extractor.",
    "audio_branch.logmel_extractor.",
    "audio_branch.tscam_conv.",
    "audio_branch.head.",
    "audio_transform.",
    "text_transform.",
)
DROPPED_ENDS = (".relative_position_index", ".attn_mask", ".position_ids")
RENAMED = (
    (r"^text_branch\.", "text_model."),
    (r"^audio_branch\.", "audio_model.audio_encoder."),
    (r"^(audio|text)_projection\.0\.", r"\1_projection.linear1."),
    (r"^(audio|text)_projection\.2\.", r"\1_projection.linear2."),
    (r"\.bn0\.", ".batch_norm."),
    (r"(\.blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"(\.blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"\.attn\.relative_position_bias_table$", ".attention.self.relative_position_bias_table"),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"(\.blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"(\.blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
)
HEADS = {768: 12, 1024: 16}
"""Attention heads of RoBERTa by its width: base and large."""


def convert(source: Path, folder: Path, text_heads: int | None = None) -> None:
    """Write a checkpoint as a folder of transformers, with RoBERTa's tokenizer if it is here.

    Raises:
        ModelError: if it is no checkpoint of laion-clap.
    """
    tensors = read_checkpoint(source)
    write(tensors, folder, text_heads)
    words = len(tensors["text_branch.embeddings.word_embeddings.weight"])
    for place in _tokenizers(source.parent):
        if _words_of(place) == words:
            for name in TOKENIZER:
                if (place / name).is_file():
                    shutil.copyfile(place / name, folder / name)
            return


def _tokenizers(beside: Path) -> Iterator[Path]:
    """Folders that can hold RoBERTa's tokenizer: with the checkpoint, with CLAP, in the cache."""
    yield beside
    yield paths.models() / CLAP_WEIGHTS.key
    yield paths.models() / LAION_WEIGHTS.tokenizer
    for repository in (LAION_WEIGHTS.tokenizer, "roberta-base", CLAP_WEIGHTS.hub):
        cached = in_hub_cache(repository, "vocab.json")
        if cached is not None:
            yield cached.parent


def _words_of(folder: Path) -> int:
    """How many words the tokenizer in a folder knows; 0 if there is none."""
    try:
        if (folder / "tokenizer.json").is_file():
            raw = plain.from_json((folder / "tokenizer.json").read_text(encoding="utf-8"))
            return len(
                raw["model"]["vocab"].keys() | {each["content"] for each in raw["added_tokens"]}
            )
        return len(plain.from_json((folder / "vocab.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def write(theirs: Mapping[str, Tensor], folder: Path, text_heads: int | None = None) -> None:
    """Write tensors of laion-clap as a folder of transformers.

    Raises:
        ModelError: if one is missing.
    """
    tensors = converted(theirs)
    described = configuration(tensors, text_heads) | {"gdr_pair": "laion"}
    save_file(tensors, folder / TENSORS, {"format": "pt"})
    for name, content in (("preprocessor_config", PREPROCESSOR), ("config", described)):
        text = json.dumps(content, indent=2) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def read_checkpoint(path: Path) -> Tensors:
    """The tensors of a laion-clap checkpoint, under the names it gives them.

    Raises:
        ModelError: if the file is something else.
    """
    raw = read_pickle(path)
    state = raw.get("state_dict", raw) if isinstance(raw, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ModelError(f"{path} holds no state dict; a checkpoint of laion-clap is expected")
    tensors = {str(name).removeprefix("module."): value for name, value in state.items()}
    if "audio_branch.bn0.weight" not in tensors or "audio_projection.0.weight" not in tensors:
        first = next(iter(tensors), "nothing")
        raise ModelError(
            f"{path} holds other weights ({first}, …); the HTSAT checkpoints of laion-clap are "
            "expected"
        )
    if any(".fusion_model." in name for name in tensors):
        raise ModelError(
            f"{path} is a fusion checkpoint of laion-clap; only those without fusion can be read"
        )
    return tensors


def converted(theirs: Mapping[str, Tensor]) -> Tensors:
    """Tensors of laion-clap under the names of transformers' `ClapModel`."""
    ours: Tensors = {}
    for name, value in theirs.items():
        if name.startswith(DROPPED) or name.endswith(DROPPED_ENDS):
            continue
        for pattern, becomes in RENAMED:
            name = re.sub(pattern, becomes, name)
        if ".attn.qkv." in name:
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                ours[name.replace(".attn.qkv.", f".attention.self.{part}.")] = third.contiguous()
        else:
            ours[name] = value.contiguous()
    return ours


def configuration(ours: Mapping[str, Tensor], text_heads: int | None = None) -> dict[str, Any]:
    """The content of config.json for converted tensors.

    Raises:
        ModelError: if a tensor is missing, or the number of heads of the text tower is unknown.
    """
    audio, text = "audio_model.audio_encoder.", "text_model."
    try:
        patch = ours[f"{audio}patch_embed.proj.weight"]  # (C, 1, P, P)
        depths = _depths(ours, audio)
        tables = [
            ours[f"{audio}layers.{i}.blocks.0.attention.self.relative_position_bias_table"]
            for i in range(len(depths))
        ]
        grown = ours[f"{audio}layers.0.blocks.0.intermediate.dense.weight"]
        words = ours[f"{text}embeddings.word_embeddings.weight"]
        positions = ours[f"{text}embeddings.position_embeddings.weight"]
        kinds = ours[f"{text}embeddings.token_type_embeddings.weight"]
        between = ours[f"{text}encoder.layer.0.intermediate.dense.weight"]
        dim = len(ours["audio_projection.linear2.weight"])
        bands = len(ours[f"{audio}batch_norm.weight"])
    except KeyError as error:
        raise ModelError(f"the checkpoint of laion-clap lacks the tensor {error}") from error
    width = words.shape[1]
    heads = text_heads or HEADS.get(width)
    if heads is None:
        raise ModelError(
            f"a text tower of width {width} is no RoBERTa that gdr knows", Hint.COUNT_TEXT_HEADS
        )
    layers = [re.match(r"text_model\.encoder\.layer\.(\d+)\.", name) for name in ours]
    return {
        "model_type": "clap",
        "architectures": ["ClapModel"],
        "projection_dim": dim,
        "projection_hidden_act": "relu",
        "audio_config": {
            "model_type": "clap_audio_model",
            "patch_embeds_hidden_size": len(patch),
            "hidden_size": len(patch) * 2 ** (len(depths) - 1),
            "patch_size": patch.shape[-1],
            "patch_stride": [patch.shape[-1]] * 2,
            "depths": depths,
            "num_attention_heads": [table.shape[1] for table in tables],
            "window_size": (math.isqrt(len(tables[0])) + 1) // 2,
            "mlp_ratio": len(grown) / grown.shape[1],
            "num_mel_bins": bands,
            "projection_dim": dim,
            "enable_fusion": False,
        },
        "text_config": {
            "model_type": "clap_text_model",
            "vocab_size": len(words),
            "hidden_size": width,
            "num_hidden_layers": len({layer[1] for layer in layers if layer}),
            "num_attention_heads": heads,
            "intermediate_size": len(between),
            "max_position_embeddings": len(positions),
            "type_vocab_size": len(kinds),
            "layer_norm_eps": 1e-5,
            "projection_dim": dim,
        },
    }


PREPROCESSOR: dict[str, Any] = {
    "feature_extractor_type": "ClapFeatureExtractor",
    "processor_class": "ClapProcessor",
    "feature_size": 64,
    "sampling_rate": 48_000,
    "hop_length": 480,
    "max_length_s": 10,
    "fft_window_size": 1024,
    "frequency_min": 50,
    "frequency_max": 14_000,
    "truncation": "rand_trunc",
    "padding": "repeatpad",
}
"""How laion-clap prepares sound: the content of preprocessor_config.json."""


def _depths(ours: Mapping[str, Tensor], audio: str) -> list[int]:
    """Blocks of each stage of the audio tower."""
    depths: dict[int, int] = {}
    for name in ours:
        block = re.match(rf"{re.escape(audio)}layers\.(\d+)\.blocks\.(\d+)\.", name)
        if block:
            stage, number = int(block[1]), int(block[2])
            depths[stage] = max(depths.get(stage, 0), number + 1)
    return [depths[stage] for stage in sorted(depths)]
