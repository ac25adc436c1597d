"""What many tests share: a home of their own, and sound files of known pitch."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import elsewhere
import numpy as np
import pytest
from hypothesis import settings
from sounds import tone, write_sound

from gdr_model.errors import Cancelled
from gdr_model.types import Array, Cancel, LatentSpace, never

# Before any backward pass, which fixes the devices that can have one.
elsewhere.device()

# A busy machine must not fail a property for being slow.
settings.register_profile("gdr", deadline=None)
settings.load_profile("gdr")

WriteTone = Callable[..., Path]


@pytest.fixture(autouse=True)
def gdr_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing a test does reaches the user's own stores."""
    home = tmp_path / "gdr-home"
    monkeypatch.setenv("GDR_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def collectable() -> Iterator[None]:
    """Collect the models that a command or an app of the test has excluded from collection."""
    yield
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """An empty folder for music."""
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def write_tone() -> WriteTone:
    """Write a sine: `write_tone(path, hz=440, seconds=2, rate_hz=44100, channels=1)`."""

    def write(
        path: Path, hz: float = 440, seconds: float = 2, rate_hz: int = 44100, channels: int = 1
    ) -> Path:
        if path.suffix in (".opus", ".webm", ".weba"):
            rate_hz = 48000
        return write_sound(path, tone(hz, seconds, rate_hz, channels), rate_hz)

    return write


class BandEncoder:
    """A real, if plain, encoder: the log energy of 24 bands, once a second."""

    def __init__(self, fingerprint: str = "0" * 16, sample_rate_hz: int = 16000) -> None:
        self.space = LatentSpace("bands", 24, sample_rate_hz, 1.0, 1.0, fingerprint)
        self.calls = 0

    def encode(self, samples: Array, cancelled: Cancel = never) -> Array:
        if cancelled():
            raise Cancelled("stopped")
        self.calls += 1
        rate_hz = self.space.sample_rate_hz
        seconds = max(1, round(len(samples) / rate_hz))
        padded = np.zeros(seconds * rate_hz, np.float32)
        padded[: len(samples)] = samples[: len(padded)]
        power = np.abs(np.fft.rfft(padded.reshape(seconds, rate_hz), axis=1)) ** 2
        edges = np.geomspace(40, rate_hz / 2, 25).astype(int)
        bands = np.stack([power[:, a:b].mean(1) for a, b in pairwise(edges)], axis=1)
        return np.log10(bands + 1e-6).astype(np.float32)


@pytest.fixture
def encoder() -> BandEncoder:
    """The encoder of `BandEncoder`; `calls` counts what it encoded."""
    return BandEncoder()


@pytest.fixture(scope="session")
def tiny_clap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small CLAP with random weights."""
    import tiny_models

    return tiny_models.clap(tmp_path_factory.mktemp("clap"))


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small T5 encoder with random weights."""
    import tiny_models

    return tiny_models.t5(tmp_path_factory.mktemp("t5"))
