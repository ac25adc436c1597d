"""Indexing on a real cluster of two nodes: equal rows, whatever becomes of the nodes."""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import on_a_node
import pytest
import ray_cluster
from ray_cluster import RayCluster

from gdr_model.errors import GdrError
from gdr_model.models.config import ModelConfig
from gdr_model.remote.places import folder_of
from gdr_model.store.ingest import IngestSummary, ingest
from gdr_model.store.library import Library
from gdr_model.workers.cluster import engine
from gdr_model.workers.cluster.engine import Cluster
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.pool import Workers
from gdr_model.workers.tasks import Engine
from gdr_tui.cli.commands.library.index import LoadedOnUse

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="its processes are counted there")

MODEL = ModelConfig.read("builtin")
DEMO = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster.running() as running:
        yield running


@pytest.fixture(autouse=True)
def let_in(cluster: RayCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cluster.secret.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def songs(music: Path, write_tone) -> Path:  # type: ignore[no-untyped-def]
    """Real pieces, a copy, a file that holds no sound."""
    for number, piece in enumerate(DEMO[:8]):
        shutil.copy(piece, music / f"{number}.ogg")
    shutil.copy(music / "3.ogg", music / "copy of 3.ogg")
    write_tone(music / "tone.mp3", seconds=70)
    (music / "none.mp3").write_bytes(b"no sound" * 1000)
    return music


def run(folder: Path, store: Path, engine: Engine, **options) -> IngestSummary:  # type: ignore[no-untyped-def]
    with Library.open(folder, create=True, store=store) as library:
        encoder = LoadedOnUse(MODEL, "cpu")
        return ingest(library, encoder, on_progress=lambda _: None, engine=engine, **options)


def rows(store: Path) -> dict[str, object]:
    """All that a store holds of its files, to the bit."""
    with closing(sqlite3.connect(store / "library.db")) as database:
        tables = {
            "tracks": "SELECT * FROM tracks ORDER BY path",
            "latents": "SELECT * FROM latents ORDER BY space, content",
            "passages": "SELECT * FROM passages ORDER BY id",
            "failures": "SELECT path, size, mtime_ns, reason FROM failures ORDER BY path",
        }
        found: dict[str, object] = {
            name: database.execute(sql).fetchall() for name, sql in tables.items()
        }
    files = sorted((store / "latents").iterdir())
    return found | {file.name: file.read_bytes() for file in files}


def test_rows_are_those_of_one_machine_though_a_node_dies(
    cluster: RayCluster, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workers(1, LoadEncoder("builtin")) as workers:
        run(songs, tmp_path / "here", workers)
    shutil.copy(songs / "0.ogg", songs / "ends its reader.ogg")
    second = cluster.add("second")
    stuck = tmp_path / "stuck"

    def cancelled() -> bool:
        if stuck.exists():
            second.kill()
        return False

    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    said: list[str] = []
    load = on_a_node.Load("builtin", MODEL.space, str(tmp_path))
    with Cluster(None, load, said.append) as engine:
        summary = run(songs, tmp_path / "there", engine, cancelled=cancelled)
    first, of_second = ((tmp_path / name).read_text().split("\n") for name in ("first", "second"))
    assert stuck.read_text() in {*first} & {*of_second}
    assert [each.path.name for each in summary.unavailable] == ["ends its reader.ogg"]
    assert "3 readers" in summary.unavailable[0].reason
    # A node that dies with a reader may not have named the file yet.
    assert [*first, *of_second].count("ends its reader.ogg") in (2, 3)
    (songs / "ends its reader.ogg").unlink()
    with Workers(1, LoadEncoder("builtin")) as workers:
        run(songs, tmp_path / "there", workers)  # forgets it
    assert rows(tmp_path / "there") == rows(tmp_path / "here")
    assert f"a reader on {second.host} is gone; its files are read elsewhere" in said


@pytest.fixture
def command() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `gdr index` with options; what still runs at the end of the test is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *options: str) -> subprocess.Popen[str]:
        run = subprocess.Popen(
            [sys.executable, "-m", "gdr_tui.cli", "index", str(folder), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(run)
        return run

    yield start
    for run in started:
        run.kill()
        run.communicate()


def test_the_command_says_what_it_says_of_one_machine_and_stops_at_once(
    cluster: RayCluster,
    songs: Path,
    command: Callable[..., subprocess.Popen[str]],
    write_tone: Callable[..., Path],
) -> None:
    for number in range(120):  # enough of them that some are left when it is stopped
        write_tone(songs / f"tone {number}.flac", hz=200 + 5 * number, seconds=10)
    ended = command(songs, "--engine", cluster.url)
    begun = time.monotonic()
    while not tracks(songs):
        assert ended.poll() is None, ended.communicate()
        assert time.monotonic() - begun < 300
        time.sleep(0.05)
    ended.send_signal(signal.SIGINT)
    assert ended.communicate(timeout=60)[0] == ""
    assert ended.returncode == 130
    kept = tracks(songs)
    assert kept
    with Library.open(songs) as library:
        has_failed = bool(library.failures())
    whole = command(songs, "--engine", cluster.url, "--jobs", "1")
    stdout, stderr = whole.communicate(timeout=300)
    copies = 0 if "copy of 3.ogg" in kept else 1
    counts = f"{130 - copies - len(kept)} new, {len(kept)} unchanged" + ", 1 duplicate" * copies
    failed = "1 failed before, not tried again (--retry-failed does)" if has_failed else "1 failed"
    assert f"{counts}, {failed}\n" in stdout
    assert len(stdout.splitlines()) == (2 if has_failed else 3)
    assert (stderr, whole.returncode) == ("", 0)


def tracks(folder: Path) -> set[str]:
    """The names of what is kept so far."""
    try:
        with Library.open(folder) as library:
            return {track.path.name for track in library.tracks()}
    except GdrError:
        return set()


@pytest.mark.parametrize(
    ("engine", "code", "sentence"),
    [
        ("ray://127.0.0.1:1", 1, "gdr: no Ray cluster answers at 127.0.0.1:1 (Connection refused)"),
        (
            "ray://foo..bar:10001",
            1,
            "gdr: no Ray cluster answers at foo..bar:10001 (no host has such a name)",
        ),
        ("ray://here", 2, "gdr: ray://here names no host and port"),
        ("spark", 2, "gdr: there is no engine spark; use local, ray or ray://HOST:PORT"),
    ],
)
def test_what_cannot_be_reached_is_one_sentence(
    songs: Path,
    engine: str,
    code: int,
    sentence: str,
    command: Callable[..., subprocess.Popen[str]],
) -> None:
    ended = command(songs, "--engine", engine)
    stdout, stderr = ended.communicate(timeout=60)
    assert (stdout, ended.returncode) == ("", code)
    assert stderr.startswith(sentence)
    assert stderr.count("\n") == 1


def test_a_connection_that_is_never_answered_is_made_once_more(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CONNECT_S", 1.0)
    started: list[None] = []
    start = Cluster._start
    monkeypatch.setattr(Cluster, "_start", lambda self: started.append(None) or start(self))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ray://127.0.0.1:{silent.getsockname()[1]}"
        with (
            pytest.raises(GdrError, match="did not accept a connection within 2 s"),
            Cluster(url, LoadEncoder("builtin", MODEL.space), print) as nobody,
        ):
            run(songs, tmp_path / "store", nobody)
    assert len(started) == 2


def test_an_address_is_read_by_the_nodes_alone(
    cluster: RayCluster, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(DEMO[0], music)
    shutil.copy(DEMO[1], music)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    root = folder_of(Path(f"file://{music}"))
    root.mkdir(parents=True)
    with Cluster(None, LoadEncoder("builtin", MODEL.space), print) as engine:
        assert run(root, tmp_path / "there", engine).new == 2
    assert not list(root.iterdir())
    with Workers(1, LoadEncoder("builtin")) as workers:
        run(music, tmp_path / "here", workers)
    here, there = rows(tmp_path / "here"), rows(tmp_path / "there")
    assert [there[name] for name in ("latents", "passages")] == [
        here[name] for name in ("latents", "passages")
    ]


def test_another_encoder_on_the_nodes_is_refused(
    cluster: RayCluster, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same model by name, of another version."""
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    load = LoadEncoder("builtin", replace(MODEL.space, fingerprint="0" * 16))
    said: list[str] = []
    with (
        pytest.raises(GdrError, match=r"no node of the cluster can read.* another audio encoder"),
        Cluster(None, load, said.append) as engine,
    ):
        run(songs, tmp_path / "store", engine)
    assert len(said) == 1


def test_without_ray_it_says_what_to_install(songs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(GdrError, match="not installed") as refused:
        Cluster(None, LoadEncoder("builtin"), print)
    assert refused.value.facts == {"package": "gdr-tui[ray]"}
