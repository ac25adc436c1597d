"""The steps of the recipe: each one that the README lists runs, and lists survive interruptions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.builtin.steps import Part, append_to_list, read_list, step_parser, write_list

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes" / "builtin"
RUNNABLE = sorted(
    ".".join(path.relative_to(RECIPE).with_suffix("").parts)
    for path in RECIPE.rglob("*.py")
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
)
TEXTS = st.text(st.characters(codec="utf-8"))
RECORDS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.none(), max_size=4)


@pytest.mark.parametrize("step", RUNNABLE)
def test_a_step_explains_itself_without_any_data(step: str) -> None:
    command = [sys.executable, "-m", f"recipes.builtin.{step}", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert "--work DIR" in done.stdout
    assert done.stderr == ""
    described = re.split(
        r"\n\n(?:positional arguments|options):", done.stdout.partition("\n\n")[2]
    )[0]
    assert described.strip().endswith((".", ":"))


def test_the_readme_lists_every_step_and_no_other() -> None:
    readme = (RECIPE / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\|.*\| `([a-z_.]+) --work DIR", readme, re.M))
    # The demo library is no part of the model.
    assert listed | {"music.demo"} == set(RUNNABLE)


def test_a_step_is_described_by_the_first_line_of_its_module() -> None:
    parser = step_parser("Make sound.\n\nIn many ways.")
    assert parser.description == "Make sound."
    assert parser.parse_args(["--work", "somewhere"]).work == Path("somewhere")
    assert step_parser(None).description == ""
    with pytest.raises(SystemExit):
        parser.parse_args([])


@given(st.lists(RECORDS, max_size=5))
def test_what_is_appended_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str | int | None]]
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.jsonl"
    for record in records:
        append_to_list(path, record)
    assert read_list(path) == records
    write_list(path, records[:2])
    assert read_list(path) == records[:2]


def test_a_list_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_list(tmp_path / "none.jsonl") == []


def test_a_line_separator_in_a_title_does_not_split_its_line(tmp_path: Path) -> None:
    record = {"title": "one\u2028two\x85three"}
    append_to_list(tmp_path / "list.jsonl", record)
    assert read_list(tmp_path / "list.jsonl") == [record]


def test_a_torn_line_is_skipped_and_the_next_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    append_to_list(path, {"id": 1})
    with path.open("a") as file:
        file.write('{"id": 2, "title": "un')
    assert read_list(path) == [{"id": 1}]
    append_to_list(path, {"id": 3})
    assert read_list(path) == [{"id": 1}, {"id": 3}]


@given(st.integers(1, 9), st.integers(0, 200))
def test_every_piece_of_work_is_in_one_part(count: int, number: int) -> None:
    parts = [Part.parse(f"{k}/{count}") for k in range(1, count + 1)]
    assert sum(part.has(number) for part in parts) == 1


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", ""])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Part.parse(text)
