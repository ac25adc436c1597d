import csv
import dataclasses
import json
import os
import re
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from stand_in import hits

from gdr_model.errors import UsageError
from gdr_model.notebook.crates import CrateTrack
from gdr_model.steering import Steering
from gdr_model.types import Query, Results
from gdr_tui import export
from gdr_tui.export import rekordbox


@pytest.fixture
def found(tmp_path: Path) -> Results:
    """Five results whose files exist, one of them with a name that is not UTF-8."""
    steering = Steering("warm dub, slow", seed=5)
    kept = []
    for number, hit in enumerate(hits(steering, 5)):
        name = (
            b"caf\xe9.flac".decode("utf-8", "surrogateescape") if number == 1 else f"{number}.mp3"
        )
        path = tmp_path / name
        path.touch()
        kept.append(dataclasses.replace(hit, track=dataclasses.replace(hit.track, path=path)))
    return Results(tuple(kept), Query(np.zeros((8, 4), np.float32), steering), 30, 0.8, 0.1, 0.1)


def test_a_playlist_names_every_file_by_its_bytes(tmp_path: Path, found: Results) -> None:
    target = tmp_path / "list.m3u8"
    said = export.write_list(target, export.of_results(found), replace=False)
    lines = target.read_bytes().splitlines()
    assert said.startswith("wrote 5 tracks to ")
    assert lines[0] == b"#EXTM3U"
    paths = [line for line in lines if not line.startswith(b"#")]
    assert paths == [os.fsencode(hit.track.path) for hit in found.hits]


def test_only_marked_results_are_written(tmp_path: Path, found: Results) -> None:
    target = tmp_path / "list.json"
    marked = frozenset({found.hits[2].track.path})
    assert "wrote 1 track to" in export.write_list(
        target, export.of_results(found, marked), replace=False
    )
    rows = json.loads(target.read_text())
    assert [row["rank"] for row in rows["hits"]] == [3]
    assert Steering.from_json(json.dumps(rows["steering"])) == found.query.steering


def test_a_table_has_a_row_for_every_result(tmp_path: Path, found: Results) -> None:
    target = tmp_path / "list.csv"
    export.write_list(target, export.of_results(found), replace=False)
    with target.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [str(hit.track.path) for hit in found.hits]
    assert rows[0]["prompt"] == "warm dub, slow"


def test_a_file_is_replaced_only_on_demand(tmp_path: Path, found: Results) -> None:
    target = tmp_path / "list.json"
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        export.write_list(target, export.of_results(found), replace=False)
    assert target.read_text() == "mine"
    export.write_list(target, export.of_results(found), replace=True)
    assert target.read_text() != "mine"


def test_files_gone_from_disk_are_left_out_of_a_playlist_and_said(
    tmp_path: Path, found: Results
) -> None:
    found.hits[0].track.path.unlink()
    said = export.write_list(tmp_path / "list.m3u8", export.of_results(found), replace=False)
    assert said.endswith(", 1 left out: not there now")


def test_refusals_are_one_sentence(tmp_path: Path, found: Results) -> None:
    with pytest.raises(UsageError, match=r"\.m3u8, \.csv, \.json"):
        export.write_list(tmp_path / "list.txt", export.of_results(found), replace=False)
    with pytest.raises(UsageError, match="cannot write"):
        export.write_list(tmp_path / "none" / "list.csv", export.of_results(found), replace=False)
    assert not list(tmp_path.glob(".*"))


def test_the_suggested_name_comes_from_the_prompt() -> None:
    assert export.suggested_name("Warm, dub/techno: 90s!") == "gdr-warm-dub-techno-90s.m3u8"
    assert export.suggested_name("…") == "gdr-results.m3u8"
    assert "/" not in export.suggested_name("../../etc")
    assert export.suggested_name("हिन्दी संगीत") == "gdr-हिन्दी-संगीत.m3u8"
    assert export.suggested_name("Cafe\u0301 Mu\u0308nchen") == "gdr-café-münchen.m3u8"
    long = export.suggested_name("नि" * 30)
    assert long == f"gdr-{'नि' * 20}.m3u8"


def crate(*tracks: CrateTrack) -> export.TrackList:
    return export.of_crate("night", tracks)


@pytest.mark.parametrize("end", [".flac", "." + "x" * 250, ""])
@pytest.mark.parametrize("begin", ["a", "ab", "abc"])
def test_a_link_with_a_long_name_is_cut_between_characters(
    tmp_path: Path, begin: str, end: str
) -> None:
    name = begin + "夜" * ((255 - len(begin) - len(end)) // 3) + end
    path = tmp_path / name
    path.touch()
    export.write_list(tmp_path / "links", crate(CrateTrack(path)))
    (link,) = (tmp_path / "links").iterdir()
    assert link.resolve() == path
    assert len(os.fsencode(link.name)) <= 255
    assert os.fsencode(link.name).decode(), "UTF-8"
    assert f"01 {name}".startswith(link.name.removesuffix(end if len(end) < 9 else ""))
    if len(end) < 9:
        assert link.name.endswith(end)


def test_a_playlist_can_start_each_track_at_its_passage(tmp_path: Path) -> None:
    tracks = [CrateTrack(tmp_path / f"{s}.mp3", duration_s=99, start_s=s) for s in (0.0, 64.5)]
    for track in tracks:
        track.path.touch()
    target = tmp_path / "list.m3u8"
    export.write_list(target, crate(*tracks), style=export.Style(starts=True))
    assert target.read_text().splitlines() == [
        "#EXTM3U", "#PLAYLIST:night",
        "#EXTINF:99,0.0.mp3", str(tracks[0].path),
        "#EXTINF:99,64.5.mp3", "#EXTVLCOPT:start-time=64.500", str(tracks[1].path),
    ]  # fmt: skip
    export.write_list(target, crate(*tracks), replace=True)
    assert "start-time" not in target.read_text()


FORMULAS = [
    "=1+1", "+44 20", "-drums", "@sum", "\tx", "\rx", "\nx", "＝1", "'=1", "''@x",
    '=HYPERLINK("http://x","y")',
]  # fmt: skip
PLAIN = ["", "a=b", "'til", "1-2", "'", " =1", "#1"]


@pytest.mark.parametrize("bom", [False, True])
def test_no_cell_of_a_table_is_a_formula_and_none_is_lost(tmp_path: Path, bom: bool) -> None:
    texts = FORMULAS + PLAIN
    target = tmp_path / "list.csv"
    tracks = crate(*(CrateTrack(Path("/m/a.mp3"), title=text) for text in texts))
    export.write_list(target, tracks, style=export.Style(bom=bom))
    assert target.read_bytes().startswith(b"\xef\xbb\xbf") == bom
    with target.open(encoding="utf-8-sig", newline="") as file:
        cells = [row["title"] for row in csv.DictReader(file)]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert [re.sub(r"^'(?='*[=+\-@\t\r\n＋－＝＠])", "", cell) for cell in cells] == texts
    assert cells[len(FORMULAS) :] == PLAIN


@pytest.mark.parametrize(
    ("path", "location"),
    [
        (PureWindowsPath(r"C:\Zoë\a #1.mp3"), "C:/Zo%C3%AB/a%20%231.mp3"),
        (PureWindowsPath(r"d:\a.mp3"), "d:/a.mp3"),
        (PureWindowsPath(r"\\nas\my music\a.mp3"), "/nas/my%20music/a.mp3"),
        (PureWindowsPath("\\\\?\\C:\\long\\a.mp3"), "C:/long/a.mp3"),
        (PureWindowsPath("\\\\?\\UNC\\nas\\music\\a.mp3"), "/nas/music/a.mp3"),
        (PurePosixPath("/Volumes/C:/a.mp3"), "Volumes/C%3A/a.mp3"),
        (PurePosixPath("/music/a+b.mp3"), "music/a%2Bb.mp3"),
    ],
)
def test_rekordbox_finds_files_of_every_system(path: PurePath, location: str) -> None:
    assert rekordbox.location(path) == f"file://localhost/{location}"


def test_a_link_in_the_place_of_a_list_is_replaced_and_never_followed(
    tmp_path: Path, found: Results
) -> None:
    victim = tmp_path / "victim"
    target = tmp_path / "list.m3u8"
    target.symlink_to(victim)
    with pytest.raises(export.AlreadyThere):  # though what it names does not exist
        export.write_list(target, export.of_results(found))
    victim.write_text("mine")
    victim.chmod(0o606)
    export.write_list(target, export.of_results(found), replace=True)
    assert victim.read_text() == "mine"
    assert not target.is_symlink()
    assert target.stat().st_mode & 0o777 != 0o606


def test_a_folder_of_links_that_is_a_link_itself_is_refused(tmp_path: Path, found: Results) -> None:
    others = tmp_path / "others"
    others.mkdir()
    (others / "a").symlink_to("/somewhere")
    (tmp_path / "links").symlink_to(others)
    with pytest.raises(UsageError, match="is a link to another folder"):
        export.write_list(tmp_path / "links", export.of_results(found), replace=True)
    assert [entry.name for entry in others.iterdir()] == ["a"]
