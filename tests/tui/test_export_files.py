import csv
import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from stand_in import hits

from gdr_model.errors import UsageError
from gdr_model.types import Query, Results, Steering
from gdr_tui import export


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
    assert said.endswith(", 1 left out: gone from disk")


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
