"""Disks that are not mounted, files that leave and return, networks that fail for a moment."""

from __future__ import annotations

import os
import shutil

import pytest
from ingesting import names, run

from gdr_model.errors import FileUnavailable, LibraryError
from gdr_model.store.ingest import ingest
from gdr_model.workers import tasks


@pytest.fixture
def filled(library, music, encoder, write_tone):
    """A library of two folders: one of them could be another disk."""
    for i in range(2):
        write_tone(music / "usb" / "Album" / f"{i}.wav", hz=200 + 50 * i, seconds=1 + i)
    write_tone(music / "here.wav", hz=900)
    run(library, encoder)
    return library


def empty(folder):
    """What is left of a mount point."""
    away = folder.with_name(f"{folder.name} away")
    folder.rename(away.parent.parent / away.name)
    folder.mkdir()
    return away.parent.parent / away.name


def test_a_folder_that_is_suddenly_empty_keeps_its_tracks_until_it_is_back(
    filled, music, encoder, monkeypatch
):
    away = empty(music / "usb")
    summary = ingest(filled, encoder, on_progress=lambda _: None)
    assert (summary.unchanged, summary.gone, summary.away) == (1, 0, {music / "usb": 2})
    assert filled.count() == 3
    assert filled.files.absent() == [b"usb"]
    assert run(filled, encoder) == {"unchanged": 1, "away": 2}, "and still on the next run"
    (music / "usb").rmdir()
    away.rename(music / "usb")
    monkeypatch.setattr(tasks, "decode", None)
    assert run(filled, encoder) == {"unchanged": 3}
    assert filled.files.absent() == []


def test_a_link_to_a_disk_that_is_away_keeps_its_tracks(
    library, music, encoder, write_tone, tmp_path
):
    write_tone(tmp_path / "disk" / "a.wav", hz=200)
    write_tone(tmp_path / "disk" / "b.wav", hz=300)
    write_tone(music / "c.wav", hz=400)
    (music / "link").symlink_to(tmp_path / "disk")
    run(library, encoder)
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    assert run(library, encoder) == {"unchanged": 1, "away": 2}
    (tmp_path / "unplugged").rename(tmp_path / "disk")
    assert run(library, encoder) == {"unchanged": 3}


def test_files_moved_out_of_a_folder_are_moved_although_the_folder_is_empty_now(
    filled, music, encoder
):
    for path in (music / "usb" / "Album").iterdir():
        path.rename(music / path.name)
    assert run(filled, encoder) == {"unchanged": 1, "moved": 2}
    assert names(filled) == ["0.wav", "1.wav", "here.wav"]


def test_a_folder_that_was_removed_is_gone_and_what_returns_is_not_decoded_again(
    filled, music, encoder, monkeypatch
):
    (music / "usb").rename(music.parent / "away")
    assert run(filled, encoder) == {"unchanged": 1, "gone": 2}
    (music.parent / "away").rename(music / "usb")
    monkeypatch.setattr(tasks, "decode", None)
    assert run(filled, encoder) == {"unchanged": 1, "new": 2}
    assert filled.count() == 3


def test_what_returns_elsewhere_is_not_decoded_again_either(filled, music, encoder, monkeypatch):
    (music / "usb").rename(music.parent / "away")
    run(filled, encoder)
    (music.parent / "away").rename(music / "back")
    monkeypatch.setattr(tasks, "decode", None)
    assert run(filled, encoder) == {"unchanged": 1, "new": 2}


def test_what_returns_changed_is_decoded(filled, music, encoder, write_tone):
    (music / "here.wav").unlink()
    run(filled, encoder)
    write_tone(music / "here.wav", hz=500)
    assert run(filled, encoder) == {"unchanged": 2, "new": 1, "encoded": 1}


# The system refuses


def unreachable(monkeypatch, *files):
    """Let the decoder report that the system refuses some files."""
    whole = tasks.decode

    def decode(path, rate_hz, **options):
        if path.name in files:
            raise FileUnavailable("it cannot be read: input/output error")
        return whole(path, rate_hz, **options)

    monkeypatch.setattr(tasks, "decode", decode)


def test_what_the_system_refuses_is_tried_again(library, music, encoder, write_tone, monkeypatch):
    for i in range(3):
        write_tone(music / f"{i}.wav", hz=200 + 50 * i)
    with monkeypatch.context() as down:
        unreachable(down, "0.wav", "2.wav")
        assert run(library, encoder) == {"new": 1, "encoded": 1, "unavailable": 2}
    assert library.failures() == []
    assert run(library, encoder) == {"new": 2, "unchanged": 1, "encoded": 2}


def test_a_track_that_changed_and_cannot_be_read_now_stays(
    library, music, encoder, write_tone, monkeypatch
):
    write_tone(music / "a.wav", hz=200)
    write_tone(music / "b.wav", hz=300)
    run(library, encoder)
    write_tone(music / "a.wav", hz=400, seconds=3)
    with monkeypatch.context() as down:
        unreachable(down, "a.wav")
        assert run(library, encoder) == {"unchanged": 1, "unavailable": 1}
    assert names(library) == ["a.wav", "b.wav"]
    assert run(library, encoder) == {"unchanged": 1, "changed": 1, "encoded": 1}


def test_files_whose_folder_lists_them_but_that_cannot_be_examined_are_kept(
    filled, music, encoder, monkeypatch
):
    """As when a network goes away in the middle of a scan."""
    real = os.scandir

    class Entry:
        def __init__(self, entry):
            self._entry = entry
            self.name = entry.name

        def is_dir(self):
            return self._entry.is_dir()

        def is_symlink(self):
            return False

        def stat(self):
            raise FileNotFoundError(2, "No such file or directory")

    class Listing(list):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def scandir(folder):
        with real(folder) as entries:
            return Listing(map(Entry, entries))

    monkeypatch.setattr(os, "scandir", scandir)
    assert run(filled, encoder) == {"unreadable": 3}
    assert filled.count() == 3


def test_a_root_that_goes_away_while_it_is_scanned_is_refused(filled, music, encoder, monkeypatch):
    real, other = os.scandir, music.with_name("other")
    other.mkdir()

    def scandir(folder):
        if (
            os.fsencode(folder) == os.fsencode(music)
            and music.exists()
            and not (music / "mark").exists()
        ):
            music.rename(music.with_name("unmounted"))
            other.rename(music)
            (music / "mark").touch()
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(LibraryError, match="is its disk mounted"):
        run(filled, encoder)
    monkeypatch.undo()
    assert filled.count() == 3


def test_excluding_lets_tracks_go_and_taking_them_back_decodes_nothing(
    filled, music, encoder, monkeypatch
):
    filled.files.put_excludes(["usb"])
    assert run(filled, encoder) == {"unchanged": 1, "gone": 2, "left_out": 1}
    assert [each.name for each in filled.files.left_out()] == [b"usb"]
    filled.files.put_excludes([])
    monkeypatch.setattr(tasks, "decode", None)
    assert run(filled, encoder) == {"unchanged": 1, "new": 2}
    assert run(filled, encoder, exclude=["*"]) == {"gone": 3, "left_out": 2}, "even everything"


@pytest.mark.parametrize("copy", [shutil.copy, shutil.copy2])
def test_a_copy_of_what_is_away_leaves_it_listed(filled, music, encoder, copy):
    copy(music / "usb" / "Album" / "0.wav", music / "0.wav")
    empty(music / "usb")
    assert run(filled, encoder) == {"unchanged": 1, "duplicate": 1, "away": 2}
    assert names(filled) == ["0.wav", "here.wav", "usb/Album/0.wav", "usb/Album/1.wav"]
    assert run(filled, encoder) == {"unchanged": 2, "away": 2}
