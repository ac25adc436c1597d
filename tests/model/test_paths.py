"""Where gdr keeps its own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gdr_model import paths


def test_the_environment_decides_where_home_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDR_HOME", "~/elsewhere")
    assert paths.home() == Path.home() / "elsewhere"
    assert paths.models() == Path.home() / "elsewhere" / "models"
    monkeypatch.delenv("GDR_HOME")
    assert paths.home().name == "gdr"
    assert not paths.home().is_relative_to(Path.cwd())


def test_a_store_is_named_after_its_folder_and_never_inside_it(music: Path, gdr_home: Path) -> None:
    store = paths.store_of(music)
    assert store.parent == gdr_home / "libraries"
    assert store.name.startswith("music-")
    assert not store.exists()


@pytest.mark.parametrize("name", ["Ünïcode ♫", "a" * 200, "...", "with space", "-"])
def test_any_name_gives_a_short_plain_one(tmp_path: Path, name: str) -> None:
    store = paths.store_of(tmp_path / name)
    assert store.name.isascii()
    assert len(store.name) <= 53
    assert not store.name.startswith("-")
    assert " " not in store.name


def test_one_folder_has_one_store_by_any_spelling_and_two_folders_have_two(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(music)
    monkeypatch.chdir(tmp_path)
    spellings = [music, tmp_path / "link", Path("music"), music / ".." / "music"]
    assert len({paths.store_of(spelling) for spelling in spellings}) == 1
    other = tmp_path / "other" / "music"
    assert paths.store_of(other) != paths.store_of(music)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    assert paths.store_of(odd) != paths.store_of(Path(str(tmp_path) + "/caf"))
