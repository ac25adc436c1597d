"""Cue sheets as programs really write them."""

from __future__ import annotations

import os
import sys
import time

import pytest

from gdr_model import patience
from gdr_model.audio import cue
from gdr_model.audio.cue import Sheets
from gdr_model.errors import FileUnavailable
from gdr_model.types import Section

ALBUM = """REM GENRE Rock
PERFORMER "The Band"
TITLE "All of It"
FILE "album.wav" WAVE
  TRACK 01 AUDIO
    TITLE "First"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Second, it's"
    PERFORMER "A Guest"
    INDEX 00 03:01:00
    INDEX 01 03:03:30
  TRACK 03 AUDIO
    INDEX 01 101:00:74
"""


def test_tracks_have_titles_artists_and_starts() -> None:
    (sections,) = cue.parse(ALBUM).values()
    assert sections == (
        Section(0.0, "First", "The Band"),
        Section(183.4, "Second, it's", "A Guest"),
        Section(pytest.approx(6060 + 74 / 75), "Track 3", "The Band"),
    )


def test_every_file_has_its_own_tracks_and_a_pregap_stays_in_the_one_before() -> None:
    sheets = cue.parse(
        'FILE "C:\\rips\\01.wav" WAVE\nTRACK 01 AUDIO\nTITLE one\nINDEX 01 00:00:00\n'
        "TRACK 02 AUDIO\nTITLE two\nINDEX 00 04:00:00\n"
        'FILE "sub/02.wav" WAVE\nINDEX 01 00:00:00\nTRACK 03 AUDIO\nTITLE three\nINDEX 01 1:2:3\n'
    )
    assert {name: [s.title for s in sections] for name, sections in sheets.items()} == {
        "01.wav": ["one"],
        "02.wav": ["two", "three"],
    }


@pytest.mark.parametrize(
    ("encoding", "title"),
    [("utf-8", "Ænima 夜"), ("utf-8-sig", "Ænima 夜"), ("utf-16", "Ænima 夜"), ("cp1252", "Ænima")],
)
def test_encodings_of_old_and_new_programs(tmp_path, encoding, title) -> None:
    sheet = tmp_path / "a.cue"
    sheet.write_bytes(ALBUM.replace("First", title).replace("\n", "\r\n").encode(encoding))
    assert cue.read(sheet)["album.wav"][0].title == title


def test_what_is_not_understood_is_skipped(tmp_path) -> None:
    noise = 'TRACK\nINDEX 01\nINDEX 01 aa:bb:cc\nFILE\n""\nTITLE "x\n\0\n'
    assert cue.parse(noise + ALBUM)["album.wav"] == cue.parse(ALBUM)["album.wav"]
    assert cue.parse("TRACK 01 MODE1/2352\nINDEX 01 00:00:00\n") == {}
    assert cue.read(tmp_path / "none.cue") == {}
    assert cue.read(tmp_path) == {}
    (tmp_path / "noise.cue").write_bytes(bytes(range(256)) * 100)
    cue.read(tmp_path / "noise.cue")


def test_a_sheet_is_bounded(tmp_path) -> None:
    track = 'TRACK 01 AUDIO\nTITLE "' + "x" * 1000 + '"\nINDEX 01 {:02}:00:00\n'
    sheet = tmp_path / "a.cue"
    sheet.write_text('FILE "a.wav" WAVE\n' + "".join(track.format(n) for n in range(20_000)))
    (sections,) = cue.read(sheet).values()
    assert len(sections) <= 1000
    assert len(sections[0].title) == 500


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names")
def test_a_disk_that_hangs_is_not_waited_for(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(patience, "READ_S", 0.3)
    os.mkfifo(tmp_path / "album.cue")  # it opens when somebody writes to it
    with pytest.raises(FileUnavailable, match="the system needed more than"):
        cue.read(tmp_path / "album.cue")


def test_runs_of_blanks_cost_no_time() -> None:
    begun = time.monotonic()
    cue.parse("TITLE a" + " " * 60_000 + "b")
    assert time.monotonic() - begun < 1


def titles(folder, *names, file) -> list[str]:
    return [section.title for section in Sheets(folder, names).sections_of(file)]


def test_the_sheet_of_a_file_is_found_in_its_folder(tmp_path) -> None:
    def write(name: str, file: str, title: str) -> None:
        text = f'FILE "{file}" WAVE\nTRACK 01 AUDIO\nTITLE "{title}"\nINDEX 01 00:00:00\n'
        (tmp_path / name).write_text(text)

    write("album.cue", "ALBUM.WAV", "by its name, before it was converted")
    write("disc 1.flac.cue", "image.bin", "by the name of the sheet")
    write("zz.cue", "Mix.mp3", "by its FILE line")
    write("other.cue", "other.wav", "of another file")
    names = ["album.cue", "disc 1.flac.cue", "zz.CUE", "zz.cue", "other.cue", "mix.mp3"]
    (tmp_path / "zz.CUE").write_text("nothing")
    assert titles(tmp_path, *names, file="album.flac") == ["by its name, before it was converted"]
    assert titles(tmp_path, *names, file="disc 1.flac") == ["by the name of the sheet"]
    assert titles(tmp_path, *names, file="mix.mp3") == ["by its FILE line"]
    assert titles(tmp_path, *names, file="single.flac") == []
    assert not Sheets(tmp_path, ["a.flac"])


def test_an_exact_name_comes_before_a_like_one(tmp_path) -> None:
    text = 'FILE "{}" WAVE\nTRACK 01 AUDIO\nTITLE "{}"\nINDEX 01 00:00:00\n'
    (tmp_path / "a.cue").write_text(text.format("a.wav", "wav") + text.format("a.flac", "flac"))
    assert titles(tmp_path, "a.cue", file="a.flac") == ["flac"]
    assert titles(tmp_path, "a.cue", file="a.wav") == ["wav"]
    assert titles(tmp_path, "a.cue", file="a.ape") == ["wav"]
