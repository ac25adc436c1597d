"""Downloading weights from a hub on loopback, with the hub's own client."""

from __future__ import annotations

import hashlib
import inspect
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hub import COMMIT, Hub, serving

from gdr_model import paths
from gdr_model.errors import Hint, ModelError, UsageError
from gdr_model.models import download
from gdr_model.models.download import FileProgress

REPOSITORY = "some/clap"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """One repository: a configuration, a tokenizer, a large file, and one that nobody needs."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "clap"}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "README.md").write_text("not downloaded")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 2000)
    with serving({REPOSITORY: folder}) as served:
        template = served.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.url)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield served


def test_the_client_still_has_the_function_that_resumes() -> None:
    """`http_get` is not public: if this fails, `download._fetch` needs another way to resume."""
    from huggingface_hub.file_download import http_get

    used = {"url", "temp_file", "resume_size", "headers", "expected_size"}
    parameters = inspect.signature(http_get).parameters
    assert used <= set(parameters)
    required = {name for name, p in parameters.items() if p.default is p.empty}
    assert required <= used


def test_only_what_a_model_needs_is_downloaded(hub: Hub) -> None:
    folder = download.pull(REPOSITORY)
    assert folder == paths.models() / "some" / "clap"
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "tokenizer.json", "model.safetensors"}
    for name in names:
        assert (folder / name).read_bytes() == (hub.folders[REPOSITORY] / name).read_bytes()
    assert [path.name for path in folder.parent.iterdir()] == ["clap"], "nothing is left behind"


def test_installed_weights_are_not_downloaded_again(hub: Hub) -> None:
    first = download.pull(REPOSITORY)
    requests = len(hub.ranges)
    assert download.pull(REPOSITORY) == first
    assert len(hub.ranges) == requests


def test_progress_grows_to_the_size_of_every_file(hub: Hub) -> None:
    reports: list[FileProgress] = []
    download.pull(REPOSITORY, reports.append)
    for name in ("config.json", "model.safetensors"):
        of_file = [report for report in reports if report.file == name]
        done = [report.done for report in of_file]
        assert done == sorted(done)
        assert done[-1] == of_file[-1].total == (hub.folders[REPOSITORY] / name).stat().st_size


def test_an_interrupted_download_resumes_where_it_stopped(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.cut = 100_000
    with pytest.raises(ModelError, match="100,000 bytes are kept, and the next pull resumes"):
        download.pull(REPOSITORY)
    assert not (paths.models() / "some" / "clap").exists()
    hub.cut, hub.ill = None, False
    folder = download.pull(REPOSITORY)
    assert ("model.safetensors", "bytes=100000-") in hub.ranges
    served = hub.folders[REPOSITORY] / "model.safetensors"
    assert (folder / "model.safetensors").read_bytes() == served.read_bytes()


def test_content_with_another_checksum_is_discarded(hub: Hub) -> None:
    hub.altered = True
    with pytest.raises(ModelError, match="the file was discarded") as refused:
        download.pull(REPOSITORY)
    assert refused.value.hint is Hint.PULL_AGAIN
    assert not list(paths.models().rglob("model.safetensors*"))
    hub.altered = False
    assert (download.pull(REPOSITORY) / "model.safetensors").is_file()


def test_a_commit_has_its_own_folder_while_it_arrives(hub: Hub) -> None:
    hub.cut = 10
    with pytest.raises(ModelError):
        download.pull(REPOSITORY)
    (arriving,) = (paths.models() / "some").iterdir()
    assert arriving.name == f".clap.{COMMIT[:12]}.part"


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_refused_before_the_download(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(10, 5, 5))
    with pytest.raises(ModelError, match="has room for 5"):
        download.pull(REPOSITORY)
    assert {name for name, _ in hub.ranges} <= {"tokenizer.json"}, "two bytes fit"


def test_a_folder_that_is_not_a_model_is_not_replaced(hub: Hub) -> None:
    folder = paths.models() / "some" / "clap"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="exists and is not a model; remove it first"):
        download.pull(REPOSITORY)
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("removed", "sentence"),
    [
        ("config.json", "has no config.json; gdr needs a single tensor file"),
        ("model.safetensors", "has no model.safetensors nor pytorch_model.bin"),
    ],
)
def test_a_repository_that_lacks_a_file_is_refused(hub: Hub, removed: str, sentence: str) -> None:
    (hub.folders[REPOSITORY] / removed).unlink()
    with pytest.raises(ModelError) as refused:
        download.pull(REPOSITORY)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("name", ["", "clapp", "../up", "a/b/c", "/etc", "some/"])
def test_what_is_neither_a_short_name_nor_a_repository_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be pulled; use"):
        download.pull(name)


def test_short_names_are_those_of_published_weights() -> None:
    for key, weights in download.known().items():
        assert key == weights.key
        assert weights.hub.count("/") == 1 or weights.package.count("==") == 1
        assert weights.licence


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_gives_a_file_the_same_digest(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"caf\xe9\0\r\n")
    done = subprocess.run(
        ["git", "hash-object", "--no-filters", str(file)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert download.digest(file, 40) == done.stdout.strip()
    assert download.digest(file, 64) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_kept_part_that_is_longer_than_the_file_is_dropped(hub: Hub) -> None:
    part = paths.models() / "some" / f".clap.{COMMIT[:12]}.part"
    part.mkdir(parents=True)
    (part / "model.safetensors.arriving").write_bytes(b"x" * 600_000)
    folder = download.pull(REPOSITORY)
    served = hub.folders[REPOSITORY] / "model.safetensors"
    assert (folder / "model.safetensors").read_bytes() == served.read_bytes()


def test_nothing_is_written_beyond_the_announced_size(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.longer = 1_000_000
    reports: list[FileProgress] = []
    with pytest.raises(ModelError, match="it sends more than it announced"):
        download.pull(REPOSITORY, reports.append)
    size = (hub.folders[REPOSITORY] / "model.safetensors").stat().st_size
    assert max(report.done for report in reports) <= size
    assert not list(paths.models().rglob("model.safetensors*"))


def test_what_an_older_commit_left_is_removed(hub: Hub) -> None:
    old = paths.models() / "some" / ".clap.0123456789ab.part"
    old.mkdir(parents=True)
    (old / "model.safetensors.arriving").write_bytes(b"x")
    download.pull(REPOSITORY)
    assert not old.exists()
