"""Cue sheets next to long files: their titles are kept with the track and follow the sheet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ingesting import age, run

from gdr_model.workers import tasks

SHEET = """PERFORMER "gdr"
FILE "{file}" WAVE
  TRACK 01 AUDIO
    TITLE "{first}"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Second"
    INDEX 01 00:02:00
"""


@pytest.fixture
def album(library, music, encoder, write_tone):
    """An album in one file, with its sheet, and another file next to it."""
    path = write_tone(music / "x" / "album.flac", hz=300, seconds=4)
    write_tone(music / "x" / "other.wav", hz=500)
    sheet(path, "First")
    run(library, encoder)
    return path


def sheet(path, first, file="album.flac"):
    path.with_suffix(".cue").write_text(SHEET.format(file=file, first=first))
    return path.with_suffix(".cue")


def titles(library, path):
    return [(s.start_s, s.title, s.artist) for s in library.track(path).sections]


def test_a_sheet_gives_its_track_sections(library, album):
    assert titles(library, album) == [(0, "First", "gdr"), (2, "Second", "gdr")]
    assert library.track(album).section(3).title == "Second"
    assert titles(library, album.with_name("other.wav")) == []


def test_a_changed_added_or_removed_sheet_is_noticed_and_nothing_decoded(
    library, album, encoder, monkeypatch
):
    monkeypatch.setattr(tasks, "decode", None)
    age(sheet(album, "Other"))
    assert run(library, encoder) == {"unchanged": 1, "retagged": 1}
    assert titles(library, album)[0][1] == "Other"
    assert run(library, encoder) == {"unchanged": 2}
    os.unlink(album.with_suffix(".cue"))
    assert run(library, encoder) == {"unchanged": 1, "retagged": 1}
    assert titles(library, album) == []
    sheet(album, "Again", file="album.wav")  # as it was called before it was compressed
    assert run(library, encoder) == {"unchanged": 1, "retagged": 1}
    assert titles(library, album)[0][1] == "Again"


def test_a_sheet_that_cannot_be_parsed_changes_nothing(library, album, encoder):
    album.with_suffix(".cue").write_bytes(b"\xff\xfe\x00 no sheet at all")
    assert run(library, encoder) == {"unchanged": 1, "retagged": 1}
    assert titles(library, album) == []


def refuse(monkeypatch, sheet):
    """Let the system refuse to read one sheet."""
    whole = Path.open

    def opened(path, *arguments, **options):
        if path == sheet:
            raise OSError(5, "Input/output error")
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", opened)


def test_a_sheet_that_cannot_be_read_now_keeps_the_sections(library, album, encoder, monkeypatch):
    age(sheet(album, "Other"))
    with monkeypatch.context() as down:
        refuse(down, album.with_suffix(".cue"))
        assert run(library, encoder) == {"unchanged": 2, "unavailable": 2}
        assert run(library, encoder, reread_tags=True) == {"unchanged": 2, "unavailable": 2}
    assert titles(library, album)[0][1] == "First"
    assert run(library, encoder) == {"unchanged": 1, "retagged": 1}
    assert titles(library, album)[0][1] == "Other"


def test_a_sheet_that_cannot_be_read_now_does_not_keep_its_file_out(
    library, music, encoder, write_tone, monkeypatch
):
    album = write_tone(music / "album.flac", seconds=4)
    sheet(album, "First")
    with monkeypatch.context() as down:
        refuse(down, album.with_suffix(".cue"))
        assert run(library, encoder) == {"new": 1, "encoded": 1, "unavailable": 1}
    assert titles(library, album) == []
    assert run(library, encoder) == {"retagged": 1}
    assert titles(library, album)[0][1] == "First"
