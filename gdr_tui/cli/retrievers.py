"""Opening the model and the libraries that a command names."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import Hint, LibraryError
from gdr_model.store.stores import Place, stores
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.gc_control import long_lived
from gdr_tui.torch_threads import use_threads_for

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library


def open_retriever(stack: ExitStack, options: RetrieverOptions) -> Retriever:
    """A retriever over the libraries of some folders, closed with `stack`.

    Raises:
        LibraryError: if nothing has been indexed in them.
    """
    libraries = open_libraries(stack, options.library)
    with long_lived():
        from gdr_model.models.checkpoint import load
        from gdr_model.search.retriever import Retriever

        model = load(options.model, options.device)
        use_threads_for(model.config)
        return Retriever(model, libraries)


def open_libraries(stack: ExitStack, named: list[Path] | None) -> list[Library]:
    """The libraries of some folders, else the one indexed last, closed with `stack`.

    Raises:
        LibraryError: if nothing has been indexed in them.
    """
    from gdr_model.store.library import Library

    folders = library_folders(named)
    if not folders:
        raise LibraryError("no library has been indexed yet; run gdr index DIR")
    for folder in folders:
        _refuse_file(folder)
    libraries = [stack.enter_context(Library.open(folder)) for folder in folders]
    if not any(library.count() for library in libraries):
        folder, library = folders[0], libraries[0]
        if library.part and not folder.expanduser().exists():
            raise LibraryError(
                f"the library {library.root} has no tracks in {folder}; check the path"
            )
        raise LibraryError(f"{folder} holds no tracks yet", Hint.INDEX, root=folder)
    return libraries


def library_folders(named: list[Path] | None) -> list[Path]:
    """The folders to search: those named, else the one with tracks indexed last, else none.

    Raises:
        LibraryError: if the only libraries there are cannot be read.
    """
    if named:
        return named
    indexed = stores()
    if indexed.damaged and not indexed.roots:
        raise LibraryError(unreadable(indexed.damaged[0]))
    roots = [at.root for at in indexed.known if _holds_tracks(at)] or indexed.roots
    if len(roots) > 1:
        say(f"searching {roots[0]}, the library indexed last (--library chooses another)")
    return roots[:1]


def _holds_tracks(at: Place) -> bool:
    """Whether a library lists any track; one that cannot be opened says why when it is."""
    from gdr_model.store.library import Library

    try:
        with Library.open(at.root, store=at.store) as library:
            return bool(library.count())
    except LibraryError:
        return True


def unreadable(store: Path) -> str:
    """What to do about a damaged store."""
    return f"the library in {store} cannot be read; move it away and index its folder again"


def music_folder(path: Path) -> Path:
    """A folder of music; a leading `~`, which no shell expands in `make LIBRARY=~/x`, is expanded.

    Raises:
        LibraryError: if it does not exist, is a file, or is not there now but has been indexed.
    """
    try:
        folder = path.expanduser()
        exists = folder.is_dir()
    except (OSError, RuntimeError):  # a forbidden folder above it, an unknown user
        raise LibraryError(f"there is no folder {path}") from None
    if exists:
        return folder
    _refuse_file(path)
    if _is_indexed(folder):
        raise LibraryError(
            f"{path} is not there now and its library is kept", Hint.MOUNT_OR_FORGET, root=path
        )
    raise LibraryError(f"there is no folder {path}")


def _is_indexed(folder: Path) -> bool:
    """Whether a library lists tracks in a folder."""
    from gdr_model.store.library import Library

    try:
        with Library.open(folder) as library:
            return bool(library.count())
    except LibraryError:
        return False


def _refuse_file(path: Path) -> None:
    """Refuse a file where a folder is wanted."""
    if os.path.isfile(os.path.expanduser(path)):
        raise LibraryError(f"{path} is a file; name the folder that holds it")
