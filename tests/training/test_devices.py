"""Training and evaluation on a device of their own, which no processor's tensor may meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import elsewhere
import numpy as np
import pytest
import torch

from gdr_model.errors import Cancelled
from training.data.corpus import Corpus
from training.evaluation.control import control
from training.evaluation.steered import of_set
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.state import MODEL, read_tensors


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    with elsewhere.standing_in(monkeypatch) as where:
        yield where


def test_the_device_refuses_tensors_of_the_processor(device: torch.device) -> None:
    there = torch.ones(2, 3).to(device)
    assert there.device == device
    assert (there @ there.T).cpu().tolist() == [[3, 3], [3, 3]]
    for fails in (lambda: there + torch.ones(2, 3), lambda: there @ torch.ones(3)):
        with pytest.raises(RuntimeError, match="two devices"):
            fails()
    with pytest.raises(RuntimeError, match="numpy"):
        there.numpy()
    with pytest.raises(TypeError, match="double"):
        there.double()


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_an_interrupted_run_is_resumed_on_the_device(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path, device: torch.device, kind: str
) -> None:
    """It equals a run on the processor: nothing was left behind or lost on the way."""
    if kind == "transformer":
        shape = {"kind": kind, "frames": 2, "patch": 1, "width": 8, "layers": 1, "heads": 2}
        tiny = replace(tiny, network=shape, captions=replace(tiny.captions, blended=0.0))
    steps: list[int] = []
    folder, whole = tmp_path / "run", tmp_path / "whole"
    with pytest.raises(Cancelled):
        train_on_corpus(
            tiny,
            "0",
            folder,
            corpus=corpus,
            device=device,
            on_progress=lambda at: steps.append(at.step),
            cancelled=lambda: len(steps) >= 7,
        )
    train_on_corpus(tiny, "0", folder, corpus=corpus, device=device, resume=True)
    train_on_corpus(tiny, "0", whole, corpus=corpus)
    here, there = (read_tensors(run / MODEL)[0] for run in (whole, folder))
    for name, value in here.items():
        torch.testing.assert_close(there[name], value, msg=name)


def test_control_is_measured_on_the_device(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path, device: torch.device
) -> None:
    """Negatives, edits and sliders, and their rivals: the figures are those of the processor."""
    train_on_corpus(tiny, "0", tmp_path, corpus=corpus)
    halves = {"Piano": np.arange(20) < 10, "Jazz": np.arange(20) % 3 < 1}
    found = []
    for where in (device, torch.device("cpu")):
        with of_set(str(tmp_path), device=where) as steered:
            quick = replace(steered.how, draws=2, steps=3)
            wide = replace(steered, attributes=halves, how=quick)
            tables, _ = control(wide, pairs=2, resamples=5)
            found.append([cells[-1] for table in tables for _, cells in table.rows])
    assert found[0] == pytest.approx(found[1], abs=1e-3)
