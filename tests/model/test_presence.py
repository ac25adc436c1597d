"""Which files are there now, also where a disk does not answer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gdr_model.store.folder.presence import answered, is_gone, missing


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


def test_an_empty_folder_counts_as_gone(music: Path) -> None:
    assert is_gone(music)
    assert is_gone(music / "nowhere")
    (music / "a.mp3").touch()
    assert not is_gone(music)
