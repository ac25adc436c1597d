"""The protocols on a small run: what they report, and that it is the same every time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gdr_model.errors import UsageError
from training.data.corpus import Corpus
from training.evaluation.control import control, gain_at
from training.evaluation.control_models import Steered, of_run, words_of
from training.evaluation.fidelity import fidelity
from training.evaluation.retrieval import PLAIN, open_folds, retrieval
from training.evaluation.tables import Table, save
from training.metrics import Interval
from training.runs.config import RULES, RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.space import Space
from training.runs.state import RunError


@pytest.fixture(scope="module")
def runs(tiny: RunConfig, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Fold 0 with two seeds, and fold 1."""
    folder = tmp_path_factory.mktemp("runs")
    other = replace(tiny, optimiser=replace(tiny.optimiser, seed=1))
    for name, config, part in (("a", tiny, "0"), ("b", other, "0"), ("c", tiny, "1")):
        train_on_corpus(config, part, folder / name, corpus=corpus)
    return [folder / name for name in "abc"]


def test_retrieval_reports_every_system_over_all_folds(runs: list[Path]) -> None:
    tables, about = retrieval(runs, resamples=50)
    systems, apart, fused, cloud = tables
    assert about["queries"] == 20
    assert about["candidates"] == 20
    assert [name for name, _ in systems.rows][1:] == list(PLAIN.values())
    assert [name for name, _ in apart.rows] == list(PLAIN.values())
    assert [name for name, _ in fused.rows] == ["one draw", *RULES]
    assert all(0 <= float(row[1][1]) <= 100 for row in systems.rows)
    assert -1 <= cloud.rows[1][1][0] <= 1
    again, _ = retrieval(runs, resamples=50)
    assert [t.described() for t in again] == [t.described() for t in tables]


def test_runs_of_one_part_answer_together(runs: list[Path]) -> None:
    first, second = open_folds(runs)
    assert (first.part, len(first.drawers)) == ("0", 2)
    assert (second.part, len(second.drawers)) == ("1", 1)
    alone = [open_folds([run])[0].explained for run in runs[:2]]
    np.testing.assert_allclose(first.explained, np.mean(alone, axis=0), rtol=1e-5)


def test_what_cannot_be_evaluated_is_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one folder"):
        retrieval([])
    with pytest.raises(UsageError, match="at least one folder"):
        fidelity([])
    with pytest.raises(RunError, match="no folder of gdr train"):
        retrieval([tmp_path])
    with pytest.raises(UsageError, match="too few to compare"):
        fidelity(runs[:1])


def test_fidelity_of_enough_tracks(tiny: RunConfig, corpus: Corpus, tmp_path: Path) -> None:
    half = replace(tiny, data=replace(tiny.data, folds=2))
    train_on_corpus(half, "0", tmp_path / "run")
    tables, _ = fidelity([tmp_path / "run"])
    assert [name for name, _ in tables[0].rows] == [
        "fold 0, draws",
        "fold 0, anchor",
        "fold 0, training tracks",
    ]
    mics, mivs = tables[1].rows[0][1]
    assert -1 <= float(mics) <= 1
    assert 1 <= float(mivs) <= tiny.draw.draws


def test_control_reports_rivals_with_intervals(runs: list[Path]) -> None:
    steered = of_run(open_folds(runs[:1])[0])
    assert len(steered.gallery) == 20
    # The top 20 of so small a gallery is all of it: halves have something to be negated.
    halves = {"Piano": np.arange(20) < 10, "Jazz": np.arange(20) % 3 < 1}
    wide = replace(steered, attributes=halves, draws=2, steps=3)
    tables, about = control(wide, pairs=2, resamples=20)
    assert [t.title.split(",")[0] for t in tables] == ["Negatives", "Edits", "Sliders"]
    assert about["gallery"] == 20
    assert all(isinstance(cells[0], Interval) for t in tables for _, cells in t.rows)
    with pytest.raises(UsageError, match="at least two attributes"):
        control(replace(wide, attributes={}))


def test_an_edit_without_strength_stays_at_its_source(runs: list[Path]) -> None:
    steered: Steered = replace(of_run(open_folds(runs[:1])[0]), steps=10, draws=2)
    near = steered.edit(3, "loud drums", 0.1, "inverted") @ steered.gallery[3]
    far = steered.edit(3, "loud drums", 1.0, "noise") @ steered.gallery[3]
    assert near.mean() > 0.95
    assert near.mean() > far.mean()


def test_gain_is_read_where_the_walk_passes_the_closeness() -> None:
    walk = [(1.0, 10.0), (0.8, 20.0), (0.4, 40.0), (0.0, 90.0)]
    assert gain_at(walk, 0.6) == pytest.approx(20.0)
    assert gain_at(walk, -1) == pytest.approx(80.0)


def test_words_of_a_path_are_its_folders(tmp_path: Path) -> None:
    assert words_of(tmp_path / "Dance Floor" / "2001" / "a.wav", tmp_path) == {"dance floor"}


def test_a_space_keeps_directions_and_comes_back_from_its_tensors(
    tiny: RunConfig, corpus: Corpus
) -> None:
    space = Space.fit(tiny.data, corpus.latents)
    x = np.concatenate([space.standard(track) for track in corpus.latents])
    np.testing.assert_allclose(x.std(0, ddof=1), 1, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(space.search(x), axis=1), 1, rtol=1e-5)
    again = Space.from_tensors(space.tensors())
    np.testing.assert_array_equal(again.standard(corpus.latents[0]), x[:1])


def test_tables_are_written_in_all_forms(tmp_path: Path) -> None:
    table = Table("Title", ("a", "b"), note="Note.")
    table.add("row", Interval(12.34, 10, 15, 95, 3, 20, 0), 0.5)
    text = save(tmp_path, "name", [table], {"seed": 0})
    assert "| row | 12.3 [10.0, 15.0] | 0.5 |" in text
    raw = json.loads((tmp_path / "name.json").read_text())
    assert raw["tables"][0]["rows"]["row"]["a"]["low"] == 10
    assert (tmp_path / "name.md").read_text() == text
