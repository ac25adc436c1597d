"""Results in every format, byte for byte; what reaches a terminal, and what reaches a program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest

from gdr_model.steering import Slider, Steering, WeightedText
from gdr_model.types import Hit, Query, Results, Track
from gdr_tui import rows
from gdr_tui.cli import output
from gdr_tui.cli.output import Format

STEERING = Steering(
    "warm [red]piano", negatives=(WeightedText("drums", 0.5),), sliders=(Slider("slow", -0.5),)
)
PATHS = ["/m/plain.ogg", os.fsdecode(b"/m/caf\xe9\t#.mp3"), "/m/two\nlines.flac"]


def results(steering: Steering = STEERING, count: int = 3, **counts: int) -> Results:
    """Three tracks: a plain one, one with a byte that is not UTF-8, one with a line break."""
    profile = np.zeros(4, np.float32)
    tagged = Track(Path(PATHS[0]), 181.6, "a", "Rain\x1b[31m", "The Hours", genre="jazz")
    tracks = [tagged, Track(Path(PATHS[1]), 61, "b"), Track(Path(PATHS[2]), 0, "c")]
    hits = [
        Hit(track, 64.0 * number, 64.0 * number + 30, 0.75 - number / 8, 3, profile)
        for number, track in enumerate(tracks)
    ]
    query = Query(np.zeros((2, 4), np.float32), steering)
    return Results(tuple(hits[:count]), query, 40, 0.8123456, 0.1, 0.1, **counts)


class Out(TextIOWrapper):
    """A stdout that may be a terminal."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal


def written(action: Callable[[], None], monkeypatch: pytest.MonkeyPatch, terminal: bool) -> bytes:
    """The bytes that reach a stdout of either kind."""
    buffer = BytesIO()
    out = Out(buffer, encoding="utf-8")
    out.terminal = terminal
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setenv("COLUMNS", "100")
        action()
        out.flush()
    return buffer.getvalue()


def shown(form: Format, monkeypatch: pytest.MonkeyPatch, *answers: Results) -> bytes:
    """What a program gets."""
    return written(lambda: output.show(answers or [results()], form), monkeypatch, terminal=False)


def test_a_program_gets_the_bytes_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\x1b[31m\udcff\n"
    assert written(lambda: output.write(text), monkeypatch, False) == b"a\x1b[31m\xff\n"


def test_a_terminal_gets_nothing_that_acts_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\x1b[31m\udcff\tb\nc"
    raw = written(lambda: output.write(text), monkeypatch, True)
    assert raw.decode() == "a\\x1b[31m\ufffd\tb\nc"


def test_paths_are_the_bytes_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(Format.PATHS, monkeypatch) == b"".join(os.fsencode(p) + b"\n" for p in PATHS)
    raw = written(lambda: output.show_paths0([results()]), monkeypatch, False)
    assert raw.split(b"\0") == [*map(os.fsencode, PATHS), b""]


def test_json_lines_have_one_object_per_result(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = shown(Format.JSONL, monkeypatch).splitlines()
    assert json.loads(first) == {
        "prompt": "warm [red]piano",
        "rank": 1,
        "path": PATHS[0],
        "title": "Rain\x1b[31m",
        "artist": "The Hours",
        "start_s": 0.0,
        "score": 0.75,
        "seed": 0,
        "section": "",
        "copies": [],
        "missing": False,
    }
    assert os.fsencode(json.loads(second)["path"]) == b"/m/caf\xe9\t#.mp3"
    assert (json.loads(third)["start_s"], json.loads(third)["score"]) == (128.0, 0.5)


def test_json_has_the_steering_that_gives_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    other = results(Steering("cold drums", seed=4), 1)
    whole = json.loads(shown(Format.JSON, monkeypatch, results(), other))
    assert [Steering.from_json(json.dumps(answer["steering"])) for answer in whole] == [
        STEERING,
        Steering("cold drums", seed=4),
    ]
    facts = {"method": "gdr", "tracks_searched": 40, "agreement": 0.81235}
    assert facts.items() <= whole[0].items()
    assert [[hit["rank"] for hit in answer["hits"]] for answer in whole] == [[1, 2, 3], [1]]


def test_a_table_of_tabs_has_as_many_lines_as_results(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(Format.TSV, monkeypatch).split(b"\n")
    assert lines[0].split(b"\t")[:4] == [b"prompt", b"rank", b"path", b"title"]
    assert len(lines) == 5
    assert {line.count(b"\t") for line in lines[:4]} == {9}
    assert b"caf\xe9\\t#.mp3" in lines[2]
    assert b"two\\nlines.flac" in lines[3]


def test_a_playlist_leaves_out_what_it_cannot_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(Format.M3U8, monkeypatch) == (
        b"#EXTM3U\n"
        b"#EXTINF:182,The Hours - Rain\\x1b[31m\n/m/plain.ogg\n"
        b"#EXTINF:61,caf\xef\xbf\xbd\\t#.mp3\n/m/caf\xe9\t#.mp3\n"
    )


def test_the_table_names_all_that_steers_and_shows_no_raw_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = shown(Format.TABLE, monkeypatch).decode().splitlines()
    assert lines[0] == "warm [red]piano  + slow:-0.5  − drums:0.5"
    assert lines[1].split() == ["#", "score", "from", "title", "artist", "genre"]
    assert lines[2].split() == ["1", "0.750", "0:00", "Rain\\x1b[31m", "The", "Hours", "jazz"]
    assert lines[3].split() == ["2", "0.625", "1:04", "caf\ufffd\\t#.mp3"]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "no track passes the filter"),
        ({"filtered": 40}, "no track passes the filter"),
        ({"banned": 2}, "every track is left out by --unlike"),
        (
            {"banned": 2, "filtered": 38},
            "every track that passes the filter is left out by --unlike",
        ),
    ],
)
def test_an_empty_table_says_why(
    counts: dict[str, int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(Format.TABLE, monkeypatch, results(count=0, **counts)).decode()
    assert said in text
    assert "score" not in text


def test_json_keeps_letters_and_escapes_broken_bytes() -> None:
    assert rows.as_json({"a": "é🎵"}) == '{"a": "é🎵"}'
    assert rows.as_json({"a": "\udcff"}) == '{"a": "\\udcff"}'


def test_a_playlist_says_where_a_duration_is_unknown() -> None:
    assert rows.playlist_entry("/m/a.ogg", "a", "", 0.0) == "#EXTINF:-1,a\n/m/a.ogg\n"
