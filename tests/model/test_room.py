"""Memory that processes which read files hold together."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from gdr_model.models.checkpoint import load_encoder
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.here import Here
from gdr_model.workers.pool import Workers
from gdr_model.workers.room import Room
from gdr_model.workers.tasks import Task

SECONDS = 200
"""Of each file: 13 MB of samples, and 25 MB to encode them."""
MB = 1 << 20


def private_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0


class Watching:
    """The most that the processes which read files hold to themselves, together."""

    def __init__(self) -> None:
        self.most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            servers = [each for each in psutil.Process().children() if each.children()]
            readers = [each for server in servers for each in server.children()]
            self.most = max(self.most, sum(map(private_bytes, readers)))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted on Linux")
def test_many_processes_hold_no_more_than_they_may_and_find_what_one_does(
    music: Path, write_tone: Callable[..., Path]
) -> None:
    """Six that encode at once would hold 6 × 50 MB."""
    tasks = [
        Task(write_tone(music / f"{n}.wav", hz=200 + n, seconds=SECONDS, rate_hz=16000), True)
        for n in range(10)
    ]
    with Workers(6, LoadEncoder("builtin"), together_mb=60) as workers, Watching() as watching:
        outcomes = [each.result().latents for each in workers.read(tasks, 16000, lambda _: True)]
    # What one takes after it has looked, for each; and what each holds before it reads anything.
    assert 60 * MB < watching.most < (60 + 6 * 16 + 45) * MB
    encoder = load_encoder("builtin")
    for latents, one in zip(outcomes, Here().read(tasks, 16000, lambda _: True), strict=True):
        samples = one.result().samples
        assert samples is not None
        np.testing.assert_array_equal(latents, encoder.encode(samples))


def test_where_there_is_no_room_all_files_are_read(
    music: Path, write_tone: Callable[..., Path]
) -> None:
    tasks = [Task(write_tone(music / f"{n}.wav", hz=200 + n, seconds=60), True) for n in range(5)]
    with Workers(3, LoadEncoder("builtin"), together_mb=0) as workers:
        outcomes = list(workers.read(tasks, 16000, lambda _: True))
    assert len([each.result() for each in outcomes]) == 5


def test_the_first_file_never_waits_and_what_is_gone_holds_nothing() -> None:
    room = Room(multiprocessing.get_context("spawn"), 3, together_mb=100)
    room.begin(0, 7)
    room.begin(1, 5)
    room.hold(0, 60 * MB)
    room.hold(1, 39 * MB)
    assert [room.is_short(place) for place in range(3)] == [False] * 3
    room.hold(1, 41 * MB)
    assert [room.is_short(0), room.is_short(1)] == [True, False]
    room.end(1)
    assert not room.is_short(0), "now it is the first"
    room.begin(2, 6)
    assert room.is_short(0)
    room.hold(1, 0)
    assert not room.is_short(0), "there is enough"
