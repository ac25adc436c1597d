"""Indexing from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gdr_model import paths
from gdr_model.models import checkpoint
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pieces of the demo library."""
    folder = tmp_path / "three"
    folder.mkdir()
    for piece in sorted(DEMO.rglob("*.ogg"))[:3]:
        shutil.copy(piece, folder)
    return folder


def test_a_second_run_encodes_nothing(gdr, folder) -> None:
    first, second = gdr("index", folder), gdr("index", folder)
    assert "3 new, 0 unchanged" in first.stdout
    assert "3 encoded" in first.stdout
    assert "0 new, 3 unchanged" in second.stdout
    assert "0 encoded" in second.stdout


def test_a_dry_run_leaves_no_library_behind(gdr, folder) -> None:
    assert "would be 3 new" in gdr("index", folder, "--dry-run").stdout
    assert not paths.store_of(folder).exists()
    refused = gdr("search", "piano", "--library", folder)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "run gdr index" in refused.stderr


def test_a_bad_folder_does_not_keep_the_others_from_being_indexed(gdr, folder, tmp_path) -> None:
    result = gdr("index", tmp_path / "missing", folder)
    assert result.exit_code == 1
    assert "there is no folder" in result.stderr
    assert "3 encoded" in result.stdout


def test_an_empty_folder_is_named_and_leaves_nothing_behind(gdr, folder, tmp_path) -> None:
    gdr("index", folder)
    empty = tmp_path / "My Music"
    empty.mkdir()
    before = gdr("status").stdout
    for words in (("index", empty, "--dry-run"), ("index", empty), ("index", empty, "--dry-run")):
        result = gdr(*words)
        assert result.exit_code == 1
        assert result.stderr == f"gdr: {empty} holds no music that gdr can read\n"
        assert not paths.store_of(empty).exists()
    assert gdr("status").stdout == before
    assert len(gdr("search", "piano", "-f", "paths").stdout.splitlines()) == 3
    refused = gdr("search", "piano", "--library", empty)
    assert refused.exit_code == 1
    assert f"no library at {empty} yet; run gdr index '{empty}'" in refused.stderr


def test_a_library_that_was_there_before_is_kept(gdr, folder) -> None:
    gdr("index", folder)
    for file in list(folder.iterdir())[1:]:
        file.unlink()
    (folder / "broken.mp3").write_text("not music")
    gdr("index", folder)
    next(folder.glob("*.ogg")).unlink()
    assert gdr("index", folder).exit_code == 1
    assert "broken.mp3" in gdr("status").stdout
    (folder / "broken.mp3").unlink()
    assert gdr("index", folder).exit_code == 1
    assert paths.store_of(folder).exists()


def test_what_failed_or_was_excluded_is_remembered_without_a_track(gdr, folder, tmp_path) -> None:
    gdr("index", folder)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "text.mp3").write_text("not music")
    (tmp_path / "mount").mkdir()
    assert gdr("index", tmp_path / "broken").exit_code == 1
    assert gdr("index", tmp_path / "mount", "--exclude", "*.tmp").exit_code == 1
    status = gdr("status").stdout
    assert "text.mp3: it is not a readable sound file" in status
    assert "excluded by --exclude '*.tmp'" in status
    searched = gdr("search", "piano", "-f", "paths")
    assert len(searched.stdout.splitlines()) == 3, "libraries without tracks are passed over"
    assert searched.stderr == ""


def test_a_library_that_is_away_is_not_called_missing(gdr, folder, monkeypatch) -> None:
    (folder / "usb").mkdir()
    shutil.copy(next(folder.glob("*.ogg")), folder / "usb")
    gdr("index", folder)
    shutil.rmtree(folder / "usb")
    monkeypatch.chdir(folder.parent)
    part = gdr("index", "three/usb")
    assert part.stderr == (
        "gdr: three/usb is not there now and its library is kept; "
        "mount its disk, or run gdr forget three/usb to forget its tracks\n"
    )
    folder.rename(folder.with_name("unmounted"))
    for words in (("index", "three"), ("index", "three", "--dry-run")):
        refused = gdr(*words)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr == (
            "gdr: three is not there now and its library is kept; "
            "mount its disk, or run gdr forget three to forget its tracks\n"
        )
    assert "there is no folder three/nonexist" in gdr("index", "three/nonexist").stderr
    assert paths.store_of(folder).exists()


def test_a_path_that_is_no_folder_of_a_library_is_named(gdr, folder) -> None:
    gdr("index", folder)
    nowhere, file = folder / "nonexist", next(folder.glob("*.ogg"))
    assert gdr("search", "piano", "-L", nowhere).stderr == (
        f"gdr: the library {folder} has no tracks in {nowhere}; check the path\n"
    )
    (folder / "new").mkdir()
    assert "run gdr index" in gdr("search", "piano", "-L", folder / "new").stderr
    for words in (("index", file), ("search", "piano", "-L", file)):
        refused = gdr(*words)
        assert refused.exit_code == 1
        assert refused.stderr == f"gdr: {file} is a file; name the folder that holds it\n"


def test_files_that_cannot_be_read_are_rows_of_the_summary(gdr, folder) -> None:
    (folder / "text.mp3").write_text("not music")
    (folder / "zero\n[red].flac").touch()
    result = gdr("index", folder)
    assert result.exit_code == 0
    assert "2 failed" in result.stdout
    assert "text.mp3: it is not a readable sound file" in result.stdout
    assert "zero\\n[red].flac: the file is empty" in result.stdout
    assert "2 failed before, not tried again" in gdr("index", folder).stdout


def test_the_library_indexed_last_is_searched_also_when_nothing_had_changed(
    gdr, folder, tmp_path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for root in (folder, other, folder):
        gdr("index", root)
    listed = gdr("search", "piano", "-f", "paths")
    assert all(line.startswith(f"{folder}/") for line in listed.stdout.splitlines())
    assert f"searching {folder}" in listed.stderr


def test_a_library_of_another_model_is_refused_with_the_next_step(gdr, folder, tmp_path) -> None:
    other = tmp_path / "other model"
    model = checkpoint.load("builtin", "cpu")
    checkpoint.save(
        other,
        name="other",
        net=model.encoder.net,
        projection=2 * model.encoder.projection,
        denoiser=model.denoiser,
        contrastive=model.contrastive,
        schedule=model.schedule,
        latent_mean=model.latent_mean,
        latent_sd=model.latent_sd,
        whitening_power=model.whitening.power,
    )
    with Library.open(folder, create=True) as library:
        ingest(library, checkpoint.load(str(other)).encoder, on_progress=lambda _: None)
    refused = gdr("search", "piano", "--library", folder)
    assert refused.exit_code == 1
    assert f"run gdr index --model builtin {folder}" in refused.stderr
    assert "this library holds builtin (128 wide" in refused.stderr
    assert "3 encoded" in gdr("index", folder).stdout
    both = gdr("search", "piano", "--library", folder, "-f", "paths")
    assert len(both.stdout.splitlines()) == 3


def test_a_damaged_store_is_named(gdr, folder) -> None:
    gdr("index", folder)
    database = paths.store_of(folder) / "library.db"
    database.write_bytes(b"not a database, but long enough to look like one" * 100)
    status, search = gdr("status"), gdr("search", "piano")
    assert str(database.parent) in status.stderr
    assert search.exit_code == 1
    assert "move it away and index its folder again" in search.stderr


def test_a_tilde_that_no_shell_has_expanded_is_the_users_folder(gdr, folder, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert "would be 3 new" in gdr("index", "~/three", "--dry-run").stdout
    assert "3 encoded" in gdr("index", "~/three").stdout
    assert gdr("search", "piano", "-L", "~/three", "-f", "paths").stdout.startswith(str(folder))
