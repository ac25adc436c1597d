"""One damaged library next to whole ones: it is named, and the others are answered."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from machine import write_music
from typer.testing import CliRunner, Result

from gdr_model.paths import store_of
from gdr_tui.cli.main import app

Gdr = Callable[..., Result]


def gdr(*words: object) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def nothing(store: Path) -> None:
    (store / "library.db").write_bytes(b"This is no database at all." * 1000)


def schema_in_no_encoding(store: Path) -> None:
    """SQLite quotes a damaged schema in its message, which then is not UTF-8."""
    file = store / "library.db"
    file.write_bytes(file.read_bytes().replace(b"tabletrackstracks", b"tabletrac\xff\xfetracks"))


def schema_of_many_lines(store: Path) -> None:
    """SQLite quotes all lines of a statement that it cannot read."""
    file = store / "library.db"
    file.write_bytes(file.read_bytes().replace(b"TABLE failures (", b'TABLE failures "'))


def tracks_alone(store: Path) -> None:
    """The facts can be read, and with them the library's root."""
    with sqlite3.connect(store / "library.db") as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tracks'")
        ((size,),) = connection.execute("PRAGMA page_size")
    connection.close()
    with (store / "library.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x55" * size)


@pytest.mark.parametrize(
    "damage", [nothing, schema_in_no_encoding, schema_of_many_lines, tracks_alone]
)
def test_the_others_are_answered(
    tmp_path: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    write_music(whole, 2)
    shutil.copytree(whole, damaged)
    for folder in (whole, damaged):
        assert gdr("index", folder).exit_code == 0
    damage(store_of(damaged))
    for words in (
        ("status",),
        ("search", "piano"),
        ("search", "piano", "-L", whole, "-L", damaged),
        ("search", "piano", "-L", damaged, "-L", whole),
    ):
        result = gdr(*words)
        assert result.exit_code == 1, words
        assert str(whole) in result.stdout or "000" in result.stdout, words
        named = [line for line in result.stderr.splitlines() if str(store_of(damaged)) in line]
        assert len(named) == 1, result.stderr
        assert named[0].startswith("gdr: the library ")
    for words in (
        ("search", "piano", "-L", damaged),
        ("index", damaged),
        ("status", "-L", damaged),
    ):
        result = gdr(*words)
        assert (result.exit_code, result.stdout) == (1, ""), words
        assert result.stderr.count("\n") == 1


def test_a_library_whose_latents_are_damaged_is_left_out_of_a_search_of_several(
    tmp_path: Path,
) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    write_music(whole, 2)
    shutil.copytree(whole, damaged)
    for folder in (whole, damaged):
        gdr("index", folder)
    (means,) = (store_of(damaged) / "latents").glob("*.means")
    means.write_bytes(b"")
    result = gdr("search", "piano", "-L", whole, "-L", damaged, "-f", "paths")
    assert result.exit_code == 1
    assert sorted(result.stdout.splitlines()) == sorted(map(str, whole.iterdir()))
    assert f"gdr: the stored latents of {damaged} are damaged" in result.stderr
    assert f"run gdr index {damaged}" in result.stderr
