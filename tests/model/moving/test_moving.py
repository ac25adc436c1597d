"""Music folders that are somewhere else now: the library, trails and crates follow."""

from __future__ import annotations

import errno
import ntpath
import os
import shutil
from dataclasses import replace
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
from indexed_again import index, index_without_decoding
from ingesting import age, names, run

from gdr_model.errors import Hint, LibraryError
from gdr_model.notebook import moved_paths
from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import Notebook
from gdr_model.notebook.moves import move, recognise, recognised
from gdr_model.notebook.trails import Trails
from gdr_model.paths import store_of
from gdr_model.steering import Edit, Steering
from gdr_model.store.library import Library
from gdr_model.store.roots import moved
from gdr_model.store.roots.forget import forget
from gdr_model.store.stores import stores
from gdr_model.types import Hit, Query, Results


def test_a_library_follows_its_folder_and_nothing_is_decoded(old, new, encoder, monkeypatch):
    old.rename(new)
    moved = move(old, new)
    assert (moved.tracks, moved.found) == (5, 5)
    assert index_without_decoding(new, encoder, monkeypatch) == {"unchanged": 5}
    assert stores().roots == [new]
    assert not store_of(old).exists()
    with Library.open(new) as library:
        assert library.tracks()[0].path == new / "Album" / "0.wav"


def test_it_is_recognised_by_names_sizes_and_times(old, new, encoder, monkeypatch):
    old.rename(new)
    (new / "Album" / "0.wav").unlink()
    assert recognised(new) is None, "four of five tracks could be another library"
    age(shutil.copy(new / "Album" / "1.wav", new / "Album" / "0.wav"))
    assert recognised(new) is None, "names alone are not enough"
    (new / "Album" / "0.wav").unlink()
    new.rename(old)
    index(old, encoder)
    old.rename(new)
    follower = recognised(new)
    assert (follower.old, follower.new, follower.found) == (old, new, 4)
    assert recognised(new) is None
    assert index_without_decoding(new, encoder, monkeypatch) == {"unchanged": 4}


def test_times_may_be_rounded_as_file_systems_do(old, new, encoder, monkeypatch):
    shutil.move(old, new)
    for path in (new / "Album").iterdir():
        facts = path.stat()
        rounded = facts.st_mtime_ns // 2_000_000_000 * 2_000_000_000
        os.utime(path, ns=(rounded, rounded))
    assert recognised(new).found == 5
    assert index_without_decoding(new, encoder, monkeypatch) == {"unchanged": 5}


def test_an_empty_mount_point_counts_as_gone_and_a_folder_that_is_there_does_not(old, new, encoder):
    shutil.copytree(old, new)
    assert recognised(new) is None, "both are there: this is a copy"
    for path in list(old.iterdir()):
        shutil.rmtree(path)
    assert recognised(new).old == old


def test_of_several_libraries_that_fit_none_is_guessed(old, new, tmp_path, encoder):
    twin = tmp_path / "twin"
    shutil.copytree(old, twin)
    index(twin, encoder)
    old.rename(new)
    shutil.rmtree(twin)
    with pytest.raises(LibraryError, match="several libraries") as caught:
        recognised(new)
    assert str(old) in str(caught.value)
    assert str(twin) in str(caught.value)
    forget(twin)
    assert recognised(new).old == old


def test_a_link_that_leads_elsewhere_now_is_the_same_library(
    old, new, tmp_path, encoder, monkeypatch
):
    link = tmp_path / "link"
    link.symlink_to(old)
    shutil.rmtree(store_of(old))
    index(link, encoder)
    with Notebook.open() as notebook:
        Trails(notebook).add([link], None, Steering("piano", likes=(f"{link}/Album/0.wav",)), "")
    old.rename(new)
    link.unlink()
    link.symlink_to(new)
    assert recognised(link).found == 5
    assert index_without_decoding(link, encoder, monkeypatch) == {"unchanged": 5}
    assert stores().roots == [link]
    with Notebook.open() as notebook:
        (query,) = Trails(notebook).read([link]).queries
        assert query.steering.likes == (f"{link}/Album/0.wav",)


def test_a_library_indexed_by_a_link_is_found_by_its_own_path_once_the_link_is_gone(
    old, tmp_path, encoder
):
    link = tmp_path / "link"
    link.symlink_to(old)
    shutil.rmtree(store_of(old))
    index(link, encoder)
    with Notebook.open() as notebook:
        Crates(notebook).make("night")
        Crates(notebook).add("night", [CrateTrack(link / "Album" / "0.wav")])
    link.unlink()
    assert recognised(old).old == link
    assert stores().roots == [old]
    with Notebook.open() as notebook:
        assert [t.path for t in Crates(notebook).tracks("night")] == [old / "Album" / "0.wav"]


def test_a_wrong_folder_is_refused_and_nothing_changes(old, new, tmp_path, encoder, write_tone):
    with Notebook.open() as notebook:
        Crates(notebook).make("night")
        Crates(notebook).add("night", [CrateTrack(old / "Album" / "0.wav")])
    write_tone(new / "other.wav")
    for wrong, why in (
        ((old, new), "none of the 5 tracks"),
        ((old, tmp_path / "nowhere"), "no folder"),
        ((tmp_path / "never", new), "no library"),
        ((old, old), "already"),
    ):
        with pytest.raises(LibraryError, match=why):
            move(*wrong)
    assert stores().roots == [old]
    assert recognise(old) is None
    with Notebook.open() as notebook:
        assert Crates(notebook).tracks("night")[0].path == old / "Album" / "0.wav"
    with Library.open(old) as library:
        assert run(library, encoder) == {"unchanged": 5}


def test_trails_results_crates_likes_bans_and_edits_follow(old, new, tmp_path):
    other = tmp_path / "mnt" / "nas" / "Music 2"
    other.mkdir()
    song, beside = f"{old}/Album/0.wav", f"{other}/x.wav"
    steering = Steering(
        "piano", likes=(song, beside), dislikes=(f"{old}/Album/1.wav",), edit=Edit(song)
    )
    with Library.open(old) as library:
        track = library.tracks()[0]
    copies = tuple(replace(track, path=Path(path)) for path in (f"{old}/copy.wav", beside))
    hit = Hit(track, 0.0, 2.0, 0.5, 1, np.zeros(0, np.float32), copies)
    results = Results((hit,), Query(np.zeros((1, 2), np.float32), steering), 5, 1.0, 0.0, 0.0)
    with Notebook.open() as notebook:
        trails, crates = Trails(notebook), Crates(notebook)
        first = trails.add([old], None, steering, "")
        trails.put_results(first, results)
        trails.make_current(first)
        trails.add([other, old], None, steering, "")
        trails.add([old / "Album"], None, steering, "")
        trails.add([new], None, Steering("asked by mistake"), "")
        crates.make("night")
        crates.add("night", [CrateTrack(old / "Album" / "0.wav", "kept"), CrateTrack(other / "x")])
    old.rename(new)
    with Notebook.open() as notebook:
        Crates(notebook).add("night", [CrateTrack(new / "Album" / "0.wav", "added again")])
    assert move(old, new).in_crates == 1
    with Notebook.open() as notebook:
        trails, crates = Trails(notebook), Crates(notebook)
        trail = trails.read([new])
        assert [query.steering.prompt for query in trail.queries] == ["piano", "asked by mistake"]
        moved = trail.queries[0]
        assert moved.steering.likes == (f"{new}/Album/0.wav", beside)
        assert moved.steering.dislikes == (f"{new}/Album/1.wav",)
        assert moved.steering.edit.path == f"{new}/Album/0.wav"
        assert [hit.track.path for hit in moved.hits] == [new / "Album" / "0.wav"]
        assert [copy.path for copy in moved.hits[0].copies] == [new / "copy.wav", Path(beside)]
        assert len(trails.read([new, other]).queries) == 1
        assert len(trails.read([new / "Album"]).queries) == 1
        assert trails.read([old]).queries == ()
        assert [(t.path, t.title) for t in crates.tracks("night")] == [
            (new / "Album" / "0.wav", "kept"),
            (other / "x", ""),
        ]


def test_names_that_are_not_text_follow_too(old, new, write_tone, encoder):
    odd = os.fsdecode(b"caf\xe9.wav")
    try:
        write_tone(old / "plain.wav", hz=900).rename(old / odd)
    except OSError:
        pytest.skip("this file system does not take such names")
    index(old, encoder)
    with Notebook.open() as notebook:
        Trails(notebook).add([old], None, Steering("x", likes=(str(old / odd),)), "")
        Crates(notebook).make("night")
        Crates(notebook).add("night", [CrateTrack(old / odd)])
    old.rename(new)
    move(old, new)
    with Notebook.open() as notebook:
        assert Trails(notebook).read([new]).queries[0].steering.likes == (str(new / odd),)
        assert Crates(notebook).tracks("night")[0].path == new / odd


def test_crates_follow_a_folder_inside_a_library(old, encoder):
    with Notebook.open() as notebook:
        Crates(notebook).make("night")
        Crates(notebook).add("night", [CrateTrack(old / "Album" / "0.wav")])
    (old / "Album").rename(old / "Other")
    moved = move(old / "Album", old / "Other")
    assert (moved.tracks, moved.in_crates) == (0, 1)
    with Notebook.open() as notebook:
        assert Crates(notebook).tracks("night")[0].path == old / "Other" / "0.wav"
    assert index(old, encoder) == {"moved": 5}


def test_a_mistyped_folder_is_refused(old, new):
    with Notebook.open() as notebook:
        Crates(notebook).make("night")
        Crates(notebook).add("night", [CrateTrack(old / "Album" / "0.wav")])
    old.rename(new)
    move(old, new)
    for mistyped in (old, old.with_name("Musik"), new / "Albun"):
        with pytest.raises(LibraryError, match=f"gdr knows nothing in {mistyped}") as refused:
            move(mistyped, new)
        assert refused.value.hint is Hint.LIST_LIBRARIES
    with Notebook.open() as notebook:
        assert Crates(notebook).tracks("night")[0].path == new / "Album" / "0.wav"


def test_a_trail_alone_follows(old, new):
    with Notebook.open() as notebook:
        Trails(notebook).add([old / "Album"], None, Steering("piano"), "")
    (old / "Album").rename(old / "Other")
    moved = move(old / "Album", old / "Other")
    assert (moved.tracks, moved.in_crates) == (0, 0)


def test_a_store_that_cannot_follow_leaves_the_notebook_as_it_was(old, new, monkeypatch):
    with Notebook.open() as notebook:
        Crates(notebook).make("night")
        Crates(notebook).add("night", [CrateTrack(old / "Album" / "0.wav")])
    old.rename(new)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "rename", refuse)
        with pytest.raises(LibraryError, match="cannot be moved: No space left"):
            move(old, new)
    with Notebook.open() as notebook:
        assert Crates(notebook).tracks("night")[0].path == old / "Album" / "0.wav"
    assert move(old, new).found == 5
    with Library.open(new) as library:
        assert names(library) == [f"Album/{i}.wav" for i in range(5)]


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_nothing_follows_or_is_forgotten_while_the_old_folder_only_fails_to_answer(
    old, new, encoder, monkeypatch, code
):
    shutil.copytree(old, new)
    real = os.scandir

    def scandir(folder):
        if str(folder).startswith(str(old)):
            raise OSError(code, os.strerror(code))
        return real(folder)

    with monkeypatch.context() as failing:
        failing.setattr(os, "scandir", scandir)
        assert recognised(new) is None
        with pytest.raises(LibraryError, match="cannot be read, so nothing in it is forgotten"):
            forget(old)
        assert stores().roots == [old]
    shutil.rmtree(old)
    assert forget(old).tracks == 5


def test_what_is_in_the_new_folder_already_stays_where_that_is_in_the_old_one(old, encoder):
    new = old / "Music"
    with Notebook.open() as notebook:
        Crates(notebook).make("night")
        both = [old / "Album" / "0.wav", new / "Album" / "1.wav", old / "Musical" / "2.wav"]
        Crates(notebook).add("night", map(CrateTrack, both))
    new.mkdir()
    (old / "Album").rename(new / "Album")
    move(old, new)
    with Notebook.open() as notebook:
        assert [track.path.relative_to(new) for track in Crates(notebook).tracks("night")] == [
            Path("Album/0.wav"), Path("Album/1.wav"), Path("Musical/2.wav"),
        ]  # fmt: skip
    (new / "Album").rename(old / "Album")
    new.rmdir()
    move(new, old)
    with Notebook.open() as notebook:
        assert Crates(notebook).tracks("night")[0].path == old / "Album" / "0.wav"


def test_paths_of_windows_are_renamed(monkeypatch):
    monkeypatch.setattr(os, "sep", "\\")
    monkeypatch.setattr(os.path, "normcase", ntpath.normcase)
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    rename = moved_paths._renaming([PureWindowsPath("C:/Music")], PureWindowsPath("D:/"))
    assert rename(rb"C:\Music\Album\0.wav") == rb"D:\Album\0.wav"
    assert rename(rb"c:/music/Album/0.wav") == rb"D:/Album/0.wav"
    assert rename(rb"C:\Music 2\0.wav") == rb"C:\Music 2\0.wav"
    back = moved_paths._renaming([PureWindowsPath("D:/")], PureWindowsPath("C:/Music"))
    assert back(rb"D:\Album\0.wav") == rb"C:\Music\Album\0.wav"


def test_the_notebook_can_be_written_while_the_new_folder_is_scanned(old, new, monkeypatch):
    old.rename(new)
    scan = moved.scan

    def scan_while_marking(*arguments, **options):
        with Notebook.open(patience_s=0) as notebook:
            Crates(notebook).make("night")
            Crates(notebook).add("night", [CrateTrack(old / "Album" / "0.wav")])
        return scan(*arguments, **options)

    monkeypatch.setattr(moved, "scan", scan_while_marking)
    assert move(old, new).in_crates == 1
