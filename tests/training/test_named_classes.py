"""Classes that words name, fitted on captions without sound and fused with the draws of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_set import KINDS, table

from gdr_model.encoders.builtin.tower import NamedClasses
from gdr_model.search.whitening import unit
from training.data.corpus import Corpus
from training.evaluation.retrieval import (
    GDR,
    TOWER,
    TOWER_NAMED,
    UNNAMED,
    Answers,
    search_captions,
)
from training.evaluation.subjects import opened
from training.retrievers.fused import fused
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.space import Space
from training.runs.state import load_model
from training.words.borrowed import read_labelled
from training.words.named import named_classes

CPU = torch.device("cpu")


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return table(tmp_path)


@pytest.fixture
def config(tiny: RunConfig, words: Path) -> RunConfig:
    captions = replace(
        tiny.captions, borrowed=str(words), borrowed_share=0.5, bank=10, classes=True
    )
    network = {**tiny.network, "unit_text": True}
    return replace(tiny, captions=captions, network=network, tower_share=0.4)


def fitted(words: Path, corpus: Corpus, space: Space) -> NamedClasses:
    usual = unit(corpus.texts.pooled).mean(0)
    return named_classes(read_labelled(words), corpus, usual, space)


@pytest.mark.parametrize("components", [4, None])
def test_words_lead_to_the_tracks_that_have_the_classes_they_name(
    words: Path, tiny: RunConfig, corpus: Corpus, components: int | None
) -> None:
    """No caption of a track is read: the table and the names alone say what is meant."""
    space = Space.fit(replace(tiny.data, components=components), corpus.latents)
    passages = space.search(space.standard(corpus.means))
    said = ["somebody at the piano", "drumming", "jazz in a bar", "rock, electric guitars"]
    pooled = torch.from_numpy(corpus.reader.embed(said).pooled)
    points = fitted(words, corpus, space)(pooled)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(4))
    best = np.argsort(-(points.numpy() @ passages.T))[:, :5]
    kind = corpus.means.argmax(1)
    assert [list(kind[rows]) for rows in best] == [[k] * 5 for k in range(len(KINDS))]
    longer = fitted(words, corpus, space)(3 * pooled)
    torch.testing.assert_close(longer, points)


def test_half_are_the_labels_and_half_the_names(
    words: Path, tiny: RunConfig, corpus: Corpus
) -> None:
    space = Space.fit(tiny.data, corpus.latents)
    classes = fitted(words, corpus, space)
    text = unit(corpus.reader.embed(["piano and drums"]).pooled)
    said = text - unit(corpus.texts.pooled).mean(0)
    rows = [row for row in read_labelled(words) if row.classes & set(KINDS)]
    table_texts = unit(corpus.pooled([row.caption for row in rows]))
    table_texts = table_texts - table_texts.mean(0)
    has = np.array([[name in row.classes for name in corpus.labels] for row in rows], np.float32)
    wanted = (has - has.mean(0)) / np.sqrt(np.maximum(has.std(0), 0.02))
    solved = np.linalg.solve(table_texts.T @ table_texts + np.eye(384), table_texts.T @ wanted)
    likely = np.exp(said @ unit(corpus.pooled(corpus.labels)).T / 0.1)
    likely = likely / likely.sum()
    sum_of_both = unit(said @ solved) + unit(likely - likely.mean())
    # Towards a class is where a track goes that has more of it.
    raw = np.exp(np.log(corpus.means[:1] + 1e-3) + 0.01 * sum_of_both) - 1e-3
    x = space.standard(np.concatenate([corpus.means[:1], raw]).astype(np.float64))
    moved = unit((x[1] - x[0]) * space.sd / space.spread**space.power)
    np.testing.assert_allclose(classes(torch.from_numpy(text)).numpy()[0], moved, atol=2e-3)


def test_a_run_keeps_them_and_fuses_them_with_its_draws_alone(
    config: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    folder, plain = tmp_path / "run", tmp_path / "plain"
    train_on_corpus(config, "0", folder, corpus=corpus)
    without = replace(config, captions=replace(config.captions, classes=False))
    train_on_corpus(without, "0", plain, corpus=corpus)
    run = load_model(folder)
    made, kept = (fused(folder, run, corpus, CPU).tower for _ in range(2))
    pooled = torch.from_numpy(corpus.texts.pooled)
    assert made.named is not None
    with torch.inference_mode():
        together = made.fused(pooled)
        torch.testing.assert_close(kept.fused(pooled), together)
        both = unit((made(pooled) + made.named(pooled)).numpy())
    np.testing.assert_allclose(together.numpy(), both, atol=1e-6)
    of_run, of_plain = Answers(), Answers()
    with opened(str(folder)) as subject:
        search_captions(subject, of_run, 0, wanted=("tower",))
    with opened(str(plain)) as subject:
        assert subject.model.networks is not None
        assert subject.model.networks.contrastive.named is None
        search_captions(subject, of_plain, 0, wanted=("tower",))
    assert of_run.ranks[UNNAMED] == of_plain.ranks[GDR]
    assert of_run.ranks[TOWER] == of_plain.ranks[TOWER]
    assert of_run.ranks[TOWER_NAMED] != of_run.ranks[TOWER]
    assert of_run.ranks[GDR] != of_run.ranks[UNNAMED]
    assert UNNAMED not in of_plain.ranks
    assert TOWER_NAMED not in of_plain.ranks
