"""Opening the model and the libraries that a command names."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import Hint, LibraryError
from gdr_model.store.stores import stores
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
    libraries = [stack.enter_context(Library.open(folder)) for folder in folders]
    if not any(library.count() for library in libraries):
        raise LibraryError(f"{folders[0]} holds no tracks yet", Hint.INDEX, root=folders[0])
    return libraries


def library_folders(named: list[Path] | None) -> list[Path]:
    """The folders to search: those named, else the one indexed last, else none.

    Raises:
        LibraryError: if the only libraries there are cannot be read.
    """
    if named:
        return named
    indexed = stores()
    if indexed.damaged and not indexed.roots:
        raise LibraryError(unreadable(indexed.damaged[0]))
    if len(indexed.roots) > 1:
        say(f"searching {indexed.roots[0]}, the library indexed last (--library chooses another)")
    return indexed.roots[:1]


def unreadable(store: Path) -> str:
    """What to do about a damaged store."""
    return f"the library in {store} cannot be read; move it away and index its folder again"


def music_folder(path: Path) -> Path:
    """A folder of music; a leading `~`, which no shell expands in `make LIBRARY=~/x`, is expanded.

    Raises:
        LibraryError: if it does not exist.
    """
    try:
        exists = path.expanduser().is_dir()
    except (OSError, RuntimeError):  # a forbidden folder above it, an unknown user
        exists = False
    if not exists:
        raise LibraryError(f"there is no folder {path}")
    return path.expanduser()
