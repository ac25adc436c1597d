"""Ingesting real files with a real, plain encoder: the ordinary life of a folder."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from ingesting import age, names, run, tag
from stored import means_of

from gdr_model import audio
from gdr_model.store.ingest import ingest
from gdr_model.workers import tasks


def test_the_first_run_makes_everything_searchable(library, music, encoder, write_tone):
    write_tone(music / "b.mp3", hz=200, seconds=3)
    write_tone(music / "deep" / "er" / "a.flac", hz=800, seconds=130)
    (music / "cover.jpg").write_bytes(b"no music")
    tag(music / "b.mp3", title="So What", artist="Miles Davis", genre="Jazz", date="1959")
    assert run(library, encoder) == {"new": 2, "encoded": 2, "left_out": 1}
    assert names(library) == ["b.mp3", "deep/er/a.flac"]
    track = library.track(music / "b.mp3")
    assert track is not None
    assert (track.title, track.artist, track.genre, track.year) == (
        "So What",
        "Miles Davis",
        "Jazz",
        1959,
    )
    assert track.duration_s == pytest.approx(3, abs=0.1)
    assert track.loudness_db == pytest.approx(20 * np.log10(1 / 3 / np.sqrt(2)), abs=0.3)
    assert library.spaces() == [encoder.space]
    passages = library.passages(encoder.space)
    assert passages.starts_s.tolist() == [0, 0, 43, 86]
    assert passages.ends_s.tolist() == pytest.approx([3, 43, 86, 130], abs=0.1)


def test_the_latents_kept_are_those_the_encoder_gave(library, music, encoder, write_tone):
    path = write_tone(music / "a.wav", hz=300, seconds=70)
    run(library, encoder)
    track = library.tracks()[0]
    expected = encoder.encode(audio.decode(path, 16000).samples)
    kept = library.latents(track.content, encoder.space)
    assert np.array_equal(kept, expected.astype(np.float16).astype(np.float32))
    means = means_of(library.passages(encoder.space))
    assert means == pytest.approx(np.stack([expected[:35].mean(0), expected[35:].mean(0)]))


def test_a_second_run_over_200_unchanged_files_is_quick(library, music, encoder, write_tone):
    for i in range(200):
        write_tone(music / f"{i}.wav", hz=100 + i, seconds=0.1, rate_hz=8000)
    assert run(library, encoder) == {"new": 200, "encoded": 200}
    begun = time.monotonic()
    assert run(library, encoder) == {"unchanged": 200}
    assert time.monotonic() - begun < 1


def test_a_file_with_other_sound_is_encoded_again(library, music, encoder, write_tone):
    write_tone(music / "a.wav", hz=200)
    run(library, encoder)
    write_tone(music / "a.wav", hz=900, seconds=3)
    assert run(library, encoder) == {"changed": 1, "encoded": 1}
    assert library.count() == 1
    assert library.tracks()[0].duration_s == 3


def test_new_tags_are_read_without_encoding(library, music, encoder, write_tone):
    path = write_tone(music / "a.mp3")
    run(library, encoder)
    tag(path, title="Blue in Green")
    age(path)
    assert run(library, encoder) == {"changed": 1}
    assert encoder.calls == 1
    assert library.tracks()[0].title == "Blue in Green"


def test_a_moved_file_is_not_encoded_again_but_its_tags_are_read(
    library, music, encoder, write_tone
):
    path = write_tone(music / "a.mp3", hz=200)
    write_tone(music / "stays.mp3", hz=300)
    run(library, encoder)
    tag(path, title="renamed")
    path.rename(music / "b.mp3")
    assert run(library, encoder) == {"moved": 1, "unchanged": 1}
    assert names(library) == ["b.mp3", "stays.mp3"]
    assert library.tracks()[0].title == "renamed"


def test_a_renamed_folder_is_recognised_without_decoding(
    library, music, encoder, write_tone, monkeypatch
):
    for i in range(3):
        write_tone(music / "old" / f"{i}.wav", hz=200 + 50 * i, seconds=1 + i)
    run(library, encoder)
    (music / "old").rename(music / "new")
    assert run(library, encoder, dry_run=True) == {"moved": 3}
    monkeypatch.setattr(tasks, "decode", None)
    assert run(library, encoder) == {"moved": 3}
    assert names(library) == ["new/0.wav", "new/1.wav", "new/2.wav"]


def test_files_that_look_alike_are_decoded_to_tell_them_apart(library, music, encoder, write_tone):
    """Same name, size and time in two folders, as from an archive; both folders renamed."""
    for folder, hz in (("a", 200), ("b", 800)):
        os.utime(write_tone(music / folder / "01.wav", hz=hz), ns=(10**18, 10**18))
    run(library, encoder)
    before = {t.path.parent.name: t.content for t in library.tracks()}
    (music / "a").rename(music / "y")
    (music / "b").rename(music / "x")
    assert run(library, encoder) == {"moved": 2}
    after = {t.path.parent.name: t.content for t in library.tracks()}
    assert (after["y"], after["x"]) == (before["a"], before["b"])


def test_a_copy_is_encoded_once(library, music, encoder, write_tone):
    path = write_tone(music / "a.mp3")
    shutil.copy(path, music / "b.mp3")
    assert run(library, encoder) == {"new": 1, "duplicate": 1, "encoded": 1}
    shutil.copy(path, music / "c.mp3")
    assert run(library, encoder) == {"unchanged": 2, "duplicate": 1}
    assert len({track.content for track in library.tracks()}) == 1
    assert len(library.passages(encoder.space).ids) == 1


def test_a_file_that_is_gone_leaves_its_latents_for_its_return(library, music, encoder, write_tone):
    path = write_tone(music / "a.mp3", hz=200)
    write_tone(music / "b.mp3", hz=300)
    run(library, encoder)
    content = library.tracks()[0].content
    path.rename(music.parent / "away.mp3")
    assert run(library, encoder) == {"gone": 1, "unchanged": 1}
    assert names(library) == ["b.mp3"]
    assert len(library.passages(encoder.space).ids) == 1
    assert len(library.latents(content, encoder.space)) == 2
    (music.parent / "away.mp3").rename(path)
    assert run(library, encoder) == {"new": 1, "unchanged": 1}
    assert len(library.passages(encoder.space).ids) == 2


def test_a_second_encoder_is_kept_beside_the_first(library, music, encoder, write_tone):
    write_tone(music / "a.mp3", hz=200)
    shutil.copy(music / "a.mp3", music / "copy.mp3")
    run(library, encoder)
    other = type(encoder)(fingerprint="1" * 16, sample_rate_hz=8000)
    assert run(library, other) == {"new": 1, "duplicate": 1, "encoded": 1}
    assert library.spaces() == [encoder.space, other.space]
    content = library.tracks()[0].content
    first, second = (library.latents(content, space) for space in library.spaces())
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    assert run(library, encoder) == {"unchanged": 2}
    assert run(library, other) == {"unchanged": 2}


def test_a_dry_run_counts_and_writes_nothing(library, music, encoder, write_tone):
    write_tone(music / "a.wav", hz=200)
    write_tone(music / "b.wav", hz=300)
    run(library, encoder)
    (music / "a.wav").unlink()
    write_tone(music / "b.wav", hz=400, seconds=3)
    write_tone(music / "c.wav", hz=500)
    generation, stored = library.generation, stored_files(library)
    assert run(library, encoder, dry_run=True) == {"new": 1, "changed": 1, "gone": 1}
    assert library.generation == generation
    assert stored_files(library) == stored
    assert encoder.calls == 2


def stored_files(library):
    return {p: p.stat().st_mtime_ns for p in library.store.rglob("*") if p.suffix != ".db-shm"}


def test_progress_ends_at_the_total(library, music, encoder, write_tone):
    for i in range(4):
        write_tone(music / f"{i}.wav", hz=200 + i)
    (music / "3.wav").write_text("broken")
    seen = []
    ingest(library, encoder, on_progress=seen.append)
    assert [p.done for p in seen] == [0, 1, 2, 3, 4]
    assert {p.total for p in seen} == {4}
    assert seen[0].path is None
    assert [p.path for p in seen[1:]] == sorted(music.glob("*.wav"))
    assert seen[-1].audio_s == pytest.approx(6)
    assert all(a.elapsed_s <= b.elapsed_s for a, b in pairwise(seen))


def test_every_file_counts_once(library, music, encoder, write_tone):
    write_tone(music / "same.wav", hz=200)
    write_tone(music / "old.wav", hz=300)
    write_tone(music / "gone.wav", hz=350)
    write_tone(music / "changes.wav", hz=400)
    (music / "bad.wav").write_text("x")
    run(library, encoder)
    (music / "old.wav").rename(music / "moved.wav")
    (music / "gone.wav").unlink()
    write_tone(music / "changes.wav", hz=450, seconds=3)
    write_tone(music / "new.wav", hz=500)
    shutil.copy(music / "same.wav", music / "copy.wav")
    (music / "worse.wav").write_text("y")
    summary = asdict(ingest(library, encoder, on_progress=lambda _: None))
    assert {n: summary[n] for n in ("new", "changed", "unchanged", "moved", "duplicate")} == {
        "new": 1,
        "changed": 1,
        "unchanged": 1,
        "moved": 1,
        "duplicate": 1,
    }
    assert (len(summary["failed"]), summary["skipped_failed"], summary["gone"]) == (1, 1, 1)
