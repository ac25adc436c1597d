"""Every file of a store flipped, cut, zeroed and removed, at random places.

After the next ingest a library finds exactly what it found before, or is refused by one sentence.
Only the database has no checksum: there nothing but the sentence, or an answer, is promised.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from machine import scaled

from gdr_model.errors import GdrError
from gdr_model.search.index import HnswIndex
from gdr_model.search.whitening import Whitening
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.store.stores import stores

TRIES = scaled(1500, 25)
"""Damages of each kind of file."""
QUERIES = np.eye(24, dtype=np.float32)[:5]


def flip(data: bytearray, random_: random.Random) -> bytearray:
    for _ in range(random_.choice([1, 1, 1, 30])):
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return data


def cut(data: bytearray, random_: random.Random) -> bytearray:
    return data[: random_.randrange(len(data))]


def zero(data: bytearray, random_: random.Random) -> bytearray:
    start = random_.choice([0, random_.randrange(len(data))])
    length = min(len(data) - start, random_.choice([16, 96, 4096, len(data)]))
    data[start : start + length] = bytes(length)
    return data


def remove(data: bytearray, random_: random.Random) -> None:
    return None


DAMAGES = [flip, flip, cut, zero, zero, remove]


def found(library: Library, encoder: object) -> list[tuple[str, str]]:
    """What a search finds, by graphs; and the latents that its hits would show."""
    space = encoder.space  # type: ignore[attr-defined]
    whitening = Whitening(np.zeros(24, np.float32), np.ones(24, np.float32), 0.0)
    index = HnswIndex.open(library, space, whitening, exact_below=2, kept_from=2, piece=6)
    index.prepare()
    rows, scores = index.search(QUERIES, 3)
    contents = [index.passages.contents[int(row)] for row in rows.ravel()]
    for content in set(contents):
        library.latents(content, space)
    return [(str(c), f"{s:.4f}") for c, s in zip(contents, scores.ravel(), strict=True)]


@pytest.fixture
def kept(music: Path, encoder, write_tone, gdr_home: Path) -> tuple[Path, Path, list]:
    """A store with a graph, a copy of it, and what is found in it."""
    for number in range(12):
        write_tone(music / f"{number}.wav", hz=150 + 90 * number, seconds=2 + number % 3)
    (music / "none.mp3").write_bytes(b"no sound")
    with Library.open(music, create=True) as library:
        ingest(library, encoder, on_progress=lambda _: None)
        expected = found(library, encoder)
        store = library.store
    copy = gdr_home.parent / "copy"
    shutil.copytree(store, copy)
    return store, copy, expected


def files_of(store: Path) -> list[Path]:
    return sorted(p.relative_to(store) for p in store.rglob("*") if p.is_file())


VALUES = [None, "", "x", b"\xff", -1, 1.5, 2**62]
"""What damage can leave in the place of a value."""


def columns_of(database: Path) -> list[tuple[str, str, str]]:
    """Every column with its table, and the first column of that."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        named = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for (table,) in tables.fetchall()
        }
    return [(table, column, columns[0]) for table, columns in named.items() for column in columns]


def put_value(database: Path, table: str, column: str, first: str, value: object) -> bool:
    """Put a value into the first row of a table, whatever its schema says; whether it is there."""
    update = (
        f"UPDATE {table} SET {column} = ? "  # noqa: S608 (names are those of our own schema)
        f"WHERE {first} = (SELECT {first} FROM {table} LIMIT 1)"
    )
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        schema = "SELECT sql FROM sqlite_master WHERE name = ?"
        (sql,) = connection.execute(schema, (table,)).fetchone()
        set_schema(connection, table, sql.replace("NOT NULL", ""))
        try:
            return bool(connection.execute(update, (value,)).rowcount)
        except sqlite3.Error:  # keys are unique, and a rowid is a number
            return False
        finally:
            set_schema(connection, table, sql)


def set_schema(connection: sqlite3.Connection, table: str, sql: str) -> None:
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, table))
    connection.execute("PRAGMA writable_schema = RESET")


@pytest.mark.parametrize("seed", range(TRIES))
def test_whatever_happens_to_a_file(kept, music: Path, encoder, seed: int) -> None:
    store, copy, expected = kept
    random_ = random.Random(seed)
    for name in files_of(copy):
        shutil.rmtree(store)
        shutil.copytree(copy, store)
        data = bytearray((store / name).read_bytes())
        if not data:
            continue
        damage = random_.choice(DAMAGES)
        damaged = damage(data, random_)
        (store / name).unlink()
        if damaged is not None:
            (store / name).write_bytes(damaged)
        where = f"{name}, {damage.__name__}, seed {seed}"
        try:
            stores()
            with Library.open(music, create=True) as library:
                library.failures(), library.files.left_out(), library.tracks("year > 1990")
                try:
                    first = found(library, encoder)
                except GdrError:
                    first = expected
                ingest(library, encoder, on_progress=lambda _: None)
                second = found(library, encoder)
        except GdrError as error:
            if name.suffix != ".db" or "\n" in str(error):
                raise AssertionError(where) from error
            continue
        except Exception as error:
            raise AssertionError(where) from error
        if name.suffix != ".db":
            assert (first, second) == (expected, expected), where


def test_a_value_that_cannot_be_is_damage(kept, music: Path, encoder) -> None:
    store, copy, _ = kept
    every = [(*at, value) for at in columns_of(copy / "library.db") for value in VALUES]
    some = random.Random(0).sample(every, scaled(len(every), 60))
    put = 0
    for *at, value in some:
        shutil.rmtree(store)
        shutil.copytree(copy, store)
        put += put_value(store / "library.db", *at, value)
        try:
            stores()
            with Library.open(music, create=True) as library:
                library.failures(), library.files.left_out(), library.tracks("year > 1990")
                found(library, encoder)
                ingest(library, encoder, on_progress=lambda _: None)
        except GdrError as error:
            if "\n" in str(error):
                raise AssertionError((*at, value)) from error
        except Exception as error:
            raise AssertionError((*at, value)) from error
    assert put > len(some) / 2
