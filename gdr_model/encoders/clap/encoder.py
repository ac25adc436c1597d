"""CLAP through transformers: ten seconds of sound, or a prompt, to a point of one space.

Wu et al., "Large-scale Contrastive Language-Audio Pretraining with Feature Fusion and
Keyword-to-Caption Augmentation", ICASSP 2023. Weights are those of `ClapModel`; either tower is
loaded alone, since indexing reads no words and a search no sound. The spectrogram is computed in
batches by torch, with the parameters and the filters of the folder's `ClapFeatureExtractor`,
whose own loop over frames takes longer than the network on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gdr_model.encoders.formats.transformers_folder import (
    config_of,
    ids_of,
    network_of,
    tokenizer_of,
)
from gdr_model.encoders.registry.pairs import CLAP_WEIGHTS, LAION_WEIGHTS
from gdr_model.encoders.shared.prompts import MAX_TOKENS, PromptReader, array
from gdr_model.encoders.shared.windowed import WindowedEncoder
from gdr_model.encoders.shared.windows import repeat_and_pad
from gdr_model.errors import ModelError
from gdr_model.models import weights
from gdr_model.search.whitening import unit
from gdr_model.types import Array, LatentSpace

BATCH_CPU = 4
"""Windows at once; 16 were no faster on two cores and took four times the memory."""


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> WindowedEncoder:
    """The audio tower of a folder.

    Raises:
        ModelError: if it does not hold the weights its config.json describes.
    """
    return windowed(audio_tower(folder, device), space, device)


def windowed(
    embed: Callable[[Tensor], Tensor], space: LatentSpace, device: torch.device
) -> WindowedEncoder:
    """An encoder of windows as CLAP was trained on them: ten seconds, shorter sounds repeated."""
    window = round(space.window_s * space.sample_rate_hz)
    return WindowedEncoder(embed, space, device, window, fill=repeat_and_pad, batch_cpu=BATCH_CPU)


def audio_tower(folder: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    """A function from windows (B, N) of ten seconds, on the device, to vectors (B, D).

    Vectors can have any length.

    Raises:
        ModelError: if the folder does not hold the weights its config.json describes.
    """
    from transformers.models.clap.modeling_clap import ClapAudioModelWithProjection

    net = tower(ClapAudioModelWithProjection, "audio_config", folder).to(device)
    log_mel = LogMel.of(folder).to(device)

    def embed(windows: Tensor) -> Tensor:
        features = log_mel(windows)[:, None]  # (B, 1, F, M)
        longer = None
        if net.config.enable_fusion:
            # A sound no longer than a window is given four times over.
            features = features.expand(-1, 4, -1, -1)
            longer = torch.zeros(len(features), 1, dtype=torch.bool, device=device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            vectors: Tensor = net(input_features=features, is_longer=longer).audio_embeds
        return vectors

    return embed


def load_text(folder: Path, device: torch.device) -> PromptReader:
    """The text tower of a folder.

    Raises:
        WeightsMissing: if the folder has no tokenizer.
        ModelError: if it does not hold the weights its config.json describes.
    """
    from transformers.models.clap.modeling_clap import ClapTextModelWithProjection

    tokenizer = tokenizer_of(folder, LAION_WEIGHTS.tokenizer)
    net = tower(ClapTextModelWithProjection, "text_config", folder).to(device)

    def network(ids: Tensor) -> tuple[Array, Array]:
        output = net(input_ids=ids.to(device))
        return array(output.last_hidden_state), unit(array(output.text_embeds))

    tokenize = ids_of(tokenizer, MAX_TOKENS)
    return PromptReader(tokenize, network, net.config.hidden_size, net.config.projection_dim)


class LogMel(nn.Module):
    """Windows (B, N) to log-mel power in dB (B, F, M), as `ClapFeatureExtractor` computes it."""

    def __init__(self, filters: Tensor, fft: int, hop: int) -> None:
        super().__init__()
        self.hop = hop
        self.register_buffer("filters", filters)  # (fft // 2 + 1, M)
        self.register_buffer("window", torch.hann_window(fft))

    @classmethod
    def of(cls, folder: Path) -> LogMel:
        """With the parameters in a folder's preprocessor_config.json.

        Raises:
            ModelError: if there is none, or it is unusable.
        """
        from transformers.models.clap.feature_extraction_clap import ClapFeatureExtractor

        try:
            extractor: Any = ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                f"{folder} does not say how to prepare sound: it has no usable "
                "preprocessor_config.json; fetch it with the weights"
            ) from error
        # Fusion models were trained with torchaudio's filters, the others with librosa's.
        fusion = extractor.truncation == "fusion"
        filters = torch.from_numpy(
            extractor.mel_filters if fusion else extractor.mel_filters_slaney
        )
        return cls(filters.float(), extractor.fft_window_size, extractor.hop_length)

    def forward(self, samples: Tensor) -> Tensor:
        """Compute the spectrogram; frames are centred, the edges mirrored."""
        window, filters = self.get_buffer("window"), self.get_buffer("filters")
        size = len(window)
        spectrum = torch.stft(samples, size, self.hop, window=window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()  # (B, bins, F)
        mel = power.transpose(1, 2) @ filters
        return 10 * torch.log10(mel.clamp_min(1e-10))


def tower(kind: Any, part: str, folder: Path) -> Any:
    """One tower of a `ClapModel`'s folder; `part` names its section of config.json.

    Raises:
        ModelError: if the folder does not hold it.
    """
    from transformers.models.clap.configuration_clap import ClapConfig

    weights.require(folder, CLAP_WEIGHTS)
    config = getattr(config_of(ClapConfig, folder, "CLAP"), part)
    return network_of(kind, config, folder, "CLAP")
