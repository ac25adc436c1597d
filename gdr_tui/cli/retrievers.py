"""Opening the model and the libraries that a command names."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gdr_model import patience
from gdr_model.errors import Hint, LibraryError, SpaceMismatch
from gdr_model.remote.places import address_of, folder_of, is_address
from gdr_model.store.stores import Place, stores
from gdr_tui.cli.diagnostics import failed_in_part, say
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.gc_control import long_lived
from gdr_tui.next_steps import for_command_line
from gdr_tui.torch_threads import use_threads_for

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.models.kept import Choice
    from gdr_model.search.indexed.protocol import Opener
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library

T = TypeVar("T")


def open_retriever(stack: ExitStack, options: RetrieverOptions) -> Retriever:
    """A retriever over the libraries of some folders, closed with `stack`.

    It has an earlier version of the built-in model where the libraries were indexed with that.

    Raises:
        LibraryError: if nothing has been indexed in them.
    """
    opener = index_opener(options.index)
    libraries = open_libraries(stack, options.library)
    with long_lived():
        from gdr_model.models import kept
        from gdr_model.models.checkpoint import load
        from gdr_model.models.config import ModelConfig

        choice = kept.choose(ModelConfig.read(options.model), libraries)
        libraries = _said(choice)
        model = load(choice.config.argument, options.device)
        use_threads_for(model.config)
        return _retriever(model, libraries, opener)


def index_opener(name: str | None) -> Opener:
    """What opens the index that an option names, else the settings; it says what it cannot do.

    Raises:
        UsageError: if there is no such index.
    """
    from gdr_model.search.indexed.choice import opener

    return opener(index_named(name), lambda why: say(f"gdr: {for_command_line(why)}"))


def index_named(name: str | None) -> str:
    """The index that an option names, else the settings."""
    from gdr_tui.app import settings

    if name is not None:
        return name
    chosen, problem = settings.load()
    if problem:
        say(f"gdr: {problem}")
    return chosen.index


def _said(choice: Choice) -> list[Library]:
    """The libraries that the chosen model can search; says what was indexed with another one."""
    if choice.is_earlier:
        names = " and ".join(str(each.root) for each in choice.outdated)
        verb = "was" if len(choice.outdated) == 1 else "were"
        say(
            f"{names} {verb} indexed with an earlier model, which still answers; "
            f"{_index(choice.outdated)} brings {'it' if verb == 'was' else 'them'} up to date"
        )
    for each in choice.others:
        step = _index(choice.outdated if choice.is_earlier else [each])
        failed_in_part(
            f"{each.root} was indexed with another version of the model and is not searched; "
            f"run {step}"
        )
    return choice.libraries


def _index(libraries: Sequence[Library]) -> str:
    """The command that indexes some libraries."""
    return f"gdr index {shlex.join(str(each.root) for each in libraries)}"


def answered(retriever: Retriever, ask: Callable[[Retriever], T]) -> T:
    """What a retriever answers, without the libraries that turn out to be damaged.

    Raises:
        LibraryError: if no other library is left.
    """
    while True:
        try:
            return ask(retriever)
        except LibraryError as error:
            libraries = [opened.library for opened in retriever.libraries]
            rest = _without(libraries, error)
            retriever = _retriever(retriever.model, rest, retriever.opener)


def _retriever(model: Model, libraries: Sequence[Library], opener: Opener) -> Retriever:
    """A retriever over those of some libraries that are not damaged."""
    from gdr_model.search.retriever import Retriever

    while True:
        try:
            return Retriever(model, libraries, opener=opener)
        except SpaceMismatch:
            raise
        except LibraryError as error:
            libraries = _without(libraries, error)


def _without(libraries: Sequence[Library], error: LibraryError) -> list[Library]:
    """The libraries but that of an error, which is named; the error, if that leaves none."""
    rest = [each for each in libraries if str(each.root) != error.facts.get("root")]
    if not rest or len(rest) == len(libraries):
        raise error
    failed_in_part(for_command_line(error))
    return rest


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
    libraries: list[Library] = []
    tracks = 0
    for folder in folders:
        try:
            library = stack.enter_context(Library.open(folder))
            tracks += library.count()
            libraries.append(library)
        except LibraryError as error:
            if len(folders) == 1 or Hint.REPLACE_LIBRARY is not error.hint:
                raise
            failed_in_part(for_command_line(error))
    if not libraries:
        raise LibraryError("none of these libraries can be read")
    if not tracks:
        folder, library = folders[0], libraries[0]
        if library.part and not patience.is_folder(folder.expanduser()):
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
        return [local_folder(each) for each in named]
    indexed = stores()
    if indexed.damaged and not indexed.roots:
        raise LibraryError(unreadable(indexed.damaged[0]))
    for store in indexed.damaged:
        failed_in_part(unreadable(store))
    roots = indexed.roots
    if len(roots) > 1:
        roots = [at.root for at in indexed.known if _holds_tracks(at)] or roots
    if len(roots) > 1:
        say(f"searching {roots[0]}, the library indexed last (--library chooses another)")
    return roots[:1]


def _holds_tracks(at: Place) -> bool:
    """Whether a library lists any track; one that cannot be opened is named."""
    from gdr_model.store.library import Library

    try:
        with Library.open(at.root, store=at.store) as library:
            return bool(library.count())
    except LibraryError as error:
        failed_in_part(for_command_line(error))
        return False


def unreadable(store: Path) -> str:
    """What to do about a damaged store."""
    return f"the library in {store} cannot be read; move it away and index its folder again"


def local_folder(named: Path) -> Path:
    """A folder that a command names, or the one that stands for an address.

    Raises:
        LibraryError: if it is an address that cannot be the root of a library.
    """
    return folder_of(named) if is_address(named) else named


def music_folder(path: Path) -> Path:
    """A folder of music, or the one that stands for an address.

    A leading `~`, which no shell expands in `make LIBRARY=~/x`, is expanded.

    Raises:
        LibraryError: if it does not exist, is a file, or is not there now but has been indexed.
    """
    if is_address(path) or address_of(path):
        folder = local_folder(path)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder
    try:
        folder = path.expanduser()
        exists = patience.is_folder(folder)
    except (OSError, RuntimeError):  # a forbidden folder above it, an unknown user
        raise LibraryError(f"there is no folder {path}") from None
    if exists:
        return folder
    if patience.hangs(folder):
        raise LibraryError(f"{path} does not answer; is its disk or server there?")
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
    if patience.answered(lambda: os.path.isfile(os.path.expanduser(path)), False):
        raise LibraryError(f"{path} is a file; name the folder that holds it")
