"""Threads: one for small models, and for large ones as many as there are idle cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gdr_model.models.config import ModelConfig
from gdr_tui import torch_threads
from gdr_tui.torch_threads import idle_cores, use_threads_for


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of four cores, and the threads of this one afterwards."""
    before = torch.get_num_threads()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("load", "idle"), [(0.1, 4), (1.2, 3), (3.9, 1), (9.0, 1)])
def test_busy_cores_are_left_alone(
    cores: None, monkeypatch: pytest.MonkeyPatch, load: float, idle: int
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 9.0, 9.0), raising=False)
    assert idle_cores() == idle


def test_only_large_models_get_more_than_one(
    cores: None, tiny_clap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    for name in ("builtin", str(tiny_clap)):
        use_threads_for(ModelConfig.read(name))
        assert torch.get_num_threads() == 1
    weights = (tiny_clap / "model.safetensors").stat().st_size
    monkeypatch.setattr(torch_threads, "LARGE_BYTES", weights)
    use_threads_for(ModelConfig.read(str(tiny_clap)))
    assert torch.get_num_threads() == 4
