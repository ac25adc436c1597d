"""Which files of a folder are music, checked against plain walks and awkward file systems."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_model import patience
from gdr_model.audio import SUFFIXES
from gdr_model.errors import Cancelled, LibraryError
from gdr_model.store.folder.left_out import MARKER
from gdr_model.store.folder.scan import Scan, scan

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")


def files(root: Path) -> list[str]:
    return [os.fsdecode(name) for name in scan(root).files]


def put(root: Path, *names: str, size: int = 3) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * size)


def test_music_is_found_in_the_order_of_names_at_any_depth(music: Path) -> None:
    put(music, "b.mp3", "a/z.flac", "a/b/c/d.OGG", "A.Wav", "cover.jpg", "notes.txt", "mp3")
    assert files(music) == ["A.Wav", "a/b/c/d.OGG", "a/z.flac", "b.mp3"]


def test_every_suffix_counts_in_any_case(music: Path) -> None:
    names = sorted(f"{n:02}{suffix.upper()}" for n, suffix in enumerate(sorted(SUFFIXES)))
    put(music, *names)
    assert files(music) == names


def test_marked_folders_are_skipped(music: Path) -> None:
    put(music, "samples/a.mp3", "samples/deep/b.mp3", "kept/c.mp3")
    (music / "samples" / MARKER).touch()
    assert files(music) == ["kept/c.mp3"]
    (music / MARKER).touch()
    assert files(music) == []


def test_size_and_time_are_those_of_the_file(music: Path) -> None:
    put(music, "a.mp3", size=7)
    os.utime(music / "a.mp3", ns=(1, 1_234_567_890))
    (stamp,) = scan(music).files.values()
    assert stamp == (7, 1_234_567_890, (music / "a.mp3").stat().st_ctime_ns)


@POSIX
def test_links_are_followed_once_and_real_folders_first(music: Path, tmp_path: Path) -> None:
    put(music, "z/a.mp3")
    put(tmp_path, "elsewhere/b.mp3")
    (music / "again").symlink_to(music / "z")
    (music / "loop").symlink_to(music)
    (music / "outside").symlink_to(tmp_path / "elsewhere")
    (music / "one.mp3").symlink_to(music / "z" / "a.mp3")
    (music / "broken.mp3").symlink_to(music / "nowhere.mp3")
    (music / "circle.mp3").symlink_to(music / "circle.mp3")
    assert files(music) == ["one.mp3", "outside/b.mp3", "z/a.mp3"]
    assert scan(music).unreadable == set()
    assert scan(music).empty == {b"broken.mp3"}


@POSIX
def test_pipes_and_folders_with_musical_names_are_not_files(music: Path) -> None:
    os.mkfifo(music / "pipe.mp3")
    os.mkfifo(music / "pipe.cue")  # reading it would never end
    put(music, "folder.mp3/a.mp3")
    assert files(music) == ["folder.mp3/a.mp3"]
    assert scan(music).sheets == {}


@POSIX
def test_names_that_are_not_text_are_kept_byte_by_byte(music: Path) -> None:
    name = b"caf\xe9\n\x1b.mp3"
    (Path(os.fsdecode(os.fsencode(music) + b"/" + name))).write_bytes(b"")
    assert list(scan(music).files) == [name]


def test_a_folder_that_cannot_be_read_is_reported_and_may_hide_its_files(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(music, "locked/in/a.mp3", "b.mp3")
    scandir = os.scandir

    def refuse(folder: Path) -> Any:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    scanned = scan(music)
    assert list(scanned.files) == [b"b.mp3"]
    assert scanned.unreadable == {b"locked"}
    assert scanned.may_hide(b"locked/in/a.mp3")
    assert not scanned.may_hide(b"locked2/a.mp3")


def test_a_missing_root_is_refused_with_the_likely_cause(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="is its disk mounted"):
        scan(tmp_path / "none")
    put(tmp_path, "file.mp3")
    with pytest.raises(LibraryError, match="cannot be read"):
        scan(tmp_path / "file.mp3")


def test_a_disk_is_waited_for_as_long_as_anything_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "READ_S", 1.5)
    stuck = threading.Event()

    def slowly() -> Iterator[int]:
        for number in range(8):
            time.sleep(0.3)
            yield number
        stuck.wait(20)
        yield 8

    found = patience.answers(slowly, patience.READ_S)
    assert found == list(range(8))
    stuck.set()
    time.sleep(0.1)
    assert found == list(range(8)), "what comes too late changes nothing"


def test_waiting_for_a_disk_stops_when_asked() -> None:
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        patience.answers(
            lambda: iter([time.sleep(20)]), 40.0, lambda: time.monotonic() > begun + 0.3
        )
    assert time.monotonic() < begun + 10


def test_scanning_stops_when_asked(music: Path) -> None:
    put(music, *(f"{n}/a.mp3" for n in range(5)))
    polls = iter([False, False, True])
    with pytest.raises(Cancelled):
        scan(music, lambda: next(polls))


parts = st.sampled_from([b"a", b"b", b"ab", b"a b"])
names = st.lists(parts, min_size=1, max_size=4).map(b"/".join)


@given(names, st.lists(names, max_size=3))
def test_a_name_is_hidden_by_itself_and_by_the_folders_above_it(
    name: bytes, unreadable: list[bytes]
) -> None:
    above = {b"/".join(name.split(b"/")[:depth]) for depth in range(1, name.count(b"/") + 2)}
    assert Scan(unreadable=set(unreadable)).may_hide(name) == bool(above & set(unreadable))
