"""The built-in model is kept for later versions, once for each space."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from gdr_model import atomic
from gdr_model.errors import ModelError
from gdr_model.models import checkpoint, config, kept
from gdr_model.models.config import ModelConfig

SHIPPED = config.SHIPPED


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def needed() -> dict[str, bytes]:
    """The files of the model that ships, but for its card."""
    return {name: data for name, data in contents(SHIPPED).items() if not name.endswith(".md")}


@pytest.mark.parametrize("can_link", [True, False])
def test_what_is_kept_answers_like_the_original(monkeypatch, can_link: bool) -> None:
    if not can_link:

        def link(*_: object) -> None:
            raise OSError("on another file system")

        monkeypatch.setattr(os, "link", link)
    kept.keep(ModelConfig.read())
    (folder,) = kept.folder().iterdir()
    assert folder.name == ModelConfig.read().space.fingerprint
    assert contents(folder) == needed()
    assert checkpoint.load(str(folder)).space == ModelConfig.read().space
    assert not kept.damaged()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_its_owner_can_read_it() -> None:
    kept.keep(ModelConfig.read())
    for folder in (kept.folder(), *kept.folder().iterdir()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_version_that_is_replaced_leaves_what_is_kept_alone(tmp_path, monkeypatch) -> None:
    installed = tmp_path / "builtin"
    shutil.copytree(SHIPPED, installed)
    monkeypatch.setattr(config, "SHIPPED", installed)
    kept.keep(ModelConfig.read())
    shutil.rmtree(installed)
    (folder,) = kept.folder().iterdir()
    assert contents(folder) == needed()


def test_a_damaged_copy_is_made_again() -> None:
    kept.keep(ModelConfig.read())
    (folder,) = kept.folder().iterdir()
    (folder / "understanding.safetensors").unlink()
    config_file = folder / "config.json"
    config_file.unlink()
    config_file.write_text("{")
    assert (kept.kept(), kept.damaged()) == ([], [folder])
    kept.keep(ModelConfig.read())
    assert contents(folder) == needed()


def test_a_copy_that_was_killed_is_no_model_and_is_removed() -> None:
    kept.keep(ModelConfig.read())
    (folder,) = kept.folder().iterdir()
    killed = folder.with_name(f".gdr-{'0' * 16}.part")
    folder.rename(killed)
    os.utime(killed, (0, 0))
    assert (kept.kept(), kept.damaged()) == ([], [])
    kept.keep(ModelConfig.read())
    assert list(kept.folder().iterdir()) == [folder]


def test_two_programs_can_keep_it_at_once(monkeypatch) -> None:
    move = atomic.move_folder_into_place

    def after_another(temporary: Path, target: Path) -> None:
        monkeypatch.setattr(atomic, "move_folder_into_place", move)
        kept.keep(ModelConfig.read())
        move(temporary, target)

    monkeypatch.setattr(atomic, "move_folder_into_place", after_another)
    kept.keep(ModelConfig.read())
    (found,) = kept.kept()
    assert not kept.damaged()
    assert [each.name for each in kept.folder().iterdir()] == [found.space.fingerprint]


def test_a_full_disk_leaves_nothing_behind(monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ModelError, match=r"could not be kept .*: No space left on device"):
        kept.keep(ModelConfig.read())
    assert not list(kept.folder().iterdir())


def test_no_other_model_is_kept(tmp_path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    kept.keep(ModelConfig.read(str(other)))
    assert not kept.folder().exists()
