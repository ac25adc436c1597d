"""`--index milvus:…`: the demo library in a file of Milvus Lite, and servers that are not there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from gdr_model.search import nearest
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.keys import Keys
from gdr_model.search.milvus.server import Server
from gdr_model.types import Array

DEMO = Path(__file__).parents[2] / "demo"
Gdr = Callable[..., Result]
Run = Callable[..., subprocess.CompletedProcess[str]]
ASKED = "search", "slow solo piano", "-k", "3", "--where", "duration_s < 600"


@pytest.fixture(autouse=True)
def extra() -> None:
    for package in ("pymilvus", "milvus_lite"):
        pytest.importorskip(package, reason="the extra milvus is not installed")


@pytest.fixture
def home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the home with the demo library."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    monkeypatch.setenv("GDR_HOME", str(home))
    return home


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file of Milvus Lite, which this process lets go in the end."""
    from milvus_lite.server_manager import server_manager_instance

    file = tmp_path / "passages.db"
    yield file
    server_manager_instance.release_server(str(file))


@pytest.fixture
def run(home: Path) -> Run:
    """`gdr` as a program."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gdr_tui.cli", *words]
        environment = {**os.environ, "GDR_HOME": str(home)}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=180, env=environment, check=False
        )

    return run


def without_times(text: str) -> str:
    return "\n".join(line.rpartition(" · ")[0] or line for line in text.splitlines())


def test_a_library_is_uploaded_and_found_by_option_and_by_setting(
    gdr: Gdr, home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "CANDIDATES", 10)  # the demo library has 40 passages
    here = gdr(*ASKED)
    before = gdr(*ASKED, "--index", f"milvus:{file}")
    assert (before.exit_code, before.stdout) == (0, here.stdout)
    assert f"run gdr index {DEMO} --index milvus:{file} to upload it" in before.stderr

    asked_for = []
    search = Server.search

    def counted(self: Server, name: str, points: Array, k: int, expression: str) -> list[Keys]:
        asked_for.append(k)
        return search(self, name, points, k, expression)

    monkeypatch.setattr(Server, "search", counted)
    (home / "settings.toml").write_text(f'index = "milvus:{file}"\n', "utf-8")
    assert gdr("index", DEMO).exit_code == 0
    for options in ((), ("--index", f"milvus:{file}"), ("--index", "local")):
        found = gdr(*ASKED, *options)
        assert (found.exit_code, found.stdout) == (0, here.stdout)
        assert without_times(found.stderr) == without_times(here.stderr)
    assert asked_for, "Milvus proposes"


def test_bench_query_measures_milvus_next_to_this_machine(
    gdr: Gdr, home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "CANDIDATES", 10)
    bench = "bench", "query", "-L", DEMO, "--repeats", "1", "--index", f"milvus:{file}"
    refused = gdr(*bench)
    assert refused.exit_code == 1, "what this machine answers is no figure of Milvus"
    assert f"run gdr index {DEMO} --index milvus:{file} to upload it" in refused.stderr
    gdr("index", DEMO, "--index", f"milvus:{file}")
    lines = gdr(*bench).stdout.splitlines()
    measured = ["drawing", "searching", "searching, year >= 1990"]
    assert [line[:34].strip() for line in lines] == [
        "searched",
        "prompt to results, local", *measured,
        "prompt to results, milvus", *measured,
    ]  # fmt: skip


def test_milvus_prints_nothing(run: Run, tmp_path: Path) -> None:
    index = "--index", f"milvus:{tmp_path / 'passages.db'}"
    made = run("index", str(DEMO), *index)
    assert (made.returncode, made.stderr) == (0, "")
    here, found = run(*ASKED), run(*ASKED, *index)
    assert (found.returncode, found.stdout) == (0, here.stdout)
    assert without_times(found.stderr) == without_times(here.stderr)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Milvus Lite as a server, started as docs/scale.md says."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "milvus_lite.cmdline", "server", "--host", "127.0.0.1"]
    command += ["--data-dir", str(tmp_path / "data"), "--port", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout
    with running:
        assert "listening" in running.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        running.kill()


def test_two_people_share_what_is_on_a_server(
    gdr: Gdr, home: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymilvus import MilvusClient

    monkeypatch.setattr(nearest, "CANDIDATES", 10)
    theirs = tmp_path / "theirs"
    shutil.copytree(home, theirs)
    here = gdr(*ASKED)
    for whose in (home, theirs):
        monkeypatch.setenv("GDR_HOME", str(whose))
        assert gdr("index", DEMO, "--index", f"milvus:{server}").exit_code == 0
    counts = Server(Address(server))
    passages, claims = sorted(MilvusClient(server).list_collections())
    assert (counts.count(passages), counts.count(claims)) == (40, 80)
    for whose in (home, theirs):
        monkeypatch.setenv("GDR_HOME", str(whose))
        found = gdr(*ASKED, "--index", f"milvus:{server}")
        assert (found.exit_code, found.stdout) == (0, here.stdout)
        assert without_times(found.stderr) == without_times(here.stderr)


def test_a_server_that_is_not_there_is_one_sentence_and_exit_code_1(gdr: Gdr, home: Path) -> None:
    index = "--index", "milvus:http://127.0.0.1:9"
    searched = gdr(*ASKED, *index)
    sentence = "gdr: the index at http://127.0.0.1:9 cannot be reached; --index local does without"
    assert (searched.exit_code, searched.stdout) == (1, "")
    assert searched.stderr.startswith(sentence)
    assert searched.stderr.count("\n") == 1
    indexed = gdr("index", DEMO, *index)
    assert indexed.exit_code == 1
    assert "unchanged" in indexed.stdout
    assert indexed.stderr.startswith(sentence)


def test_the_doctor_asks_the_server_of_the_settings(gdr: Gdr, home: Path, file: Path) -> None:
    for index, line, code in (
        (f"milvus:{file}", f"; there is no {file} yet", 0),
        ("milvus:http://127.0.0.1:9", "missing index     the index at http://127.0.0.1:9 can", 1),
        ("milvus:passages", "index cannot be used: an index in Milvus is milvus:FILE.db or", 0),
    ):
        (home / "settings.toml").write_text(f'index = "{index}"\n', "utf-8")
        checked = gdr("doctor")
        assert line in checked.stdout
        assert checked.exit_code == code
        assert not file.exists()
    (home / "settings.toml").write_text(f'index = "milvus:{file}"\n', "utf-8")
    gdr("index", DEMO)
    assert f"; Milvus answers at {file}" in gdr("doctor").stdout


def test_an_index_that_does_not_exist_is_a_usage_error(gdr: Gdr, home: Path) -> None:
    for name in ("faiss", "milvus:passages", "milvus:ftp://host"):
        for command in (ASKED, ("index", DEMO)):
            refused = gdr(*command, "--index", name)
            assert (refused.exit_code, refused.stdout) == (2, "")
            assert refused.stderr.count("\n") == 1
            assert name in refused.stderr
