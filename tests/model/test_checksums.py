"""Checksums of stored latents: what a power cut or a decaying disk leaves is damage, no result."""

from __future__ import annotations

import os
import sqlite3
import tracemalloc

import numpy as np
import pytest
from ingesting import names, run
from stored import means_of
from storing import SPACE, put

from gdr_model.errors import Cancelled, Hint, LibraryError
from gdr_model.store import statements
from gdr_model.store.library import Library
from gdr_model.store.migrations import MIGRATIONS


def file_of(library, kind):
    return next((library.store / "latents").glob(f"*.{kind}"))


def zero(file, start, count):
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(bytes(count))


def flip(file, start, count):
    with file.open("r+b") as opened:
        opened.seek(start)
        old = opened.read(count)
        opened.seek(start)
        opened.write(bytes(byte ^ 1 for byte in old))


def contents(library):
    return sorted(library.encoded(SPACE))


@pytest.mark.parametrize("damage", [zero, flip])
@pytest.mark.parametrize(("kind", "row_bytes"), [("f16", 8 * 2 * 3), ("means", 8 * 4)])
def test_damage_is_no_result_and_is_made_again(library, damage, kind, row_bytes):
    for name in "abc":
        put(library, name)
    damage(file_of(library, kind), row_bytes, row_bytes)  # of b
    with pytest.raises(LibraryError, match="they are not those that were stored") as caught:
        library.latents("sound of b", SPACE) if kind == "f16" else means_of(library.passages(SPACE))
    assert caught.value.hint is Hint.INDEX_AGAIN
    assert len(library.latents("sound of a", SPACE)) == 3
    assert library.damaged(SPACE) == 1
    assert library.drop_damaged(SPACE) == 1
    assert contents(library) == ["sound of a", "sound of c"]
    assert (library.damaged(SPACE), library.drop_damaged(SPACE)) == (0, 0)


def test_a_check_that_is_cancelled_deletes_nothing(library):
    for name in "abc":
        put(library, name)
    flip(file_of(library, "means"), 8 * 4, 1)  # of b
    with pytest.raises(Cancelled):
        library.drop_damaged(SPACE, lambda: True)
    assert contents(library) == ["sound of a", "sound of b", "sound of c"]
    polled = []
    assert library.drop_damaged(SPACE, lambda: bool(polled.append(1))) == 1
    assert polled, "it rests where this blocks"
    assert contents(library) == ["sound of a", "sound of c"]


def test_a_check_goes_through_all_means_once(library):
    plan = library._database.read(f"EXPLAIN QUERY PLAN {statements.SUMS_BY_ID}", 1, 0, 10)
    steps = [row[-1] for row in plan]
    assert "SEARCH passages USING INTEGER PRIMARY KEY (rowid>?)" in steps
    assert not any("TEMP B-TREE" in step for step in steps), "each piece would sort them all"


def test_what_a_reader_finds_is_made_again_however_old_it_is(library, monkeypatch):
    monkeypatch.setattr("gdr_model.store.disk.checking.NEWEST", 1)
    for name in "abc":
        put(library, name)
    flip(file_of(library, "f16"), 0, 1)
    assert library.drop_damaged(SPACE) == 0, "the newest alone are checked"
    with pytest.raises(LibraryError, match="are damaged"):
        library.latents("sound of a", SPACE)
    assert library.drop_damaged(SPACE) == 1
    assert contents(library) == ["sound of b", "sound of c"]
    assert not (library.store / "latents" / "damaged").exists()


def test_ingesting_again_decodes_what_was_damaged_alone(library, music, encoder, write_tone):
    for i in range(3):
        write_tone(music / f"{i}.wav", hz=200 + 40 * i)
    run(library, encoder)
    before = library.passages(encoder.space)
    means = means_of(before)
    zero(file_of(library, "means"), 24 * 4, 24 * 4)
    assert run(library, encoder) == {"new": 1, "unchanged": 2, "encoded": 1}
    assert names(library) == ["0.wav", "1.wav", "2.wav"]
    after = library.passages(encoder.space)
    order = [list(after.contents).index(content) for content in before.contents]
    np.testing.assert_array_equal(means_of(after)[order], means)


def former_store(library):
    """The store as the version before checksums left it."""
    library.close()
    connection = sqlite3.connect(library.store / "library.db")
    connection.executescript(
        """
        DROP INDEX passages_row;
        ALTER TABLE latents DROP COLUMN checksum;
        ALTER TABLE passages DROP COLUMN checksum;
        CREATE INDEX passages_row ON passages (space, mean_row);
        PRAGMA user_version = 3;
        """
    )
    connection.close()
    assert len(MIGRATIONS) >= 4


def sums(library):
    read = library._database.read
    rows = read("SELECT checksum FROM latents ORDER BY 1")
    return [row[0] for row in rows + read("SELECT checksum FROM passages ORDER BY 1")]


def test_a_store_of_before_gets_checksums_without_encoding_again(library, music):
    put(library, "short")
    put(library, "long", seconds=150)
    expected = sums(library)
    former_store(library)
    with Library.open(music) as again:
        assert set(sums(again)) == {None}
        assert len(again.passages(SPACE).ids) == 4, "it is searched as it is"
        assert again.drop_damaged(SPACE) == 0
        assert sums(again) == expected
        assert len(again.passages(SPACE).ids) == 4


@pytest.mark.parametrize(
    "damage",
    [
        {"f16": (48, 48)},
        {"means": (32, 32)},
        {"f16": (48, 48), "means": (32, 32)},
        {"f16": (64, 16)},
    ],
)
def test_damage_in_a_store_of_before_is_found_by_its_contradictions(library, music, damage):
    for name in "abc":
        put(library, name)
    files = {kind: file_of(library, kind) for kind in damage}
    former_store(library)
    for kind, (start, count) in damage.items():
        zero(files[kind], start, count)
    with Library.open(music) as again:
        assert again.drop_damaged(SPACE) == 1
        assert contents(again) == ["sound of a", "sound of c"]


def test_a_note_is_left_where_that_is_possible_alone(library):
    put(library, "a")
    os.truncate(file_of(library, "f16"), 0)
    note = library.store / "latents" / "damaged"
    note.mkdir()  # in the way, as a read-only disk would be
    with pytest.raises(LibraryError, match="are damaged"):
        library.latents("sound of a", SPACE)


def test_the_means_of_many_passages_are_checked_some_at_a_time(library, monkeypatch):
    long = np.ones((64 * 10_000, 8), np.float32)
    for name in "abc":
        put(library, name, latents=long, seconds=len(long))
    put(library, "d")  # the latents of this one alone are checked
    assert len(library.passages(SPACE).ids) == 30_001
    monkeypatch.setattr("gdr_model.store.disk.checking.NEWEST", 1)
    flip(file_of(library, "means"), 8 * 4 * 12_345, 1)  # of b
    tracemalloc.start()
    try:
        assert library.drop_damaged(SPACE) == 1
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert contents(library) == ["sound of a", "sound of c", "sound of d"]

    assert most < 6e6  # all of them would be 9 MB
