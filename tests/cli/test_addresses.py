"""Indexing and searching what is at an address."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gdr_model.remote.places import folder_of
from gdr_tui.cli.retrievers import music_folder

pytest.importorskip("fsspec", reason="fsspec is not installed")
DEMO = Path(__file__).parents[2] / "demo"


def test_the_command_takes_an_address_wherever_it_takes_a_folder(gdr, music: Path) -> None:  # type: ignore[no-untyped-def]
    for piece in sorted(DEMO.rglob("*.ogg"))[:3]:
        shutil.copy(piece, music)
    (music / "no sound.mp3").write_bytes(b"no sound" * 1000)
    address = f"file://{music}"
    first = gdr("index", address)
    assert first.stdout.startswith(f"{address}: 3 new, 0 unchanged, 1 failed\n")
    assert f"failed: {address}/no sound.mp3" in first.stdout
    assert "0 new, 3 unchanged" in gdr("index", address).stdout
    found = gdr("search", "piano", "-L", address, "--print0").stdout.split("\0")[:-1]
    assert len(found) == 3
    assert not Path(found[0]).exists()
    alike = gdr("search", "--like", found[0], "-L", address, "-k", "2", "--print0")
    assert set(alike.stdout.split("\0")[:-1]) == set(found[1:])
    assert Path(found[0]).read_bytes() == (music / Path(found[0]).name).read_bytes()


def test_status_and_forget_take_the_address(gdr, music: Path) -> None:  # type: ignore[no-untyped-def]
    shutil.copy(next(DEMO.rglob("*.ogg")), music)
    address = f"file://{music}"
    gdr("index", address)
    assert "1 track" in gdr("status", "-L", address).stdout
    shutil.rmtree(folder_of(Path(address)))
    assert "would be indexed again" in str(gdr("forget", address).stderr)
    assert "1 track" in gdr("status", "-L", address).stdout
    assert gdr("forget", "--whole", address).exit_code == 0


def test_the_folder_of_a_new_address_is_made() -> None:
    folder = folder_of(Path("s3://new/music"))
    assert music_folder(folder) == folder
    assert folder.is_dir()


def test_what_cannot_be_listed_is_one_sentence(gdr) -> None:  # type: ignore[no-untyped-def]
    refused = gdr("index", "nonsense://there/music")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("gdr: nonsense://there/music cannot be listed (")
    assert refused.stderr.count("\n") == 1
