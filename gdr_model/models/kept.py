"""Built-in models of earlier versions, kept for the libraries that were indexed with them.

The built-in model is a folder of the package, which the next version replaces, and latents are
useless without the model that made them. So indexing keeps that folder in `models/kept`, once for
each space, and the kept model answers while libraries are encoded again (`choose`). No other model
needs this: the user has its folder, or its weights are published. Nothing here loads torch.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from filecmp import cmp
from pathlib import Path
from typing import NamedTuple

from gdr_model import atomic, paths
from gdr_model.encoders.registry.resolve import installed
from gdr_model.errors import GdrError, ModelError, first_line
from gdr_model.models import config as configs
from gdr_model.models.config import ModelConfig
from gdr_model.private import make_private
from gdr_model.store.library import Library
from gdr_model.store.stores import stores
from gdr_model.types import LatentSpace


class Choice(NamedTuple):
    """Which model answers for some libraries."""

    config: ModelConfig
    is_earlier: bool
    """Whether it is a kept one, which some of the libraries were indexed with."""
    libraries: list[Library]
    """Those that it can search."""
    others: list[Library]
    """Those that were indexed with another version of the built-in model alone."""
    outdated: list[Library]
    """Those of either kind that are to be encoded again before all have one model."""


def choose(config: ModelConfig, libraries: Sequence[Library]) -> Choice:
    """The model whose latents more recordings of some libraries have: one in use, or a kept one.

    Equally many are left to the one in use. Only the built-in model has earlier versions.
    """
    everything = Choice(config, False, list(libraries), [], [])
    if not _ships(config):
        return everything
    spaces = {library: library.spaces() for library in libraries}
    foreign = {space for found in spaces.values() for space in found} - {config.space}
    earlier = [each for each in kept() if each.space in foreign and _loads(each)]
    if not earlier:
        return everything
    has = {
        (library, each.space): library.covered(each.space)
        for library in libraries
        for each in (config, *earlier)
    }
    counts = [sum(has[each, one.space] for each in libraries) for one in (config, *earlier)]
    if not any(counts):
        return everything
    best = (config, *earlier)[counts.index(max(counts))]
    own = {each.space for each in (config, *earlier)}
    others = [
        library
        for library in libraries
        if best.space not in spaces[library] and not own.isdisjoint(spaces[library])
    ]
    outdated = [
        library
        for library in libraries
        if any(has[library, each.space] > has[library, config.space] for each in earlier)
    ]
    searched = [library for library in libraries if library not in others]
    return Choice(best, best is not config, searched, others, outdated)


def keep(config: ModelConfig) -> None:
    """Keep the built-in model for when another version has replaced it; no other model.

    Its files are linked where the file system can do that, else copied.

    Raises:
        ModelError: if they can be neither; nothing is left of them.
    """
    if not _ships(config):
        return
    target = folder() / config.space.fingerprint
    files = [file for file in config.folder.iterdir() if file.suffix in (".json", ".safetensors")]
    try:
        make_private(folder())
        atomic.sweep(folder())
        if all(_same(file, target / file.name) for file in files):
            return
        temporary = atomic.temporary_for(target)
        try:
            temporary.mkdir(mode=0o700)
            for file in files:
                _link(file, temporary / file.name)
            if target.exists():  # damaged, or of a version with another retriever
                shutil.rmtree(target)
            atomic.move_folder_into_place(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        if all(_same(file, target / file.name) for file in files):
            return  # another program has just kept it
        raise ModelError(
            f"the model could not be kept for later versions in {folder()}: {first_line(error)}"
        ) from error


def kept() -> list[ModelConfig]:
    """The models that are kept, but for those that this version cannot read."""
    found = []
    for path in _folders():
        with suppress(ModelError):
            found.append(ModelConfig.read(str(path)))
    return found


def damaged() -> list[Path]:
    """The folders of kept models that are not as they were, or that this version cannot read."""
    whole = {each.folder for each in kept() if _is_whole(each)}
    return [path for path in _folders() if path not in whole]


def remove_unneeded() -> None:
    """Remove kept models that no library needs: there are no latents of theirs, or newer ones.

    While a library cannot be read, none is removed. The present model stays if no other is kept.
    """
    with suppress(GdrError):
        now, models = ModelConfig.read().space, _folders()
        names = {path.name for path in models}
        if names <= {now.fingerprint} or (listed := stores()).damaged:
            return
        needed: set[str] = set()
        for at in listed.known:
            with Library.open(at.root, store=at.store) as library:
                needed.update(_needed(library, names, now))
        for path in models:
            if path.name not in needed:
                shutil.rmtree(path, ignore_errors=True)


def folder() -> Path:
    """Where models are kept, each in a folder named by the fingerprint of its space."""
    return paths.models() / "kept"


def size_bytes(config: ModelConfig) -> int:
    """What a kept model takes on the disk: nothing for files that are links to installed ones."""
    files = [file.stat() for file in config.folder.iterdir() if file.is_file()]
    return sum(file.st_size for file in files if file.st_nlink == 1)


def _needed(library: Library, names: set[str], now: LatentSpace) -> Iterator[str]:
    """Those of some kept models whose latents more recordings of a library have than those of now.

    Recordings on disks that are away count too. The present model is needed by every library that
    has latents of it.
    """
    has_now = library.covered(now, absent_too=True)
    for space in library.spaces():
        name = space.fingerprint
        if name in names and (space == now or library.covered(space, absent_too=True) > has_now):
            yield name


def _ships(config: ModelConfig) -> bool:
    return config.folder == configs.SHIPPED


def _folders() -> list[Path]:
    return sorted(path for path in folder().glob("[!.]*") if path.is_dir())


def _loads(config: ModelConfig) -> bool:
    """Whether a kept model is as it was, and what reads its prompts is installed."""
    with suppress(ModelError):
        installed(config.text)
        return _is_whole(config)
    return False


def _is_whole(config: ModelConfig) -> bool:
    try:
        with config.weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    return found == config.checksum


def _same(file: Path, other: Path) -> bool:
    try:
        return other.samefile(file) or cmp(file, other, shallow=False)
    except OSError:
        return False


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file.resolve(), to)
    except OSError:  # on another file system, or of another owner
        shutil.copyfile(file, to)
