"""CLAP through transformers: ten seconds of sound, or a prompt, to a point of one space.

Wu et al., "Large-scale Contrastive Language-Audio Pretraining with Feature Fusion and
Keyword-to-Caption Augmentation", ICASSP 2023. Weights are those of `ClapModel`; either half is
loaded alone, since indexing reads no words and a search no sound. The spectrogram is computed in
batches by torch, with the parameters and the filters of the folder's `ClapFeatureExtractor`,
whose own loop over frames takes longer than the network on a GPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gdr_model.encoders.registry.folders import config_of, network_of, tokenizer_of
from gdr_model.encoders.registry.pairs import CLAP_WEIGHTS
from gdr_model.encoders.shared.prompts import MAX_TOKENS, PromptReader, array
from gdr_model.encoders.shared.windows import encode_windows, seconds
from gdr_model.errors import ModelError
from gdr_model.models import weights
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Cancel, LatentSpace, never

BATCH_CPU = 4
"""Windows at once; 16 were no faster on two cores and took four times the memory."""
BATCH_GPU = 64


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> ClapAudio:
    """The audio tower of a folder.

    Raises:
        ModelError: if it does not hold the weights its config.json describes.
    """
    from transformers.models.clap.modeling_clap import ClapAudioModelWithProjection

    net = half_of(ClapAudioModelWithProjection, "audio_config", folder)
    return ClapAudio(net.to(device), LogMel.of(folder).to(device), space)


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text tower of a folder.

    Raises:
        WeightsMissing: if the folder has no tokenizer.
        ModelError: if it does not hold the weights its config.json describes.
    """
    from transformers.models.clap.modeling_clap import ClapTextModelWithProjection

    tokenizer = tokenizer_of(folder)
    net = half_of(ClapTextModelWithProjection, "text_config", folder).to(device)

    def tokenize(prompt: str) -> list[int]:
        ids: list[int] = tokenizer(prompt, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        return ids

    def network(ids: Tensor) -> tuple[Array, Array]:
        found = net(input_ids=ids.to(device))
        return array(found.last_hidden_state), unit(array(found.text_embeds))

    return PromptReader(tokenize, network, net.config.hidden_size, net.config.projection_dim)


class LogMel(nn.Module):
    """Windows (B, N) to log-mel power in dB (B, F, M), as `ClapFeatureExtractor` has it."""

    def __init__(self, filters: Tensor, fft: int, hop: int) -> None:
        super().__init__()
        self.hop = hop
        self.register_buffer("filters", filters)  # (fft // 2 + 1, M)
        self.register_buffer("window", torch.hann_window(fft))

    @classmethod
    def of(cls, folder: Path) -> LogMel:
        """With the parameters of a folder.

        Raises:
            ModelError: if it does not say how sound is prepared.
        """
        from transformers.models.clap.feature_extraction_clap import ClapFeatureExtractor

        try:
            found: Any = ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                f"{folder} does not say how sound is prepared: it has no usable "
                "preprocessor_config.json; fetch it with the weights"
            ) from error
        # Fusion models were trained with torchaudio's filters, the others with librosa's.
        filters = found.mel_filters if found.truncation == "fusion" else found.mel_filters_slaney
        return cls(torch.from_numpy(filters).float(), found.fft_window_size, found.hop_length)

    def forward(self, samples: Tensor) -> Tensor:
        """Compute the spectrogram; frames are centred, the edges mirrored."""
        window, filters = self.get_buffer("window"), self.get_buffer("filters")
        size = len(window)
        spectrum = torch.stft(samples, size, self.hop, window=window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()  # (B, bins, F)
        mel = power.transpose(1, 2) @ filters
        return 10 * torch.log10(mel.clamp_min(1e-10))


class ClapAudio:
    """The audio tower: one latent a second from windows of ten."""

    def __init__(self, net: Any, mel: LogMel, space: LatentSpace, *, as_int16: bool = False):
        """`as_int16` rounds samples to sixteen bits first, as laion-clap does."""
        self.net = net
        self.mel = mel
        self.space = space
        self.as_int16 = as_int16
        self.window = round(space.window_s * space.sample_rate_hz)

    def encode(self, samples: Array, cancelled: Cancel = never) -> Array:
        """Samples (N,) at 48 kHz to unit latents (T, D), T = max(1, round(s)).

        Raises:
            Cancelled: between batches, when asked.
        """
        rate_hz = self.space.sample_rate_hz
        if len(samples) < self.window:
            one = unit(self.embed(repeat_and_pad(samples, self.window)[None]))
            return np.repeat(one, seconds(len(samples), rate_hz), axis=0)
        on_gpu = self.net.device.type == "cuda"
        return encode_windows(
            samples,
            rate_hz,
            self.window,
            self.embed,
            batch=BATCH_GPU if on_gpu else BATCH_CPU,
            hop_s=round(self.space.hop_s),
            cancelled=cancelled,
        )

    def embed(self, windows: Array) -> Array:
        """Windows (B, N) of ten seconds to latents (B, D), of any length."""
        if self.as_int16:
            windows = sixteen_bits(windows)
        device = self.net.device
        with torch.inference_mode():
            mel = self.mel(torch.from_numpy(np.ascontiguousarray(windows)).to(device))
            features = mel[:, None]  # (B, 1, F, M)
            longer = None
            if self.net.config.enable_fusion:
                # What is not longer than a window is given four times over.
                features = features.expand(-1, 4, -1, -1)
                longer = torch.zeros(len(features), 1, dtype=torch.bool, device=device)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                found = self.net(input_features=features, is_longer=longer).audio_embeds
        latents: Array = found.float().cpu().numpy()
        return latents


def repeat_and_pad(samples: Array, length: int) -> Array:
    """A sound shorter than a window: whole repeats, then silence, as CLAP was trained."""
    if not len(samples):
        return np.zeros(length, np.float32)
    repeated = np.tile(samples, length // len(samples))
    return np.pad(repeated, (0, length - len(repeated)))


def sixteen_bits(samples: Array) -> Array:
    """To sixteen bits and back, with laion-clap's rounding: towards zero."""
    return ((samples.clip(-1, 1) * 32767).astype(np.int16) / np.float32(32767)).astype(np.float32)


def half_of(kind: Any, part: str, folder: Path) -> Any:
    """One tower of a `ClapModel`'s folder.

    Raises:
        ModelError: if the folder does not hold it.
    """
    from transformers.models.clap.configuration_clap import ClapConfig

    weights.require(folder, CLAP_WEIGHTS)
    config = getattr(config_of(ClapConfig, folder, "CLAP"), part)
    return network_of(kind, config, folder, "CLAP")
