"""A user types paths that cannot be: each is one sentence in the box, and the app goes on."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from driving import WIDE, asked, main, opened, said, until
from stand_in import StandIn, hits
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_model.errors import UsageError
from gdr_model.steering import Steering
from gdr_model.types import Query, Results
from gdr_tui import export
from gdr_tui.app.library.folder_dialog import FolderDialog
from gdr_tui.app.ui.export_dialog import ExportDialog
from gdr_tui.user_paths import typed_path

LONG = "n" * 300


async def typed(pilot: Pilot[None], text: str) -> str:
    """Put a text into the dialog's box, press Enter and read what is wrong with it."""
    pilot.app.screen.query_one(Input).value = text
    await pilot.pause()
    await pilot.press("enter")
    return problem(pilot)


def problem(pilot: Pilot[None]) -> str:
    """What the dialog says is wrong, "" once it is closed."""
    return "".join(str(line.render()) for line in pilot.app.screen.query("#problem"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("~nobodyxyz", "~nobodyxyz cannot be used: there is no such user"),
        (LONG, "cannot be used: File name too long"),
        ("/no/such/folder", "there is no folder /no/such/folder"),
    ],
    ids=["user", "long", "missing"],
)
async def test_opens_a_folder_that_cannot_be(text: str, sentence: str) -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await pilot.press("escape", "o")
        assert sentence in await typed(pilot, text)
        assert isinstance(pilot.app.screen, FolderDialog)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("~nobodyxyz/x.m3u8", "~nobodyxyz/x.m3u8 cannot be used: there is no such user"),
        (f"{LONG}.m3u8", "cannot be used: File name too long"),
    ],
    ids=["user", "long"],
)
async def test_exports_to_a_place_that_cannot_be(text: str, sentence: str) -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("e")
        assert sentence in await typed(pilot, text)
        assert isinstance(pilot.app.screen, ExportDialog)


async def test_chooses_a_format_for_a_path_that_names_no_file() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("e", "ctrl+a", "ctrl+k", "/", "tab", "tab", "enter")
        assert "/ cannot be used: it is not the name of a file" in problem(pilot)
        await pilot.click("#as-json")
        assert pilot.app.screen.query_one(Input).value == "/"


async def test_a_folder_that_must_not_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("o")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "theirs")
        await pilot.pause()
        with monkeypatch.context() as patched:
            patched.setattr(Path, "stat", forbidden)  # the tests may run as root
            await pilot.press("enter")
        assert "cannot be used: Permission denied" in problem(pilot)
        await pilot.press("escape", "e")
        pilot.app.screen.query_one(Input).value = str(tmp_path / "x.csv")
        await pilot.pause()
        with monkeypatch.context() as patched:
            patched.setattr(Path, "stat", forbidden)
            await pilot.press("enter")
        assert "cannot be used: Permission denied" in problem(pilot)


async def test_exports_from_a_folder_that_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    folder.rmdir()
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("e")
        assert pilot.app.screen.query_one(Input).value == "~/gdr-warm.m3u8"
        await pilot.click("#as-csv")
        await pilot.press("enter")
        assert (tmp_path / "gdr-warm.csv").is_file()


async def test_exports_from_a_folder_whose_name_is_not_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    monkeypatch.chdir(os.fsdecode(folder))
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("e")
        assert pilot.app.screen.query_one(Input).value == "gdr-warm.m3u8"
        await pilot.click("#as-json")
        await pilot.press("enter")
        await until(pilot, lambda: said(pilot))
        assert os.path.isfile(folder + b"/gdr-warm.json")


async def test_a_folder_keeps_the_spelling_it_was_given_and_counts_once(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "music"
    link.symlink_to(tmp_path / "disk")
    session = StandIn(tracks=0)
    async with opened(session).run_test(size=WIDE) as pilot:
        for spelled in (link, tmp_path / "disk", link / ".." / "music"):
            await pilot.press("escape", "o")
            await typed(pilot, str(spelled))
        assert main(pilot).focused
    assert session.roots == [link]


def test_a_long_path_is_shortened_and_made_harmless() -> None:
    with pytest.raises(UsageError) as raised, typed_path(f"\x1b{LONG}"):
        raise OSError(36, "File name too long")
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 120


def test_a_name_with_a_line_break_is_left_out_of_a_playlist_for_that_reason(
    tmp_path: Path,
) -> None:
    steering = Steering("warm")
    named = []
    for name, hit in zip(("a.mp3", "b\nc.mp3", "gone.mp3"), hits(steering, 3), strict=True):
        path = tmp_path / name
        if name != "gone.mp3":
            path.touch()
        named.append(dataclasses.replace(hit, track=dataclasses.replace(hit.track, path=path)))
    found = Results(tuple(named), Query(np.zeros((8, 4), np.float32), steering), 3, 0.8, 0.1, 0.1)
    report = export.write_list(tmp_path / "list.m3u8", export.of_results(found), replace=False)
    assert report.endswith(", 1 left out: a line break in the name, 1 left out: not there now")
    assert "wrote 1 track to" in report
