"""What is here and whether it works: `gdr status`, `doctor`, `bench` and `model list|show`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import Result

from gdr_tui.cli.commands.bench import ingest, summary
from gdr_tui.cli.options import Device, RetrieverOptions
from gdr_tui.cli.retrievers import open_retriever

Gdr = Callable[..., Result]
DEMO = Path(__file__).parents[2] / "demo"
TRACKS = sorted(DEMO.rglob("*.ogg"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tracks, one of which is no music."""
    folder = tmp_path / "music"
    folder.mkdir()
    for track in TRACKS[:2]:
        shutil.copy(track, folder)
    (folder / "odd\x1b[31m.mp3").write_bytes(b"text")
    return folder


def test_status_says_where_a_library_is_kept_and_what_failed(gdr: Gdr, folder: Path) -> None:
    assert gdr("status").stdout == "no library has been indexed yet; run gdr index DIR\n"
    gdr("index", folder)
    lines = gdr("status").stdout.splitlines()
    assert lines[0] == str(folder)
    assert re.fullmatch(r"  2 tracks, \d\d s, 1 failed", lines[1])
    assert re.fullmatch(r"  latents: builtin \(\d+ wide, [0-9a-f]{8}\)", lines[2])
    store, size = re.fullmatch(r"  store: (.*) \((\d+\.\d) MiB\)", lines[3]).groups()  # type: ignore[union-attr]
    assert Path(store).is_dir()
    assert float(size) > 0
    assert lines[4].startswith(f"  failed: {folder}/odd\\x1b[31m.mp3: it is not a readable")


def test_status_shows_every_library_or_those_that_are_named(gdr: Gdr, folder: Path) -> None:
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    for root in (folder, other):
        gdr("index", root)
    listed = [line for line in gdr("status").stdout.splitlines() if not line.startswith(" ")]
    assert sorted(listed) == [str(folder), str(other)]
    named = gdr("status", "--library", other).stdout
    assert str(other) in named
    assert f"{folder}\n" not in named


def test_doctor_checks_everything_in_one_line_each(gdr: Gdr) -> None:
    result = gdr("doctor")
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert [row[1] for row in rows] == [
        "gdr", "store", "libraries", "settings", "model", "kept", "text", "index", "decoding",
        "sound", "terminal",
    ]  # fmt: skip
    verdicts = {row[1]: row[0] for row in rows}
    assert {verdicts.pop(name) for name in ("sound", "terminal")} <= {"ok", "absent"}
    assert set(verdicts.values()) == {"ok"}


def test_doctor_fails_where_nothing_can_be_stored(
    gdr: Gdr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GDR_HOME", str(tmp_path / "file"))
    result = gdr("doctor")
    assert result.exit_code == 1
    assert re.search(r"^missing store ", result.stdout, re.MULTILINE)
    assert re.search(r"^ok      decoding", result.stdout, re.MULTILINE), "the rest is checked too"


def test_doctor_names_what_is_wrong_with_the_settings(gdr, gdr_home) -> None:
    gdr_home.mkdir(parents=True, exist_ok=True)
    file = gdr_home / "settings.toml"
    file.write_text("stepps = 12\n", encoding="utf-8")
    result = gdr("doctor")
    assert "faulty  settings  settings.toml has a mistake" in result.stdout
    assert "stepps" in result.stdout
    assert result.exit_code == 0, "the defaults are used"
    file.write_text('[keys]\n"search.reroll" = "l"\n', encoding="utf-8")
    assert "l is both search.reroll and track.like" in gdr("doctor").stdout
    file.write_text("steps = 8\n", encoding="utf-8")
    assert f"ok      settings  {file}" in gdr("doctor").stdout


def test_bench_prints_a_figure_for_every_part(
    demo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        options = RetrieverOptions(library=[demo], device=Device.CPU)
        summary.measure(open_retriever(stack, options), sound_s=4, repeats=1)
    lines = capfd.readouterr().out.splitlines()
    assert [line[:34].strip() for line in lines] == [
        "encode, one thread",
        "draw, 8 draws of 6 steps",
        "one draw",
        "twice the steps",
        "edit, inversion and draws",
        "contrastive query",
        "search, words to results",
        f"{len(TRACKS)} passages, opened",
        "nearest 10, exact",
        "the same by graphs",
        "graphs built",
        "recall@10, drawn points",
        "recall@10, passages",
    ]
    assert all(re.search(r"\d (×|ms|s)", line) for line in lines[:-2])
    assert [line.split()[-1] for line in lines[-2:]] == ["1.000", "1.000"]


def test_bench_index_leaves_nothing_in_the_library(gdr: Gdr, demo: Path, demo_home: Path) -> None:
    before = sorted(demo_home.rglob("*"))
    lines = gdr("bench", "index", "--library", demo).stdout.splitlines()
    assert lines[0].startswith(f"{len(TRACKS)} passages, opened")
    assert lines[-1].split() == ["recall@10,", "passages", "1.000"]
    assert sorted(demo_home.rglob("*")) == before


def test_bench_query_measures_drawing_and_searching_apart(gdr: Gdr, demo: Path) -> None:
    lines = gdr("bench", "query", "--library", demo, "--repeats", 2).stdout.splitlines()
    assert [line[:34].strip() for line in lines] == [
        "searched", "prompt to results, local", "drawing", "searching", "searching, year >= 1990",
    ]  # fmt: skip
    assert f"{len(TRACKS)}  tracks, {len(TRACKS)} passages" in lines[0]
    both = [float(re.search(r"([\d.,]+) ms", line)[1].replace(",", "")) for line in lines[1:3]]  # type: ignore[index]
    assert both[0] >= both[1] > 0, "drawing is a part of answering"


def test_bench_startup_and_memory_measure_the_same_stages(gdr: Gdr, demo: Path) -> None:
    startup = gdr("bench", "startup", "--library", demo).stdout.splitlines()
    memory = gdr("bench", "memory", "--library", demo).stdout.splitlines()
    stages = [line[:34].strip() for line in startup[1:]]
    assert [line[:34].strip() for line in memory] == [*stages, "eight more queries"]
    assert stages[1:3] == ["torch", "the model"]
    assert sum(float(line.split()[-3]) for line in startup[1:]) == pytest.approx(1, abs=0.05)
    if Path("/proc/self/status").exists():
        held = [float(line[34:48].strip(" MB").replace(",", "")) for line in memory]
        assert held[0] < held[1] < held[2], "torch and the model need memory"


def test_bench_refuses_a_folder_that_was_never_indexed(gdr: Gdr, tmp_path: Path) -> None:
    for part in ((), ("query",), ("index",), ("startup",), ("memory",)):
        result = gdr("bench", *part, "--library", tmp_path)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
        assert "no library" in result.stderr


def test_models_are_listed_as_columns(gdr: Gdr) -> None:
    rows = [line.split("\t") for line in gdr("model", "list").stdout.splitlines()]
    assert {len(row) for row in rows} == {4}
    assert rows[0][:2] == ["builtin", "ready"]
    assert {row[1] for row in rows} <= {"ready", "no retriever", "missing"}


def test_a_model_is_shown_with_its_networks_and_its_card(gdr: Gdr) -> None:
    lines = gdr("model", "show").stdout.splitlines()
    assert lines[0].startswith("builtin: builtin (")
    parts = [re.fullmatch(r"  (.*): \d+\.\d\d M parameters", line) for line in lines[1:4]]
    names = ["audio encoder", "denoiser", "contrastive tower"]
    assert [part[1] for part in parts if part] == names
    assert any(line.startswith("# ") for line in lines)


def test_doctor_finds_damage_that_no_search_has_met(gdr: Gdr, folder: Path, gdr_home: Path) -> None:
    gdr("index", folder)
    (latents,) = gdr_home.glob("libraries/*/latents/*.f16")
    content = bytearray(latents.read_bytes())
    content[5] ^= 1
    latents.write_bytes(content)
    result = gdr("doctor")
    assert result.exit_code == 1
    assert f"damaged libraries the stored latents of 1 recording in {folder}" in result.stdout
    assert f"run gdr index {folder} to make them again" in result.stdout
    assert "1 new, 1 unchanged" in gdr("index", folder).stdout
    assert gdr("doctor").exit_code == 0


def test_the_benchmark_of_indexing_compares_with_decoding_alone(gdr: Gdr, folder: Path) -> None:
    gdr("index", folder)
    result = gdr("bench", "ingest", "--files", 2, "--rounds", 1, "--jobs", 2)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line[:34].strip() for line in lines] == [
        "decode alone, 2 processes",
        "decode, encode and store",
        "processor time",
        "done by one process alone",
        "so on 16 cores at most",
        "memory at most",
    ]
    share = re.search(r"(\d\.\d\d) of decoding alone; (\d\.\d\d) by processor time", lines[1])
    assert share
    assert 0 < float(share[2]) < 1
    assert 100 < float(re.search(r"([\d,]+) MB", lines[5])[1].replace(",", "")) < 2000  # type: ignore[index]


def test_what_more_cores_can_do_follows_amdahl() -> None:
    assert ingest.speedup(0, 16) == 16
    assert ingest.speedup(1, 16) == 1
    assert ingest.speedup(0.5, 2) == pytest.approx(4 / 3)
