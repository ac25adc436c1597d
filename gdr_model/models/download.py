"""Weights from the Hugging Face hub to a folder below the user's models: `gdr model pull`.

Files arrive in a hidden folder named after the commit, and go on where they broke off: the hub's
own client starts a file anew in every process. A file counts when its SHA-256 (for a small one,
git's SHA-1) is what the hub says; the folder gets its name when all of them do. Nothing here loads
torch, but where a repository has a pickle only, which is read as tensors alone and rewritten.
"""

from __future__ import annotations

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
from gdr_model.errors import Hint, ModelError, UsageError
from gdr_model.models import weights

BESIDE = (
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
)
"""What is taken beside config.json and the tensors, where it is there."""
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Arriving:
    """How far one file is, in bytes."""

    file: str
    done: int
    total: int


Tell = Callable[[Arriving], None]


@dataclass(frozen=True)
class Remote:
    """A file of a repository, as the hub describes it."""

    name: str
    size: int
    digest: str
    """SHA-256 (64 digits), or the SHA-1 of a git blob (40)."""


def known() -> dict[str, Weights]:
    """The weights that can be pulled by a short name."""
    parts = [part.weights for part in (*AUDIO_PARTS, *TEXT_PARTS)]
    return {w.key: w for w in parts if w.hub}


def pull(name: str, tell: Tell = lambda _: None) -> Path:
    """Fetch the weights of a short name or of a repository `owner/name`; returns their folder.

    What is there already is not fetched again.

    Raises:
        UsageError: if the name is neither.
        ModelError: if the hub cannot be reached, refuses, or sends something else than it says.
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
    commit, listed = _listing(repository)
    files = _chosen(repository, listed, file)
    part = folder.with_name(f".{folder.name}.{commit[:12]}.part")
    part.mkdir(parents=True, exist_ok=True)
    for remote in files:
        _fetch(repository, commit, remote, part, tell)
    if (part / weights.PICKLE).is_file():
        from gdr_model.encoders.formats.transformers_convert import rewrite

        rewrite(part / weights.PICKLE, part / weights.TENSORS)
        (part / weights.PICKLE).unlink()
    if folder.exists():
        raise ModelError(f"{folder} exists, and is no model; remove it first")
    atomic.move_into_place(part, folder)
    return folder


def _listing(repository: str) -> tuple[str, dict[str, Remote]]:
    """The commit of a repository's main branch, and its files."""
    from huggingface_hub import HfApi

    try:
        found = HfApi().model_info(repository, files_metadata=True, timeout=30)
    except Exception as error:
        # Those of whichever HTTP client the hub's library uses are among them.
        raise _refused(repository, error) from error
    files = [
        Remote(s.rfilename, s.size or 0, s.lfs.sha256 if s.lfs else s.blob_id or "")
        for s in found.siblings or ()
    ]
    if not found.sha or not re.fullmatch(r"[0-9a-f]{12,64}", found.sha):
        raise ModelError(f"the hub does not say which commit of {repository} it has")
    return found.sha, {remote.name: remote for remote in files}


def _chosen(repository: str, listed: dict[str, Remote], file: str) -> list[Remote]:
    if file:
        names = [file]
    else:
        tensors = weights.TENSORS if weights.TENSORS in listed else weights.PICKLE
        names = [*(name for name in BESIDE if name in listed), tensors, "config.json"]
    for name in names:
        if name not in listed:
            wanted = f"{weights.TENSORS} nor {name}" if name == weights.PICKLE else name
            raise ModelError(f"{repository} has no {wanted}; gdr reads folders of one tensor file")
    return [listed[name] for name in names]


class _Told(io.FileIO):
    """A file that says how much has been written."""

    def __init__(self, path: Path, remote: Remote, tell: Tell) -> None:
        super().__init__(path, "ab+")
        self.remote, self.tell_progress = remote, tell

    def write(self, data: Any, /) -> int:
        """Write, and tell."""
        written = super().write(data)
        self.tell_progress(Arriving(self.remote.name, self.tell(), self.remote.size))
        return written


def _fetch(repository: str, commit: str, remote: Remote, part: Path, tell: Tell) -> None:
    """One file, from where it broke off; its content is checked."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
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
        with _quiet(), _Told(arriving, remote, tell) as target:
            here = target.seek(0, os.SEEK_END)
            http_get(
                hf_hub_url(repository, remote.name, revision=commit),
                target,
                resume_size=here,
                headers=build_hf_headers(),
                expected_size=remote.size,
            )
    except Exception as error:
        raise _refused(repository, error, arriving) from error
    found = digest(arriving, len(remote.digest))
    if found != remote.digest:
        arriving.unlink()
        raise ModelError(
            f"{remote.name} of {repository} arrived with the checksum {found[:12]}…, where the hub "
            f"says {remote.digest[:12]}…; the file was discarded",
            Hint.PULL_AGAIN,
        )
    atomic.move_into_place(arriving, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the bars and the retries of the hub's library off the terminal."""
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
    """The SHA-256 of a file (64 digits), or the SHA-1 that git gives its content (40)."""
    found = hashlib.sha256()
    if digits == 40:
        found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _refused(repository: str, error: Exception, arriving: Path | None = None) -> ModelError:
    """Why nothing more comes from the hub, in one sentence."""
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return ModelError(
            f"{repository} is gated: accept its terms at {constants.ENDPOINT}/{repository}, then "
            "set HF_TOKEN"
        )
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(f"{constants.ENDPOINT} has no model {repository}, or keeps it private")
    kept = ""
    if arriving is not None and arriving.is_file() and arriving.stat().st_size:
        kept = f"; {arriving.stat().st_size:,} bytes are kept, and the next pull resumes there"
    if isinstance(error, HfHubHTTPError):
        code = error.response.status_code
        return ModelError(f"{constants.ENDPOINT} answered {code} for {repository}{kept}")
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ModelError(
        f"{repository} cannot be fetched from {constants.ENDPOINT}: {lines[0][:200]}{kept}"
    )
