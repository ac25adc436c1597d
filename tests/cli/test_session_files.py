"""Evidence on the command line: results of one search decide what the next one finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Gdr = Callable[..., Result]


@pytest.fixture
def first(gdr: Gdr, demo: Path, tmp_path: Path) -> Path:
    """The results of a first search, in a file."""
    done = gdr("search", "piano", "-k", 10, "-f", "json")
    assert done.exit_code == 0, done.output
    (tmp_path / "1.json").write_text(done.stdout, encoding="utf-8")
    return tmp_path / "1.json"


def answer(done: Result) -> dict:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)[0]


def test_the_nearest_result_leads_the_next_list_and_the_others_sink(gdr: Gdr, first: Path) -> None:
    shown = [hit["path"] for hit in json.loads(first.read_text())[0]["hits"]]
    second = answer(gdr("search", "piano", "--session", first, "--nearest", 6, "-f", "json"))
    paths = [hit["path"] for hit in second["hits"]]
    assert paths.index(shown[5]) < 3
    assert sum(path in shown for path in paths[:10]) < 6
    assert second["steering"]["evidence"] == [
        {"judgement": "preferred", "path": shown[5], "over": shown[:5] + shown[6:]}
    ]


def test_a_session_grows_from_file_to_file(gdr: Gdr, first: Path, tmp_path: Path) -> None:
    options = ("-k", 10, "-f", "json")
    second = gdr("search", "piano", "--session", first, "--nearest", 2, "--finished", 2, *options)
    (tmp_path / "2.json").write_text(second.stdout, encoding="utf-8")
    third = answer(
        gdr("search", "sad piano", "--session", tmp_path / "2.json", "--passed", 3, *options)
    )
    done = [one["judgement"] for one in third["steering"]["evidence"]]
    assert done == ["heard", "preferred", "passed"]
    assert third["steering"]["evidence"][2]["path"] == answer(second)["hits"][2]["path"]


def test_the_second_nearest_is_preferred_to_those_that_are_left(gdr: Gdr, first: Path) -> None:
    shown = [hit["path"] for hit in json.loads(first.read_text())[0]["hits"]]
    options = ("--session", first, "--nearest", 6, "--nearest", 2, "-f", "json", "-k", 1)
    evidence = answer(gdr("search", "piano", *options))["steering"]["evidence"]
    assert [one["path"] for one in evidence] == [shown[5], shown[1]]
    assert set(evidence[1]["over"]) == set(shown) - {shown[5], shown[1]}


def test_why_names_what_was_done(gdr: Gdr, first: Path) -> None:
    liked = json.loads(first.read_text())[0]["hits"][5]["path"]
    said = gdr("why", liked, "piano", "--session", first, "--nearest", 6).stdout
    name = Path(liked).name
    assert f"because you preferred {name} to 9 others" in said
    facts = json.loads(
        gdr("why", liked, "piano", "--session", first, "--nearest", 6, "--json").stdout
    )
    parts = [push["drawn"] + push["tower"] + push["done"] for push in facts["pushes"]]
    assert sum(parts) == pytest.approx(facts["score"], abs=1e-6)
    assert facts["rank"] < 4


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (None, ("--nearest", "3"), "--nearest, --finished and --passed number the results"),
        ("[]", (), "is no session file"),
        ("{", (), "cannot be read as a session file"),
        ('{"steering": {"prompt": "x", "evidense": []}, "hits": []}', (), "unknown field evidense"),
        ('{"steering": {"prompt": "x"}, "hits": []}', ("--nearest", "1"), "it lists none"),
        ('{"steering": {"prompt": "x"}, "hits": [{"path": "/a"}]}', ("--finished", "0"),
         "no result number 0; it lists 1"),
    ],
)  # fmt: skip
def test_what_is_no_session_is_refused_in_one_sentence(
    gdr: Gdr, tmp_path: Path, content: str | None, options: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "session.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
        options = ("--session", str(file), *options)
    done = gdr("search", "piano", *options)
    assert done.exit_code == 2
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_missing_session_file_is_named(gdr: Gdr) -> None:
    done = gdr("search", "piano", "--session", "/nowhere/1.json")
    assert done.exit_code == 2
    assert "there is no file /nowhere/1.json" in done.stderr.replace("\n", " ")
