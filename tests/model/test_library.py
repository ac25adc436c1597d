"""The store: what opens, which tracks it has, how it holds up in numbers and in threads."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from storing import SPACE, put

from gdr_model.audio import Tags
from gdr_model.errors import Hint, LibraryError, UsageError
from gdr_model.paths import store_of
from gdr_model.store.library import Library
from gdr_model.store.migrations import MIGRATIONS
from gdr_model.store.records import Sound, Stamp
from gdr_model.store.stores import stores
from gdr_model.types import Section

# Opening


def test_a_folder_that_was_never_indexed(music):
    with pytest.raises(LibraryError) as caught:
        Library.open(music)
    assert str(caught.value) == f"no library at {music} yet"
    assert (caught.value.hint, caught.value.facts) == (Hint.INDEX, {"root": str(music)})
    assert not store_of(music).exists()


def test_what_is_not_a_folder_cannot_become_a_library(tmp_path):
    with pytest.raises(LibraryError, match="is not a folder"):
        Library.open(tmp_path / "nothing", create=True)
    assert stores().roots == []


def test_nothing_is_written_into_the_music_folder(library, music, gdr_home):
    put(library, "a.mp3")
    assert list(music.iterdir()) == []
    assert library.store.is_relative_to(gdr_home)


def test_a_library_is_the_same_by_any_spelling_of_its_root(library, music, monkeypatch):
    put(library, "a.mp3")
    (music.parent / "link").symlink_to(music)
    monkeypatch.chdir(music.parent)
    for spelling in (Path("music"), music.parent / "link", music / ".." / "music"):
        with Library.open(spelling) as other:
            assert other.store == library.store
            assert other.count() == 1
            assert other.track(music / "a.mp3") is not None
            assert other.track(Path("music/../music/a.mp3")) is not None
            assert other.track(Path("link/a.mp3")) is not None
            assert other.track(Path("elsewhere.mp3")) is None
            assert other.track(music) is None


def test_a_library_opens_while_its_disk_is_away(library, music):
    put(library, "a.mp3")
    music.rmdir()
    with Library.open(music) as again:
        assert again.count() == 1


def test_a_library_of_a_newer_program_is_refused(library, music):
    library.close()
    with sqlite3.connect(library.store / "library.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LibraryError, match=r"a newer gdr wrote this library \(format 99"):
        Library.open(music)


def test_a_database_that_is_none_is_refused_with_the_next_step(library, music):
    library.close()
    for extra in ("-wal", "-shm"):
        (library.store / f"library.db{extra}").unlink(missing_ok=True)
    (library.store / "library.db").write_bytes(b"This is no database at all." * 100)
    with pytest.raises(LibraryError, match="cannot be opened") as caught:
        Library.open(music)
    assert caught.value.hint is Hint.REPLACE_LIBRARY
    assert caught.value.facts == {"root": str(music), "store": str(library.store)}
    assert stores().roots == []


def test_two_programs_may_make_one_library_at_once(music):
    barrier = threading.Barrier(8)
    failed = []

    def make():
        barrier.wait()
        try:
            Library.open(music, create=True).close()
        except LibraryError as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with Library.open(music) as library:
        assert library.generation == 0


def test_the_first_format_still_opens(music):
    """A store as the first migration alone makes it, with a row in every table."""
    store = store_of(music)
    (store / "latents").mkdir(parents=True)
    connection = sqlite3.connect(store / "library.db")
    for statement in MIGRATIONS[0]:
        connection.execute(statement)
    connection.executescript(
        """
        INSERT INTO facts VALUES ('root', CAST('x' AS BLOB)), ('generation', 7);
        INSERT INTO tracks
            VALUES (CAST('a.mp3' AS BLOB), 1, 2, 'c', 3.0, -20.0, 'T', '', '', '', 1999);
        INSERT INTO failures VALUES (CAST('b.mp3' AS BLOB), 1, 2, 'the file is empty', 0);
        INSERT INTO spaces VALUES (1, 'plain', 8, 16000, 1.0, 1.0, 'abababababababab');
        INSERT INTO latents VALUES (1, 'c', 0, 3);
        INSERT INTO passages VALUES (5, 1, 'c', 0, 3, 0);
        PRAGMA user_version = 1;
        """
    )
    connection.close()
    with Library.open(music) as library:
        assert library.generation == 7
        assert [track.title for track in library.tracks()] == ["T"]
        assert library.failures() == [], "what failed is tried again: more is read now"
        assert library.files.stamps()[b"a.mp3"][0].ctime_ns is None, "its tags are read again"
        assert library.spaces() == [SPACE]


def test_a_track_comes_back_with_every_tag(library):
    sections = (Section(0.0, "Intro"), Section(61.5, "Ünder", "Bjo\u0308rk"))
    tags = Tags(
        "Title", "Artist", "Album", "Rock; Pop", 2008, "Various Artists", 124.5, 1969, "F#m",
        "ripped\nby me", "flac", sections,
    )  # fmt: skip
    library.files.put_track(b"a.flac", Stamp(400, 2), Sound("c", 200.0, -20.0), tags)
    (track,) = library.tracks()
    for name in ("title", "artist", "album", "genre", "year", "albumartist", "bpm", "originalyear",
                 "key", "comment", "codec", "sections"):  # fmt: skip
        assert getattr(track, name) == getattr(tags, name), name
    assert track.bitrate_bps == 16
    assert [s and s.title for s in map(track.section, (0.0, 61.0, 61.5, 900.0))] == [
        "Intro", "Intro", "Ünder", "Ünder",
    ]  # fmt: skip


def test_known_libraries_come_latest_first(tmp_path):
    roots = [tmp_path / name for name in ("a", "b", "never")]
    for root in roots:
        root.mkdir()
        with Library.open(root, create=True) as library:
            if root.name != "never":
                put(library, "a.mp3")
    assert stores().roots == [roots[1], roots[0], roots[2]]


# Tracks and failures


def test_every_byte_a_name_can_hold_comes_back(library):
    name = bytes(b for b in range(1, 256) if b != ord("/"))
    library.files.put_track(name, Stamp(1, 2), Sound("c", 1.0, -20.0), Tags(title="\x00\x1b[31m"))
    track = library.tracks()[0]
    assert os.fsencode(track.path) == os.fsencode(library.root) + b"/" + name
    assert track.title == "\x00\x1b[31m"
    library.files.put_failure(name, Stamp(1, 2), "why")
    assert library.count() == 0
    assert os.fsencode(library.failures()[0].path).endswith(name)


def test_filters_decide_over_paths_relative_to_the_root(library):
    put(library, "Jazz/a.mp3", genre="Jazz", year=1959)
    put(library, "Jazz/Live/b.mp3", genre="jazz", year=1980)
    put(library, "music/c.mp3", genre="Rock")
    assert [t.genre for t in library.tracks("folder = jazz")] == ["jazz", "Jazz"]
    assert library.contents("genre = jazz and year < 1970") == {"sound of Jazz/a.mp3"}
    assert [t.genre for t in library.tracks("folder = music")] == ["Rock"]
    for bad in ("mood = x", "", "  "):
        with pytest.raises(UsageError):
            library.tracks(bad)


def test_changes_by_another_program_are_seen(library, music):
    put(library, "a")
    assert len(library.tracks()) == 1
    with Library.open(music) as other:
        put(other, "b", title="new")
    assert [t.title for t in library.tracks()] == ["", "new"]
    library.tracks().clear()  # a list of one's own
    assert len(library.tracks()) == 2


def test_threads_may_share_a_library(library):
    put(library, "a")
    failed = []
    stop = threading.Event()

    def read():
        try:
            while not stop.is_set():
                for track in library.tracks():
                    assert len(library.latents(track.content, SPACE)) == 3
                assert len(library.passages(SPACE).ids) >= 1
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(30):
        put(library, f"{i}")
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert library.count() == 31


def test_a_hundred_thousand_tracks(library, music):
    """The app counts those that a filter keeps while somebody types."""
    with library._database.write() as connection:
        connection.executemany(
            "INSERT INTO tracks (path, size, mtime_ns, content, duration_s, loudness_db, title, "
            "artist, album, genre, year) "
            "VALUES (?, 1, 2, ?, 200.0, -20.0, ?, 'Artist', 'Album', ?, 1999)",
            [
                (
                    b"folder %d/%06d.mp3" % (i % 100, i),
                    f"{i:032x}",
                    f"Title {i}",
                    "Jazz" if i % 3 else "Rock",
                )
                for i in range(100_000)
            ],
        )
    library.close()
    # Processor time, because the machine may be busy with other things.
    with Library.open(music) as again:
        opened = time.process_time()
        assert len(again.tracks()) == 100_000
        made = time.process_time()
        assert len(list(again.kept("genre = jazz and duration_s < 240"))) == 66_666
        filtered = time.process_time()
        assert [t.title for t in again.tracks_of([f"{7:032x}", f"{9:032x}"])[f"{7:032x}"]] == [
            "Title 7"
        ]
        looked_up = time.process_time()
    assert made - opened < 3
    assert filtered - made < 1
    assert looked_up - filtered < 0.05
