"""musicnn: the network against its wheel's own graph, and a latent for every second of a sound."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import references as ref
import torch
from torch.nn import functional as F

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn import encoder
from gdr_model.encoders.musicnn.convert import convert
from gdr_model.encoders.musicnn.encoder import load_audio
from gdr_model.encoders.musicnn.net import (
    HOP,
    WINDOW,
    Filters,
    Musicnn,
    MusicnnConfig,
    log_mel,
    mel_edges,
    mel_filters,
)
from gdr_model.encoders.musicnn.peaks import peaks
from gdr_model.errors import Cancelled, ModelError
from gdr_model.types import LatentSpace

CPU = torch.device("cpu")
SPACE = LatentSpace("musicnn", 24, 16_000, 3.0, 1.0, "0" * 16)


@pytest.fixture
def net() -> Musicnn:
    return ref.alive(Musicnn(MusicnnConfig(dim=24, tags=5)))


@pytest.fixture
def folder(net: Musicnn, tmp_path: Path) -> Path:
    gdr_folder.write(tmp_path / "musicnn", "musicnn", net.config, net.state_dict())
    return tmp_path / "musicnn"


def sound(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 0.1 * rng.standard_normal(round(16_000 * seconds), np.float32)


def test_logits_are_those_of_the_wheels_own_graph(
    golden: Callable[[str], Path], tmp_path: Path
) -> None:
    """Of the published weights, computed in TensorFlow."""
    spec = importlib.util.find_spec("musicnn")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package musicnn is not installed (pip install --no-deps musicnn==0.1.0)")
    with np.load(golden("musicnn") / "io.npz") as reference:
        mel, wanted = reference["mel"], reference["msd_logits"]
    convert(Path(spec.submodule_search_locations[0]), tmp_path / "made")
    net = gdr_folder.load(tmp_path / "made", "musicnn", MusicnnConfig, Musicnn)
    with torch.inference_mode():
        _, logits = net(torch.from_numpy(mel))
    np.testing.assert_allclose(logits, wanted, rtol=0, atol=5e-5)


def test_the_network_has_the_published_size() -> None:
    with torch.device("meta"):
        net = Musicnn(MusicnnConfig())
    assert sum(p.numel() for p in net.parameters()) == 787_159


@pytest.mark.parametrize(
    ("frames", "height", "bands"),
    [(7, 38, 96), (7, 67, 96), (7, 96, 96), (3, 2, 9), (2, 4, 10), (128, 1, 96), (3, 1, 7)],
)
def test_peaks_are_the_maxima_of_a_convolution(frames: int, height: int, bands: int) -> None:
    """At odd and even numbers of places, frames and bands."""
    torch.manual_seed(0)
    spectrograms, filters = torch.randn(2, 150, bands), torch.randn(11, frames, height)
    wanted = F.conv2d(spectrograms[:, None], filters[:, None]).amax(3).transpose(1, 2)
    torch.testing.assert_close(peaks(spectrograms, filters), wanted, rtol=1e-5, atol=1e-4)


def test_a_norm_that_falls_takes_the_least_response() -> None:
    part = ref.alive(Filters(6, 4, 5))
    torch.manual_seed(0)
    part.norm.weight.data = torch.tensor([1.0, -1.0, 0.5, -0.5, 0.0, -2.0])
    mel = torch.randn(1, 30, 12)
    with torch.inference_mode():
        padded = F.pad(mel, (0, 0, 1, 2))  # the odd frame on the right
        responses = F.relu(part.conv(padded[:, None]))  # (1, C, F, places)
        flat = part.norm(responses.flatten(2)).view_as(responses)
        wanted = flat.amax(3).transpose(1, 2)
        torch.testing.assert_close(part(mel), wanted, rtol=1e-5, atol=1e-5)


def test_the_mel_scale_is_slaneys() -> None:
    """The values in librosa's documentation of `mel_frequencies(n_mels=40)`."""
    documented = [0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538]
    documented += [767.855, 853.173, 938.49, 1024.856, 1119.114, 1222.042, 1334.436, 1457.167]
    documented += [1591.187, 1737.532, 1897.337, 2071.84, 2262.393, 2470.47, 2697.686, 2945.799]
    documented += [3216.731, 3512.582, 3835.643, 4188.417, 4573.636, 4994.285, 5453.621, 5955.205]
    documented += [6502.92, 7101.009, 7754.107, 8467.272, 9246.028, 10096.408, 11025.0]
    np.testing.assert_allclose(mel_edges(40, 11_025.0), documented, atol=6e-4)


def test_bands_have_unit_area_and_peak_between_their_edges() -> None:
    filters, edges = mel_filters().numpy(), mel_edges(98, 8000.0)
    high = slice(60, 96)  # bands that many bins fall into
    np.testing.assert_allclose(filters[:, high].sum(0) * 31.25, 1, rtol=0.05)
    peaks_hz = filters.argmax(0) * 31.25
    assert ((peaks_hz >= edges[:-2]) & (peaks_hz <= edges[2:])).all()


def test_a_tone_is_in_its_band_at_its_level() -> None:
    """A full-scale cosine has the power (sum of the window / 2)², 128², in its bin."""
    time_s = torch.arange(16_000) / 16_000
    mel = log_mel(torch.cos(2 * torch.pi * 1000 * time_s)[None])
    assert mel.shape == (1, 1 + (16_000 - 512) // 256, 96)
    spread = torch.tensor([0.25, 1.0, 0.25]) @ mel_filters()[31:34]  # a Hann window's main lobe
    wanted = torch.log10(1 + 1e4 * 128**2 * spread)
    torch.testing.assert_close(mel[0, 20], wanted, rtol=0, atol=1e-2)


def test_each_second_reads_the_three_seconds_around_it(net: Musicnn) -> None:
    """Equal to pooling the frames of the whole sound, convolved at once."""
    samples = sound(9.4)
    features, logits = encoder.listen(net, samples, CPU)
    assert (features.shape, logits.shape) == ((9, 24), (9, 5))
    loud = torch.from_numpy(samples * 0.1 / np.sqrt(np.mean(samples**2)))
    mel = log_mel(F.pad(loud[None], (256, 256), mode="reflect"))
    with torch.inference_mode():
        frames = net.frames(mel)[0]
        for second in range(9):
            start_s = min(max(second - 1, 0), 9.4 - 3)  # moved inside at both ends
            window = frames[round(start_s * 16_000 / HOP) :][:WINDOW]
            assert len(window) == WINDOW
            wanted = net.pooled(window.amax(0)[None], window.mean(0)[None])
            np.testing.assert_allclose(features[second], wanted[0], rtol=1e-3, atol=1e-4)
            np.testing.assert_allclose(logits[second], net.output(wanted)[0], rtol=1e-3, atol=1e-3)


def test_latents_do_not_depend_on_chunks(net: Musicnn, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sound(14)
    whole = encoder.listen(net, samples, CPU)[0]
    monkeypatch.setattr(encoder, "CHUNK_S", 3)
    np.testing.assert_allclose(encoder.listen(net, samples, CPU)[0], whole, rtol=1e-4, atol=1e-4)


def test_latents_do_not_depend_on_level(folder: Path) -> None:
    audio = load_audio(folder, SPACE, CPU)
    samples = sound(4)
    np.testing.assert_allclose(audio.encode(samples), audio.encode(samples / 50), atol=1e-3)


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 1), (0.01, 1), (0.4, 1), (2.9, 3), (3.4, 3)])
def test_short_sounds_have_latents_too(folder: Path, seconds: float, count: int) -> None:
    latents = load_audio(folder, SPACE, CPU).encode(sound(seconds))
    assert latents.shape == (count, 24)
    assert np.isfinite(latents).all()


def test_silence_has_one_latent_at_any_length(folder: Path) -> None:
    """A sound's first and last frames are computed at its edges, so only the inner ones agree."""
    audio = load_audio(folder, SPACE, CPU)
    latents = audio.encode(np.zeros(12 * 16_000, np.float32))
    assert np.isfinite(latents).all()
    np.testing.assert_allclose(latents[4:8], np.repeat(latents[4:5], 4, 0), rtol=1e-4, atol=1e-4)


def test_encoding_stops_when_asked(folder: Path) -> None:
    with pytest.raises(Cancelled):
        load_audio(folder, SPACE, CPU).encode(sound(5), lambda: True)


def test_a_folder_of_something_else_is_refused(folder: Path) -> None:
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"dim": 24', '"dim": 25'))
    with pytest.raises(ModelError, match="this network needs"):
        load_audio(folder, SPACE, CPU)
    (folder / "config.json").write_text(config.replace("musicnn", "mule"))
    with pytest.raises(ModelError, match="of type 'mule', not of 'musicnn'"):
        load_audio(folder, SPACE, CPU)
