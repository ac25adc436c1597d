"""Which files are there now, also where a disk does not answer."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from gdr_model.paths import store_of
from gdr_model.patience import answered, hangs, is_folder, real
from gdr_model.store.folder import presence
from gdr_model.store.folder.presence import is_empty, is_gone, missing


def test_what_is_not_there_is_missing(music: Path) -> None:
    (music / "a.mp3").touch()
    (music / "link.mp3").symlink_to(music / "nowhere.mp3")
    odd = music / "a\0b.mp3"
    wanted = [music / "a.mp3", music / "b.mp3", music / "link.mp3", Path("/no/such/disk.mp3"), odd]
    assert missing(wanted) == set(wanted[1:])
    assert missing([]) == set()


def test_ten_thousand_files_take_no_time(music: Path) -> None:
    (music / "a.mp3").touch()
    begun = time.monotonic()
    assert len(missing([music / "a.mp3", *(music / f"{i}.mp3" for i in range(10_000))])) == 10_000
    assert time.monotonic() - begun < 2


def test_a_disk_that_hangs_is_not_waited_for_and_delays_no_other(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = music / "a.mp3"
    here.touch()
    stat = os.stat

    def hang(path, *arguments, **options):
        if str(path).startswith("/mnt/hangs"):
            time.sleep(3)
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", hang)
    hanging = [Path(f"/mnt/hangs/x/{i}.mp3") for i in range(50)]
    begun = time.monotonic()
    assert missing([*hanging, here], patience_s=0.2) == set(hanging)
    assert time.monotonic() - begun < 1.5
    assert answered(lambda: time.sleep(3), "late", 0.1) == "late"


def test_a_path_that_hangs_is_taken_as_it_is_written_and_asked_about_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert real(tmp_path / "link") == str(tmp_path)
    lstat = os.lstat
    asked = []

    def hang(path, *arguments, **options):
        if str(path).startswith(str(tmp_path / "link")):
            asked.append(path)
            time.sleep(3)
        return lstat(path, *arguments, **options)

    monkeypatch.setattr(os, "lstat", hang)
    for inside in ("link", "link/a", "link/a/b"):
        assert real(tmp_path / inside, 0.3) == str(tmp_path / inside)
        assert hangs(tmp_path / inside)
        assert not is_folder(tmp_path / inside)
    assert len(asked) == 1
    assert not hangs(tmp_path)
    assert is_folder(tmp_path)
    assert store_of(tmp_path / "link").name.startswith("link-")


def test_an_empty_folder_counts_as_gone(music: Path) -> None:
    assert is_gone(music)
    assert is_gone(music / "nowhere")
    (music / "a.mp3").touch()
    assert not is_gone(music)


def test_a_folder_that_cannot_be_read_is_not_empty(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_empty(music)
    assert is_empty(music / "nowhere")
    (music / "file.mp3").touch()
    assert is_empty(music / "file.mp3"), "a file where the folder was"
    assert is_empty(music) is False
    for code in (errno.EIO, errno.EACCES, errno.ESTALE):
        with monkeypatch.context() as failing:
            failing.setattr(os, "scandir", refusing(code))
            assert is_empty(music) is None
            assert is_gone(music)
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: time.sleep(0.5) or real(folder))
    assert is_empty(music, 0.1) is None


def refusing(code: int):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    return refuse


def test_thousands_of_folders_take_few_threads_and_a_disk_that_hangs_delays_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat, most = os.stat, 0
    away, here = tmp_path / "away disk", tmp_path / "music"

    def hang(path, *arguments, **options):
        nonlocal most
        most = max(most, threading.active_count())
        if str(path).startswith(str(away)):
            time.sleep(3)
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", hang)
    mounts = tmp_path / "mounts"
    escaped = str(away).replace(" ", r"\040")
    mounts.write_text(f"a / ext4 rw 0 0\nb {escaped} nfs rw 0 0\n")
    monkeypatch.setattr(presence, "_MOUNTS", mounts)
    monkeypatch.setattr(presence, "_MOUNT_PARTS", len(tmp_path.parts) + 3)
    wanted = [root / f"{i}" / "album" / "a.mp3" for root in (away, here) for i in range(500)]
    there = wanted[500::100]
    for path in there:
        path.parent.mkdir(parents=True)
        path.touch()
    before, begun = threading.active_count(), time.monotonic()
    assert missing(wanted, 0.2) == set(wanted) - set(there)
    assert time.monotonic() - begun < 2
    assert most <= before + 16
