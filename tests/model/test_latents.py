"""Latents in the store: what comes back, what is cut into passages, what survives a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored import means_of
from storing import OTHER, SPACE, put

from gdr_model.audio import Tags
from gdr_model.errors import Hint, LibraryError
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp, file_stem, former_stem, passage_bounds
from gdr_model.types import PASSAGE_S, LatentSpace

# Latents and passages


def test_latents_come_back_as_float16_rounds_them(library):
    latents = put(library, "a.mp3", seconds=5)
    kept = library.latents("sound of a.mp3", SPACE)
    assert kept.dtype == np.float32
    assert np.array_equal(kept, latents.astype(np.float16))
    kept[:] = 0  # a copy: the file is not touched
    assert library.latents("sound of a.mp3", SPACE).any()


def test_latents_survive_a_restart(library, music):
    kept = {name: put(library, name, seconds=n) for n, name in enumerate("abcdef", 1)}
    library.close()
    with Library.open(music) as again:
        for name, latents in kept.items():
            assert np.array_equal(
                again.latents(f"sound of {name}", SPACE), latents.astype(np.float16)
            )


def test_spaces_live_side_by_side(library):
    first, second = put(library, "a"), put(library, "a", space=OTHER)
    assert library.spaces() == [SPACE, OTHER]
    for space, latents in ((SPACE, first), (OTHER, second)):
        kept = library.latents("sound of a", space)
        assert np.array_equal(kept, latents.astype(np.float16))
        assert len(library.passages(space).ids) == 1


def test_latents_of_one_content_are_stored_once(library):
    first = put(library, "a", "same")
    put(library, "b", "same")
    assert np.array_equal(library.latents("same", SPACE), first.astype(np.float16))
    assert len(library.passages(SPACE).ids) == 1
    assert library.count() == 2
    assert library.contents() == {"same"}


def test_missing_latents_are_named_with_the_next_step(library):
    put(library, "a")
    with pytest.raises(LibraryError, match="no latents of plain") as caught:
        library.latents("unknown", SPACE)
    assert (caught.value.hint, caught.value.facts) == (Hint.INDEX, {"root": str(library.root)})
    with pytest.raises(LibraryError, match="plain"):
        library.latents("sound of a", OTHER)
    assert len(library.passages(OTHER).ids) == 0
    assert means_of(library.passages(OTHER)).shape == (0, 8)


@pytest.mark.parametrize("shape", [(3, 7), (0, 8), (8,)])
def test_latents_that_do_not_fit_the_space_are_refused(library, shape):
    with pytest.raises(LibraryError, match="gave latents of shape"):
        library.put_latents(Sound("c", 3, 0), SPACE, np.zeros(shape, np.float32))
    assert library.spaces() == []


@given(st.integers(1, 10_000))
def test_passages_cover_a_track_evenly(seconds):
    bounds = passage_bounds(seconds)
    lengths = [b - a for a, b in bounds]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == seconds
    assert all(b == a for (_, b), (a, _) in pairwise(bounds))
    assert max(lengths) <= PASSAGE_S
    assert max(lengths) - min(lengths) <= 1
    assert len(bounds) == -(-seconds // PASSAGE_S)


def test_passages_of_gone_tracks_are_left_out_until_they_return(library):
    for name in "abc":
        put(library, name)
    put(library, "copy of b", "sound of b")
    assert library.passages(SPACE).ids.tolist() == [1, 2, 3]
    assert library.passages(SPACE, after=1).contents[:] == ["sound of b", "sound of c"]
    library.files.forget([b"a", b"b"])
    assert library.passages(SPACE).contents[:] == ["sound of b", "sound of c"]
    library.files.forget([b"copy of b"])
    assert library.passages(SPACE).contents[:] == ["sound of c"]
    put(library, "a")
    assert library.passages(SPACE).ids.tolist() == [1, 3]


def test_means_are_those_of_the_passages(library):
    latents = put(library, "long", seconds=130)
    passages = library.passages(SPACE)
    bounds = passage_bounds(130)
    assert passages.starts_s.tolist() == [a for a, _ in bounds]
    assert passages.ends_s.tolist() == [b for _, b in bounds]
    means = np.stack([latents[a:b].mean(0) for a, b in bounds])
    assert means_of(passages) == pytest.approx(means, abs=1e-6)


# Crashes


def test_a_torn_tail_is_written_over(library, music):
    first = put(library, "a")
    library.close()
    for file in (library.store / "latents").iterdir():
        with file.open("ab") as opened:
            opened.write(b"\xff" * 37)
    with Library.open(music) as again:
        assert again.drop_damaged(SPACE) == 0
        second = put(again, "b")
        for name, latents in (("a", first), ("b", second)):
            kept = again.latents(f"sound of {name}", SPACE)
            assert np.array_equal(kept, latents.astype(np.float16))
        means = np.stack([first.mean(0), second.mean(0)])
        assert means_of(again.passages(SPACE)) == pytest.approx(means, abs=1e-6)


def test_a_killed_program_loses_at_most_the_track_it_was_at(music):
    """Kill -9 in the midst of storing; the rest is there and readable."""
    program = f"""
import numpy as np
from pathlib import Path
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp
from gdr_model.audio import Tags
from gdr_model.types import LatentSpace
library = Library.open(Path({str(music)!r}), create=True)
space = LatentSpace("plain", 8, 16000, 1.0, 1.0, "{"ab" * 8}")
for i in range(100000):
    sound = Sound(str(i), 5.0, -20.0)
    library.put_latents(sound, space, np.full((5, 8), i % 100, np.float32))
    library.files.put_track(str(i).encode(), Stamp(1, 2), sound, Tags())
    print(i, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    last = 0
    for line in child.stdout:
        last = int(line)
        if last >= 20:
            break
    child.kill()
    child.communicate()
    with Library.open(music) as library:
        assert library.drop_damaged(SPACE) == 0
        assert library.count() > last
        for track in library.tracks():
            assert (library.latents(track.content, SPACE) == int(track.content) % 100).all()
        put(library, "after")
        assert np.isfinite(means_of(library.passages(SPACE))).all()


@pytest.mark.parametrize("kind", ["f16", "means"])
def test_a_shortened_file_is_noticed_and_mended(library, kind):
    put(library, "a")
    put(library, "b")
    file = next((library.store / "latents").glob(f"*.{kind}"))
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(LibraryError, match="are damaged"):
        library.latents("sound of b", SPACE) if kind == "f16" else means_of(library.passages(SPACE))
    assert library.drop_damaged(SPACE) == 1
    assert library.encoded(SPACE) == {"sound of a"}
    assert len(library.passages(SPACE).ids) == 1
    second = put(library, "b")
    assert np.array_equal(library.latents("sound of b", SPACE), second.astype(np.float16))


def test_a_full_disk_is_one_sentence_and_stores_nothing(library, monkeypatch):
    put(library, "a")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LibraryError, match=r"cannot be written: .*No space left on device"):
        put(library, "b")
    monkeypatch.undo()
    assert library.encoded(SPACE) == {"sound of a"}


def test_a_failure_inside_a_change_undoes_it(library):
    generation = library.generation
    with pytest.raises(LibraryError, match="cannot be written"):
        library.files.put_track(b"a", Stamp(1, 2), Sound("c", None, 0), Tags())
    assert library.generation == generation
    put(library, "a")


def test_equal_spaces_share_their_files_however_their_numbers_are_spelled(library):
    whole = replace(SPACE, window_s=1, hop_s=1)
    assert whole == SPACE
    latents = put(library, "a.mp3", space=whole)
    stored = library.latents("sound of a.mp3", SPACE)
    np.testing.assert_allclose(stored, latents, atol=2e-3)
    assert len(list((library.store / "latents").iterdir())) == 2


def test_latents_under_their_former_name_are_found(library, music):
    put(library, "a.mp3")
    before = library.latents("sound of a.mp3", SPACE)
    folder = library.store / "latents"
    library.close()
    for file in list(folder.iterdir()):
        file.rename(folder / f"{former_stem(SPACE)}{file.suffix}")
    with Library.open(music) as again:
        np.testing.assert_array_equal(again.latents("sound of a.mp3", SPACE), before)
        assert len(again.passages(SPACE).ids) == 1
        put(again, "b.mp3")
        assert len(again.passages(SPACE).ids) == 2
    assert {file.stem for file in folder.iterdir()} == {file_stem(SPACE)}


def test_the_names_of_the_built_in_files_are_those_on_disk():
    space = LatentSpace("builtin", 128, 16000, 4, 1.0, "64fd5751cab62052")
    assert (former_stem(space), file_stem(space)) == (
        "builtin-28b1d8909a7a",
        "builtin-d8d7984b8db6",
    )


def test_latents_that_cannot_be_renamed_are_read_under_their_former_name(
    library, music, monkeypatch
):
    put(library, "a.mp3")
    before = library.latents("sound of a.mp3", SPACE)
    folder = library.store / "latents"
    library.close()
    for file in list(folder.iterdir()):
        file.rename(folder / f"{former_stem(SPACE)}{file.suffix}")

    def refuse(self, target):
        raise PermissionError(13, "in use", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with Library.open(music) as again:
        np.testing.assert_array_equal(again.latents("sound of a.mp3", SPACE), before)
        put(again, "b.mp3")
        assert len(again.passages(SPACE).ids) == 2
    assert {file.stem for file in folder.iterdir()} == {former_stem(SPACE)}
