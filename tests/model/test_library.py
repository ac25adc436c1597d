"""The store: what survives, what is refused, how it holds up in numbers and in threads."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_model.audio import Tags
from gdr_model.errors import LibraryError, UsageError
from gdr_model.library import Library, passage_bounds
from gdr_model.migrations import MIGRATIONS
from gdr_model.paths import store_of
from gdr_model.records import Sound, Stamp
from gdr_model.stores import stores
from gdr_model.types import PASSAGE_S, LatentSpace

SPACE = LatentSpace("plain", 8, 16000, 1.0, 1.0, "ab" * 8)
OTHER = LatentSpace("plain", 8, 16000, 1.0, 1.0, "cd" * 8)
RANDOM = np.random.default_rng(0)


@pytest.fixture
def library(music):
    with Library.open(music, create=True) as opened:
        yield opened


def put(library, name, content=None, seconds=3, latents=None, space=SPACE, **tags):
    sound = Sound(content or f"sound of {name}", float(seconds), -20.0)
    if latents is None:
        latents = RANDOM.standard_normal((seconds, 8)).astype(np.float32)
    library.put_latents(sound, space, latents)
    library.put_track(os.fsencode(name), Stamp(1, 2), sound, Tags(**tags))
    return latents


# Opening


def test_a_folder_that_was_never_indexed(music):
    with pytest.raises(LibraryError) as caught:
        Library.open(music)
    assert str(caught.value) == f"no library at {music} yet; run gdr index {music}"
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
    with pytest.raises(LibraryError, match=f"move {library.store} away and run gdr index"):
        Library.open(music)
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
        assert library.failures()[0].reason == "the file is empty"
        assert library.spaces() == [SPACE]


def test_known_libraries_come_latest_first(tmp_path):
    roots = [tmp_path / name for name in ("a", "b", "never")]
    for root in roots:
        root.mkdir()
        with Library.open(root, create=True) as library:
            if root.name != "never":
                put(library, "a.mp3")
    assert stores().roots == [roots[1], roots[0], roots[2]]


# Latents and passages


def test_latents_come_back_as_float16_rounds_them(library):
    latents = put(library, "a.mp3", seconds=5)
    kept = library.latents("sound of a.mp3", SPACE)
    assert kept.dtype == np.float32
    assert np.array_equal(kept, latents.astype(np.float16))
    kept[:] = 0  # a copy: the file is not touched
    assert library.latents("sound of a.mp3", SPACE).any()


def test_latents_survive_a_restart(library, music):
    kept = {name: put(library, name, seconds=n) for n, name in enumerate("abcdef", 1)}
    library.close()
    with Library.open(music) as again:
        for name, latents in kept.items():
            assert np.array_equal(
                again.latents(f"sound of {name}", SPACE), latents.astype(np.float16)
            )


def test_spaces_live_side_by_side(library):
    first, second = put(library, "a"), put(library, "a", space=OTHER)
    assert library.spaces() == [SPACE, OTHER]
    for space, latents in ((SPACE, first), (OTHER, second)):
        kept = library.latents("sound of a", space)
        assert np.array_equal(kept, latents.astype(np.float16))
        assert len(library.passages(space).ids) == 1


def test_latents_of_one_content_are_stored_once(library):
    first = put(library, "a", "same")
    put(library, "b", "same")
    assert np.array_equal(library.latents("same", SPACE), first.astype(np.float16))
    assert len(library.passages(SPACE).ids) == 1
    assert library.count() == 2
    assert library.contents() == {"same"}


def test_missing_latents_are_named_with_the_next_step(library):
    put(library, "a")
    with pytest.raises(LibraryError, match="run gdr index"):
        library.latents("unknown", SPACE)
    with pytest.raises(LibraryError, match="plain"):
        library.latents("sound of a", OTHER)
    assert len(library.passages(OTHER).ids) == 0
    assert library.passages(OTHER).means.shape == (0, 8)


@pytest.mark.parametrize("shape", [(3, 7), (0, 8), (8,)])
def test_latents_that_do_not_fit_the_space_are_refused(library, shape):
    with pytest.raises(LibraryError, match="gave latents of shape"):
        library.put_latents(Sound("c", 3, 0), SPACE, np.zeros(shape, np.float32))
    assert library.spaces() == []


@given(st.integers(1, 10_000))
def test_passages_cover_a_track_evenly(seconds):
    bounds = passage_bounds(seconds)
    lengths = [b - a for a, b in bounds]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == seconds
    assert all(b == a for (_, b), (a, _) in pairwise(bounds))
    assert max(lengths) <= PASSAGE_S
    assert max(lengths) - min(lengths) <= 1
    assert len(bounds) == -(-seconds // PASSAGE_S)


def test_passages_of_gone_tracks_are_left_out_until_they_return(library):
    for name in "abc":
        put(library, name)
    put(library, "copy of b", "sound of b")
    assert library.passages(SPACE).ids.tolist() == [1, 2, 3]
    assert library.passages(SPACE, after=1).contents == ["sound of b", "sound of c"]
    library.forget([b"a", b"b"])
    assert library.passages(SPACE).contents == ["sound of b", "sound of c"]
    library.forget([b"copy of b"])
    assert library.passages(SPACE).contents == ["sound of c"]
    put(library, "a")
    assert library.passages(SPACE).ids.tolist() == [1, 3]


def test_means_are_those_of_the_passages(library):
    latents = put(library, "long", seconds=130)
    passages = library.passages(SPACE)
    bounds = passage_bounds(130)
    assert passages.starts_s.tolist() == [a for a, _ in bounds]
    assert passages.ends_s.tolist() == [b for _, b in bounds]
    assert passages.means == pytest.approx(np.stack([latents[a:b].mean(0) for a, b in bounds]))


# Crashes


def test_a_torn_tail_is_written_over(library, music):
    first = put(library, "a")
    library.close()
    for file in (library.store / "latents").iterdir():
        with file.open("ab") as opened:
            opened.write(b"\xff" * 37)
    with Library.open(music) as again:
        assert again.drop_damaged(SPACE) == 0
        second = put(again, "b")
        for name, latents in (("a", first), ("b", second)):
            kept = again.latents(f"sound of {name}", SPACE)
            assert np.array_equal(kept, latents.astype(np.float16))
        means = np.stack([first.mean(0), second.mean(0)])
        assert again.passages(SPACE).means == pytest.approx(means, abs=1e-6)


def test_a_killed_program_loses_at_most_the_track_it_was_at(music):
    """Kill -9 in the midst of storing; the rest is there and readable."""
    program = f"""
import numpy as np
from pathlib import Path
from gdr_model.library import Library
from gdr_model.records import Sound, Stamp
from gdr_model.audio import Tags
from gdr_model.types import LatentSpace
library = Library.open(Path({str(music)!r}), create=True)
space = LatentSpace("plain", 8, 16000, 1.0, 1.0, "{"ab" * 8}")
for i in range(100000):
    sound = Sound(str(i), 5.0, -20.0)
    library.put_latents(sound, space, np.full((5, 8), i % 100, np.float32))
    library.put_track(str(i).encode(), Stamp(1, 2), sound, Tags())
    print(i, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    last = 0
    for line in child.stdout:
        last = int(line)
        if last >= 20:
            break
    child.kill()
    child.communicate()
    with Library.open(music) as library:
        assert library.drop_damaged(SPACE) == 0
        assert library.count() > last
        for track in library.tracks():
            assert (library.latents(track.content, SPACE) == int(track.content) % 100).all()
        put(library, "after")
        assert np.isfinite(library.passages(SPACE).means).all()


@pytest.mark.parametrize("kind", ["f16", "means"])
def test_a_shortened_file_is_noticed_and_mended(library, kind):
    put(library, "a")
    put(library, "b")
    file = next((library.store / "latents").glob(f"*.{kind}"))
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(LibraryError, match="are damaged"):
        library.latents("sound of b", SPACE) if kind == "f16" else library.passages(SPACE)
    assert library.drop_damaged(SPACE) == 1
    assert library.encoded(SPACE) == {"sound of a"}
    assert len(library.passages(SPACE).ids) == 1
    second = put(library, "b")
    assert np.array_equal(library.latents("sound of b", SPACE), second.astype(np.float16))


def test_a_full_disk_is_one_sentence_and_stores_nothing(library, monkeypatch):
    put(library, "a")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LibraryError, match=r"cannot be written: .*No space left on device"):
        put(library, "b")
    monkeypatch.undo()
    assert library.encoded(SPACE) == {"sound of a"}


def test_a_failure_inside_a_change_undoes_it(library):
    generation = library.generation
    with pytest.raises(LibraryError, match="cannot be written"):
        library.put_track(b"a", Stamp(1, 2), Sound("c", None, 0), Tags())
    assert library.generation == generation
    put(library, "a")


# Tracks and failures


def test_every_byte_a_name_can_hold_comes_back(library):
    name = bytes(b for b in range(1, 256) if b != ord("/"))
    library.put_track(name, Stamp(1, 2), Sound("c", 1.0, -20.0), Tags(title="\x00\x1b[31m"))
    track = library.tracks()[0]
    assert os.fsencode(track.path) == os.fsencode(library.root) + b"/" + name
    assert track.title == "\x00\x1b[31m"
    library.put_failure(name, Stamp(1, 2), "why")
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
    """The app asks for all tracks, and filters them, while somebody types."""
    with library._write() as connection:
        connection.executemany(
            "INSERT INTO tracks VALUES (?, 1, 2, ?, 200.0, -20.0, ?, 'Artist', 'Album', ?, 1999)",
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
        assert len(again.tracks("genre = jazz and duration_s < 240")) == 66_666
        filtered = time.process_time()
        again.forget([b"folder 1/000001.mp3"])
        changed = time.process_time()
        assert len(again.tracks()) == 99_999
        renewed = time.process_time()
    assert made - opened < 2
    assert filtered - made < 1
    assert renewed - changed < 1
