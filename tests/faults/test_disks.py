"""Disks that are full, read-only or go away, as `gdr index` and `gdr search` meet them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from machine import PROGRAM, exits, gdr, on_own_mounts, said, write_music
from patience import finished

from gdr_model import atomic

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone")


def test_a_disk_that_fills_up_is_named_and_what_was_stored_is_kept(
    music: Path, gdr_home: Path
) -> None:
    write_music(music, 40, seconds=6)
    later = music.parent / "later"
    later.mkdir()
    for file in sorted(music.iterdir())[10:]:
        file.rename(later / file.name)
    gdr_home.mkdir()
    done = on_own_mounts(
        """
        mount -t tmpfs -o size=600k tmpfs "$2" || exit 9
        gdr index "$1"
        mv "$3"/* "$1"
        mount -o remount,size=$(($(du -sk "$2" | cut -f1) + 40))k "$2" || exit 9
        gdr index "$1"
        gdr status
        mount -o remount,size=64m "$2" || exit 9
        gdr index "$1"
        gdr index "$1"
        """,
        music,
        gdr_home,
        later,
    )
    assert exits(done) == [0, 1, 0, 0, 0], (done.stdout, done.stderr)
    assert "rollback" not in done.stderr
    _, note, sentence = done.stderr.splitlines()
    assert note.startswith("gdr: the model could not be kept for later versions in ")
    assert sentence.startswith(f"gdr: the library of {music} cannot be written: ")
    assert "full" in sentence or "No space left on device" in sentence
    again = done.stdout.splitlines()
    kept = int(again[again.index(str(music)) + 1].split()[0])
    assert 10 <= kept < 40
    assert f"{music}: {40 - kept} new, {kept} unchanged" in again
    assert f"{music}: 0 new, 40 unchanged" in again


def test_a_limit_on_the_size_of_files_is_one_sentence(music: Path, gdr_home: Path) -> None:
    """Runs where nothing can be mounted."""
    write_music(music, 8)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))

    error = said(gdr("index", music, preexec_fn=limit), 1)
    assert error.count("\n") == 1
    assert "rollback" not in error
    assert "8 tracks" in gdr("index", music).stdout


KILLED_WRITE = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("UPDATE tracks SET title = 'in the log'")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("closed", [True, False])
def test_a_read_only_store_is_searched(music: Path, gdr_home: Path, closed: bool) -> None:
    write_music(music, 2)
    gdr("index", music)
    (database,) = gdr_home.glob("libraries/*/library.db")
    if not closed:  # as a killed program leaves it: the newest rows are in the log alone
        subprocess.run([sys.executable, "-c", KILLED_WRITE, str(database)], check=False)
    done = on_own_mounts(
        """
        mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" || exit 9
        gdr search piano -L "$1" -f tsv
        gdr status
        gdr index "$1"
        """,
        music,
        gdr_home,
    )
    assert exits(done) == [0, 0, 1], (done.stdout, done.stderr)
    assert done.stdout.count(".ogg") == 2
    assert done.stdout.count("in the log") == 2 * (not closed)
    assert "cannot be written: Read-only file system" in done.stderr


@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="there is no FUSE")
def test_a_disk_that_hangs_keeps_nothing_else_from_its_work(music: Path, gdr_home: Path) -> None:
    """Whatever asks it for anything never gets an answer."""
    disk, new = music.parent / "disk", music.parent / "new"
    write_music(music, 3)
    write_music(disk, 2, seconds=3)
    write_music(new, 1, seconds=4)
    (music / "2 disk").symlink_to(disk)
    impatient = "from gdr_model import patience; patience.READ_S = 1"
    done = on_own_mounts(
        f"""
        gdr index "$2"
        gdr index "$1"
        "{sys.executable}" "$4" "$2" > "$5" &
        while ! grep -q mounted "$5"; do kill -0 $! || exit 9; sleep 0.1; done
        "{sys.executable}" -c "{impatient}; {PROGRAM[2]}" index "$1"; echo "exit $?"
        gdr index "$3"
        gdr index "$2"
        gdr search piano -L "$2" -f paths
        gdr status -L "$2"
        kill $!
        """,
        music,
        disk,
        new,
        Path(__file__).parent / "hanging.py",
        music.parent / "said",
    )
    assert exits(done) == [0, 0, 0, 0, 1, 0, 0], (done.stdout, done.stderr)
    assert f"{music}: 5 new" in done.stdout
    assert f"{music}: 0 new, 3 unchanged" in done.stdout
    assert done.stdout.count("5 tracks;") == 2, "those on the disk that hangs are kept"
    assert f"{new}: 1 new" in done.stdout
    assert f"gdr: {disk} does not answer; is its disk or server there?" in done.stderr
    assert done.stdout.count(f"{disk}/000") == 2, "no sound is needed to find it"
    assert "not there now" in done.stdout


def test_a_root_that_vanishes_meanwhile_is_counted_and_fails(music: Path, gdr_home: Path) -> None:
    write_music(music, 300, seconds=3)
    command = [*PROGRAM, "index", str(music)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(gdr_home.glob("libraries/*/latents/*.means")) and process.poll() is None:
        time.sleep(0.01)
    music.rename(music.parent / "unmounted")
    output, error = finished(process)
    assert process.returncode == 1, (output, error)
    assert "Traceback" not in error
    assert f"gdr: {music} went away while it was indexed" in error
    assert " could not be reached; they are tried again next time\n" in output
    (music.parent / "unmounted").rename(music)
    assert "300 tracks" in gdr("index", music).stdout


def test_the_store_is_for_its_owner_alone_and_older_ones_are_narrowed(
    music: Path, gdr_home: Path
) -> None:
    write_music(music, 1)
    assert gdr("index", music).returncode == 0
    gdr("crate", "add", "kept", *music.iterdir())
    folders = [gdr_home, *(path for path in gdr_home.rglob("*") if path.is_dir())]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    for folder in folders:
        folder.chmod(0o755)
    (store,) = (gdr_home / "libraries").iterdir()
    store.chmod(0o750)
    gdr("status")
    assert gdr_home.stat().st_mode & 0o777 == 0o700
    assert store.stat().st_mode & 0o777 == 0o750, "opened to a group on purpose"


KILLED_SAVE = """
import os, sys
from pathlib import Path
from gdr_model import atomic
with atomic.replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_what_killed_saves_left_is_removed_and_what_is_being_saved_is_not(
    music: Path, gdr_home: Path
) -> None:
    write_music(music, 1)
    gdr("index", music)
    (store,) = (gdr_home / "libraries").iterdir()
    graph = store / "index" / "builtin-0"
    graph.mkdir(parents=True)
    for target in (graph / "graph-1.bin", gdr_home / "fingerprints.json"):
        subprocess.run([sys.executable, "-c", KILLED_SAVE, str(target)], check=False)
    former = store / ".gdr-0123456789abcdef.part"
    former.touch()
    os.utime(former, (0, 0))
    assert len(list(gdr_home.rglob(".gdr-*.part*"))) == 3
    with atomic.replacing(graph / "manifest.json") as mine:
        mine.write_text("{}")
        gdr("index", music)
        atomic.write_text(gdr_home / "other.json", "{}")
        assert list(gdr_home.rglob(".gdr-*.part*")) == [mine]
