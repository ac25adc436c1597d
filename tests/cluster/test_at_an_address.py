"""Music folders at addresses: equal rows, and files that are fetched when they are played."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gdr_model.audio.decoding import load_for_playback
from gdr_model.errors import Cancelled, FileUnavailable, LibraryError
from gdr_model.remote import files
from gdr_model.remote.files import copied, listed
from gdr_model.remote.places import address_of, folder_of, is_address
from gdr_model.store.folder import at_an_address
from gdr_model.store.folder import scan as on_this_machine
from gdr_model.store.folder.left_out import Excludes
from gdr_model.store.folder.presence import is_gone, missing
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.store.roots.forget import forget
from gdr_model.workers.pool import Workers

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")


@pytest.fixture
def songs(music: Path, write_tone) -> Path:  # type: ignore[no-untyped-def]
    for at in ("a.wav", "b c/d #1.wav", "b c/e.flac", "out/f.wav", "@eaDir/g.wav", "h/i.wav"):
        (music / at).parent.mkdir(exist_ok=True)
        write_tone(music / at, hz=200 + 100 * len(at), seconds=3)
    (music / "h" / ".notmusic").touch()
    (music / "cover.jpg").touch()
    (music / "no sound.mp3").write_bytes(b"no sound" * 1000)
    return music


def rows(library: Library) -> list[object]:
    """What a store holds of its files, but for when they were written."""
    with closing(sqlite3.connect(library.store / "library.db")) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(tracks)")]
        kept = ", ".join(name for name in columns if not name.endswith("time_ns"))
        found: list[object] = [
            database.execute(f"SELECT {kept} FROM tracks ORDER BY path").fetchall(),  # noqa: S608 (names of columns)
            database.execute("SELECT * FROM latents ORDER BY space, content").fetchall(),
            database.execute("SELECT * FROM passages ORDER BY id").fetchall(),
            database.execute("SELECT path, size, reason FROM failures").fetchall(),
        ]
    files = sorted((library.store / "latents").iterdir())
    return [*found, [(file.name, file.read_bytes()) for file in files]]


def at(folder: Path) -> Path:
    """The folder that stands for the address of a folder."""
    found = folder_of(Path(f"file://{folder}"))
    found.mkdir(parents=True, exist_ok=True)
    return found


@pytest.mark.parametrize("own_processes", [True, False])
def test_rows_are_those_of_the_folder(songs: Path, encoder, own_processes: bool) -> None:  # type: ignore[no-untyped-def]
    found = []
    for root in (songs, at(songs)):
        with Library.open(root, create=True) as library, Workers(1) as workers:
            summary = ingest(
                library,
                encoder,
                on_progress=lambda _: None,
                exclude=["out"],
                engine=workers if own_processes else None,
            )
            found.append(rows(library))
            assert (summary.new, len(summary.failed), summary.unavailable) == (3, 1, [])
    assert found[0] == found[1]
    with Library.open(at(songs)) as library:
        (songs / "a.wav").unlink()
        again = ingest(library, encoder, on_progress=lambda _: None, exclude=["out"])
        assert (again.unchanged, again.gone, again.skipped_failed, again.encoded) == (2, 1, 1, 0)
        shutil.rmtree(songs)
        with pytest.raises(LibraryError, match="cannot be listed"):
            ingest(library, encoder, on_progress=lambda _: None)
        assert library.count() == 2


def test_a_folder_that_cannot_be_listed_keeps_its_tracks(  # type: ignore[no-untyped-def]
    songs: Path, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = fsspec.get_filesystem_class("file")
    ls = local.ls

    def denied(self: object, path: str, **options: object) -> object:
        if path.endswith("/b c"):
            raise PermissionError(13, "Permission denied", path)
        return ls(self, path, **options)

    with Library.open(at(songs), create=True) as library:
        ingest(library, encoder, on_progress=lambda _: None)
        before = library.count()
        monkeypatch.setattr(local, "ls", denied)
        with pytest.raises(LibraryError, match=r"cannot be listed .*Permission denied"):
            ingest(library, encoder, on_progress=lambda _: None)
        assert library.count() == before


def test_a_listing_is_stopped(songs: Path) -> None:
    with pytest.raises(Cancelled):
        at_an_address.scan(at(songs), lambda: True)


def test_a_library_at_an_address_is_not_forgotten_for_want_of_a_local_folder(  # type: ignore[no-untyped-def]
    songs: Path, encoder
) -> None:
    root = at(songs)
    with Library.open(root, create=True) as library:
        ingest(library, encoder, on_progress=lambda _: None)
        before = library.count()
    shutil.rmtree(root)
    with pytest.raises(LibraryError, match="is there and would be indexed again"):
        forget(root)
    with Library.open(root) as library:
        assert library.count() == before
    assert forget(root, whole=True).tracks == before


def test_names_choose_no_other_file_system(music: Path, write_tone) -> None:  # type: ignore[no-untyped-def]
    write_tone(music / "zip::x.wav", seconds=1)
    (entry,) = at_an_address.scan(at(music)).files
    assert entry == b"zip::x.wav"
    with copied(f"file://{music}/zip::x.wav") as path:
        assert path.read_bytes() == (music / "zip::x.wav").read_bytes()


def test_names_that_are_no_paths_are_left_out() -> None:
    from fsspec.implementations.memory import MemoryFile

    memory = fsspec.filesystem("memory")
    for name in ("/box/a.wav", "/box//b.wav", "/box/c/./d.wav", "/box2/e.wav"):
        memory.store[name] = MemoryFile(memory, name, b"x")
    try:
        assert [entry.name for entry in listed("memory://box")] == ["a.wav"]
    finally:
        memory.store.clear()


def test_a_file_that_changed_is_fetched_again(songs: Path, encoder, write_tone) -> None:  # type: ignore[no-untyped-def]
    path = at(songs) / "a.wav"
    with Library.open(at(songs), create=True) as library:
        ingest(library, encoder, on_progress=lambda _: None)
        load_for_playback(path, 22050)
        write_tone(songs / "a.wav", hz=999, seconds=5)
        assert ingest(library, encoder, on_progress=lambda _: None).changed == 1
    assert len(load_for_playback(path, 22050)) == 5 * 22050


def test_files_without_a_time_are_not_taken_for_moved_ones(  # type: ignore[no-untyped-def]
    songs: Path, encoder, write_tone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_mtime_ns", lambda facts: 0)
    with Library.open(at(songs), create=True) as library:
        ingest(library, encoder, on_progress=lambda _: None)
        (songs / "a.wav").unlink()
        write_tone(songs / "out" / "a.wav", hz=1234, seconds=3)  # another sound of the same size
        summary = ingest(library, encoder, on_progress=lambda _: None)
        assert (summary.moved, summary.new, summary.encoded) == (0, 1, 1)


def test_a_copy_that_cannot_be_written_is_a_file_that_is_unavailable(songs: Path) -> None:
    (at(songs) / "b c").write_text("a file in the place of a folder")
    with pytest.raises(FileUnavailable, match="cannot be written"):
        load_for_playback(at(songs) / "b c" / "e.flac", 22050)


def test_what_is_left_out_is_what_is_left_out_of_the_folder(songs: Path) -> None:
    excludes = Excludes(["out", "e.*"])
    here = on_this_machine.scan(songs, excludes=excludes)
    there = at_an_address.scan(at(songs), excludes=excludes)
    assert list(there.files) == list(here.files)
    assert sorted(there.left_out) == sorted(here.left_out)
    part = at_an_address.scan(at(songs), part="b c")
    assert list(part.files) == [b"b c/d #1.wav", b"b c/e.flac"]


def test_a_track_is_there_and_is_fetched_to_be_played(songs: Path) -> None:
    path = at(songs) / "b c" / "d #1.wav"
    assert not path.exists()
    assert missing([path]) == set()
    assert not is_gone(at(songs))
    sound = load_for_playback(path, 22050)
    assert np.array_equal(sound, load_for_playback(songs / "b c" / "d #1.wav", 22050))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    shutil.rmtree(songs)
    assert np.array_equal(sound, load_for_playback(path, 22050))
    path.unlink()
    with pytest.raises(FileUnavailable, match="it cannot be fetched"):
        load_for_playback(path, 22050)


@pytest.mark.parametrize(
    "address", ["s3://bucket/some music", "file:///srv/music", "https://host:80/m"]
)
def test_an_address_and_its_folder_stand_for_one_another(address: str) -> None:
    assert is_address(Path(address))
    assert address_of(folder_of(Path(address))) == address
    assert address_of(folder_of(Path(address)) / "a" / "b.mp3") == f"{address}/a/b.mp3"


@pytest.mark.parametrize("address", ["s3://me:secret@bucket/m", "s3://a/../b"])
def test_what_cannot_be_a_root_is_refused(address: str) -> None:
    assert is_address(Path(address))
    with pytest.raises(LibraryError, match="cannot be the root") as refused:
        folder_of(Path(address))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("path", ["music", "/srv/music", "C:/music", "a:b", "12:/x"])
def test_folders_of_this_machine_are_no_addresses(path: str) -> None:
    assert not is_address(Path(path))
    assert address_of(Path(path)) is None
