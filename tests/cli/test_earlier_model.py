"""Libraries that were indexed with the built-in model of an earlier version."""

from __future__ import annotations

import shutil
from pathlib import Path

import earlier_version
import pytest

from gdr_model.models import checkpoint, kept
from gdr_model.models.config import ModelConfig
from gdr_model.store.library import Library

DEMO = Path(__file__).parents[2] / "demo"
PIECES = sorted(DEMO.rglob("*.ogg"))
ASKED = "search", "sad piano", "-f", "paths"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory) -> Path:
    return earlier_version.make(tmp_path_factory.mktemp("earlier") / "builtin")


@pytest.fixture
def music(music: Path) -> Path:
    return filled(music, 4)


def filled(folder: Path, pieces: int, skipped: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    for piece in PIECES[skipped : skipped + pieces]:
        shutil.copy(piece, folder)
    return folder


def answers(folder: Path) -> str:
    return f"{folder} was indexed with an earlier model, which still answers; gdr index {folder} "


def test_it_answers_until_everything_is_encoded_again(gdr, music, earlier, tmp_path) -> None:
    installed = shutil.copytree(earlier, tmp_path / "installed")
    before = earlier_version.index(music, installed)
    assert f"  latents: {before.space}; its model is kept\n" in gdr("status").stdout, "as links"
    shutil.rmtree(installed)
    result = gdr(*ASKED, "-L", music)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 4)
    assert f"{answers(music)}brings it up to date\n" in result.stderr
    assert result.stdout == gdr(*ASKED, "-L", music, "-m", earlier).stdout
    why = gdr("why", music / PIECES[0].name, "sad piano", "-L", music)
    assert (why.exit_code, "still answers" in why.stderr) == (0, True)
    assert f"  latents: {before.space}; its model is kept (16." in gdr("status").stdout
    assert "ok      kept      1 model kept\n" in gdr("doctor").stdout

    assert "4 encoded" in gdr("index", music).stdout
    now = gdr(*ASKED, "-L", music)
    assert (now.exit_code, len(now.stdout.splitlines())) == (0, 4)
    assert "earlier" not in now.stderr
    assert [each.space for each in kept.kept()] == [ModelConfig.read().space]
    status = gdr("status").stdout
    assert f"  latents: {before.space}\n" in status, "its latents are kept"
    assert "its model is kept" not in status


@pytest.mark.parametrize(("encoded", "is_earlier"), [(1, True), (3, True), (4, False)])
def test_half_way_the_model_answers_that_finds_more(
    gdr, music, earlier, encoded: int, is_earlier: bool
) -> None:
    earlier_version.index(music, earlier)
    earlier_version.encode(music, checkpoint.load(), encoded)
    with Library.open(music) as library:
        assert library.covered(ModelConfig.read().space) == encoded
    result = gdr(*ASKED, "-L", music)
    assert len(result.stdout.splitlines()) == 4
    assert ("still answers" in result.stderr) == is_earlier


def test_files_that_are_not_there_do_not_hold_up_the_present_model(gdr, music, earlier) -> None:
    away = filled(music / "on another disk", 2, 4)
    earlier_version.index(music, earlier)
    shutil.rmtree(away)
    away.mkdir()
    assert "4 encoded" in gdr("index", music).stdout
    result = gdr(*ASKED, "-L", music)
    assert len(result.stdout.splitlines()) == 4
    assert "earlier" not in result.stderr
    assert len(kept.kept()) == 2, "the other disk still needs the earlier one"


def test_one_model_searches_several_libraries(gdr, music, earlier, tmp_path) -> None:
    earlier_version.index(music, earlier)
    small = filled(tmp_path / "small", 1, 5)
    gdr("index", small)
    result = gdr(*ASKED, "-L", music, "-L", small)
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 4)
    assert answers(music) in result.stderr
    assert (
        f"gdr: {small} was indexed with another version of the model and is not searched; "
        f"run gdr index {music}\n"
    ) in result.stderr
    large = filled(tmp_path / "large", 5, 6)
    gdr("index", large)
    result = gdr(*ASKED, "-L", music, "-L", large)
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 5)
    assert result.stderr == (
        f"gdr: {music} was indexed with another version of the model and is not searched; "
        f"run gdr index {music}\n"
    )
    assert len(kept.kept()) == 2, "a library still needs the earlier one"


def test_a_library_that_is_left_out_is_named_in_its_step_even_if_its_disk_is_away(
    gdr, music, earlier, tmp_path
) -> None:
    for piece in music.iterdir():
        piece.unlink()
    away = filled(music / "on another disk", 2)
    (music / "broken.ogg").write_bytes(b"no sound")
    earlier_version.index(music, earlier)
    shutil.rmtree(away)
    away.mkdir()
    earlier_version.index(music, earlier)
    present = filled(tmp_path / "present", 3, 4)
    gdr("index", present)
    result = gdr(*ASKED, "-L", music, "-L", present)
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 3)
    assert f"is not searched; run gdr index {music}\n" in result.stderr


def test_a_damaged_one_is_not_used_and_doctor_names_it(gdr, music, earlier) -> None:
    before = earlier_version.index(music, earlier)
    (folder,) = kept.folder().iterdir()
    weights = folder / "model.safetensors"
    damaged = bytearray(weights.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    weights.unlink()  # it can be the very file that was installed
    weights.write_bytes(damaged)
    result = gdr(*ASKED, "-L", music)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"gdr: this library holds {before.space} latents; the model draws in "
        f"{ModelConfig.read().space}; run gdr index --model builtin {music}\n"
    )
    doctor = gdr("doctor")
    assert doctor.exit_code == 1
    assert f"damaged kept      the model in {folder} is damaged; run gdr index" in doctor.stdout
    gdr("index", music)
    assert not folder.exists()
    assert "ok      kept      1 model" in gdr("doctor").stdout


def test_only_the_built_in_model_is_kept(gdr, music, earlier) -> None:
    assert gdr("index", music, "--dry-run").exit_code == 0
    assert gdr("index", music, "--model", earlier).exit_code == 0
    assert not kept.kept()
    result = gdr(*ASKED, "-L", music)
    assert "latents; the model draws in" in result.stderr


def test_a_model_that_cannot_be_kept_stops_no_indexing(gdr, music, monkeypatch) -> None:
    kept.folder().parent.mkdir(parents=True)
    kept.folder().write_text("in the way")
    result = gdr("index", music)
    assert result.exit_code == 0
    assert "4 encoded" in result.stdout
    assert "gdr: the model could not be kept for later versions in " in result.stderr
