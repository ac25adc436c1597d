"""Threads: one for small models, and for large ones as many as there are idle cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gdr_model.models.config import ModelConfig
from gdr_tui import index_workers, torch_threads
from gdr_tui.index_workers import affordable, free_bytes, processes
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


@pytest.mark.parametrize(
    ("free_mb", "count"), [(0, 1), (700, 1), (800, 1), (2000, 10), (4000, 26), (64_000, 495)]
)
def test_as_many_processes_read_as_half_of_the_free_memory_holds(free_mb: int, count: int) -> None:
    assert affordable(free_mb << 20) == count


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    whole = free_bytes(tmp_path)
    assert whole > 100 << 20, "there is no limit"
    (tmp_path / "memory.current").write_text(f"{90 << 20}\n")
    (tmp_path / "memory.stat").write_text(f"anon {10 << 20}\ninactive_file {70 << 20}\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes(tmp_path) > 100 << 20
    (tmp_path / "memory.max").write_text(f"{100 << 20}\n")
    assert free_bytes(tmp_path) == 80 << 20, "what was read from the disk makes room"
    (tmp_path / "memory.max").write_text(f"{10 << 20}\n")
    assert free_bytes(tmp_path) == 0


def test_a_number_that_is_asked_for_is_taken(cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_workers, "free_bytes", lambda: 2000 << 20)
    assert (processes(), processes(9)) == (4, 9)
    monkeypatch.setattr(index_workers, "free_bytes", lambda: 900 << 20)
    assert processes() == 2
