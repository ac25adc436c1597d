"""What several tests of the model share: reference data, and a denoiser known exactly."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gdr_model.diffusion.schedule import Schedule
from gdr_model.store.library import Library
from gdr_model.types import TextEmbedding


@pytest.fixture
def golden() -> Callable[[str], Path]:
    """The folder of a kind of reference data, `golden("ddim")`."""

    def find(name: str) -> Path:
        shared = os.environ.get("GDR_SHARED")
        if not shared:
            pytest.skip("GDR_SHARED is unset: the reference values are not here")
        return Path(shared) / "golden" / name

    return find


@pytest.fixture
def library(music: Path) -> Iterator[Library]:
    """An empty library of the folder `music`."""
    with Library.open(music, create=True) as opened:
        yield opened


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slower on several threads, and far slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class Normal:
    """The exact denoiser of data drawn from N(mean, sd^2); no network can do better."""

    mean: float
    sd: float
    schedule: Schedule = field(default_factory=Schedule)

    def __call__(self, x: Tensor, t: int) -> Tensor:
        return self.at(x, torch.tensor([t]))

    def at(self, x: Tensor, t: Tensor) -> Tensor:
        """v (B, T, D) at x (B, T, D) and times (B,)."""
        a = self.schedule.a[t][:, None, None].to(x)
        x0 = self.mean + a.sqrt() * self.sd**2 / (a * self.sd**2 + 1 - a) * (
            x - a.sqrt() * self.mean
        )
        return (a.sqrt() * x - x0) / (1 - a).sqrt()

    def on_path(self, z: Tensor, t: int) -> Tensor:
        """Where the probability flow that began as noise z is at time t (-1 is its end)."""
        a = float(self.schedule.a[t])
        return math.sqrt(a) * self.mean + math.sqrt(a * self.sd**2 + 1 - a) * z


@pytest.fixture
def normal() -> type[Normal]:
    return Normal


@pytest.fixture
def words() -> Callable[..., TextEmbedding]:
    """Random text: `words([0, 3], width=12)` has a null and three tokens, the rest padding."""

    def make(lengths: list[int], width: int = 12, longest: int = 6) -> TextEmbedding:
        rng = np.random.default_rng(0)
        states = np.zeros((len(lengths), longest, width), np.float32)
        mask = np.zeros((len(lengths), longest), np.bool_)
        pooled = np.zeros((len(lengths), width), np.float32)
        for row, length in enumerate(lengths):
            states[row, :length] = rng.standard_normal((length, width))
            mask[row, :length] = True
            pooled[row] = states[row, :length].mean(0) if length else 0
        return TextEmbedding(states, mask, pooled)

    return make


@pytest.fixture
def tagged(tmp_path, write_tone):
    """`tagged(tag)`: an MP3 that begins with these bytes."""
    sound = write_tone(tmp_path / "plain.mp3").read_bytes()
    path = tmp_path / "tagged.mp3"

    def write(tag: bytes, behind: bytes = b"") -> Path:
        path.write_bytes(tag + sound + behind)
        return path

    return write
