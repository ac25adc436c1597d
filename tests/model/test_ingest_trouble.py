"""Ingesting where folders go away, programs stop and crash, and two run at once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from ingesting import names, run

from gdr_model.errors import Cancelled, LibraryError, StoreUnavailable
from gdr_model.store import lock
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.workers import tasks

# Folders and disks that are not there


def test_tracks_in_an_unreadable_folder_are_kept(library, music, encoder, write_tone, monkeypatch):
    write_tone(music / "locked" / "in" / "a.wav", hz=200)
    write_tone(music / "b.wav", hz=300)
    run(library, encoder)
    whole = os.scandir

    def scandir(folder):
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return whole(folder)

    monkeypatch.setattr(os, "scandir", scandir)  # tests may run as root, who may read anything
    summary = ingest(library, encoder, on_progress=lambda _: None)
    assert (summary.unchanged, summary.gone) == (1, 0)
    assert summary.unreadable == [music / "locked"]
    assert names(library) == ["b.wav", "locked/in/a.wav"]


def test_a_missing_root_is_refused(library, music, encoder, write_tone):
    write_tone(music / "a.wav")
    run(library, encoder)
    music.rename(music.parent / "unmounted")
    for dry_run in (False, True):
        with pytest.raises(LibraryError, match="is its disk mounted"):
            run(library, encoder, dry_run=dry_run)
    assert library.count() == 1


def test_an_empty_root_does_not_empty_the_library(library, music, encoder, write_tone):
    assert run(library, encoder) == {}
    write_tone(music / "a.wav")
    run(library, encoder)
    (music / "a.wav").unlink()
    with pytest.raises(LibraryError, match="holds no music now, but its library lists 1 tracks"):
        run(library, encoder)
    assert library.count() == 1


@pytest.mark.parametrize("left", ["glob", "marker"])
def test_something_left_out_does_not_excuse_an_empty_root(
    library, music, encoder, write_tone, left
):
    write_tone(music / "a.wav", hz=200)
    write_tone(music / "podcasts" / "b.wav", hz=300)
    run(library, encoder)
    (music / "a.wav").unlink()
    (music / "podcasts" / "b.wav").unlink()
    (music / "podcasts" / (".notmusic" if left == "marker" else "notes.txt")).touch()
    with pytest.raises(LibraryError, match="holds no music now"):
        run(library, encoder, exclude=["podcasts"] if left == "glob" else [])
    assert library.count() == 2


# Stopping, crashing, running twice


def test_stopping_keeps_what_is_done(library, music, encoder, write_tone):
    for i in range(6):
        write_tone(music / f"{i}.wav", hz=200 + 40 * i)
    done = []
    with pytest.raises(Cancelled):
        ingest(
            library,
            encoder,
            on_progress=done.append,
            cancelled=lambda: bool(done) and done[-1].done >= 3,
        )
    assert library.count() == 3
    assert len(library.passages(encoder.space).ids) == 3
    assert run(library, encoder) == {"new": 3, "unchanged": 3, "encoded": 3}


def test_stopping_does_not_wait_for_a_long_decode(library, music, encoder, monkeypatch, write_tone):
    write_tone(music / "a.wav")
    started = threading.Event()

    def slow(_path, _rate_hz, *, cancelled, most):
        started.set()
        while not cancelled():
            time.sleep(0.01)
        raise Cancelled("stopped")

    monkeypatch.setattr(tasks, "decode", slow)
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        run(library, encoder, cancelled=started.is_set)
    assert time.monotonic() - begun < 2


def test_a_track_is_searchable_once_it_is_stored(library, music, encoder, write_tone, monkeypatch):
    monkeypatch.setattr("gdr_model.store.disk.together.LATEST_S", -1.0)
    for i in range(3):
        write_tone(music / f"{i}.wav", hz=200 + 40 * i)
    with Library.open(music) as reader:
        seen = []
        ingest(
            library,
            encoder,
            on_progress=lambda p: seen.append(
                (p.done, len(reader.tracks()), len(reader.passages(encoder.space).ids))
            ),
        )
    assert seen == [(i, i, i) for i in range(4)]


def test_a_crash_of_the_encoder_leaves_the_rest(library, music, encoder, write_tone):
    for i in range(4):
        write_tone(music / f"{i}.wav", hz=200 + 40 * i)
    whole = encoder.encode

    def encode(samples, cancelled):
        if encoder.calls == 2:
            raise RuntimeError("out of memory")
        return whole(samples, cancelled)

    encoder.encode = encode
    with pytest.raises(RuntimeError, match="out of memory"):
        run(library, encoder)
    encoder.encode = whole
    assert run(library, encoder) == {"new": 2, "unchanged": 2, "encoded": 2}
    assert library.failures() == []


@pytest.mark.parametrize("where", ["decode", "encode"])
def test_a_lack_of_memory_is_not_the_files_fault(
    library, music, encoder, write_tone, monkeypatch, where
):
    write_tone(music / "a.wav")

    def short(*_, **__):
        raise MemoryError

    with monkeypatch.context() as full:
        full.setattr(tasks if where == "decode" else encoder, where, short)
        assert run(library, encoder) == {"unavailable": 1}
    assert library.failures() == []
    assert run(library, encoder) == {"new": 1, "encoded": 1}


def test_latents_cut_off_by_a_crash_are_made_again(library, music, encoder, write_tone):
    for i in range(3):
        write_tone(music / f"{i}.wav", hz=200 + 40 * i)
    run(library, encoder)
    file = next((library.store / "latents").glob("*.f16"))
    library.close()
    os.truncate(file, file.stat().st_size - 10)
    with Library.open(music) as again:
        assert run(again, encoder) == {"new": 1, "unchanged": 2, "encoded": 1}
        for track in again.tracks():
            assert len(again.latents(track.content, encoder.space)) == 2


def test_two_ingests_of_one_library_at_once(library, music, encoder, write_tone):
    write_tone(music / "a.wav")
    assert not library.is_being_indexed()
    with lock.held(library.store, "the folder"):
        assert library.is_being_indexed()
        with pytest.raises(StoreUnavailable, match=f"another gdr is indexing {music}; wait"):
            run(library, encoder)
    assert not library.is_being_indexed()
    assert run(library, encoder) == {"new": 1, "encoded": 1}
