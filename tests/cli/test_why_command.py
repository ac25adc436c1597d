"""`gdr why` on the shipped model and the demo library."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Gdr = Callable[..., Result]
TRACKS = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


def test_says_the_rank_that_search_gives_and_pushes_that_add_up(gdr: Gdr, demo: Path) -> None:
    asked = ["sad", "piano", "--not", "drums:0.5", "--like", TRACKS[1], "--draws", 4]
    listed = gdr("search", *asked, "-k", 99, "-f", "jsonl").stdout.splitlines()
    for line in (json.loads(listed[0]), json.loads(listed[-1])):
        answer = json.loads(gdr("why", line["path"], *asked, "--json").stdout)
        assert (answer["rank"], answer["tracks_searched"]) == (line["rank"], len(TRACKS))
        assert answer["score"] == pytest.approx(line["score"], abs=1e-5)
        total = sum(push["drawn"] + push["tower"] for push in answer["pushes"])
        assert total == pytest.approx(line["score"], abs=1e-4)
        kinds = [push["kind"] for push in answer["pushes"]]
        assert kinds == ["start", "prompt", "negative", "like"]


def test_tells_it_in_lines_that_can_be_read_out(gdr: Gdr, demo: Path) -> None:
    done = gdr("why", TRACKS[0], "warm piano", "--draws", 2, "--steps", 4)
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"rank \d+ of 40, score [+-]0\.\d{3}, passage 0:00 to \d:\d\d", lines[1])
    assert re.fullmatch(r"[+-]0\.\d{3} no words at all \(draws .*, tower \+0\.000\)", lines[2])
    assert "prompt warm piano (draws" in lines[3]
    assert lines[4].startswith("the track is near ")
    assert lines[5].startswith("the query is near ")
    assert done.stderr == ""


def test_refuses_in_one_sentence_what_is_not_there(gdr: Gdr, demo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.ogg"
    other.write_bytes(TRACKS[0].read_bytes())
    done = gdr("why", other, "piano")
    assert done.exit_code == 1
    assert "is in no library; run gdr index" in done.stderr
    done = gdr("why", TRACKS[0], "piano", "--where", "duration_s < 1")
    assert done.exit_code == 2
    assert "the filter or a dislike excludes it" in done.stderr
    assert gdr("why", tmp_path / "none.ogg", "piano").exit_code == 2
