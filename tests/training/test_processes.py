"""A run on several processes that torchrun starts: the same run as on one."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from gdr_model.errors import UsageError
from tests.small_set import small, write_set
from training.runs.processes import ALONE, Processes
from training.runs.state import MODEL, STATE, read_tensors

TOLERANCE = 1e-4
"""Of losses, relative: sums in another order, over 100 steps."""


def command(processes: int, config: Path, out: Path, *options: str) -> list[str]:
    """`gdr train`, started by torchrun or, for 0 processes, without it."""
    gdr = [sys.executable, "-c", "from gdr_tui.cli.main import main; main()"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
    started_by = [*torchrun, f"--nproc-per-node={processes}"] if processes else []
    return [*started_by, *gdr, "train", str(config), "--out", str(out), *options, "--device=cpu"]


def trained(processes: int, config: Path, out: Path, *options: str) -> str:
    """Run it to its end; what the run says on stdout."""
    done = subprocess.run(
        command(processes, config, out, *options),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def losses(folder: Path) -> list[float]:
    """The column of a run's log."""
    with (folder / "log.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a finished run."""
    return read_tensors(folder / MODEL)[0]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A run without dropout, whose masks differ with the number of processes."""
    described = small(write_set(tmp_path))
    described["network"] = {"kind": "mlp", "widths": [16], "condition_width": 16, "dropout": 0.0}
    described["optimiser"] = {"steps": 100, "batch": 8, "warmup": 2, "ema": 0.9}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(described))
    return path


def test_two_processes_have_the_losses_of_one_with_the_same_whole_batch(
    config: Path, tmp_path: Path
) -> None:
    said = trained(2, config, tmp_path / "two")
    trained(0, config, tmp_path / "one")
    assert said.count("validation") == 1, "only the first process reports"
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=TOLERANCE)
    two, one = weights(tmp_path / "two"), weights(tmp_path / "one")
    assert two.keys() == one.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes to kill in /proc")
def test_two_processes_that_were_killed_resume_to_the_same_bits(
    config: Path, tmp_path: Path
) -> None:
    trained(2, config, tmp_path / "whole")
    killed = tmp_path / "killed"
    torchrun = subprocess.Popen(
        command(2, config, killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 240
    while not (killed / STATE).exists() and torchrun.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    for pid in (*children(torchrun.pid), torchrun.pid):
        os.kill(pid, signal.SIGKILL)
    torchrun.wait(timeout=60)
    assert (killed / STATE).exists()
    assert not (killed / MODEL).exists(), "it was killed on its way"
    trained(2, config, killed, "--resume")
    whole, parts = weights(tmp_path / "whole"), weights(killed)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert losses(tmp_path / "whole") == losses(killed)


def test_a_batch_that_cannot_be_shared_equally_is_refused() -> None:
    assert [Processes(rank, 2).share(8) for rank in (0, 1)] == [slice(0, 4), slice(4, 8)]
    assert ALONE.share(7) == slice(0, 7)
    with pytest.raises(UsageError, match="a batch of 8 cannot be shared equally by 3 processes"):
        Processes(0, 3).share(8)
