"""The report on the built-in model, and the card that is written from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gdr_model.models import checkpoint
from gdr_model.models.config import SHIPPED
from gdr_model.search.whitening import unit
from recipes.builtin.corpus.prepare import PreparedFolder
from recipes.builtin.report import card
from recipes.builtin.report.evaluate import RIDGE_ROW, asked, inversion, teacher_recalls
from recipes.builtin.report.names import ABROAD
from recipes.builtin.report.sets import Passage, save
from recipes.builtin.report.sweep import whitened
from training.evaluation.retrieval import ALONE, GDR, TOWER
from training.evaluation.ridge import Ridge
from training.evaluation.subjects import Subject, opened
from training.words.teacher import CLASSES

CAPTIONS = ("slow piano", "loud drums", "soft singing")
PASSAGES = 12


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """The shipped model, and passages of noise; four in a row share a caption."""
    model, rng = checkpoint.load("builtin", "cpu"), np.random.default_rng(0)
    mean, sd = model.whitening.mean, model.whitening.sd
    passages = []
    for i in range(PASSAGES):
        middle = mean + sd * rng.standard_normal(len(mean))
        rows = middle + 0.1 * sd * rng.standard_normal((10, len(mean)))
        caption = (CAPTIONS[i // 4],) if i < 11 else ()
        passages.append(Passage(f"p{i}", rows.astype(np.float32), np.zeros(CLASSES), caption))
    folder = tmp_path_factory.mktemp("sets") / "noise"
    save(folder, passages, model, "builtin")
    with opened("builtin", str(folder)) as subject:
        yield subject


def perfect(subject: Subject) -> Ridge:
    """A regression that maps each caption onto its first passage."""
    pooled = subject.corpus.texts.pooled.astype(np.float64)
    whitening = subject.model.whitening
    firsts = np.stack([subject.corpus.latents[4 * i].mean(0) for i in range(len(CAPTIONS))])
    points = whitening.apply(firsts).astype(np.float64)
    weight = np.linalg.pinv(pooled) @ points
    return Ridge(weight, np.zeros(pooled.shape[1]), np.zeros(points.shape[1]), 0.0)


def test_every_caption_is_asked_once_and_ridge_stands_among_the_systems(subject: Subject) -> None:
    assert subject.captions == list(CAPTIONS)
    assert subject.corpus.correct(subject.chosen).sum(1).tolist() == [4, 4, 3]
    found = asked(subject, perfect(subject), 0)
    assert (found["queries"], found["candidates"]) == (3, PASSAGES)
    rows = found["tables"][0]["rows"]
    assert {GDR, TOWER, RIDGE_ROW} <= set(rows)
    assert rows[RIDGE_ROW]["R@1"] == 100
    assert list(found["each"]) == list(CAPTIONS)
    assert all(0 < value <= 1 for value in found["each"].values())
    assert "Chance is 100.0 %" in found["markdown"][0], "of ten among twelve, one is correct"


def test_names_are_reported_by_their_precision(subject: Subject) -> None:
    found = asked(subject, perfect(subject), 0, by_name=True)
    (table,) = found["tables"]
    assert next(iter(table["rows"])) == GDR
    assert list(table["rows"][RIDGE_ROW]) == ["mAP %", "gdr minus this"]
    ours, ridge = (table["rows"][system]["mAP %"]["value"] for system in (GDR, RIDGE_ROW))
    lead = table["rows"][RIDGE_ROW]["gdr minus this"]["value"]
    assert lead == pytest.approx(ours - ridge)
    assert ours == pytest.approx(100 * np.mean(list(found["each"].values())), abs=0.1)


def test_an_inverted_passage_comes_back(subject: Subject) -> None:
    found = inversion(subject)
    assert found["passages"] == PASSAGES
    assert found["round_trip_cosine_least"] > 0.9


def test_the_teacher_is_asked_by_its_own_class_names(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"sound {i}" for i in range(CLASSES)]
    names[140], names[150], names[27] = "Piano", "Drums", "Singing"
    monkeypatch.setattr("recipes.builtin.report.evaluate.labels", lambda: names)
    logits = np.random.default_rng(0).normal(0, 0.1, (PASSAGES, CLASSES)).astype(np.float32)
    for row, column in enumerate((140, 150, 27)):
        logits[4 * row : 4 * row + 4, column] += 5
    assert teacher_recalls(subject, logits)["R@1"] == 100


def test_another_power_is_another_search_space(subject: Subject) -> None:
    other = whitened(subject, 0.0)
    assert other.model.whitening.power == 0
    assert subject.model.whitening.power != 0
    point = unit(np.ones((1, 128), np.float32))
    assert other.model.whitening.apply(point).shape == (1, 128)


@pytest.fixture
def work(tmp_path: Path, subject: Subject) -> Path:
    """What the steps of the recipe leave for the card."""
    result = asked(subject, perfect(subject), 0)
    report = {
        **dict.fromkeys(card.TITLES, result),
        "settings": {**vars(subject.how), "seed": 0},
        "speed": {"draw_s": 0.151},
        "inversion": {
            "passages": 40,
            "round_trip_cosine": 0.9999,
            "round_trip_cosine_least": 0.9987,
            "inverted_noise_sd": 0.97,
        },
        "teacher": {"R@1": 25.0, "R@5": 50.0, "R@10": 67.2},
        "model": "64fd5751cab62052",
        "whitening_power": 0.5,
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    (tmp_path / "retriever").mkdir()
    run = {"steps": 6000, "batch": 64, "seconds": 1080, "passages": 13495, "captions": 70083}
    (tmp_path / "retriever" / "metrics.json").write_text(json.dumps(run))
    sources = [
        {"artist": "Zoe", "title": "Last", "licence": "CC-BY-4.0"},
        {"artist": "Ann", "title": "First", "licence": "CC0"},
        {"artist": "Ann", "title": "Again", "licence": "CC0"},
        {"title": "of a package", "licence": "GPL-2+"},
    ]
    (tmp_path / "sources.jsonl").write_text("\n".join(map(json.dumps, sources)) + "\n")
    store = PreparedFolder(tmp_path)
    for name, split, seconds in (("a", "train", 7200), ("b", "test", 1800)):
        record = {"id": name, "split": split, "source": "games", "licence": "GPL-2+"}
        rows = {"logits": np.zeros((seconds, 1), np.float16)}
        store.add(record, rows)
    return tmp_path


def test_the_card_has_the_figures_of_the_report_and_the_lists(work: Path) -> None:
    report = json.loads((work / "report.json").read_text())
    text = card.text(work, report, "retriever", SHIPPED)
    assert "| games | 1 | 1 | 2.50 | GPL-2+ (2) |" in text
    assert "In total 2.0 h for training and 0.5 h held out" in text
    assert "- Ann: Again; First. CC0.\n- Zoe: Last. CC-BY-4.0." in text
    assert "of a package" not in text
    assert "6,000 steps of 64 in 18 minutes" in text
    assert "13,495 passages" in text
    assert "17.5 MB in half precision" in text
    assert "takes 0.15 s of one core" in text
    assert "25.0 / 50.0 / 67.2 (R@1 / 5 / 10)" in text
    for title in card.TITLES.values():
        assert f"### {title}\n" in text
    assert text.count("Average precision of each query, as gdr ships: slow piano") == 2
    assert text.count(f"| {RIDGE_ROW}") == 2 * len(card.TITLES)
    assert "taken from a finished model" in text, "no log of an encoder's training is there"


def test_other_languages_are_compared_with_the_same_names_in_english(work: Path) -> None:
    report = json.loads((work / "report.json").read_text())
    report["genres"]["each"] = {"jazz": 0.8, "reggae music": 0.1}
    report["moods"]["each"] = {"sad, melancholy music": 0.4}
    names = {kind: name for name, kind in ABROAD["japanese"].items()}
    cells = {GDR: 45.0, ALONE: 31.25, TOWER: 40.0}
    rows = {system: {"mAP %": {"value": value}} for system, value in cells.items()}
    each = {names["Jazz"]: 0.6, names["Sad music"]: 0.3}
    report["japanese"] = {"tables": [{"rows": rows}], "each": each}
    text = card.text(work, report, "retriever", SHIPPED)
    assert "| Japanese | 45.0 | 31.2 | 40.0 | 0.75 |" in text
    assert "| Spanish" not in text, "it was not asked"


def test_the_encoders_training_is_reported_where_there_is_a_log(work: Path) -> None:
    (work / "encoder").mkdir()
    log = {
        "step": 8206,
        "batch": 256,
        "elapsed": 360,
        "device": "a GPU",
        "music": 0.815,
        "voice": 0.79,
        "tags": 0.77,
        "start": "builtin",
    }
    (work / "encoder" / "log.jsonl").write_text('{"step": 1}\n' + json.dumps(log) + "\n")
    text = card.training(work, "retriever")
    assert "8,206 steps of 256 crops of 6 s in 6.0 minutes on a GPU, beginning with" in text
    assert "second teacher's 50 tags: 0.770" in text
    assert "0.815 (singing and other voices: 0.790)" in text
