"""Changes of a library that are stored together: rows are on disk first, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
from functools import partial

import numpy as np
import pytest
from ingesting import names
from storing import RANDOM, SPACE, put

from gdr_model.audio import Tags
from gdr_model.errors import Cancelled, LibraryError
from gdr_model.store import ingest
from gdr_model.store.disk import together
from gdr_model.store.disk.together import Together
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp


def later(puts: Together, library: Library, name: str, dim: int = 8):
    """Put a track with its latents soon."""
    sound, latents = Sound(f"sound of {name}", 3.0, -20.0), RANDOM.standard_normal((3, dim))
    puts.put(partial(library.put_latents, sound, SPACE, latents.astype(np.float32)), latents.nbytes)
    puts.put(partial(library.files.put_track, name.encode(), Stamp(1, 2), sound, Tags()))
    return latents


@pytest.fixture
def slow(monkeypatch):
    """Nothing is stored because time passes."""
    monkeypatch.setattr(together, "LATEST_S", 1000.0)


def test_many_tracks_wait_for_the_disk_once(library, slow, monkeypatch):
    put(library, "before")
    synced = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(handle) or sync(handle))
    puts, generation = Together(library), library.generation
    latents = {name: later(puts, library, name) for name in "abcdefgh"}
    assert (library.count(), synced) == (1, [])
    puts.flush()
    assert len(synced) == 2
    assert library.generation == generation + 1
    for name, rows in latents.items():
        kept = library.latents(f"sound of {name}", SPACE)
        assert kept == pytest.approx(rows, abs=1e-2)
    assert library.damaged(SPACE) == 0
    puts.flush()
    assert len(synced) == 2


def test_rows_are_on_disk_before_anything_points_at_them(library, slow, monkeypatch):
    put(library, "before")
    puts = Together(library)
    later(puts, library, "a")
    sync = os.fsync
    seen = []

    def looked(handle):
        with sqlite3.connect(library.store / "library.db") as other:
            seen.extend(other.execute("SELECT count(*) FROM latents").fetchone())
        sync(handle)

    monkeypatch.setattr(os, "fsync", looked)
    puts.flush()
    assert seen == [1, 1]
    assert library.count() == 2


def test_what_cannot_be_stored_costs_what_comes_after_it_alone(library, slow):
    puts = Together(library)
    later(puts, library, "a")
    later(puts, library, "b", dim=5)  # no latents of this space
    later(puts, library, "c")
    with pytest.raises(LibraryError, match="gave latents of shape"):
        puts.flush()
    assert names(library) == ["a"]
    assert library.damaged(SPACE) == 0


def test_what_interrupts_the_storing_loses_nothing(library, slow):
    interruptions = [KeyboardInterrupt]

    def interrupted():
        if interruptions:
            raise interruptions.pop()

    puts = Together(library)
    later(puts, library, "a")
    puts.put(interrupted)
    with pytest.raises(KeyboardInterrupt):
        puts.flush()
    assert names(library) == []
    puts.flush()
    assert names(library) == ["a"]
    assert library.damaged(SPACE) == 0


def test_nothing_waits_long_and_little_waits(library, monkeypatch):
    monkeypatch.setattr(together, "LATEST_S", -1.0)
    puts = Together(library)
    later(puts, library, "a")
    assert names(library) == ["a"]
    monkeypatch.setattr(together, "LATEST_S", 1000.0)
    monkeypatch.setattr(together, "MOST_BYTES", 300)
    later(puts, library, "b")
    assert library.has_latents("sound of b", SPACE) is False
    later(puts, library, "c")
    assert library.has_latents("sound of b", SPACE)
    assert library.has_latents("sound of c", SPACE)


@pytest.mark.parametrize("kind", [Cancelled, KeyboardInterrupt, ZeroDivisionError])
def test_a_run_that_is_stopped_keeps_what_it_has_read(
    library, music, encoder, write_tone, slow, kind
):
    for number in range(4):
        write_tone(music / f"{number}.wav", hz=200 + 50 * number)

    def stop(progress):
        if progress.done == 3:
            raise kind("stopped")

    with pytest.raises(kind):
        ingest.ingest(library, encoder, on_progress=stop)
    assert names(library) == ["0.wav", "1.wav", "2.wav"]
