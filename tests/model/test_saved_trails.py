"""A saved trail: what it holds, what it refuses, what it says has changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from gdr_model.audio import Tags
from gdr_model.errors import UsageError
from gdr_model.limits import Limits
from gdr_model.models.config import SHIPPED, ModelConfig
from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint, SavedQuery, SavedTrail
from gdr_model.steering import Edit, Steering, WeightedText
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp
from gdr_model.types import LatentSpace

SPACE = LatentSpace("plain", 8, 16000, 1.0, 1.0, "ab" * 8)
ODD = os.fsdecode(b"/music/caf\xe9 [1]\n.flac")
MODEL = ModelPrint("builtin", "0" * 16)
LIBRARY = LibraryPrint("/music", 40, "1" * 16)


def trail() -> SavedTrail:
    first = Steering("warm dub", negatives=(WeightedText("drums", 0.5),), likes=(ODD,), seed=7)
    second = first.but(prompt="with strings", edit=Edit(ODD, 64.0, 0.4, "warm dub"))
    queries = (
        SavedQuery(1, None, first),
        SavedQuery(4, 1, second, "genre = jazz", "mine", Limits(1, 2)),
    )
    return SavedTrail(queries, MODEL, (LIBRARY,), 50, 4)


def test_a_saved_trail_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    file.write_text(trail().to_json(), encoding="utf-8")
    assert SavedTrail.read(file) == trail()
    assert file.read_bytes().isascii()


def test_queries_are_chosen_by_number() -> None:
    assert trail().chosen(()) == trail().queries
    assert [query.id for query in trail().chosen([4])] == [4]
    with pytest.raises(UsageError, match="no query 3; it has 1 to 4"):
        trail().chosen([3])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "not a saved trail of gdr"),
        ("{", "cannot be read"),
        ('{"gdr_session": 9}', "a newer gdr saved this trail"),
        ('{"gdr_session": 1}', "cannot be read: the field queries is missing"),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "trail.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=why):
        SavedTrail.read(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file .*none\.json"):
        SavedTrail.read(tmp_path / "none.json")


def test_there_are_no_differences_if_nothing_has_changed() -> None:
    moved = LibraryPrint("/elsewhere", 40, LIBRARY.fingerprint)
    assert trail().differences(MODEL, [LIBRARY]) == []
    assert trail().differences(MODEL, [moved]) == []


def test_every_difference_is_one_sentence() -> None:
    other = ModelPrint("mine", "2" * 16)
    assert trail().differences(other, [LibraryPrint("/music", 41, "3" * 16)]) == [
        "the trail was drawn by the model builtin, not mine",
        "/music has changed since: 40 tracks then, 41 now",
    ]
    retrained = ModelPrint("builtin", "2" * 16)
    assert trail().differences(retrained, [LibraryPrint("/other", 4, "3" * 16)]) == [
        "the trail was drawn by the model builtin of other weights",
        "/other is a different library from the trail's",
        "/music is not searched, but was then",
    ]
    retagged = LibraryPrint("/music", 40, "3" * 16)
    assert trail().differences(MODEL, [retagged]) == [
        "/music has changed since: 40 tracks as then, but not the same"
    ]


def test_the_print_of_a_library_follows_its_files_not_their_place(tmp_path: Path) -> None:
    prints = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        with Library.open(tmp_path / folder, create=True) as library:
            sound = Sound("c", 3.0, -20.0)
            library.put_latents(sound, SPACE, np.ones((3, 8), np.float32))
            library.files.put_track(b"caf\xe9.mp3", Stamp(1, 2), sound, Tags())
            prints.append(LibraryPrint.of(library).fingerprint)
            library.files.put_track(b"other.mp3", Stamp(1, 2), sound, Tags())
            prints.append(LibraryPrint.of(library).fingerprint)
    assert prints[0] == prints[2] != prints[1] == prints[3]


def test_the_print_of_a_model_follows_its_weights(tmp_path: Path) -> None:
    copy = shutil.copytree(SHIPPED, tmp_path / "copy")
    first = ModelPrint.of(ModelConfig.read(str(copy)))
    assert first == ModelPrint.of(ModelConfig.read())
    with (copy / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert ModelPrint.of(ModelConfig.read(str(copy))).fingerprint != first.fingerprint
