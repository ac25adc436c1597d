"""Memory that several decodings share."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from gdr_model.audio.room import GrowingArray, Room
from gdr_model.errors import Cancelled

MB = 1 << 20


def test_the_second_waits_until_the_first_is_used_up() -> None:
    room = Room(limit=10 * MB)
    first, second = room.share(), room.share()
    first.take(8 * MB)
    done = threading.Event()

    def take() -> None:
        second.take(6 * MB)
        done.set()

    thread = threading.Thread(target=take)
    thread.start()
    assert not done.wait(0.3)
    assert room.held == 8 * MB
    first.release()
    assert done.wait(5)
    thread.join()
    assert room.held == 6 * MB


def test_the_oldest_never_waits() -> None:
    """Otherwise two that have half of the room each would wait for each other forever."""
    room = Room(limit=10 * MB)
    first, second = room.share(), room.share()
    second.take(5 * MB)
    first.take(5 * MB)
    begun = time.monotonic()
    first.take(50 * MB)
    assert time.monotonic() - begun < 1
    first.release()
    second.take(50 * MB)  # it is the oldest now
    second.release()
    second.release()
    assert room.held == 0


def test_less_is_always_given() -> None:
    room = Room(limit=10 * MB)
    first, second = room.share(), room.share()
    second.take(9 * MB)
    first.take(9 * MB)
    second.take(8 * MB)
    assert room.held == 17 * MB


def test_waiting_ends_when_asked() -> None:
    room = Room(limit=MB)
    first, second = room.share(), room.share()
    first.take(MB)
    with pytest.raises(Cancelled):
        second.take(MB, cancelled=lambda: True)


def test_an_array_holds_what_it_has_room_for() -> None:
    room = Room()
    room.share()
    array = GrowingArray(room.share())
    blocks = [np.full((500_000, 2), n, np.float32) for n in range(9)]
    for block in blocks:
        array.append(block)
        assert room.held >= 4 * array.size
    samples = array.finished()
    assert room.held == samples.nbytes == 9 * 4_000_000
    assert samples[::1_000_000].tolist() == list(range(9))
