"""The sets under the teachers' labels."""

from __future__ import annotations

import numpy as np
from prepared import track

from gdr_model.models import checkpoint
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.report.labels import LIKELY, Labelled, labelled, queries
from recipes.builtin.report.sets import SHARE, Passage
from training.words.teacher import CLASSES

NAMES = ("Piano", "Jazz", "Happy music", "Rapping", "Vehicle")


def test_every_class_of_music_is_asked_once_in_plain_words() -> None:
    assert queries(NAMES) == {
        "piano": "Piano",
        "rapping": "Rapping",
        "jazz music": "Jazz",
        "happy music": "Happy music",
    }


def test_a_class_that_nobody_hears_is_no_caption_and_the_others_hold_a_tenth() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(40, len(NAMES))).astype(np.float32)
    likely = np.full_like(scores, LIKELY + 1)
    likely[:, NAMES.index("Jazz")] = LIKELY - 1
    passages = [Passage(str(i), np.zeros((2, 3), np.float32), scores[i]) for i in range(40)]
    found = Labelled(passages, likely).captioned(NAMES)
    assert {caption for one in found for caption in one.captions} == {
        "piano",
        "rapping",
        "happy music",
    }
    held = {int(one.name) for one in found if "piano" in one.captions}
    assert held == set(np.argsort(-scores[:, 0])[: round(SHARE * 40)].tolist())


def test_tracks_become_passages_of_24_seconds_with_both_teachers_opinion() -> None:
    tracks = [track(name, "source", seconds, seed) for seed, (name, seconds) in enumerate(
        (("a", 50), ("b", 30), ("c", 24)))]  # fmt: skip
    corpus = CorpusStatistics.fit(tracks, [f"class {n}" for n in range(CLASSES)])
    found = labelled(tracks, corpus, checkpoint.load("builtin", "cpu"))
    assert [one.name for one in found.passages] == ["a@0", "a@26", "b@0", "c@0"]
    assert all(len(one.latents) == 24 for one in found.passages)
    assert found.likely.shape == (4, len(corpus.classes.names))
    assert (found.likely < 0).all()
