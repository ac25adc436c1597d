"""Reference checks of denoisers and CLAP, on references made here by independent means."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import references as ref
import small_networks
import tiny_models
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

from gdr_model.checks import check
from gdr_model.diffusion.denoisers.mlp import MlpConfig, MlpDenoiser
from gdr_model.diffusion.denoisers.unet import UnetDenoiser
from gdr_model.diffusion.denoisers.upstream import unet_keys
from gdr_model.errors import ModelError

UNET = {
    "in_channels": 8,
    "out_channels": 8,
    "channels": [8, 16],
    "factors": [2, 4],
    "items": [1, 1],
    "attentions": [0, 1],
    "cross_attentions": [0, 1],
    "attention_heads": 2,
    "attention_features": 8,
    "resnet_groups": 4,
    "modulation_features": 16,
    "embedding_features": 12,
    "embedding_max_length": 6,
}
"""As the authors describe their network."""


def write(folder: Path, config: dict, tensors: dict, arrays: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "weights.safetensors")
    np.savez(folder / "io.npz", **{name: np.asarray(array) for name, array in arrays.items()})
    return folder


@pytest.fixture
def unet(tmp_path: Path) -> Path:
    """Predictions at guidance 0, 1 and 3, computed by the network and by the formula."""
    config = replace(small_networks.UNET, null_length=6, null="prompt", masked=False)
    net = ref.alive(UnetDenoiser(config))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 8, 16), np.float32)
    tokens = rng.standard_normal((2, 6, 12), np.float32)
    t = np.array([20, 700])
    null = net.null.detach().expand(2, -1, -1)

    def predict(text: torch.Tensor) -> np.ndarray:
        seen = torch.ones(2, 6, dtype=torch.bool)
        with torch.inference_mode():
            context = net.read(text, seen, text[:, 0])
            prediction = net(torch.from_numpy(x).transpose(1, 2), torch.from_numpy(t), context)
        return prediction.transpose(1, 2).numpy()

    # A learned null is text like any other: its rows in the place of a prompt's.
    p, u = predict(torch.from_numpy(tokens)), predict(null)
    names = unet_keys([1, 1], [0, 1])
    return write(
        tmp_path / "unet",
        UNET,
        {names[ours]: value for ours, value in net.state_dict().items()},
        {
            "x": x,
            "t": t,
            "text_tokens": tokens,
            "y_scale1": p,
            "y_scale0": u,
            "y_scale3": 3 * p - 2 * u,
            "y_scale3_f64": 3 * p - 2 * u,
        },
    )


def test_a_unet_is_checked_at_every_guidance(unet: Path) -> None:
    found = {output.name: output for output in check("unet", unet)}
    assert set(found) == {"y_scale1", "y_scale0", "y_scale3", "y_scale3_f64"}
    assert all(output.passes for output in found.values())


def test_a_unet_with_one_other_weight_fails(unet: Path) -> None:
    tensors = load_file(unet / "weights.safetensors")
    name = next(name for name in tensors if name.endswith("skip.blocks.0.weight"))
    save_file(tensors | {name: tensors[name] * 1.1}, unet / "weights.safetensors")
    assert not any(output.passes for output in check("unet", unet))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"out_channels": 16}, "its input and output, or its two attentions, differ"),
        ({"cross_attentions": [1, 1]}, "its input and output, or its two attentions, differ"),
        ({"factors": None}, "is no reference for unet"),
        ({"items": [1, 2]}, "is missing"),
    ],
)
def test_a_unet_that_ours_cannot_be_is_refused(unet: Path, changes: dict, problem: str) -> None:
    (unet / "config.json").write_text(json.dumps(UNET | changes))
    with pytest.raises(ModelError, match=problem):
        list(check("unet", unet))


def test_an_mlp_is_checked_from_its_condition_to_its_layers(tmp_path: Path) -> None:
    config = MlpConfig(dim=6, widths=(10, 12), condition_width=8, text_width=5, dropout=0.3)
    net = ref.alive(MlpDenoiser(config))
    rng = np.random.default_rng(0)
    x, pooled = rng.standard_normal((3, 6), np.float32), rng.standard_normal((3, 5), np.float32)
    t = torch.tensor([1, 500, 999])
    state = net.state_dict()
    theirs = {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[0] in ("time", "text"):
            kind = "timestep" if parts[0] == "time" else "text"
            prefix = f"conditioning_embedder.{kind}_embedder.linear_{int(parts[1]) // 2 + 1}"
            theirs[f"{prefix}.{parts[2]}"] = value
        elif parts[0] == "layers":
            number, part, kind = parts[1:]
            names = {"linear": "linear", "norm": "norm.norm", "modulation": "norm.linear"}
            layer = f"layers.{number}"
            if number == "2":
                names = {
                    "linear": "final_layer",
                    "norm": "final_norm.norm",
                    "modulation": "final_norm.linear",
                }
                layer = ""
            theirs[f"{layer}.{names[part]}.{kind}".lstrip(".")] = value

    def silu(y: torch.Tensor) -> torch.Tensor:
        return y * torch.sigmoid(y)

    def linear(y: torch.Tensor, name: str) -> torch.Tensor:
        return y @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    # The network once more, by its formulas.
    angles = t[:, None] * torch.exp(-np.log(10_000) * torch.arange(128) / 128)
    time = torch.cat([angles.cos(), angles.sin()], dim=1).float()
    condition = linear(silu(linear(time, "time.0")), "time.2")
    condition = condition + linear(silu(linear(torch.from_numpy(pooled), "text.0")), "text.2")
    y = torch.from_numpy(x)
    for number in range(3):
        scale, shift = linear(silu(condition), f"layers.{number}.modulation").chunk(2, dim=1)
        y = linear(y, f"layers.{number}.linear")
        y = (y - y.mean(1, keepdim=True)) / (y.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        norm = f"layers.{number}.norm"
        y = (y * state[f"{norm}.weight"] + state[f"{norm}.bias"]) * (1 + scale) + shift
        y = silu(y) if number < 2 else y
    folder = write(
        tmp_path / "mlp",
        {
            "in_channels": 6,
            "layer_dims": [10, 12],
            "conditioning_embedding_dim": 8,
            "dropout": 0.3,
        },
        theirs,
        {
            "x2": x,
            "x3": x[:, None].repeat(4, 1),
            "t": t.numpy(),
            "pooled_text": pooled,
            "time_proj_256": time,
            "cond_embedding": condition,
            "y2": y,
            "y3": y[:, None].repeat(1, 4, 1),
        },
    )
    found = {output.name: output for output in check("mlp", folder)}
    assert set(found) == {"time_proj_256", "cond_embedding", "y2", "y3"}
    assert {name: output.used for name, output in found.items() if not output.passes} == {}


@pytest.fixture
def clap(tiny_clap: Path, tmp_path: Path) -> Path:
    """The outputs of transformers' own model, and weights under laion-clap's names."""
    model = ClapModel.from_pretrained(tiny_clap)
    rng = np.random.default_rng(0)
    audio = np.round(0.1 * rng.standard_normal((2, 480_000)) * 32767).astype(np.float32) / 32767
    extractor = ClapFeatureExtractor.from_pretrained(tiny_clap)
    features = extractor(list(audio), sampling_rate=48_000, return_tensors="pt")
    prompts = ["warm piano", "slow and sad, loud drums"]
    ids = AutoTokenizer.from_pretrained(tiny_clap)(prompts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        output = model(**ids, **features)
    return write(
        tmp_path / "clap",
        {"roberta": {"num_attention_heads": 2}},
        tiny_models.laion_tensors(tiny_clap),
        {
            "audio_48k": audio,
            "text_input_ids": ids["input_ids"],
            "text_attention_mask": ids["attention_mask"],
            "hf_logmel": features["input_features"],
            "hf_audio_embed": output.audio_embeds,
            "hf_text_embed": output.text_embeds,
            "hf_logits_per_audio": output.logits_per_audio,
        },
    )


def test_clap_is_that_of_transformers_after_its_conversion(clap: Path) -> None:
    found = {output.name: output for output in check("clap", clap)}
    assert set(found) == {"hf_logmel", "hf_audio_embed", "hf_text_embed", "hf_logits_per_audio"}
    # The norms of laion-clap's RoBERTa have another epsilon than the small model's.
    assert {name for name, output in found.items() if not output.passes} <= {
        "hf_text_embed",
        "hf_logits_per_audio",
    }
    assert found["hf_text_embed"].error < 1e-3


def test_a_reference_of_another_model_is_refused(clap: Path, unet: Path) -> None:
    for name, folder in (("mlp", unet), ("laion", unet), ("unet", clap)):
        with pytest.raises(ModelError, match=f"is no reference for {name}|lacks the tensor"):
            list(check(name, folder))
