"""A crate holds one file once, whichever links lead to its folder."""

from __future__ import annotations

import os
import threading
import time

import pytest

from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import Notebook
from gdr_model.paths import spelled_by
from gdr_model.store.folder import presence
from gdr_tui.app.crates.state import KeptCrates


@pytest.fixture
def crates():
    with Notebook.open() as notebook:
        made = Crates(notebook)
        made.make("night")
        yield made


@pytest.fixture
def link(music, tmp_path):
    for name in ("a.mp3", "b.mp3", "c.mp3"):
        (music / name).touch()
    (tmp_path / "link").symlink_to(music)
    return tmp_path / "link"


def paths(crates):
    return [track.path for track in crates.tracks("night")]


def test_a_file_is_added_once(crates, music, link):
    assert crates.add("night", [CrateTrack(music / "a.mp3")]) == 1
    assert crates.add("night", [CrateTrack(link / "a.mp3"), CrateTrack(link / "b.mp3")]) == 1
    dotted = music / ".." / music.name / "b.mp3"
    assert crates.add("night", [CrateTrack(dotted), CrateTrack(link / "b.mp3")]) == 0
    assert paths(crates) == [music / "a.mp3", link / "b.mp3"]


def test_links_to_files_are_files_of_their_own(crates, music):
    (music / "a.mp3").touch()
    (music / "other name.mp3").symlink_to(music / "a.mp3")
    both = [CrateTrack(music / "a.mp3"), CrateTrack(music / "other name.mp3")]
    assert crates.add("night", both) == 2


def test_it_is_removed_and_put_in_order_by_either_path(crates, music, link):
    crates.add("night", [CrateTrack(music / name) for name in ("a.mp3", "b.mp3", "c.mp3")])
    crates.arrange("night", [link / "c.mp3", link / "a.mp3"])
    assert paths(crates) == [music / "c.mp3", music / "a.mp3", music / "b.mp3"]
    assert crates.remove("night", [link / "a.mp3", link / "never.mp3"]) == 1
    assert paths(crates) == [music / "c.mp3", music / "b.mp3"]


def test_the_app_sees_a_crate_in_the_spelling_of_its_folders(crates, music, link, tmp_path):
    elsewhere = tmp_path / "elsewhere" / "x.mp3"
    crates.add("night", [CrateTrack(link / "a.mp3"), CrateTrack(elsewhere)])
    assert [t.path for t in KeptCrates.read(crates, [music]).tracks["night"]] == [
        music / "a.mp3", elsewhere,
    ]  # fmt: skip
    assert spelled_by([link])(music / "b.mp3") == link / "b.mp3"


def test_a_file_that_an_older_version_kept_twice_is_shown_once(crates, music, link):
    crates.add("night", [CrateTrack(link / "a.mp3", "first"), CrateTrack(link / "b.mp3")])
    with crates._notebook.write() as connection:
        connection.execute("INSERT INTO crate_tracks SELECT crate, ?, 9, 'again', artist, album, "
                           "genre, duration_s, start_s, prompt, added_at FROM crate_tracks LIMIT 1",
                           (bytes(music / "a.mp3"),))  # fmt: skip
    shown = KeptCrates.read(crates, [music]).tracks["night"]
    assert [(t.path.name, t.title) for t in shown] == [("a.mp3", "first"), ("b.mp3", "")]
    assert crates.remove("night", [music / "a.mp3"]) == 1
    assert paths(crates) == [link / "b.mp3"]


@pytest.fixture
def hanging(tmp_path, monkeypatch):
    """A folder on a disk that answers only until it is switched off."""
    disk, real, off = tmp_path / "hanging", os.path.realpath, threading.Event()
    disk.mkdir()
    (disk / "far.mp3").touch()

    def realpath(path, *arguments, **options):
        while off.is_set() and str(path).startswith(str(disk)):
            time.sleep(0.01)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os.path, "realpath", realpath)
    monkeypatch.setattr(presence, "_MOUNT_PARTS", len(disk.parts))
    monkeypatch.setattr(presence.asked, "__defaults__", (0.2,))
    yield disk, off
    off.clear()


def test_files_on_other_disks_are_added_and_removed_while_one_hangs(crates, music, link, hanging):
    disk, off = hanging
    far, dotted = disk / "far.mp3", disk / ".." / disk.name / "far.mp3"
    crates.add("night", [CrateTrack(path) for path in (link / "a.mp3", far, link / "b.mp3")])
    off.set()
    again = [music / "a.mp3", link / "a.mp3", far, music / "c.mp3"]
    assert crates.add("night", map(CrateTrack, again)) == 1
    assert paths(crates) == [link / "a.mp3", far, link / "b.mp3", music / "c.mp3"]
    crates.arrange("night", [music / "b.mp3", far])
    assert paths(crates) == [link / "b.mp3", far, link / "a.mp3", music / "c.mp3"]
    assert crates.remove("night", [music / "a.mp3", far]) == 2
    assert paths(crates) == [link / "b.mp3", music / "c.mp3"]
    assert crates.add("night", [CrateTrack(dotted)]) == 1
    off.clear()
    assert crates.add("night", [CrateTrack(far)]) == 0, "the same file by another path"


def test_a_track_that_another_program_adds_meanwhile_is_kept_as_it_added_it(
    crates, music, monkeypatch
):
    files = Crates._files

    def meanwhile(self, crate, others):
        found = files(self, crate, others)
        monkeypatch.undo()
        self.add("night", [CrateTrack(music / "a.mp3", "theirs")])
        return found

    monkeypatch.setattr(Crates, "_files", meanwhile)
    assert crates.add("night", [CrateTrack(music / "a.mp3", "ours")]) == 0
    assert [track.title for track in crates.tracks("night")] == ["theirs"]
