"""Kept files are whole or absent, whatever stops the writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gdr_model import atomic

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="permissions and signals of POSIX")

KILLED = """
import os, signal, sys
from pathlib import Path
from gdr_model import atomic

with atomic.replacing(Path(sys.argv[1])) as part:
    part.write_text("half of the new")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_new_file_holds_what_was_written_and_has_no_neighbours(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "a.json", "{}\r\n")
    atomic.write_bytes(tmp_path / "b", b"\0\xff")
    assert (tmp_path / "a.json").read_bytes() == b"{}\r\n"
    assert (tmp_path / "b").read_bytes() == b"\0\xff"
    assert sorted(os.listdir(tmp_path)) == ["a.json", "b"]


def test_names_that_are_not_text_are_written_as_their_bytes(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "list", os.fsdecode(b"caf\xe9"), errors="surrogateescape")
    assert (tmp_path / "list").read_bytes() == b"caf\xe9"
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(tmp_path / "list", os.fsdecode(b"caf\xe9"))
    assert (tmp_path / "list").read_bytes() == b"caf\xe9"


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "config.json"
    target.write_text("old")

    def write_half() -> None:
        with atomic.replacing(target) as part:
            part.write_text("half of the new")
            raise RuntimeError("the network went away")

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["config.json"]


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "config.json"
    with pytest.raises(FileNotFoundError), atomic.replacing(target):
        pass
    assert not target.exists()


@POSIX
def test_a_killed_writer_leaves_the_old_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "crate.json"
    target.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    atomic.write_text(target, "new")  # what the killed writer left is in nobody's way
    assert target.read_text() == "new"


def test_a_crash_between_writing_and_renaming_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "crate.json"
    target.write_text("old")
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)

    def refuse(_from: object, _to: object) -> None:
        assert synced, "the content is on the disk before the name changes"
        raise OSError(5, "input/output error")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="input/output"):
        atomic.write_text(target, "new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["crate.json"]


@POSIX
def test_a_new_file_is_as_readable_as_any_and_an_old_one_keeps_its_permissions(
    tmp_path: Path,
) -> None:
    before = os.umask(0o027)
    try:
        atomic.write_text(tmp_path / "new", "")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
    (tmp_path / "old").write_text("")
    (tmp_path / "old").chmod(0o600)
    atomic.write_text(tmp_path / "old", "new")
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic.write_text(tmp_path / "none" / "a", "")
    assert not list(tmp_path.iterdir())


def test_writers_choose_their_format_by_the_suffix_of_the_target(tmp_path: Path) -> None:
    with atomic.replacing(tmp_path / "curve.svg") as part:
        assert part.suffix == ".svg"
        assert part.name.startswith(".")
        assert part.parent == tmp_path
        part.write_text("<svg/>")


def test_the_longest_name_a_file_system_takes_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("é" * 125 + ".json")
    atomic.write_text(target, "{}")
    assert target.read_text() == "{}"


def test_of_many_writers_one_wins_whole(tmp_path: Path) -> None:
    target, contents = tmp_path / "index", [bytes([n]) * 100_000 for n in range(16)]
    threads = [threading.Thread(target=atomic.write_bytes, args=(target, c)) for c in contents]
    for thread in threads:
        thread.start()
    seen = {target.read_bytes() for _ in range(20) if target.exists()}
    for thread in threads:
        thread.join()
    assert {*seen, target.read_bytes()} <= set(contents)
    assert os.listdir(tmp_path) == ["index"]


def test_a_folder_gets_its_name_once_it_is_complete(tmp_path: Path) -> None:
    part = tmp_path / ".model.part"
    part.mkdir()
    (part / "config.json").write_text("{}")
    atomic.move_folder_into_place(part, tmp_path / "model")
    assert os.listdir(tmp_path) == ["model"]
    assert os.listdir(tmp_path / "model") == ["config.json"]


@POSIX
def test_a_folder_that_cannot_be_synced_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "permission denied")

    monkeypatch.setattr(os, "open", refuse)
    atomic.sync_folder(tmp_path)
    monkeypatch.undo()
    with pytest.raises(FileNotFoundError):
        atomic.sync_folder(tmp_path / "none")
