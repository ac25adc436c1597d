"""The teacher as it is: a pair's own text by its own audio, as a search with the bare pair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gdr_model import decode
from gdr_model.errors import ModelError, SpaceMismatch
from gdr_model.models import checkpoint
from gdr_model.search.retriever import Retriever
from gdr_model.steering import Steering
from gdr_model.types import Method
from training.data import Dataset, Item
from training.data.config import DataConfig
from training.data.corpus import read_corpus
from training.data.extract import extract
from training.evaluation import teacher
from training.evaluation.retrieval import ALONE, GDR, TEACHER, TOWER, Answers, search_captions
from training.evaluation.subjects import opened
from training.evaluation.table import table
from training.retrievers.export import export
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus

TRACKS = 14
REPEATED = "the same words"


@pytest.fixture(scope="module")
def clap(tiny_clap: Path) -> checkpoint.Model:
    return checkpoint.load(str(tiny_clap), "cpu")


@pytest.fixture(scope="module")
def extracted(clap: checkpoint.Model, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Bands of noise, two of them with one caption, encoded by a small CLAP."""
    folder = tmp_path_factory.mktemp("noises")
    items = []
    for number in range(TRACKS):
        rng = np.random.default_rng(number)
        spectrum = np.fft.rfft(rng.standard_normal(2 * 48_000))
        spectrum[round(len(spectrum) / (number + 1.5)) :] = 0
        path = folder / f"{number}.wav"
        soundfile.write(path, np.fft.irfft(spectrum), 48_000)
        items.append(Item(f"t{number}", f"noise number {number}", path))
    items += [Item(f"t{n}", REPEATED, folder / f"{n}.wav") for n in (3, 8)]
    dataset = Dataset("noises", tuple(items))
    names = {"model": clap.config.argument, "text_encoder": clap.config.text.name}
    extract(dataset, clap.encoder, clap.text, folder / "set", **names)
    return str(folder / "set")


@pytest.fixture(scope="module")
def run(extracted: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run on the noises, with its model."""
    config = decode.into(
        RunConfig,
        {
            "name": "noises",
            "data": {"path": extracted, "folds": 3},
            "network": {"kind": "mlp", "widths": [16], "condition_width": 16},
            "optimiser": {"steps": 6, "batch": 8, "warmup": 2, "ema": 0.9},
        },
    )
    folder = tmp_path_factory.mktemp("runs") / "noises"
    train_on_corpus(config, "0", folder)
    export(folder, read_corpus(config.data))
    return str(folder)


def test_a_bare_pair_ranks_as_its_own_search(extracted: str, clap: checkpoint.Model) -> None:
    answers = Answers()
    with opened(clap.config.argument, extracted) as subject:
        search_captions(subject, answers, 0)
        assert list(answers.ranks) == [TEACHER]
        assert subject.captions.count(REPEATED) == 1
        retriever = Retriever(clap, [subject.gallery.library])
        for row, caption in enumerate(subject.captions):
            asked = Steering(caption, seed=0)
            hits = retriever.search(asked, k=TRACKS, method=Method.CONTRASTIVE).hits
            columns = [subject.gallery.column[hit.track.content] for hit in hits]
            first = next(i for i, column in enumerate(columns) if subject.right[row, column])
            assert answers.ranks[TEACHER][row] == 1 + first
        both = subject.captions.index(REPEATED)
        assert subject.right[both].sum() == 2


def test_a_run_is_compared_with_its_teacher(run: str) -> None:
    answers = Answers()
    with opened(run) as subject:
        search_captions(subject, answers, 0, wanted=("teacher", "tower"))
        corpus = subject.corpus
        points = np.stack([track.mean(0) for track in corpus.latents])
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        pooled = subject.embedding(False).pooled
        pooled = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        scores = pooled @ points.T
        best = np.where(subject.right, scores, -np.inf).max(1, keepdims=True)
        assert answers.ranks[TEACHER] == (1 + (scores > best + 1e-6).sum(1)).tolist()
    assert set(answers.ranks) >= {GDR, ALONE, TOWER, TEACHER}


def test_what_ships_is_what_a_search_finds(run: str) -> None:
    """The first row is the list of `gdr search --model RUN`, at the exported model's share."""
    model = checkpoint.load(run, "cpu")
    answers = Answers()
    with opened(run) as subject:
        assert subject.model.config.anchor_share == model.config.anchor_share
        search_captions(subject, answers, 5, wanted=())
        retriever = Retriever(model, [subject.gallery.library])
        for row, caption in enumerate(subject.captions):
            hits = retriever.search(Steering(caption, seed=5), k=TRACKS).hits
            scores = {hit.track.title: hit.score for hit in hits}
            right = [subject.corpus.tracks[i] for i in np.flatnonzero(subject.right[row])]
            best = max(scores[name] for name in right)
            # Captions are kept in half precision: what is nearly equal can change places.
            above, near = (
                sum(score > best + margin for score in scores.values()) for margin in (1e-4, -1e-4)
            )
            assert 1 + above <= answers.ranks[GDR][row] <= 1 + near


def test_who_shares_a_space(extracted: str, clap: checkpoint.Model) -> None:
    corpus = read_corpus(DataConfig(extracted, folds=3))
    assert teacher.shares_a_space(corpus)
    assert teacher.shares_a_space(replace(corpus, model="clap"))
    assert teacher.shares_a_space(replace(corpus, model="muscall@5"))
    for other in ("", "builtin", "clap-t5", "mule-t5", "no such model"):
        assert not teacher.shares_a_space(replace(corpus, model=other))


def test_the_table_has_models_by_sets(run: str, extracted: str, clap: checkpoint.Model) -> None:
    """In its own set the run is asked what it holds out; a model of another space has dashes."""
    names = [clap.config.argument, run]
    (found,), about = table(names, [extracted], resamples=20)
    pair = Path(clap.config.argument).name
    assert [row for row, _ in found.rows] == [
        f"{pair}, teacher, untrained",
        "noises, contrastive tower",
        "noises, gdr",
    ]
    assert found.columns == ("noises R@10", "noises R@1", "noises R@5", "noises MedR %")
    assert about["sets"]["noises"].count("captions among 14 tracks, chance") == 2
    with pytest.raises(SpaceMismatch), opened("builtin", extracted):
        pass
    (mixed,), about = table([run, "builtin"], [extracted], resamples=20)
    assert len(about["not_searched"]) == 1
    assert "A dash: the model searches another space" in mixed.note
    assert [row for row, _ in mixed.rows] == [row for row, _ in found.rows]
    with pytest.raises(ModelError):
        table(["no such model"], [extracted])
