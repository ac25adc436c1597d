"""`gdr eval curves`: runs compared at equal processor time."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gdr_model.errors import UsageError
from gdr_tui.cli.main import app
from training.data.corpus import Corpus
from training.evaluation.curves import curves
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.state import RunError


@pytest.fixture(scope="module")
def trained(
    tiny: RunConfig, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Runs on one set: two that hold out the same fold, one that holds out another."""
    folder = tmp_path_factory.mktemp("runs")
    wide = replace(tiny, name="wide", network={**tiny.network, "widths": (64,)})
    runs = {"a": (tiny, "0"), "b": (wide, "0"), "other": (tiny, "1")}
    for name, (config, fold) in runs.items():
        train_on_corpus(config, fold, folder / name, corpus=corpus)
    return {name: folder / name for name in runs}


def with_log(run: Path, folder: Path, points: list[tuple[int, float, float]]) -> str:
    """A copy of a run with a log of steps, processor seconds and R@10."""
    shutil.copytree(run, folder)
    with (folder / "log.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["step", "loss", "processor_s", "R@1", "R@10", "median_rank"])
        rows.writerow([1, 0.5, 0.1, "", "", ""])
        rows.writerows([step, 0.5, spent_s, 1.0, score, 9.0] for step, spent_s, score in points)
    return str(folder)


def test_a_slow_run_is_compared_where_a_fast_one_ended(
    trained: dict[str, Path], tmp_path: Path
) -> None:
    slow = with_log(trained["a"], tmp_path / "slow", [(5, 60, 10.0), (10, 130, 30.0)])
    fast = with_log(trained["b"], tmp_path / "fast", [(10, 40, 25.0), (20, 80, 20.0)])
    (table,), about = curves([slow, fast], tmp_path / "out" / "compared.png")
    assert about["processor_s"] == 80
    rows = table.described()["rows"]
    names = ("step", "R@10 %", "best R@10 %", "R@10 % at the end")
    assert [rows[slow][name] for name in names] == ["5", 10.0, 10.0, 30.0]
    assert [rows[fast][name] for name in names] == ["20", 20.0, 25.0, 20.0]
    assert rows[slow]["minutes in all"] == pytest.approx(130 / 60)
    if pytest.importorskip("matplotlib"):
        assert (tmp_path / "out" / "compared.png").stat().st_size > 1000


def test_the_command_writes_what_it_prints(trained: dict[str, Path], tmp_path: Path) -> None:
    words = ["eval", "curves", str(trained["a"]), str(trained["b"]), "--out", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "minutes of processor time" in done.stdout
    assert done.stdout == (tmp_path / "compared.md").read_text()
    report = json.loads((tmp_path / "compared.json").read_text())
    assert set(report["tables"][0]["rows"]) == set(words[2:4])
    assert report["processor_s"] > 0


def test_what_cannot_be_compared_is_refused(trained: dict[str, Path], tmp_path: Path) -> None:
    def refused(*runs: object) -> str:
        with pytest.raises((UsageError, RunError)) as error:
            curves([str(run) for run in runs], tmp_path / "compared.png")
        return str(error.value)

    assert "do not validate on the same tracks" in refused(trained["a"], trained["other"])
    empty = with_log(trained["a"], tmp_path / "empty", [])
    assert "has no validation yet" in refused(trained["a"], empty)
    old = Path(with_log(trained["a"], tmp_path / "old", [(5, 1, 1.0)]))
    log = old / "log.csv"
    log.write_text(log.read_text().replace("processor_s", "something"))
    assert "has no processor time; train it again" in refused(old)
    assert "not a folder of gdr train" in refused(tmp_path)
