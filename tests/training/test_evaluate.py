"""Retrieval and fidelity of small runs: what they report, and that it is what a search finds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gdr_model.errors import Cancelled, ModelError, SpaceMismatch, UsageError
from gdr_model.types import Query
from training import metrics
from training.data.corpus import Corpus
from training.evaluation import baselines, fitted
from training.evaluation import retrieval as protocol
from training.evaluation.fidelity import draws, fidelity, one_each
from training.evaluation.retrieval import (
    ALONE,
    GDR,
    GROUPS,
    TOWER,
    Answers,
    retrieval,
    search_captions,
)
from training.evaluation.subjects import is_run, opened, subjects
from training.evaluation.tables import Table, save
from training.metrics import Interval
from training.runs.config import DrawConfig, RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.space import Space
from training.runs.state import RunError

SYSTEMS = [
    GDR,
    ALONE,
    "one draw",
    "draws of one step",
    "draws alone, 4 of 2 steps at guidance 3",
    TOWER,
    baselines.RIDGE,
    baselines.HALF_NAMES,
    baselines.RIDGE_WRITTEN,
    baselines.REGRESSION,
    baselines.CONTRAST,
    baselines.NAMES,
]


@pytest.fixture(scope="module")
def runs(tiny: RunConfig, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Folds 0 and 1."""
    folder = tmp_path_factory.mktemp("runs")
    for part in ("0", "1"):
        train_on_corpus(tiny, part, folder / part, corpus=corpus)
    return [str(folder / part) for part in ("0", "1")]


def planted(ranks: dict[str, list[int]], groups: list[str], candidates: int = 10) -> Answers:
    """Answers of which only the ranks matter."""
    answers = Answers(groups=groups)
    for system, places in ranks.items():
        for rank in places:
            scores = -np.arange(candidates, dtype=np.float32)
            correct = np.arange(candidates) == rank - 1
            assert answers.put(system, scores, correct) == rank
    return answers


def test_retrieval_reports_every_system_over_all_folds(runs: list[str]) -> None:
    tables, about = retrieval(runs, resamples=50)
    systems, lead, cloud = tables
    assert about["queries"] == 20
    assert about["candidates"] == 20
    # As gdr search draws, whatever the run's own configuration says.
    assert about["draw"] == {**vars(DrawConfig()), "anchor_share": [0.5, 0.5]}
    assert [name for name, _ in systems.rows] == SYSTEMS
    assert [name for name, _ in lead.rows] == SYSTEMS[1:]
    assert all(0 <= float(row[1][1]) <= 100 for row in systems.rows)
    assert -1 <= float(cloud.rows[1][1][0]) <= 1
    again, _ = retrieval(runs, resamples=50)
    assert [t.described() for t in again] == [t.described() for t in tables]


def test_ranks_are_the_places_that_a_search_lists(runs: list[str]) -> None:
    """The first two systems and the tower, against `Retriever.search` and its list."""
    answers = Answers()
    with opened(runs[0]) as subject:
        search_captions(subject, answers, seed=5)
        right = subject.right
        for row, caption in enumerate(subject.captions):
            steering = DrawConfig().steering(caption, 5)
            for system, method in ((GDR, "gdr"), (TOWER, "contrastive")):
                hits = subject.retriever.search(steering, k=20, method=method).hits
                columns = [subject.gallery.column[hit.track.content] for hit in hits]
                assert len(hits) == 20
                place = 1 + next(i for i, column in enumerate(columns) if right[row, column])
                assert answers.ranks[system][row] == place
        alone = replace(subject.retriever.query(steering), anchor=None)
        scores = subject.scores(alone)
        assert answers.ranks[ALONE][-1] == metrics.ranks(scores[None], right[-1:])[0]


def test_other_runs_are_compared_caption_by_caption(runs: list[str], tmp_path: Path) -> None:
    """Against itself a run has no lead, and its rows are there twice."""
    folder = str(Path(runs[0]).parent)
    tables, about = retrieval(runs, wanted=("tower",), against=folder, resamples=20)
    called = Path(folder).name
    rows, lead = (dict(table.rows) for table in tables[:2])
    assert rows[f"{GDR}, {called}"] == rows[GDR]
    assert rows[f"{TOWER}, {called}"] == rows[TOWER]
    assert lead[f"{GDR}, {called}"][0].low == lead[f"{GDR}, {called}"][0].high == 0
    assert about["against"] == folder
    (tmp_path / "0").symlink_to(runs[1])
    with pytest.raises(UsageError, match="holds out other captions"):
        retrieval(runs[:1], wanted=(), against=str(tmp_path), resamples=20)


def test_tracks_that_were_trained_on_can_be_left_out(runs: list[str], corpus: Corpus) -> None:
    every, new = Answers(), Answers()
    with opened(runs[0]) as subject:
        search_captions(subject, every, 0, wanted=("tower",))
        search_captions(subject, new, 0, wanted=("tower",), only_new=True)
        assert subject.new is not None
        assert new.candidates == subject.new.sum() < every.candidates == 20
        for row, caption in enumerate(subject.captions):
            steering = DrawConfig().steering(caption, 0)
            scores = subject.scores(subject.retriever.query(steering))[subject.new]
            place = metrics.ranks(scores[None], subject.right[row : row + 1, subject.new])[0]
            assert new.ranks[GDR][row] == place <= every.ranks[GDR][row]


def test_a_baseline_is_ranked_by_the_cosine_of_its_point(runs: list[str]) -> None:
    answers = Answers()
    with opened(runs[1]) as subject:
        assert subject.trained is not None
        search_captions(subject, answers, seed=0)
        points = fitted.points(subject.trained, subject.embedding(False), fitted.NAMES)
        space = subject.trained.run.space
        known = space.search(np.stack([space.standard(t).mean(0) for t in subject.corpus.latents]))
        right = subject.right
        for system, vectors in points.items():
            wanted = metrics.ranks(vectors @ known.T, right)
            assert answers.ranks[system] == wanted.tolist()
        query = Query(vectors[:1], subject.how.steering("-", 0))
        np.testing.assert_allclose(subject.scores(query), (vectors[:1] @ known.T)[0], atol=1e-5)


def test_a_run_searches_for_what_it_holds_out(runs: list[str], corpus: Corpus) -> None:
    asked = []
    for subject in subjects(runs):
        assert subject.run is not None
        assert subject.name == f"fold {subject.run.part}"
        assert set(subject.groups) == set(corpus.splits.parts[subject.run.part])
        assert len(subject.gallery.tracks) == len(corpus.tracks)
        asked += subject.captions
    assert len(set(asked)) == len(asked) == 20


def test_a_run_is_not_asked_what_it_was_trained_on(
    runs: list[str], tiny: RunConfig, corpus: Corpus
) -> None:
    """Of its own set, given as another one, only what it holds out is left."""
    with opened(runs[0], data=tiny.data.path) as subject:
        assert subject.run is None
        held_out = corpus.splits.parts["0"]
        asked = {subject.corpus.tracks[row] for row in subject.corpus.track_of[subject.chosen]}
        assert asked == set(held_out)
        assert subject.note == "30 captions of set are left out: they were trained on."
    tables, about = retrieval(runs[:1], data=tiny.data.path, resamples=20)
    assert about["queries"] == 10
    names = [name for name, _ in tables[0].rows]
    # Every baseline was trained with the run; names of classes belong to the run's own set.
    assert names == [s for s in SYSTEMS if s not in (baselines.HALF_NAMES, baselines.NAMES)]
    assert "30 captions of set are left out" in tables[0].note


def test_a_run_can_search_another_set(
    runs: list[str], tiny: RunConfig, tmp_path: Path, corpus: Corpus
) -> None:
    """Three new tracks, one of them with two captions, are too few for folds and are all asked."""
    with np.load(tiny.data.path) as own:
        rng = np.random.default_rng(1)
        np.savez(
            tmp_path / "other.npz",
            posterior=rng.uniform(0.1, 0.9, (4, own["posterior"].shape[1])).astype(np.float32),
            caption=np.array(["rain", "a choir", "Rain!", "drums and rain"]),
            track_id=np.array(["a", "b", "c", "c"]),
        )
    with opened(runs[0], data=str(tmp_path / "other.npz")) as subject:
        assert subject.captions == ["rain", "a choir", "drums and rain"]
        assert subject.right.tolist() == [
            [True, False, True],
            [False, True, False],
            [False, False, True],
        ]
        answers = Answers()
        search_captions(subject, answers, seed=0, wanted=("ridge",))
        assert answers.chance == [100.0] * 3  # there are three tracks
    assert baselines.RIDGE in answers.ranks
    assert TOWER not in answers.ranks


def test_what_cannot_be_evaluated_is_refused(
    runs: list[str], tiny: RunConfig, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="at least one folder"):
        retrieval([])
    with pytest.raises(UsageError, match="at least one folder"):
        fidelity([])
    with pytest.raises(RunError, match="not a folder of gdr train"):
        retrieval([str(tmp_path)])
    with pytest.raises(UsageError, match="hold out the same part"):
        retrieval([runs[0], runs[0]], resamples=5)
    with pytest.raises(UsageError, match="too few to compare"):
        fidelity(runs[:1])
    with pytest.raises(ModelError):
        retrieval(["no such model"], data=tiny.data.path)
    with pytest.raises(SpaceMismatch, match="arrays that no encoder made"):
        retrieval(["builtin"], data=tiny.data.path)
    with pytest.raises(Cancelled):
        retrieval(runs[:1], cancelled=lambda: True)
    assert is_run(runs[0])
    assert not is_run("builtin")
    assert not is_run(str(tmp_path))


def test_a_table_of_planted_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = {TOWER: [1, 9, 8, 2], GDR: [1, 1, 5, 2], "other": [10, 10, 10, 10]}
    systems, lead = protocol.tables(planted(ranks, ["a", "a", "b", "c"], 20), resamples=200)
    assert [name for name, _ in systems.rows] == [GDR, TOWER, "other"]
    recall, first, fifth, median, percent, precision = systems.rows[0][1]
    assert isinstance(recall, Interval)
    assert (recall.value, recall.units) == (100.0, 3)
    assert (first, fifth, median, percent) == (50.0, 100.0, 1.5, 7.5)
    assert precision == pytest.approx(100 * (1 + 1 + 1 / 5 + 1 / 2) / 4)
    assert lead.title == f"{GDR} minus each other system"
    ahead = lead.rows[0][1][1]
    assert isinstance(ahead, Interval)
    assert ahead.value == pytest.approx(100 * ((8 / 9) + (1 / 5 - 1 / 8)) / 4)
    assert "Chance is 50.0 %" in systems.note


def test_a_pair_without_a_retriever_has_one_row_and_no_lead() -> None:
    (systems,) = protocol.tables(planted({TOWER: [1, 3]}, ["a", "b"]), resamples=20)
    assert [name for name, _ in systems.rows] == [TOWER]


def test_the_better_cluster_is_never_below_the_worse_one(runs: list[str]) -> None:
    answers = Answers()
    with opened(runs[0]) as subject:
        search_captions(subject, answers, seed=0)
        drawn = subject.retriever.query(DrawConfig().steering(subject.captions[0], 0))
        right = subject.right[:1]
        halves = [
            metrics.ranks(
                subject.scores(replace(drawn, vectors=drawn.vectors[i::2], anchor=None))[None],
                right,
            )[0]
            for i in (0, 1)
        ]
    assert answers.ranks[GROUPS[1]][0] == min(halves)
    spread = 1 - metrics.mics(drawn.vectors[None])
    assert answers.ambiguity[0] == pytest.approx(spread, abs=1e-5)


def test_fidelity_of_enough_tracks(tiny: RunConfig, corpus: Corpus, tmp_path: Path) -> None:
    half = replace(tiny, data=replace(tiny.data, folds=2))
    train_on_corpus(half, "0", tmp_path / "run")
    tables, _ = fidelity([str(tmp_path / "run")])
    assert [name for name, _ in tables[0].rows] == [
        "fold 0, draws",
        "fold 0, draws without guidance",
        "fold 0, draws of one step",
        "fold 0, training tracks",
    ]
    assert all(table.panels() for table in tables)
    mics, mivs = tables[1].rows[0][1]
    assert -1 <= float(mics) <= 1
    assert 1 <= float(mivs) <= tiny.draw.draws


def test_fidelity_measures_the_draws_of_a_search(runs: list[str]) -> None:
    with opened(runs[0]) as subject:
        sequences = draws(subject, seed=3)
        for drawn, caption in zip(sequences, subject.captions, strict=True):
            query = subject.retriever.query(subject.how.steering(caption, 3))
            assert subject.run is not None
            vectors = subject.run.space.search(drawn.mean(1))
            np.testing.assert_allclose(vectors, query.vectors, atol=1e-5)


def test_draws_compared_with_music_share_no_noise(runs: list[str]) -> None:
    with opened(runs[0]) as subject:
        found = one_each(subject, seed=3)
        row, caption = 2, subject.captions[2]
        steering = subject.how.steering(caption, 3 + row).but(draws=1)
        wanted = subject.retriever.drawer.sample(steering)[0].mean(0)
        np.testing.assert_allclose(found[row], wanted, atol=1e-5)
        shared = draws(subject, seed=3)[:, 0].mean(1)
        # What a prompt's noise leaves in its draw is the same for all prompts of a search.
        assert np.linalg.norm(shared.std(0)) < np.linalg.norm(found.std(0))


def test_a_space_keeps_directions_and_comes_back_from_its_tensors(
    tiny: RunConfig, corpus: Corpus
) -> None:
    space = Space.fit(tiny.data, corpus.latents)
    x = np.concatenate([space.standard(track) for track in corpus.latents])
    np.testing.assert_allclose(x.std(0, ddof=1), 1, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(space.search(x), axis=1), 1, rtol=1e-5)
    again = Space.from_tensors(space.tensors())
    np.testing.assert_array_equal(again.standard(corpus.latents[0]), x[:1])


def test_a_picture_shows_all_of_its_title_and_its_names(tmp_path: Path) -> None:
    """Nothing reaches the border, however long the title and however narrow the picture."""
    image = pytest.importorskip("matplotlib.image")
    title = "Retrieval, 856 captions among 549 tracks, and a title that is far too long for a line"
    table = Table(title, ("R@10", "one", "mAP"))
    table.add(
        "a system with a name that takes a lot of room", Interval(1, 0, 2, 95, 3, 20, 0), 1, 2
    )
    table.add("short", Interval(3, 2, 4, 95, 3, 20, 0), 3, 4)
    plain = Table("Distances", ("Fréchet", "kernel", "N"))
    plain.add("draws", 4.0, 2.0, 30.0)
    save(tmp_path, "report", [table, plain], {})
    assert list(table.panels()) == ["R@10"]
    assert list(plain.panels()) == ["Fréchet", "kernel", "N"]
    for number in (1, 2):
        pixels = image.imread(tmp_path / f"report-{number}.png")[..., :3]
        border = np.concatenate([pixels[:3].reshape(-1, 3), pixels[-3:].reshape(-1, 3)])
        sides = np.concatenate([pixels[:, :3].reshape(-1, 3), pixels[:, -3:].reshape(-1, 3)])
        assert (np.concatenate([border, sides]) == 1).all()


def test_tables_are_written_in_all_forms(tmp_path: Path) -> None:
    table = Table("Title", ("a", "b"), note="Note.")
    table.add("row", Interval(12.34, 10, 15, 95, 3, 20, 0), 0.5)
    text = save(tmp_path, "name", [table], {"seed": 0})
    assert "| row | 12.3 [10.0, 15.0] | 0.5 |" in text
    raw = json.loads((tmp_path / "name.json").read_text())
    assert raw["tables"][0]["rows"]["row"]["a"]["low"] == 10
    assert (tmp_path / "name.md").read_text() == text
