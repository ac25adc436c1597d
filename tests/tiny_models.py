"""Real models of transformers at a size that a test can afford, made on the spot."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

WORDS = ["warm piano", "slow and sad", "loud drums", "a bright synth lead", "rain on a window"]


SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
"""In the order of RoBERTa's first ids."""


def tokenizer(folder: Path) -> None:
    """A byte-level BPE learned from `WORDS`, as RoBERTa's is from more."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=list(SPECIAL.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(WORDS, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    PreTrainedTokenizerFast(tokenizer_object=made, **SPECIAL).save_pretrained(folder)


def clap(folder: Path, seed: int = 0, width: int = 16) -> Path:
    """A CLAP of 0.1 M parameters with random weights, as `save_pretrained` leaves it."""
    config = ClapConfig(
        audio_config={
            "patch_embeds_hidden_size": 8,
            "hidden_size": 64,
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 2, 4],
        },
        text_config={
            "vocab_size": 300,
            "hidden_size": 24,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 90,
        },
        projection_dim=width,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ClapModel(config)
        with torch.no_grad():
            # As made, every sound has nearly the same latent: the weights are too small.
            for parameter in model.audio_model.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(4)
    model.save_pretrained(folder)
    extractor = ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc")
    extractor.save_pretrained(folder)
    tokenizer(folder)
    return folder


def t5(folder: Path, seed: int = 0) -> Path:
    """The encoder of a T5 with random weights."""
    config = T5Config(
        vocab_size=300, d_model=20, d_kv=5, d_ff=24, num_layers=1, num_heads=4, pad_token_id=1
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        T5EncoderModel(config).save_pretrained(folder)
    tokenizer(folder)
    return folder


def _laion_name(name: str) -> str:
    """What laion-clap calls a tensor of transformers, but for queries, keys and values."""
    for ours, theirs in (
        (r"^text_model\.", "text_branch."),
        (r"^audio_model\.audio_encoder\.", "audio_branch."),
        (r"_projection\.linear1\.", "_projection.0."),
        (r"_projection\.linear2\.", "_projection.2."),
        (r"\.batch_norm\.", ".bn0."),
        (r"\.layernorm_before\.", ".norm1."),
        (r"\.layernorm_after\.", ".norm2."),
        (r"\.attention\.self\.relative_position", ".attn.relative_position"),
        (r"(blocks.*)\.attention\.output\.dense\.", r"\1.attn.proj."),
        (r"(blocks.*)\.intermediate\.dense\.", r"\1.mlp.fc1."),
        (r"(blocks.*)\.output\.dense\.", r"\1.mlp.fc2."),
    ):
        name = re.sub(ours, theirs, name)
    return name


def laion_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a folder as laion-clap would have them, with what it has besides."""
    state = load_file(folder / "model.safetensors")
    tensors: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        split = re.fullmatch(r"(.*blocks.*)\.attention\.self\.(query|key|value)\.(\w+)", name)
        if split is None:
            tensors[_laion_name(name)] = value
        elif split[2] == "query":
            thirds = [name.replace(".query.", f".{part}.") for part in ("query", "key", "value")]
            joined = torch.cat([state[third] for third in thirds])
            tensors[_laion_name(f"{split[1]}.attn.qkv.{split[3]}")] = joined
    tensors["audio_branch.spectrogram_extractor.stft.conv_real.weight"] = torch.zeros(3)
    tensors["audio_branch.head.weight"] = torch.zeros(3)
    tensors["text_transform.0.weight"] = torch.zeros(3)
    tensors["text_branch.embeddings.position_ids"] = torch.arange(90)[None]
    return tensors
