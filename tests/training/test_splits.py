"""Splits by track: what is asked in one part was not trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gdr_model.errors import UsageError
from training.data import Dataset, DatasetError, Item, Splits


def captions(tracks: int) -> Dataset:
    return Dataset("set", tuple(Item(f"t{i // 2}", f"words {i}") for i in range(2 * tracks)))


def test_folds_are_by_track_whole_and_equal_whatever_the_order() -> None:
    dataset = captions(23)
    folds = Splits.folds(dataset, 5, seed=3)
    assert sorted(len(tracks) for tracks in folds.parts.values()) == [4, 4, 5, 5, 5]
    folds.check(dataset.tracks)
    assert folds.together == ()
    train, test = folds.fold(2)
    assert set(train) | set(test) == set(dataset.tracks)
    assert not set(train) & set(test)
    assert test == folds.parts["2"]
    assert len(dataset.of(test).items) == 2 * len(test)
    turned = Dataset("set", dataset.items[::-1])
    assert Splits.folds(turned, 5, seed=3) == folds
    assert Splits.folds(dataset, 5, seed=4) != folds


def test_splits_never_change_between_machines_or_versions() -> None:
    assert Splits.folds(captions(8), 3, seed=1).parts == PINNED
    assert Splits.folds(captions(8), 2, seed=1).validation("0", 0.5) == ("t0", "t1")


PINNED = {"0": ("t0", "t4", "t5"), "1": ("t1", "t3", "t7"), "2": ("t2", "t6")}


def test_stored_splits_are_verified(tmp_path) -> None:
    items = (*captions(10).items, Item("t3", "Said twice."), Item("t8", "said, twice"))
    splits = Splits.folds(Dataset("set", items), 3, seed=7)
    assert splits.together == (("t3", "t8"),)
    path = tmp_path / "splits.json"
    splits.save(path)
    assert Splits.read(path) == splits
    assert len(json.loads(path.read_text())["sha256"]) == 64
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 8'))
    with pytest.raises(DatasetError, match="was changed after it was written"):
        Splits.read(path)
    for text in ("", "[]", "{}", '{"sha256": ""}'):
        path.write_text(text)
        with pytest.raises(DatasetError, match="cannot be read as splits"):
            Splits.read(path)
    with pytest.raises(DatasetError, match="cannot be read as splits"):
        Splits.read(tmp_path / "nothing.json")


def part_of(splits: Splits) -> dict[str, str]:
    return {track: part for part, tracks in splits.parts.items() for track in tracks}


def test_tracks_with_one_caption_or_one_sound_are_in_one_fold() -> None:
    """A caption repeated in other letters, a chain of them, a sound under two names, one file."""
    repeated = (
        Item("t0", "Warm, solo piano."),
        Item("t7", "warm solo PIANO"),
        Item("t7", "rain"),
        Item("t9", "Rain!"),
        Item("t4", "a clip", Path("long.wav"), start_s=0.0),
        Item("t5", "another clip", Path("long.wav"), start_s=30.0),
    )
    dataset = Dataset("set", (*captions(20).items, *repeated))
    sounds = {track: track for track in dataset.tracks} | {"t12": "t2"}
    for seed in range(20):
        splits = Splits.folds(dataset, 5, seed, sounds)
        assert splits.together == (("t0", "t7", "t9"), ("t12", "t2"), ("t4", "t5"))
        part = part_of(splits)
        for group in splits.together:
            assert len({part[track] for track in group}) == 1
        assert sorted(map(len, splits.parts.values())) == [4, 4, 4, 4, 4]


def test_a_caption_of_most_tracks_does_not_tie_them_together() -> None:
    everywhere = tuple(Item(f"t{i}", "instrumental") for i in range(15))
    pair = (Item("t0", "rain"), Item("t19", "rain"))
    splits = Splits.folds(Dataset("set", (*captions(20).items, *everywhere, *pair)), 5, seed=0)
    assert splits.together == (("t0", "t19"),)
    assert sorted(map(len, splits.parts.values())) == [4, 4, 4, 4, 4]


def test_validation_takes_whole_groups_of_the_other_tracks() -> None:
    items = (*captions(40).items, Item("t1", "rain"), Item("t2", "rain"), Item("t3", "Rain"))
    for seed in range(10):
        splits = Splits.folds(Dataset("set", items), 4, seed)
        rest, out = splits.fold("1")
        chosen = splits.validation("1", 0.2)
        assert len(chosen) == round(0.2 * len(rest))
        assert set(chosen) <= set(rest)
        assert not set(chosen) & set(out)
        assert len({"t1", "t2", "t3"} & set(chosen)) in (0, 3)
    assert splits.validation("1", 0.0) == ()


def test_sounds_that_are_all_one_cannot_be_divided() -> None:
    dataset = captions(6)
    with pytest.raises(UsageError, match="share sounds, and make only 1 groups"):
        Splits.folds(dataset, 2, 0, dict.fromkeys(dataset.tracks, "silence"))


def test_splits_of_the_dataset_itself_must_not_share_a_track() -> None:
    items = (Item("a", "1", split="train"), Item("b", "2", split="test"))
    assert Splits.given(Dataset("s", items)).parts == {"train": ("a",), "test": ("b",)}
    with pytest.raises(DatasetError, match="track a of s is in train and in test"):
        Splits.given(Dataset("s", (*items, Item("a", "3", split="test"))))
    with pytest.raises(DatasetError, match="names no splits"):
        Splits.given(captions(2))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Splits.folds(captions(3), 4), UsageError, "4 folds of 3 tracks"),
        (lambda: Splits.folds(captions(3), 1), UsageError, "1 folds"),
        (lambda: Splits.folds(captions(5)).fold(5), UsageError, "no split 5"),
        (lambda: Splits.folds(captions(5)).check(captions(6).tracks), DatasetError, "t5 is new"),
        (lambda: Splits.folds(captions(5)).check(captions(4).tracks), DatasetError, "t4 is gone"),
    ],
)
def test_splits_that_cannot_be_meant_are_refused(call, error, said) -> None:
    with pytest.raises(error, match=said):
        call()
