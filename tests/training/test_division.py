"""Leaks, planted: no caption is asked that was read, and no sound answers that was heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.data import Dataset, Item, Splits
from training.data.corpus import Corpus, read_corpus
from training.data.division import Division, divide
from training.evaluation.retrieval import Answers, search_captions
from training.evaluation.subjects import opened
from training.runs.batches import Pairs
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.known import read_known
from training.runs.space import Space

TRACKS = 20


def write(folder: Path, captions: list[tuple[str, str]], sounds: dict[str, int]) -> str:
    """Arrays of captions (track, words); tracks of one number in `sounds` have one sound."""
    rng = np.random.default_rng(0)
    heard = rng.uniform(0.1, 0.9, (100, 6)).astype(np.float32)
    path = folder / "planted.npz"
    np.savez(
        path,
        posterior=np.stack([heard[sounds.get(t, int(t[1:]))] for t, _ in captions]),
        caption=np.array([words for _, words in captions]),
        track_id=np.array([track for track, _ in captions]),
    )
    return str(path)


def own_words() -> list[tuple[str, str]]:
    """Two captions of its own for every track."""
    return [(f"t{i}", f"words {i} {j}") for i in range(TRACKS) for j in (0, 1)]


def trained_words(corpus: Corpus, division: Division) -> set[str]:
    return {corpus.words[row] for row in corpus.caption_of[division.items]}


def asked_words(corpus: Corpus, division: Division) -> set[str]:
    return {corpus.words[row] for row in corpus.caption_of[division.asked]}


def planted(tiny: RunConfig, path: str) -> RunConfig:
    data = replace(tiny.data, path=path, labels="", floor=None, components=None)
    captions = replace(tiny.captions, written=0, written_share=0.0)
    return replace(tiny, data=data, captions=captions)


def test_a_planted_caption_is_never_trained_on_and_asked(tiny: RunConfig, tmp_path: Path) -> None:
    """One caption on four tracks, written in three ways: wherever they fall, it does not count."""
    ways = ("A warm piano.", "a warm piano", "A  WARM PIANO!", "a warm piano")
    rows = own_words() + [(f"t{5 * i}", way) for i, way in enumerate(ways)]
    config = planted(tiny, write(tmp_path, rows, {}))
    corpus = read_corpus(config.data)
    assert corpus.splits.together == (("t0", "t10", "t15", "t5"),)
    seen = 0
    for part in corpus.splits.parts:
        division = corpus.divided(part, 0.1)
        assert not trained_words(corpus, division) & asked_words(corpus, division)
        assert not (division.trained & (division.held_out | division.validation)).any()
        if "a warm piano" in asked_words(corpus, division):
            seen += 1
            asked = [corpus.words[row] for row in corpus.caption_of[division.asked]]
            assert asked.count("a warm piano") == 1
            row = np.flatnonzero(division.asked)[asked.index("a warm piano")]
            only = np.zeros_like(division.asked)
            only[row] = True
            assert corpus.correct(only).sum() == 4
        pairs = Pairs(corpus, part, Space.fit(config.data, corpus.latents), config, 1)
        read = {corpus.words[row] for row in pairs.caption}
        assert not read & asked_words(corpus, division)
    assert seen == 1


def test_chance_counts_every_right_answer(tiny: RunConfig, tmp_path: Path) -> None:
    rows = own_words() + [(f"t{5 * i}", "a warm piano") for i in range(4)]
    config = planted(tiny, write(tmp_path, rows, {}))
    corpus = read_corpus(config.data)
    part = next(p for p, tracks in corpus.splits.parts.items() if "t0" in tracks)
    train_on_corpus(config, part, tmp_path / "run")
    answers = Answers()
    with opened(str(tmp_path / "run")) as subject:
        search_captions(subject, answers, 0, wanted=())
        of_piano = subject.captions.index("a warm piano")
        assert subject.right[of_piano].sum() == 4
    # Ten of twenty places, one or four right answers.
    one, four = 50.0, 100 * (1 - 210 / 4845)
    wanted = [four if i == of_piano else one for i in range(len(answers.chance))]
    assert answers.chance == pytest.approx(wanted)


def test_a_sound_under_two_names_is_on_one_side(tiny: RunConfig, tmp_path: Path) -> None:
    config = planted(tiny, write(tmp_path, own_words(), {"t3": 14, "t7": 1}))
    corpus = read_corpus(config.data)
    assert corpus.splits.together == (("t1", "t7"), ("t14", "t3"))


def test_a_caption_of_most_tracks_is_not_asked(tiny: RunConfig, tmp_path: Path) -> None:
    rows = own_words() + [(f"t{i}", "Instrumental") for i in range(12)]
    corpus = read_corpus(planted(tiny, write(tmp_path, rows, {})).data)
    for part in corpus.splits.parts:
        division = corpus.divided(part, 0.1)
        assert "instrumental" in trained_words(corpus, division)
        assert "instrumental" not in asked_words(corpus, division)
        assert division.asked.sum() == 10
        assert (division.left_out, division.repeated) == (1, 0)
        assert division.said() == "1 captions are left out, because they were also trained on."


def divided(splits: Splits, part: str, rows: list[tuple[str, str]], sounds: list[str]) -> Division:
    tracks = list(dict.fromkeys(track for track, _ in rows))
    words = list(dict.fromkeys(said for _, said in rows))
    return divide(
        splits,
        part,
        0.0,
        tracks=tracks,
        sounds=sounds,
        track_of=np.array([tracks.index(track) for track, _ in rows]),
        said_of=np.array([words.index(said) for _, said in rows]),
    )


def test_a_set_with_its_own_split_is_asked_all_of_it() -> None:
    """What training has in common with it, a caption and a sound, training goes without."""
    rows = [(f"t{i}", f"words {i}") for i in range(20)] + [("t2", "rain"), ("t17", "rain")]
    items = tuple(
        Item(track, said, split="test" if int(track[1:]) >= 15 else "train") for track, said in rows
    )
    sounds = [f"s{i}" for i in range(20)]
    sounds[5] = sounds[16]
    found = divided(Splits.given(Dataset("set", items)), "test", rows, sounds)
    assert found.asked.sum() == 6
    assert found.held_out.sum() == 5
    assert not found.trained[5]
    assert found.items.sum() == 14  # of 15 tracks one is left out, and "rain" is not read
    assert (found.left_out, found.repeated) == (1, 0)


def test_where_all_words_repeat_it_is_said() -> None:
    """Tags of genres: every held-out caption was read, with other tracks."""
    rows = [(f"t{i}", ("jazz", "rock", "techno")[i % 3]) for i in range(30)]
    dataset = Dataset("tags", tuple(Item(track, said) for track, said in rows))
    splits = Splits.folds(dataset, 5)
    assert splits.together == ()
    found = divided(splits, "0", rows, [str(i) for i in range(30)])
    assert found.repeated == found.asked.sum() > 0
    assert "measures new sounds, not new words" in found.said()


def test_a_run_keeps_what_it_read_and_heard(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    train_on_corpus(tiny, "0", tmp_path, corpus=corpus)
    division = corpus.divided("0", tiny.data.validation)
    read, heard = read_known(tmp_path).of(corpus)
    np.testing.assert_array_equal(heard, ~division.held_out)
    np.testing.assert_array_equal(read, ~division.held_out[corpus.track_of])


def test_an_evaluation_goes_by_the_splits_of_its_run(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    """A set that was divided otherwise since then does not move tracks into the held-out part."""
    other = replace(
        corpus,
        splits=replace(
            corpus.splits,
            parts={
                str((int(part) + 1) % 4): tracks for part, tracks in corpus.splits.parts.items()
            },
        ),
    )
    train_on_corpus(tiny, "0", tmp_path, corpus=other)
    with opened(str(tmp_path)) as subject:
        assert set(subject.groups) == set(other.splits.parts["0"])
        assert set(subject.groups) != set(corpus.splits.parts["0"])
