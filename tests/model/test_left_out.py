"""What a scan leaves out of real collections, by which reason, and what is music after all."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from gdr_model.errors import LibraryError, UsageError
from gdr_model.store.folder.left_out import MARKER, Excludes, within_part
from gdr_model.store.folder.scan import Scan, scan
from gdr_model.store.records import Reason


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def taken(found: Scan) -> list[str]:
    return [os.fsdecode(name) for name in found.files]


def left(found: Scan, reason: Reason) -> list[str]:
    return sorted(os.fsdecode(each.name) for each in found.left_out if each.reason == reason)


def test_albums_and_songs_whose_names_begin_with_dots_are_music(music: Path) -> None:
    names = [
        "A/...baby one more time.mp3",
        "Metallica/...And Justice for All/01 Blackened.mp3",
        "Slipknot/.5 The Gray Chapter/01 XIX.flac",
        ".hidden.ogg",
    ]
    put(music, *names)
    assert taken(scan(music)) == sorted(names)


@pytest.mark.parametrize(
    "folder",
    [
        "$RECYCLE.BIN/S-1-5", "RECYCLER", "#recycle", "@Recycle", ".Trash-1000", ".Trashes",
        ".Trash", "#snapshot/daily", "@Recently-Snapshot", ".snapshots", ".zfs",
        ".stversions", "@eaDir/a.mp3", "lost+found", "System Volume Information",
        ".AppleDouble", ".Spotlight-V100", ".fseventsd", ".TemporaryItems",
        ".DocumentRevisions-V100", ".git", ".cache", ".thumbnails", "@tmp", ".@__thumb",
        "#RECYCLE", "@eadir", ".sync", ".stfolder",
    ],
)  # fmt: skip
def test_bins_snapshots_and_folders_of_programs_are_not(music: Path, folder: str) -> None:
    put(music, f"Album/{folder}/old.mp3", "Album/new.mp3")
    found = scan(music)
    assert taken(found) == ["Album/new.mp3"]
    assert left(found, Reason.SYSTEM) == [f"Album/{folder.split('/')[0]}"]


def test_files_that_only_look_like_music_are_hidden(music: Path) -> None:
    names = ["._song.mp3", ".DS_Store", ".trashed-1700000000-song.mp3", ".pending-1-song.m4a"]
    put(music, "song.mp3", *names)
    found = scan(music)
    assert taken(found) == ["song.mp3"]
    assert left(found, Reason.HIDDEN) == sorted(names)


def test_every_file_is_either_taken_or_left_out_for_a_reason(music: Path) -> None:
    put(
        music, "a.mp3", "b.xyz", "c.XYZ", "cover.jpg", "no suffix", "voice/memo.mp3", ".nomedia",
        "podcasts/x.mp3",
    )  # fmt: skip
    (music / "voice" / MARKER).touch()
    os.mkfifo(music / "pipe.mp3")
    found = scan(music, excludes=Excludes(["podcasts"]))
    assert taken(found) == ["a.mp3"]
    assert Counter(each.reason for each in found.left_out) == {
        Reason.KIND: 4, Reason.MARKER: 1, Reason.HIDDEN: 1, Reason.IRREGULAR: 1, Reason.EXCLUDED: 1,
    }  # fmt: skip
    assert Counter(each.kind for each in found.left_out if each.reason == Reason.KIND) == {
        ".xyz": 2, ".jpg": 1, "": 1,
    }  # fmt: skip
    assert left(found, Reason.MARKER) == ["voice"]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("Podcasts", ["b.mp3", "live/c.mp3"]),
        ("podcasts/", ["b.mp3", "live/c.mp3"]),
        ("*.MP3", []),
        ("live/*", ["Podcasts/1.mp3", "Podcasts/deep/2.mp3", "b.mp3"]),
        ("**/c.mp3", ["Podcasts/1.mp3", "Podcasts/deep/2.mp3", "b.mp3"]),
        ("./b.mp3", ["Podcasts/1.mp3", "Podcasts/deep/2.mp3", "live/c.mp3"]),
        ("deep", ["Podcasts/1.mp3", "b.mp3", "live/c.mp3"]),
        ("/b.mp3", ["Podcasts/1.mp3", "Podcasts/deep/2.mp3", "live/c.mp3"]),
        ("/deep", ["Podcasts/1.mp3", "Podcasts/deep/2.mp3", "b.mp3", "live/c.mp3"]),
        ("[xyz].mp3", ["Podcasts/1.mp3", "Podcasts/deep/2.mp3", "b.mp3", "live/c.mp3"]),
    ],
)
def test_a_glob_excludes_by_name_or_by_path_and_prunes_folders(
    music: Path, glob: str, expected: list[str]
) -> None:
    put(music, "Podcasts/1.mp3", "Podcasts/deep/2.mp3", "b.mp3", "live/c.mp3")
    assert taken(scan(music, excludes=Excludes([glob], music))) == expected


def test_a_glob_can_be_the_whole_path_of_a_folder(music: Path) -> None:
    put(music, "a/1.mp3", "b/a/2.mp3")
    found = scan(music, excludes=Excludes([str(music / "a")], music))
    assert taken(found) == ["b/a/2.mp3"], "only that folder, not every one of its name"


def test_the_path_of_a_folder_next_to_the_root_excludes_nothing_in_it(music: Path) -> None:
    put(music, "2/a.mp3", "b.mp3")
    beside = [f"{music}2", f"{music}2/x"]
    assert taken(scan(music, excludes=Excludes(beside, music))) == ["2/a.mp3", "b.mp3"]


@pytest.mark.parametrize("end", ["", "/"])
def test_the_root_itself_is_refused_by_name(music: Path, end: str) -> None:
    with pytest.raises(LibraryError, match=f"{music} is itself excluded"):
        Excludes([f"{music}{end}"], music)


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("Live", ["p [1]/x.mp3"]),
        ("/Live", ["p [1]/deep/Live/2.mp3", "p [1]/x.mp3"]),
        ("deep/Live", ["p [1]/Live/1.mp3", "p [1]/x.mp3"]),
        ("*.mp3", []),
        ("ROOT/p [[]1]/Live", ["p [1]/deep/Live/2.mp3", "p [1]/x.mp3"]),
    ],
)
def test_globs_for_a_part_exclude_nothing_elsewhere(
    music: Path, glob: str, expected: list[str]
) -> None:
    put(music, "p [1]/Live/1.mp3", "p [1]/deep/Live/2.mp3", "p [1]/x.mp3")
    put(music, "q/Live/3.mp3", "p 1/Live/4.mp3", "Live/p [1]/5.mp3")
    globs = within_part([glob.replace("ROOT", str(music))], "p [1]", music)
    found = taken(scan(music, excludes=Excludes(globs, music)))
    elsewhere = ["Live/p [1]/5.mp3", "p 1/Live/4.mp3", "q/Live/3.mp3"]
    assert [name for name in found if name in elsewhere] == elsewhere
    assert [name for name in found if name not in elsewhere] == expected


def test_names_match_however_their_letters_are_encoded(music: Path) -> None:
    put(music, unicodedata.normalize("NFD", "Hörspiele") + "/1.mp3")
    assert taken(scan(music, excludes=Excludes(["hörspiele"]))) == []


def test_an_empty_glob_is_refused() -> None:
    for empty in ("", " ", "/", "./"):
        with pytest.raises(UsageError, match="empty"):
            Excludes([empty])


def test_a_part_inside_something_that_is_left_out_holds_nothing(music: Path) -> None:
    put(music, "voice/deep/a.mp3", "x/b.mp3", "x/#recycle/c.mp3")
    (music / "voice" / MARKER).touch()
    assert taken(scan(music, part="voice/deep")) == []
    assert taken(scan(music, part="x", excludes=Excludes(["x"]))) == []
    assert taken(scan(music, part="x/#recycle")) == []
    assert taken(scan(music, part="x")) == ["x/b.mp3"]
