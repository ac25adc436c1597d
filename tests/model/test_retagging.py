"""Tags that change while size and time of the file stay as they were."""

from __future__ import annotations

import os

import pytest
from ingesting import run, tag

from gdr_model.audio import source
from gdr_model.workers import tasks


def retag(path, **texts):
    """Change tags in place, as taggers do that keep a file's time: padding keeps its size."""
    before = path.stat()
    tag(path, **texts)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


@pytest.fixture
def song(library, music, encoder, write_tone):
    path = write_tone(music / "a.mp3", hz=300)
    tag(path, title="old", genre="rock")
    write_tone(music / "b.mp3", hz=400)
    run(library, encoder)
    return path


def test_new_tags_are_seen_although_size_and_time_are_kept(library, song, encoder, monkeypatch):
    retag(song, title="new", genre="jazz")
    monkeypatch.setattr(tasks, "decode", None)
    assert run(library, encoder, dry_run=True) == {"retagged": 1, "unchanged": 1}
    assert run(library, encoder) == {"retagged": 1, "unchanged": 1}
    track = library.track(song)
    assert (track.title, track.genre) == ("new", "jazz")
    assert run(library, encoder) == {"unchanged": 2}


def test_a_change_that_is_none_of_the_tags_is_looked_at_once(library, song, encoder, monkeypatch):
    song.chmod(0o600)
    assert run(library, encoder) == {"unchanged": 2}
    monkeypatch.setattr(tasks, "read_tags", None)
    assert run(library, encoder) == {"unchanged": 2}


def test_all_tags_are_read_again_on_request(library, song, encoder, monkeypatch):
    stamps = library.files.stamps()
    with library._database.write() as connection:
        connection.execute("UPDATE tracks SET title = 'wrong'")
    monkeypatch.setattr(tasks, "decode", None)
    assert run(library, encoder) == {"unchanged": 2}
    assert run(library, encoder, reread_tags=True) == {"retagged": 2}
    assert library.track(song).title == "old"
    assert library.files.stamps() == stamps


def test_tracks_of_an_older_store_get_the_tags_it_did_not_keep(library, song, encoder):
    with library._database.write() as connection:
        connection.execute("UPDATE tracks SET ctime_ns = NULL, codec = '', title = 'same'")
    assert run(library, encoder) == {"retagged": 2}
    assert run(library, encoder) == {"unchanged": 2}


def refuse_reading(monkeypatch, path):
    """Let a file open but not be read."""
    number, whole = path.stat().st_ino, open

    def opened(file, *arguments, **options):
        if isinstance(file, int) and os.fstat(file).st_ino == number:
            os.close(file)
            return Refusing()
        return whole(file, *arguments, **options)

    monkeypatch.setattr(source, "open", opened, raising=False)


class Refusing:
    """A file of a disk that fails."""

    def read(self, _size=-1):
        raise OSError(5, "Input/output error")

    def seek(self, offset, _whence=0):
        return offset

    def tell(self):
        return 0

    def close(self):
        pass


def test_a_moved_file_whose_tags_cannot_be_read_now_is_put_off(library, song, encoder, monkeypatch):
    (song.parent / "x").mkdir()
    moved = song.rename(song.parent / "x" / "a.mp3")
    with monkeypatch.context() as down:
        refuse_reading(down, moved)
        assert run(library, encoder) == {"unchanged": 1, "gone": 1, "unavailable": 1}
    assert library.track(moved) is None
    assert run(library, encoder)["unchanged"] == 1
    assert library.track(moved).title == "old"


def test_tags_that_cannot_be_read_now_are_kept(library, song, encoder, monkeypatch):
    retag(song, title="new")
    with monkeypatch.context() as down:
        refuse_reading(down, song)
        assert run(library, encoder) == {"unchanged": 2, "unavailable": 1}
        assert run(library, encoder, reread_tags=True) == {"unchanged": 2, "unavailable": 1}
    assert library.track(song).title == "old"
    assert run(library, encoder) == {"retagged": 1, "unchanged": 1}
    assert library.track(song).title == "new"
