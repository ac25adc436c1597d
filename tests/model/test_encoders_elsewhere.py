"""Every encoder on a device of its own: spectrograms too are made there, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import elsewhere
import numpy as np
import pytest
import references as ref
import torch

from gdr_model.encoders import t5
from gdr_model.encoders.clap import encoder as clap
from gdr_model.encoders.clap import laion
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule import port_net, published_net
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig
from gdr_model.encoders.mule.published_net import Mule, MuleConfig
from gdr_model.encoders.muscall import encoder as muscall
from gdr_model.encoders.muscall.net import Muscall, upstream_config
from gdr_model.encoders.musicnn import encoder as musicnn
from gdr_model.encoders.musicnn.net import Musicnn, MusicnnConfig
from gdr_model.types import Array, AudioEncoder, LatentSpace

CPU = torch.device("cpu")
NAMES = ("clap", "laion", "mule", "mule-port", "muscall", "musicnn")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    with elsewhere.standing_in(monkeypatch) as where:
        yield where


@pytest.fixture
def folders(tmp_path: Path, tiny_clap: Path) -> dict[str, Path]:
    """Small weights of every encoder."""
    nets = {
        "mule": Mule(gdr_folder.sizes(MuleConfig, ref.MULE, "the reference")),
        "mule-port": MulePort(gdr_folder.sizes(MulePortConfig, ref.MULE_PORT, "the reference")),
        "muscall": Muscall(upstream_config(ref.MUSCALL)),
        "musicnn": Musicnn(MusicnnConfig(dim=16, tags=3)),
    }
    for name, net in nets.items():
        gdr_folder.write(tmp_path / name, name, net.config, ref.alive(net).state_dict())
    return {name: tmp_path / name for name in nets} | {"clap": tiny_clap, "laion": tiny_clap}


def loaded(name: str, folder: Path, device: torch.device) -> AudioEncoder:
    rate_hz = 48_000 if name in ("clap", "laion") else 16_000
    window_s = {"clap": 10.0, "laion": 10.0, "muscall": 3.0}.get(name, 3.0)
    space = LatentSpace(name, 16, rate_hz, window_s, 1.0, "0" * 16)
    modules = {"clap": clap, "laion": laion, "mule": published_net, "mule-port": port_net}
    modules |= {"muscall": muscall, "musicnn": musicnn}
    return modules[name].load_audio(folder, space, device)


def sound(rate_hz: int, seconds: float = 14.5) -> Array:
    return 0.1 * np.random.default_rng(0).standard_normal(round(rate_hz * seconds), np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_latents_are_those_of_the_processor(
    name: str, folders: dict[str, Path], device: torch.device
) -> None:
    here, there = (loaded(name, folders[name], where) for where in (CPU, device))
    samples = sound(here.space.sample_rate_hz)
    latents = there.encode(samples)
    assert latents.shape[0] == 14
    np.testing.assert_allclose(latents, here.encode(samples), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_spectrograms_are_made_on_the_device(
    name: str, folders: dict[str, Path], device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But MULE's of double precision, which this device does not have."""
    made_on: set[str] = set()
    stft = torch.stft

    def watched(samples: torch.Tensor, *args: object, **options: object) -> torch.Tensor:
        made_on.add(samples.device.type)
        return stft(samples, *args, **options)

    monkeypatch.setattr(torch, "stft", watched)
    encoder = loaded(name, folders[name], device)
    encoder.encode(sound(encoder.space.sample_rate_hz, 4))
    assert made_on == {"cpu" if name == "mule" else elsewhere.NAME}


@pytest.mark.parametrize("name", ["t5", "clap"])
def test_words_are_those_of_the_processor(
    name: str, tiny_t5: Path, tiny_clap: Path, device: torch.device
) -> None:
    module, folder = (t5, tiny_t5) if name == "t5" else (clap, tiny_clap)
    here, there = (module.load_text(folder, where) for where in (CPU, device))
    for one, other in zip(
        there.read_all(["loud drums", "warm piano"]),
        here.read_all(["loud drums", "warm piano"]),
        strict=True,
    ):
        for found, wanted in zip(one[1], other[1], strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)
    found, wanted = (reader.embed(["slow and sad"]) for reader in (there, here))
    np.testing.assert_allclose(found.states, wanted.states, atol=1e-5)
