"""Real collections on the command line: what is left out, disks that are away, forgetting."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from gdr_model import paths

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pieces of the demo library, one of them in a folder that could be a disk."""
    folder = tmp_path / "music"
    (folder / "usb").mkdir(parents=True)
    first, second, third = sorted(DEMO.rglob("*.ogg"))[:3]
    shutil.copy(first, folder / "usb")
    shutil.copy(second, folder)
    shutil.copy(third, folder)
    return folder


def mess(folder: Path) -> None:
    """A folder with what real collections hold besides music."""
    for name in (
        "a.xyz",
        "tune.mod",
        "cover.jpg",
        "._song.ogg",
        "#recycle/old.ogg",
        "voice/memo.ogg",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    (folder / "voice" / ".notmusic").touch()


EXPECTED = [
    "3 files of other kinds left out: 1 .mod, 2 not audio",
    "1 hidden file left out",
    "1 system folder left out: #recycle",
    "1 folder marked .notmusic left out: voice",
]


def test_what_is_left_out_is_counted_wherever_a_library_is_described(gdr, folder) -> None:
    mess(folder)
    for words in (("index", folder, "--dry-run"), ("index", folder), ("index", folder, "--dry-run"),
                  ("status",)):  # fmt: skip
        lines = [line.strip() for line in gdr(*words).stdout.splitlines()]
        assert [line for line in lines if "left out" in line] == EXPECTED, words


def test_names_of_what_is_left_out_are_given_on_request(gdr, folder) -> None:
    mess(folder)
    for words in (("index", folder, "--dry-run", "--left-out"), ("index", folder, "--left-out"),
                  ("status", "--left-out")):  # fmt: skip
        text = gdr(*words).stdout
        for line in (
            "left out: #recycle: a system folder",
            "left out: voice: marked .notmusic",
            "left out: a.xyz: of another kind (.xyz)",
            "left out: ._song.ogg: hidden",
        ):
            assert line in text, words


def test_an_exclusion_is_remembered_shown_and_dropped(gdr, folder) -> None:
    first = gdr("index", folder, "--exclude", "usb", "--exclude", "*.xyz")
    assert "2 new" in first.stdout
    assert "1 excluded file or folder left out: usb" in first.stdout
    assert "0 new, 2 unchanged" in gdr("index", folder).stdout
    status = gdr("status").stdout
    assert "excluded by --exclude usb" in status
    assert "excluded by --exclude '*.xyz'" in status
    assert "would be 0 new, 2 unchanged" in gdr("index", folder, "--dry-run").stdout
    assert "1 new, 2 unchanged" in gdr("index", folder, "--no-exclude").stdout
    assert "excluded" not in gdr("status").stdout
    assert gdr("index", folder, "--exclude", "").exit_code == 2


def test_dropping_exclusions_is_foreseen(gdr, folder) -> None:
    gdr("index", folder, "--exclude", "usb")
    foreseen = gdr("index", folder, "--no-exclude", "--dry-run").stdout
    assert "would be 1 new, 2 unchanged" in foreseen
    assert "0 new, 2 unchanged" in gdr("index", folder).stdout, "and nothing was dropped"


def test_exclusions_of_a_part_are_those_of_this_part_alone(gdr, folder, write_tone) -> None:
    write_tone(folder / "p" / "Live" / "a.ogg", hz=500)
    write_tone(folder / "q" / "Live" / "b.ogg", hz=600)
    assert "5 new" in gdr("index", folder, "--exclude", "nothing").stdout
    assert "1 gone" in gdr("index", folder / "p", "--exclude", "Live").stdout
    assert "0 new, 4 unchanged" in gdr("index", folder).stdout
    assert "1 new" in gdr("index", folder / "p", "--no-exclude").stdout
    assert "excluded by --exclude nothing" in gdr("status").stdout


def test_a_setting_that_excludes_one_root_leaves_the_others(gdr, folder, gdr_home) -> None:
    gdr_home.mkdir(exist_ok=True)
    (gdr_home / "settings.toml").write_text(f"exclude = ['{folder / 'usb'}']\n")
    done = gdr("index", folder / "usb", folder)
    assert done.exit_code == 1
    assert f"gdr: {folder / 'usb'} is itself excluded, so nothing in it is indexed" in done.stderr
    assert "2 new" in done.stdout
    assert f"{folder / 'usb'}:" not in gdr("status").stdout


def test_a_setting_excludes_in_every_library(gdr, folder, gdr_home) -> None:
    gdr_home.mkdir(exist_ok=True)
    (gdr_home / "settings.toml").write_text('exclude = ["usb"]\n')
    assert "would be 2 new" in gdr("index", folder, "--dry-run").stdout
    assert "2 new" in gdr("index", folder).stdout
    (gdr_home / "settings.toml").write_text('exclude = [""]\n')
    mistaken = gdr("index", folder)
    assert "settings.toml has a mistake" in mistaken.stderr
    assert "1 new, 2 unchanged" in mistaken.stdout


def test_a_disk_that_is_away_is_named_until_it_is_forgotten(gdr, folder) -> None:
    gdr("index", folder)
    shutil.move(folder / "usb", folder.parent / "unplugged")
    (folder / "usb").mkdir()
    line = f"1 track in {folder}/usb is not there now; gdr forget {folder}/usb removes them"
    assert line in gdr("index", folder).stdout
    assert line in gdr("status").stdout
    (folder / "usb").rmdir()
    shutil.move(folder.parent / "unplugged", folder / "usb")
    assert "not there" not in gdr("status").stdout
    assert "0 new, 3 unchanged" in gdr("index", folder).stdout
    shutil.rmtree(folder / "usb")
    (folder / "usb").mkdir()
    gdr("index", folder)
    assert gdr("forget", folder / "usb").stderr == f"forgot 1 track in {folder}/usb\n"
    assert "not there" not in gdr("status").stdout
    assert "0 new, 2 unchanged" in gdr("index", folder).stdout


def test_what_is_there_is_not_forgotten(gdr, folder) -> None:
    gdr("index", folder)
    refused = gdr("forget", folder / "usb")
    assert refused.exit_code == 1
    assert "is there and would be indexed again; to leave them out, run gdr index --exclude" in (
        refused.stderr
    )
    refused = gdr("forget", folder)
    assert refused.exit_code == 1
    assert "add --whole" in refused.stderr
    assert gdr("forget", folder / "nothing").exit_code == 1
    assert gdr("forget", folder.parent).exit_code == 1
    assert "3 unchanged" in gdr("index", folder).stdout


def test_a_library_goes_with_its_folder_or_on_request(gdr, folder) -> None:
    gdr("index", folder)
    gdr("crate", "add", "keep", *folder.glob("*.ogg"))
    store = paths.store_of(folder)
    folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()
    emptied = gdr("index", folder)
    assert emptied.exit_code == 1
    assert f"mount its disk, or run gdr forget {folder}" in emptied.stderr
    assert f"mount its disk, or run gdr forget {folder}" in gdr("status").stdout
    done = gdr("forget", folder)
    assert f"removed the library of {folder}: 3 tracks" in done.stderr
    assert not store.exists()
    assert len(gdr("crate", "show", "keep").stdout.splitlines()) == 2
    gdr("index", folder.with_name("elsewhere"))
    assert gdr("forget", "--whole", folder.with_name("elsewhere")).exit_code == 0
    assert len(list(folder.with_name("elsewhere").rglob("*.ogg"))) == 3
    assert "no library has been indexed yet" in gdr("status").stdout


def test_a_part_of_a_library_is_searched_described_and_brought_up_to_date(gdr, folder) -> None:
    gdr("index", folder)
    listed = gdr("search", "piano", "-L", folder / "usb", "-f", "paths").stdout.splitlines()
    assert listed == [str(path) for path in (folder / "usb").iterdir()]
    twice = gdr("search", "piano", "-L", folder / "usb", "-L", folder, "-L", folder, "-f", "paths")
    assert len(twice.stdout.splitlines()) == 3, "no track is listed twice"
    assert gdr("status", "-L", folder / "usb").stdout.startswith(f"{folder}/usb\n  1 track,")
    shutil.copy(next((folder / "usb").iterdir()), folder / "usb" / "copy.ogg")
    shutil.copy(next((folder / "usb").iterdir()), folder / "other copy.ogg")
    part = gdr("index", folder / "usb")
    assert "is part of the library" in part.stderr
    assert "0 new, 1 unchanged, 1 duplicate" in part.stdout
    assert "0 new, 4 unchanged, 1 duplicate" in gdr("index", folder).stdout
    assert gdr("status").stdout.count("tracks") == 1


def test_a_library_that_is_mounted_elsewhere_is_the_same_library(gdr, folder, tmp_path) -> None:
    gdr("index", folder)
    gdr("crate", "add", "keep", *sorted(folder.glob("*.ogg")))
    media = tmp_path / "media"
    folder.rename(media)
    foreseen = gdr("index", media, "--dry-run")
    assert f"the library of {folder} would be recognised here and moved" in foreseen.stderr
    assert "would be 0 new, 3 unchanged" in foreseen.stdout
    assert paths.store_of(folder).exists()
    done = gdr("index", media)
    assert (
        f"the library {folder} has moved to {media}: 3 of 3 tracks unchanged there, "
        "2 tracks in crates moved with it\n" in done.stderr
    )
    assert "0 new, 3 unchanged" in done.stdout
    assert "0 encoded" in done.stdout
    assert gdr("crate", "show", "keep", "-f", "paths").stdout.splitlines() == [
        str(path) for path in sorted(media.glob("*.ogg"))
    ]
    assert gdr("crate", "export", "keep", tmp_path / "keep.m3u8").stderr.startswith(
        "wrote 2 tracks"
    )
    assert gdr("status").stdout.count("store:") == 1


def test_a_library_is_moved_on_request(gdr, folder, tmp_path) -> None:
    gdr("index", folder)
    media = tmp_path / "media"
    folder.rename(media)
    for path in media.rglob("*.ogg"):
        os.utime(path, (1e9, 1e9))
    assert "3 new" in gdr("index", media).stdout, "other times: it could be another library"
    done = gdr("move", folder, media)
    assert done.exit_code == 0
    assert f"the library {folder} has moved to {media}" in done.stderr
    assert "0 new, 3 unchanged" in gdr("index", media).stdout
    assert gdr("move", folder, tmp_path / "nowhere").exit_code == 1
    mistyped = gdr("move", tmp_path / "musik", media)
    assert mistyped.exit_code == 1
    assert mistyped.stderr == (
        f"gdr: gdr knows nothing in {tmp_path}/musik; gdr status lists the libraries\n"
    )


def test_results_on_a_disk_that_is_away_say_so_and_no_playlist_names_them(gdr, folder) -> None:
    gdr("index", folder)
    gdr("crate", "add", "keep", *folder.rglob("*.ogg"))
    away = next((folder / "usb").iterdir())
    shutil.move(folder / "usb", folder.parent / "unplugged")
    search = ("search", "piano", "-k", "5")
    table = gdr(*search)
    assert table.stdout.count("not there now: ") == 1
    assert "1 file of these results is not there now\n" in table.stderr
    rows = [json.loads(line) for line in gdr(*search, "-f", "jsonl").stdout.splitlines()]
    assert {row["path"]: row["missing"] for row in rows} == {
        str(away): True,
        **{str(path): False for path in folder.glob("*.ogg")},
    }
    playlist = gdr(*search, "-f", "m3u8")
    assert playlist.exit_code == 0
    assert "usb" not in playlist.stdout
    assert "is not there now, so not in the playlist" in playlist.stderr
    assert gdr("crate", "show", "keep").stdout.count("(not there now)") == 1
    exported = gdr("crate", "export", "keep", folder.parent / "keep.m3u8")
    assert "wrote 2 tracks" in exported.stderr
    assert "1 left out" in exported.stderr
    folder.rename(folder.parent / "all away")
    everything = gdr(*search)
    assert "3 files of these results are not there now" in everything.stderr
    assert everything.exit_code == 0
    empty = gdr(*search, "-f", "m3u8")
    assert (empty.exit_code, empty.stdout) == (1, "#EXTM3U\n")
    assert "3 files of these results are not there now, so not in the playlist" in empty.stderr
    for name, code in (("empty.m3u8", 1), ("empty.xml", 1), ("links", 1), ("table.csv", 0)):
        assert gdr("crate", "export", "keep", folder.parent / name).exit_code == code
    shutil.move(folder.parent / "all away", folder)
    shutil.move(folder.parent / "unplugged", folder / "usb")
    assert "not there" not in gdr(*search).stderr
