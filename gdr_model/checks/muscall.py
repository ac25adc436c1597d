"""MusCALL: both towers, from sound and token ids to the loss."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.checks.case import Case, Compared, compared_decibels
from gdr_model.checks.watch import tensors, watching
from gdr_model.encoders.formats.gdr_folder import fill
from gdr_model.encoders.muscall.net import (
    Muscall,
    decibel_mel,
    last_states,
    learned,
    upstream_config,
)

ATOL_AUDIO, ATOL_TEXT = 1.5e-3, 5e-5
"""In single precision. A run in double precision differs from the references by up to 3.3e-4
(sound) and 1.2e-5 (text), which is their own rounding. Four times that is allowed: our single
precision rounds too, and differently on another processor."""
ATOL_DOUBLE = 2e-6
"""Double precision shows whether the network is the same: the outputs differ by 4.9e-7."""


def outputs(case: Case) -> Iterator[Compared]:
    """Spectrogram, audio tower, text tower, logits and loss."""
    net = Muscall(upstream_config(case.config))
    fill(net, learned(tensors(case.weights)), case.where)
    samples, ids = (torch.from_numpy(case.arrays[name]) for name in ("audio", "text_ids"))
    mel = net.config.mel
    level = decibel_mel(samples, mel)[:, None]
    if "mel_db" in case.arrays:
        yield compared_decibels(
            f"mel_db{case.suffix}", level.numpy(), case.arrays["mel_db"], ATOL_AUDIO
        )
    audio, text = audio_outputs(net, samples, level), text_outputs(net, ids)
    yield from case.compare(
        {"mel_fbanks": mel.triangles(), "window": torch.hann_window(mel.window)}, ATOL_TEXT
    )
    yield from case.compare(audio, ATOL_AUDIO)
    yield from case.compare(text, ATOL_TEXT)
    yield from case.compare(joint_outputs(net, audio, text), ATOL_AUDIO)
    net.double()
    with torch.inference_mode():
        if "audio_projection_out_f64" in case.arrays:
            point = net.sound(samples.double())
            yield from case.compare({"audio_projection_out_f64": point}, ATOL_DOUBLE)
        yield from case.compare({"text_projection_out_f64": net.words(ids)[1]}, ATOL_DOUBLE)


def audio_outputs(net: Muscall, samples: Tensor, level: Tensor) -> dict[str, Tensor]:
    """Spectrogram, features and points of sound (B, N)."""
    tower = net.audio_backbone
    parts: dict[str, nn.Module] = {
        f"layer{i}_out": tower.get_submodule(f"layer{i}") for i in range(1, 5)
    }
    parts |= {"attnpool_out": tower.attnpool, "audio_projection_out": net.audio_projection}
    with watching(parts) as seen:
        mel = net.config.mel
        energy = torch.hann_window(mel.window).square().sum()
        seen["mel_power"] = mel.power(samples, mel.triangles()) / energy
        seen["stem_out"] = tower.stem(level)
        seen["audio_embedding_normalized"] = F.normalize(net.sound(samples), dim=1)
    return seen


def text_outputs(net: Muscall, ids: Tensor) -> dict[str, Tensor]:
    """States and points of token ids (B, L)."""
    layers = net.textual_head.transformer.layers
    parts: dict[str, nn.Module] = {"text_projection_out": net.text_projection}
    for i, layer in enumerate(layers):
        parts[f"text_layer{i}_attn_branch"] = layer.get_submodule("0.fn")
        parts[f"text_layer{i}_ff_branch"] = layer.get_submodule("1.fn")
    with watching(parts) as seen:
        states, point = net.words(ids)
        seen["text_token_features"] = states
        seen["text_pooled"] = last_states(states, ids)
        seen["text_embedding_normalized"] = F.normalize(point, dim=1)
    return seen


def joint_outputs(
    net: Muscall, audio: dict[str, Tensor], text: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Logits (sounds, prompts) and, for equally many of both, the contrastive loss."""
    with torch.inference_mode():
        sounds, prompts = audio["audio_embedding_normalized"], text["text_embedding_normalized"]
        scale = net.logit_scale.exp()
        logits = scale * sounds @ prompts.T
        outputs = {"logits_per_audio": logits, "logit_scale_exp": scale}
        if len(sounds) == len(prompts):
            pairs = torch.arange(len(sounds))
            loss = F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)
            outputs["clip_loss"] = loss / 2
    return outputs
