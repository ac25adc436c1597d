"""What a line through an encoder's features tells, for encoders that hear one thing or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from prepared import track

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, AudioNet
from recipes.builtin.corpus.prepare import ROWS, PreparedFolder
from recipes.builtin.report import probe
from recipes.builtin.report.probe import by_name, by_score, compared, passages
from recipes.builtin.report.sets import GENRES, MOODS

CLASSES = [*GENRES.values(), *MOODS.values()]
NAMES = [*CLASSES, *(f"class {i}" for i in range(521 - len(CLASSES)))]


def hears() -> AudioNet:
    """A network whose features are the bands of the log-mel, once a second."""

    def net(mel: torch.Tensor) -> torch.Tensor:
        return mel.view(len(mel), -1, FRAMES_PER_S, mel.shape[2]).mean(dim=2)

    return cast(AudioNet, net)


def deaf() -> AudioNet:
    """A network of noise."""
    generator = torch.Generator().manual_seed(0)

    def net(mel: torch.Tensor) -> torch.Tensor:
        return torch.randn(len(mel), mel.shape[1] // FRAMES_PER_S, 8, generator=generator)

    return cast(AudioNet, net)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PreparedFolder:
    """A band of the log-mel is loud where a class, or an instrument, is."""
    monkeypatch.setattr(probe, "labels", lambda: NAMES)
    store, rng = PreparedFolder(tmp_path), np.random.default_rng(0)
    for number in range(240):
        split = "test" if number % 3 == 0 else "train"
        kind = "source" if number < 180 else "render"
        known: dict[str, Any] = {"instruments": ["flute"] if number % 2 else ["organ"]}
        one = track(f"{kind}/{number}", kind, 24, number, split=split, drum_kit=None, **known)
        rows = {name: getattr(one, name).copy() for name in ROWS}
        level = rng.standard_normal(len(CLASSES))
        rows["mel"][:, : len(CLASSES)] += 4 * level
        rows["logits"][:, : len(CLASSES)] = -5 + 3 * level
        rows["tag_logits"][:] = -3
        rows["mel"][:, 40] += 4 * (number % 2)
        store.add(one.record, rows)
    return store


def test_held_out_recordings_give_several_passages_and_others_one() -> None:
    tracks = [
        track("a", "source", 200, 0, split="train"),
        track("b", "source", 200, 0, split="test"),
        track("c", "render", 200, 0, split="test"),
        track("d", "source", 30, 0, split="test"),
    ]
    found = [(one.record["id"], start, end) for one, start, end in passages(tracks)]
    assert [name for name, _, _ in found] == ["a", "b", "b", "b", "b", "c", "d"]
    assert all(end - start == 24 and start >= 0 and end <= 200 for _, start, end in found)


def test_an_encoder_that_hears_the_classes_is_above_one_that_does_not(
    store: PreparedFolder,
) -> None:
    nets = {"hears": hears(), "deaf": deaf()}
    found = {"names": by_name(store, nets), "scores": by_score(store, nets)}
    assert found["names"].held.sum() == 60
    assert found["names"].wanted.shape[1] == len(CLASSES)
    assert found["scores"].has.shape == (60, 2), "flute and organ"
    table = compared(["hears", "deaf"], found)
    assert table.columns[:2] == ("names, mAP %", "first minus this")
    cells = dict(table.rows)
    values = {name: [cell.value for cell in row] for name, row in cells.items()}
    assert values["hears"][0] > 60
    assert values["hears"][2] > 85
    assert values["deaf"][0] < 40
    assert values["deaf"][1] == pytest.approx(values["hears"][0] - values["deaf"][0])
    assert cells["deaf"][1].low > 0
    assert cells["hears"][3].low == cells["hears"][3].high == 0
