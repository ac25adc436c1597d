"""Files that end, hang or fill the process that reads them; the others are indexed."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dying
import numpy as np
import psutil
import pytest
from ingesting import names, tag

from gdr_model import audio
from gdr_model.errors import Cancelled, GdrError, ModelError
from gdr_model.models.checkpoint import load_encoder
from gdr_model.remote.places import folder_of
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.workers import pool, worker
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.pool import Workers
from gdr_model.workers.process import LATENTS, SOUND, TAGS
from gdr_model.workers.tasks import Task
from gdr_model.workers.wanted import NotIn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
QUIET_S = 5.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(worker, "QUIET_S", dict.fromkeys((TAGS, SOUND, LATENTS), QUIET_S))


@pytest.fixture
def songs(music, write_tone):
    for number in range(6):
        tag(write_tone(music / f"{number}.mp3", hz=200 + 50 * number), title=f"song {number}")
    return music


def run(library, workers, **options):
    return ingest(library, dying.Encoder(), on_progress=lambda _: None, engine=workers, **options)


def no_processes_left():
    begun = time.monotonic()
    while psutil.Process().children(recursive=True):
        left = [each.cmdline()[-1:] for each in psutil.Process().children()]
        if all("resource_tracker" in str(each) for each in left):
            return True
        if time.monotonic() - begun > 10:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("segfault", "the decoder crashed on it (SIGSEGV)"),
        ("spin", "no sound came out of it for 5 s"),
        ("grow", "reading it takes more than 320 MB of memory"),
        ("gulp", "reading it takes more than 320 MB of memory"),
    ],
)
def test_a_file_costs_itself_and_is_remembered(library, songs, what, reason):
    shutil.copy(songs / "0.mp3", songs / f"{what}.mp3")
    with Workers(2, dying.Load()) as workers:
        summary = run(library, workers)
        assert [(each.path.name, each.reason) for each in summary.failed] == [
            (f"{what}.mp3", reason)
        ]
        assert summary.new == 6
        assert names(library) == [f"{number}.mp3" for number in range(6)]
        again = run(library, workers)
    assert (again.skipped_failed, again.unchanged) == (1, 6)
    assert no_processes_left()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("killed", "what read it was ended by the system, perhaps for want of memory"),
        ("sleep", "the system needed more than 5 s to read it"),
    ],
)
def test_what_is_not_the_files_fault_is_tried_again(library, songs, what, reason):
    shutil.copy(songs / "0.mp3", songs / f"{what}.mp3")
    with Workers(2, dying.Load()) as workers:
        summary = run(library, workers)
    assert [each.reason for each in summary.unavailable] == [reason]
    assert (summary.new, summary.failed) == (6, [])
    with Workers(1, dying.Load()) as workers:
        assert len(run(library, workers).unavailable) == 1


@pytest.mark.parametrize("what", ["segfault", "sleep", "grow"])
def test_what_hangs_in_its_tags_is_read_without_them(library, songs, what):
    (songs / "0.mp3").rename(songs / f"{what} in tags.mp3")
    with Workers(2, dying.Load()) as workers:
        summary = run(library, workers)
        assert (summary.new, summary.failed, summary.unavailable) == (6, [], [])
        titles = {track.path.stem: track.title for track in library.tracks()}
        assert titles.pop(f"{what} in tags") == ""
        assert titles == {str(number): f"song {number}" for number in range(1, 6)}
    with Workers(2) as workers:  # where nothing happens
        assert run(library, workers, reread_tags=True).retagged == 1
    assert {track.title for track in library.tracks()} == {f"song {n}" for n in range(6)}


def test_rows_are_in_the_order_of_the_files_however_many_processes(library, music, write_tone):
    for number in range(12):
        write_tone(music / f"{number:02}.wav", hz=200 + 30 * number, seconds=(24 - number) / 4)
    shutil.copy(music / "00.wav", music / "12.wav")
    with Workers(3, dying.Load()) as workers:
        summary = run(library, workers)
    assert (summary.new, summary.duplicate, summary.encoded) == (12, 1, 12)
    by_content = {}
    for track in library.tracks():
        by_content.setdefault(track.content, track.path.name)
    stored = [by_content[content] for content in library.passages(dying.SPACE).contents]
    assert stored == [f"{number:02}.wav" for number in range(12)]


def test_the_caller_encodes_where_the_processes_do_not(library, music, write_tone):
    write_tone(music / "a.wav", seconds=3)
    with Workers(2) as workers:
        assert run(library, workers).encoded == 1
    wanted = dying.Encoder().encode(
        next(iter(Workers(1).read([Task(music / "a.wav", True)], 16000, lambda _: True)))
        .result()
        .samples
    )
    kept = library.latents(library.tracks()[0].content, dying.SPACE)
    assert kept == pytest.approx(wanted, rel=1e-3)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux")
def test_processes_share_the_encoder_and_what_it_was_imported_with(music, write_tone):
    """Each would have 90 MB more to itself if it loaded and imported what it needs."""
    tasks = [Task(write_tone(music / f"{n}.wav", hz=200 + n, seconds=3), True) for n in range(4)]
    with Workers(2, LoadEncoder("builtin")) as workers:
        outcomes = list(workers.read(tasks, 16000, lambda _: True))
        (server,) = [each for each in psutil.Process().children() if each.children()]
        assert server.num_threads() == 1, "others would be missing in what is forked from it"
        own = [each.memory_full_info().uss >> 20 for each in server.children()]
    assert len(own) == 2
    assert max(own) < 40
    latents = load_encoder("builtin").encode(audio.decode(tasks[1].path, 16000).samples)
    np.testing.assert_array_equal(outcomes[1].result().latents, latents)


def test_an_encoder_that_nobody_can_share_is_reported_by_who_reads(music, write_tone):
    tasks = [Task(write_tone(music / "a.wav"), True)]
    with (
        pytest.raises(ModelError, match="nowhere"),
        Workers(1, LoadEncoder("/nowhere")) as workers,
    ):
        list(workers.read(tasks, 16000, lambda _: True))


def test_stopping_is_quick_and_leaves_nothing_behind(library, songs):
    shutil.copy(songs / "0.mp3", songs / "sleep.mp3")
    begun = []

    def cancelled():
        begun.append(time.monotonic())
        return library.count() == 6

    with pytest.raises(Cancelled), Workers(2, dying.Load()) as workers:
        run(library, workers, cancelled=cancelled)
    assert library.count() == 6
    assert no_processes_left()


def test_everything_rests_while_the_caller_is_asked(library, music, write_tone):
    """As in the app, where indexing waits for a query to be drawn."""
    write_tone(music / "a.wav", seconds=600, rate_hz=16000)
    rests = iter([1.5] * 4)  # longer than a sign of life is waited for in total

    def cancelled():
        time.sleep(next(rests, 0))
        return False

    with Workers(1, dying.Load()) as workers:
        assert run(library, workers, cancelled=cancelled).new == 1


def spent_s():
    return sum(sum(each.cpu_times()[:2]) for each in psutil.Process().children(recursive=True))


def test_nothing_is_done_while_the_caller_is_asked(library, music, write_tone):
    for number in range(2):
        write_tone(music / f"busy {number}.wav", hz=200 + number)
    worked = []

    def cancelled():
        if len(worked) < 3 and spent_s() > 0.5 + sum(worked):  # something is being read
            time.sleep(0.2)
            before_s = spent_s()
            time.sleep(0.7)
            worked.append(spent_s() - before_s)
        return False

    with Workers(2, dying.Load()) as workers:
        assert run(library, workers, cancelled=cancelled).new == 2
    assert len(worked) == 3
    assert max(worked) < 0.3  # with two at work it would be 1.4


def test_nothing_is_done_long_while_the_caller_does_something_else(music, write_tone, monkeypatch):
    """It may be encoding on a GPU, or wait for a query of the user."""
    monkeypatch.setattr(pool, "ALONE_S", 0.3)
    tasks = [Task(write_tone(music / f"{name}.wav"), True) for name in ("a", "busy 1", "busy 2")]
    with Workers(2, dying.Load()) as workers:
        reading = workers.read(tasks, 16000, lambda _: True)
        outcomes = [next(reading)]
        time.sleep(0.5)
        before_s = spent_s()
        time.sleep(1)
        assert spent_s() - before_s < 0.3
        outcomes += reading
    assert len([each.result() for each in outcomes]) == 3


def test_a_process_that_never_gets_ready_ends_the_run(library, songs, monkeypatch):
    monkeypatch.setattr(worker, "STARTING_S", 1.0)
    with (
        pytest.raises(GdrError, match="was not ready within 1 s"),
        Workers(2, dying.Hangs()) as workers,
    ):
        run(library, workers)
    assert no_processes_left()


def test_a_process_that_cannot_be_ended_does_not_keep_the_program_from_ending(tmp_path):
    """One that waits for a disk that is gone cannot be killed; here the kill is taken away."""
    script = tmp_path / "ends.py"
    script.write_text(
        """
import signal, time
from gdr_model.workers import process, worker

def immortal(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(20)

process.main = immortal
if __name__ == "__main__":
    worker._FORKS = False
    worker.multiprocessing.set_start_method("fork")
    worker.multiprocessing.get_context = lambda _, get=worker.multiprocessing.get_context: get()
    spawning = worker.Spawning(process.Terms(None, 16000, 1, 0), [])
    each = spawning.start()
    time.sleep(0.5)
    each._process.kill = lambda: None
    each.end()
"""
    )
    begun = time.monotonic()
    subprocess.run([sys.executable, script], check=True, timeout=60)
    assert time.monotonic() - begun < 15


def test_what_a_process_fetched_is_removed_if_it_is_killed(songs, tmp_path, monkeypatch):
    shutil.copy(songs / "0.mp3", songs / "segfault.mp3")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    root = folder_of(Path(f"file://{songs}"))
    root.mkdir(parents=True)
    left = []
    with Library.open(root, create=True) as library, Workers(2, dying.Load()) as workers:
        summary = run(library, workers)
        left += temporary.rglob("*.mp3")
    assert [each.path.name for each in summary.failed] == ["segfault.mp3"]
    assert {each.name for each in left} == {"segfault.mp3"}, "there is something to remove"
    assert not list(temporary.glob("gdr-*"))


def test_an_encoder_that_cannot_be_loaded_ends_the_run(library, songs):
    with (
        pytest.raises(ModelError, match="these weights are damaged"),
        Workers(2, dying.Fails()) as workers,
    ):
        run(library, workers)
    assert no_processes_left()


def test_nothing_is_started_where_nothing_changed(library, songs, monkeypatch):
    with Workers(2, dying.Load()) as workers:
        run(library, workers)
        monkeypatch.setattr(worker.Spawning, "start", None)
        assert run(library, workers).unchanged == 6


def test_a_pipe_in_the_place_of_a_file_hangs_nobody(library, songs):
    """It was a file when the folder was looked at."""
    os.mkfifo(songs / "pipe")

    def swap(progress):
        if progress.done == 0:
            (songs / "pipe").replace(songs / "5.mp3")

    with Workers(1, dying.Load()) as workers:
        summary = ingest(library, dying.Encoder(), on_progress=swap, engine=workers)
    assert [each.reason for each in summary.failed] == ["it is not a regular file"]
    assert summary.new == 5


def test_what_is_stored_already_is_sent_to_readers_in_little_space() -> None:
    contents = {hashlib.md5(b"%d" % n, usedforsecurity=False).hexdigest() for n in range(10_000)}
    wanted = NotIn(contents)
    sent = pickle.dumps(wanted)
    assert len(sent) < 33 * len(contents)
    received = pickle.loads(sent)  # noqa: S301 (our own)
    others = {f"{n:032x}" for n in range(100)} | {"", "f" * 32, min(contents)[:-1]}
    assert not any(map(received, contents))
    assert all(map(received, others))
    contents |= others
    assert not any(map(wanted, others)), "here it knows what is stored meanwhile"
    assert pickle.loads(pickle.dumps(NotIn(set())))("0")  # noqa: S301 (our own)
