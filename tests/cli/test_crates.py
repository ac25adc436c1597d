"""Crates on the command line: filled, shown, arranged, written out and read back."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from typer.testing import Result

from gdr_model.notebook.database import Notebook

Gdr = Callable[..., Result]

ODD = [b"caf\xe9 [red].mp3", b"two\nlines.flac", "夜 🎷 #1.ogg".encode(), b"plain.wav"]


@pytest.fixture
def odd(music: Path) -> list[Path]:
    """Files with a byte that is not UTF-8, brackets, a line break, an emoji."""
    paths = [music / os.fsdecode(name) for name in ODD]
    for path in paths:
        path.touch()
    return paths


def filled(gdr: Gdr, paths: list[Path]) -> None:
    assert gdr("crate", "add", "night", *paths).exit_code == 0


def test_fills_a_crate_and_lists_it(gdr: Gdr, odd: list[Path]) -> None:
    assert "there is no crate yet" in gdr("crate", "list").stderr
    done = gdr("crate", "add", "night [1]", *odd)
    assert (done.exit_code, done.stderr) == (0, "4 added to night [1]\n")
    again = gdr("crate", "add", "night [1]", odd[0])
    assert again.stderr == "0 added to night [1], 1 already in it\n"
    assert gdr("crate", "list").stdout == "  night [1]\t4\t0:00\n"


def test_paths_come_out_as_the_bytes_on_disk(gdr: Gdr, odd: list[Path]) -> None:
    filled(gdr, odd)
    shown = gdr("crate", "show", "night", "--print0")
    assert shown.stdout_bytes.split(b"\0")[:-1] == [os.fsencode(path) for path in odd]
    rows = [json.loads(line) for line in
            gdr("crate", "show", "night", "-f", "jsonl").stdout.splitlines()]  # fmt: skip
    assert [row["path"] for row in rows] == [str(path) for path in odd]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    table = gdr("crate", "show", "night", "-f", "tsv").stdout_bytes.decode("utf-8", "replace")
    assert len(table.splitlines()) == 5
    assert "two\\nlines.flac" in table


def test_the_table_marks_what_is_gone_and_shows_no_raw_byte(gdr: Gdr, odd: list[Path]) -> None:
    filled(gdr, odd)
    odd[3].unlink()
    lines = gdr("crate", "show", "night").stdout.splitlines()
    assert lines[3] == "  4     0:00  plain.wav   (not there now)"
    assert lines[0].endswith("caf\N{REPLACEMENT CHARACTER} [red].mp3")
    assert len(lines) == 4


def test_removes_tracks_renames_and_deletes(gdr: Gdr, odd: list[Path]) -> None:
    filled(gdr, odd)
    assert gdr("crate", "remove", "night", odd[1]).stderr == "1 removed from night\n"
    missing = gdr("crate", "remove", "night", odd[1])
    assert missing.exit_code == 1
    assert "1 of these files were not in night" in missing.stderr
    assert gdr("crate", "remove", "night").exit_code == 2
    assert gdr("crate", "rename", "night", "day").exit_code == 0
    assert gdr("crate", "remove", "day", "--whole").exit_code == 0
    gone = gdr("crate", "show", "day")
    assert gone.exit_code == 1
    assert gone.stderr == "gdr: there is no crate called day; gdr crate list names them\n"


def test_a_crate_knows_what_the_library_knows(gdr: Gdr, demo: Path) -> None:
    song = sorted(demo.glob("*/*.ogg"))[0]
    assert gdr("crate", "add", "tagged", song).exit_code == 0
    row = json.loads(gdr("crate", "show", "tagged", "-f", "jsonl").stdout)
    assert row["title"]
    assert row["duration_s"] > 10
    assert gdr("crate", "remove", "tagged", "--whole").exit_code == 0


def test_a_file_that_is_not_there_is_refused(gdr: Gdr, tmp_path: Path) -> None:
    refused = gdr("crate", "add", "night", tmp_path / "none.mp3")
    assert refused.exit_code == 2
    assert "there is no file" in refused.stderr
    assert gdr("crate", "list").stdout == ""


def test_exports_a_playlist_with_relative_paths(gdr: Gdr, odd: list[Path], music: Path) -> None:
    filled(gdr, odd)
    (music / "lists").mkdir()
    target = music / "lists" / "night.m3u8"
    done = gdr("crate", "export", "night", target, "--relative")
    assert done.stderr == f"wrote 3 tracks to {target}, 1 left out: a line break in the name\n"
    paths = [line for line in target.read_bytes().splitlines() if not line.startswith(b"#")]
    assert paths == [b"../" + ODD[0], b"../" + ODD[2], b"../" + ODD[3]]
    assert all(os.path.exists(os.path.join(os.fsencode(target.parent), path)) for path in paths)
    refused = gdr("crate", "export", "night", target)
    assert refused.exit_code == 2
    assert "--replace" in refused.stderr
    assert gdr("crate", "export", "night", target, "--replace").exit_code == 0
    absolute = [line for line in target.read_bytes().splitlines() if not line.startswith(b"#")]
    assert absolute[0] == os.fsencode(odd[0])


def test_a_relative_path_is_never_taken_for_a_comment(gdr: Gdr, music: Path) -> None:
    song = music / "#1 hit.mp3"
    song.touch()
    filled(gdr, [song])
    gdr("crate", "export", "night", music / "night.m3u8", "--relative")
    assert (music / "night.m3u8").read_text().splitlines()[-1] == "./#1 hit.mp3"


def test_exports_for_spreadsheets_and_only_what_goes_together(
    gdr: Gdr, odd: list[Path], tmp_path: Path
) -> None:
    filled(gdr, odd)
    table = tmp_path / "night.csv"
    assert gdr("crate", "export", "night", table, "--bom").exit_code == 0
    assert table.read_bytes().startswith(b"\xef\xbb\xbfrank,path,")
    for option, target in (("--bom", "night.m3u8"), ("--starts", "night.csv")):
        refused = gdr("crate", "export", "night", tmp_path / target, option, "--replace")
        assert refused.exit_code == 2
        assert f"{option} is for ." in refused.stderr


def test_exports_for_rekordbox(gdr: Gdr, odd: list[Path], tmp_path: Path) -> None:
    filled(gdr, odd)
    odd[3].unlink()
    target = tmp_path / "night.xml"
    done = gdr("crate", "export", "night", target)
    assert "wrote 3 tracks" in done.stderr
    assert "1 left out: not there now" in done.stderr
    root = ET.parse(target).getroot()  # noqa: S314 (our own file)
    assert root.tag == "DJ_PLAYLISTS"
    tracks = root.findall("COLLECTION/TRACK")
    assert root.find("COLLECTION").get("Entries") == "3"  # type: ignore[union-attr]
    prefix = "file://localhost"
    places = [str(track.get("Location")) for track in tracks]
    assert all(place.startswith(prefix + "/") and place.isascii() for place in places)
    assert [unquote_to_bytes(p.removeprefix(prefix)) for p in places] == [
        os.fsencode(path) for path in odd[:3]
    ]
    (playlist,) = root.findall("PLAYLISTS/NODE/NODE")
    assert (playlist.get("Name"), playlist.get("Type"), playlist.get("Entries")) == (
        "night",
        "1",
        "3",
    )
    keys = [track.get("Key") for track in playlist.findall("TRACK")]
    assert keys == [track.get("TrackID") for track in tracks]


def test_exports_a_folder_of_links(gdr: Gdr, odd: list[Path], tmp_path: Path) -> None:
    filled(gdr, odd)
    target = tmp_path / "stick"
    assert "wrote 4 tracks" in gdr("crate", "export", "night", target).stderr
    links = sorted(target.iterdir())
    assert [os.fsencode(link.name) for link in links] == [
        b"%02d " % number + name for number, name in enumerate(ODD, 1)
    ]
    assert [link.resolve() for link in links] == [path.resolve() for path in odd]
    gdr("crate", "remove", "night", odd[0])
    gdr("crate", "export", "night", target, "--replace", "--relative")
    links = sorted(target.iterdir())
    assert len(links) == 3
    assert not os.readlink(links[0]).startswith("/")
    assert links[0].resolve() == odd[1].resolve()
    (target / "my own.txt").touch()
    refused = gdr("crate", "export", "night", target, "--replace")
    assert refused.exit_code == 2
    assert "holds files other than links" in refused.stderr
    assert (target / "my own.txt").exists()


def test_exports_tables(gdr: Gdr, odd: list[Path], tmp_path: Path) -> None:
    filled(gdr, odd)
    gdr("crate", "export", "night", tmp_path / "night.csv")
    with (tmp_path / "night.csv").open(errors="surrogateescape", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [str(path) for path in odd]
    gdr("crate", "export", "night", tmp_path / "night.json")
    whole = json.loads((tmp_path / "night.json").read_text())
    assert whole["crate"] == "night"
    assert [track["path"] for track in whole["tracks"]] == [str(path) for path in odd]
    assert gdr("crate", "export", "night", tmp_path / "night.txt").exit_code == 2


def test_a_crate_is_made_with_its_first_tracks_or_not_at_all(gdr: Gdr, odd: list[Path]) -> None:
    with Notebook.open() as notebook, notebook.write() as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON crate_tracks WHEN NEW.place = 2 "
            "BEGIN SELECT raise(ABORT, 'the disk is full'); END"
        )
    done = gdr("crate", "add", "night", *odd)
    assert done.exit_code == 1
    assert "cannot be written: the disk is full" in done.stderr
    assert "there is no crate yet" in gdr("crate", "list").stderr
