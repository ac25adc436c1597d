"""What words alone know, on captions and labels that the test makes up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_pool import write_pool

from gdr_model.models import checkpoint
from recipes.builtin.report import words
from recipes.builtin.report.words import ALONE, GDR, INFORMED, NAMES, TOWER
from training.metrics import Interval
from training.words.merged import Classes
from training.words.people import Row

SAID = {
    "Piano": ("a slow piano", "solo piano, calm", "the grand piano plays", "piano chords"),
    "Heavy metal": ("loud metal guitars", "a heavy metal song", "thrash metal", "metal riffs"),
}
OTHER = [f"class {i}" for i in range(519)]


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [
        Row(f"{text} {i}", (), frozenset([name]), evaluation=i < 2)
        for name, texts in SAID.items()
        for text in texts
        for i in range(6)
    ]
    every.append(Row("no labels at all", (), frozenset(), evaluation=True))
    monkeypatch.setattr(words, "rows", lambda: every)
    monkeypatch.setattr(words, "labels", lambda: [*SAID, *OTHER])
    monkeypatch.setattr(words, "LEAST", 3)


def test_rows_for_the_test_are_those_that_nothing_learns_from(shared: None) -> None:
    asked, train = words.held_out(100, 0)
    assert (len(asked), len(train)) == (16, 32)
    assert all(row.evaluation for row in asked)
    assert not any(row.evaluation for row in train)
    few, _ = words.held_out(5, 0)
    assert len({row.caption for row in few}) == 5
    assert few == words.held_out(5, 0)[0]
    has = words.labelled(asked, ["Heavy metal", "Piano"])
    assert has.sum(0).tolist() == [8, 8]
    assert (has.sum(1) == 1).all()


def test_labels_are_read_where_the_model_searches_and_compared_with_words(
    shared: None, tmp_path: Path
) -> None:
    """The music of each label is where the model searches for it, so it knows both labels."""
    model = checkpoint.load("builtin", "cpu")
    (tmp_path / "pool").mkdir()
    pool = write_pool(tmp_path / "pool")
    towers = words.answers(model, ["piano", "heavy metal"], 0)[TOWER]
    spread = model.whitening.sd**model.whitening.power
    latents = np.concatenate([model.whitening.mean + towers[i % 2] * spread for i in range(6)])
    (tmp_path / "encoder").mkdir()
    np.savez(
        tmp_path / "encoder" / "latents.npz",
        ids=[item["id"] for item in pool.items],
        latents=np.tile(latents.reshape(6, 1, -1), (1, 20, 1)).reshape(120, -1),
        offsets=np.arange(7) * 20,
        projection=np.eye(128),
        mean=np.zeros(128),
        sd=np.ones(128),
    )
    classes = np.zeros((6, len(Classes.of([*SAID, *OTHER]).names)), np.float32)
    classes[[0, 2, 4], 0] = classes[[1, 3, 5], 1] = 2.0
    np.save(tmp_path / "pool" / "classes.npy", classes)
    said: list[str] = []
    table = words.measure(tmp_path, "builtin", "pool", "encoder", show=said.append)
    assert said == ["16 captions, 2 labels"]
    found = {name: cells[0].value for name, cells in table.rows if isinstance(cells[0], Interval)}
    assert list(found) == [GDR, TOWER, ALONE, NAMES, INFORMED]
    assert "Chance is 50.0 %" in table.note
    assert found[TOWER] > 95
    assert found[GDR] > 95
    assert found[INFORMED] == pytest.approx(100), "captions like those it knows"
    assert 60 < found[NAMES] < 101
