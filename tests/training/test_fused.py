"""The tower's share of a score: chosen on the validation part, kept, and what a search uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gdr_model.encoders.builtin.tower import ContrastiveTower
from training.data.corpus import Corpus
from training.evaluation.subjects import opened
from training.retrievers import fused as module
from training.retrievers.fused import SHARES, UNMEASURED, chosen_share, fused
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.state import Finished, RunError, load_model

CPU = torch.device("cpu")


class Oracle(ContrastiveTower):
    """A tower that knows the answers, or their opposites."""

    def __init__(self, corpus: Corpus, run: Finished, sign: float) -> None:
        super().__init__(corpus.texts.pooled.shape[1], run.space.dim)
        points = run.space.search(
            np.stack([run.space.standard(track).mean(0) for track in corpus.latents])
        )
        self.known = torch.from_numpy(corpus.texts.pooled)
        answers = np.zeros((len(corpus.captions), run.space.dim), np.float32)
        answers[corpus.caption_of] = sign * points[corpus.track_of]
        self.answers = torch.from_numpy(answers)

    def forward(self, pooled: torch.Tensor) -> torch.Tensor:
        return self.answers[(pooled @ self.known.T).argmax(1)]


@pytest.fixture
def run(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Finished:
    """A run with enough validation captions to choose on."""
    monkeypatch.setattr(module, "LEAST", 4)
    config = replace(tiny, data=replace(tiny.data, validation=0.4))
    train_on_corpus(config, "0", tmp_path / "run", corpus=corpus)
    return load_model(tmp_path / "run")


def test_the_share_is_what_ranks_the_validation_part_best(run: Finished, corpus: Corpus) -> None:
    best, captions = chosen_share(run, corpus, Oracle(corpus, run, 1.0))
    assert captions == corpus.divided("0", 0.4).checked.sum() == 12
    worst, _ = chosen_share(run, corpus, Oracle(corpus, run, -1.0))
    assert worst == 0.0
    assert best > 0.4


def test_the_held_out_part_has_no_say(run: Finished, corpus: Corpus) -> None:
    """A tower that knows the held-out answers alone is worth nothing."""
    division = corpus.divided("0", 0.4)
    right, wrong = Oracle(corpus, run, 1.0), Oracle(corpus, run, -1.0)
    for row in set(corpus.caption_of[division.asked].tolist()):
        wrong.answers[row] = right.answers[row]
    assert chosen_share(run, corpus, wrong)[0] == 0.0


def test_few_captions_choose_nothing(tiny: RunConfig, corpus: Corpus, tmp_path: Path) -> None:
    train_on_corpus(tiny, "0", tmp_path / "run", corpus=corpus)
    found = fused(tmp_path / "run", load_model(tmp_path / "run"), corpus, CPU)
    assert (found.share, found.captions) == (UNMEASURED, 0)
    assert UNMEASURED in SHARES


def test_tower_and_share_are_made_once_and_kept(
    run: Finished, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    first = fused(folder, run, corpus, CPU)
    monkeypatch.setattr(module, "train_tower", None)
    second = fused(folder, run, corpus, CPU)
    assert (second.share, second.captions) == (first.share, first.captions) == (first.share, 12)
    pooled = torch.from_numpy(corpus.texts.pooled)
    torch.testing.assert_close(second.tower(pooled), first.tower(pooled))
    with opened(str(folder)) as subject:
        assert subject.model.config.anchor_share == first.share
    (folder / "tower.safetensors").write_bytes(b"")
    with pytest.raises(RunError, match="cannot be read"):
        fused(folder, run, corpus, CPU)
