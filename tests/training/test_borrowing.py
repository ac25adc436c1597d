"""Runs that borrow captions of music that is not there, and correct their draws by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_set import KINDS, SAID, table

from gdr_model.errors import UsageError
from gdr_model.search.drawing import Drawer
from gdr_model.search.indexed.commonness import CommonScores
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data import DatasetError
from training.data.corpus import Corpus
from training.evaluation import baselines
from training.evaluation.retrieval import ALONE, GDR, TOWER, UNCORRECTED, Answers, search_captions
from training.evaluation.subjects import opened
from training.retrievers.fused import fused
from training.retrievers.run_model import run_model
from training.retrievers.together import queries
from training.runs.batches import Pairs
from training.runs.config import CaptionConfig, DrawConfig, RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.space import Space
from training.runs.state import load_model

CPU = torch.device("cpu")


@pytest.fixture
def config(tiny: RunConfig, tmp_path: Path) -> RunConfig:
    captions = replace(
        tiny.captions,
        borrowed=str(table(tmp_path)),
        borrowed_tracks=2,
        borrowed_share=0.5,
        bank=10,
        noise=0.0,
        blended=0.0,
    )
    network = {**tiny.network, "unit_text": True}
    return replace(tiny, captions=captions, network=network, tower_share=0.3)


def pairs_of(config: RunConfig, corpus: Corpus) -> Pairs:
    return Pairs(corpus, "0", Space.fit(config.data, corpus.latents), config, 1)


def is_among(rows: Array, row: Array) -> bool:
    return bool((np.abs(rows - row).max(1) < 1e-6).any())


def test_a_batch_has_its_share_of_them(config: RunConfig, corpus: Corpus) -> None:
    pairs = pairs_of(config, corpus)
    batch = pairs.batch(3)  # 8 rows: 2 of people, 2 written, 4 borrowed
    borrowed = unit(pairs.texts.pooled[np.unique(pairs.borrowed_caption)])
    assert [is_among(borrowed, row) for row in batch.pooled.numpy()] == [False] * 4 + [True] * 4
    held_out = corpus.divided("0", config.data.validation)
    sounds = np.stack([sound.mean(0) for sound in pairs.sound])
    assert len(sounds) == held_out.trained.sum(), "no track that is held out"
    assert all(is_among(sounds, row.mean(0)) for row in batch.x0.numpy())


def test_each_source_has_the_mean_of_people(config: RunConfig, corpus: Corpus) -> None:
    pairs = pairs_of(config, corpus)
    mean = unit(pairs.texts.pooled[pairs.caption]).mean(0)
    rows = np.unique(pairs.borrowed_caption)
    described, named = pairs.texts.pooled[rows[:24]], pairs.texts.pooled[rows[24:]]
    assert len(named) == len(KINDS)
    for source in (described, named):
        np.testing.assert_allclose(source.mean(0), mean, atol=1e-6)
    texts = [f"somebody plays {SAID[i % 4]}, take {i}" for i in range(24)]
    own = unit(corpus.reader.embed(texts).pooled)
    np.testing.assert_allclose(described, own + mean - own.mean(0), atol=1e-5)
    np.testing.assert_array_equal(pairs.bank, rows[:24:3])  # every third, and no name of a class
    again = pairs_of(config, corpus)
    np.testing.assert_array_equal(again.texts.pooled, pairs.texts.pooled)


def test_people_are_taught_as_before_without_borrowed_captions(
    config: RunConfig, corpus: Corpus
) -> None:
    silent = replace(config.captions, borrowed_share=0.0)
    ours = pairs_of(replace(config, captions=silent), corpus).batch(2)
    without = replace(silent, borrowed="", bank=0)
    plain = pairs_of(replace(config, captions=without), corpus).batch(2)
    assert torch.equal(ours.pooled, plain.pooled)
    assert torch.equal(ours.x0, plain.x0)


def test_a_run_keeps_what_corrects_its_draws_and_searches_with_it(
    config: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    train_on_corpus(config, "0", folder, corpus=corpus)
    run = load_model(folder)
    made, kept = (fused(folder, run, corpus, CPU) for _ in range(2))
    assert (made.share, made.captions) == (0.3, 0)
    assert made.common_points is not None
    assert kept.common_points is not None
    np.testing.assert_array_equal(kept.common_points, made.common_points)
    with opened(str(folder)) as subject:
        answers = Answers()
        search_captions(subject, answers, 0, wanted=("tower", "ridge"))
        assert list(answers.ranks)[:2] == [GDR, UNCORRECTED]
        query = subject.retriever.query(DrawConfig().steering("soft piano", 0))
        corrected = subject.scores(query)
        lost = subject.gallery.scores(subject.retriever, query, corrected=False) - corrected
        passages = np.asarray(subject.retriever.libraries[0].index.vectors)
        near = np.exp(passages @ made.common_points.T / 0.07).mean(axis=1)
        np.testing.assert_allclose(lost, 0.7 * 0.07 * np.log(near), atol=1e-5)
        subject.model.common_points = None
        subject.retriever.libraries[0].common = CommonScores(None)
        bare = Answers()
        search_captions(subject, bare, 0, wanted=("tower", "ridge"))
        assert bare.ranks[GDR] == answers.ranks[UNCORRECTED]
        for untouched in (TOWER, baselines.RIDGE):
            assert bare.ranks[untouched] == answers.ranks[untouched]
        assert UNCORRECTED not in bare.ranks
        assert ALONE in bare.ranks


def test_the_bank_is_drawn_as_a_search_draws(
    config: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    """One of its captions, asked for in words whose text is the lent one, draws its point."""
    folder = tmp_path / "run"
    train_on_corpus(config, "0", folder, corpus=corpus)
    run = load_model(folder)
    points = fused(folder, run, corpus, CPU).common_points
    assert points is not None
    pairs = Pairs(corpus, "0", run.space, config, 1)
    assert len(points) == len(pairs.bank) == 8
    said = corpus.captions[0]
    texts = replace(corpus.texts, pooled=corpus.texts.pooled.copy())
    texts.pooled[0] = 3 * pairs.texts.pooled[pairs.bank[2]]  # of any length
    model = run_model(run, replace(corpus, texts=texts), fused(folder, run, corpus, CPU).tower, 0.0)
    (query,) = queries(
        Drawer(model, lambda path: corpus.latents[0]), [DrawConfig().steering(said, 0)]
    )
    np.testing.assert_allclose(query.vectors.mean(0), points[2], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"borrowed_share": 0.5}, "captions.borrowed_share needs borrowed"),
        ({"bank": 5}, "captions.bank needs borrowed"),
        ({"borrowed": "a.csv", "bank": -1}, "captions.bank must not be negative"),
        ({"borrowed": "a.csv", "borrowed_tracks": 0}, "captions.borrowed_tracks must be above 0"),
        (
            {"borrowed": "a.csv", "borrowed_share": 0.6, "written": 1, "written_share": 0.5},
            "captions.written_share and captions.borrowed_share are above 1 together",
        ),
    ],
)
def test_shares_without_captions_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CaptionConfig(**changes)  # type: ignore[arg-type]


def test_a_run_that_cannot_borrow_is_refused_in_a_sentence(
    config: RunConfig,
    tiny: RunConfig,
    corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match=r"captions\.borrowed needs data\.labels"):
        replace(config, data=replace(config.data, labels=""))
    with pytest.raises(UsageError, match=r"captions\.borrowed needs network\.unit_text"):
        replace(config, network=tiny.network)
    with pytest.raises(UsageError, match="tower_share must be 0 or more, and below 1"):
        replace(config, tower_share=1.0)

    def borrowing(path: str) -> RunConfig:
        return replace(config, captions=replace(config.captions, borrowed=path))

    sea = tmp_path / "sea.csv"
    sea.write_text("caption,labels\n" + "\n".join(f"a quiet sea {i},Ocean" for i in range(9)))
    with pytest.raises(UsageError, match=r"no caption of .*sea\.csv has a class of .*labels\.txt"):
        pairs_of(borrowing(str(sea)), corpus)
    with pytest.raises(DatasetError, match=r"none\.csv cannot be read as captions with labels"):
        pairs_of(borrowing(str(tmp_path / "none.csv")), corpus)
    monkeypatch.delenv("GDR_SHARED", raising=False)
    with pytest.raises(UsageError, match="needs the environment variable GDR_SHARED"):
        pairs_of(borrowing("$GDR_SHARED/words.csv"), corpus)
