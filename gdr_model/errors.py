"""Every error gdr raises on purpose: a sentence fit for a user, and a hint at the next step.

The sentence says what is wrong and why. It names no command, option or key, because the library
does not know who is reading: the command line and the app word the `Hint` each in their own way.

GdrError                     refused or failed                       exit code 1
├── UsageError               an invalid argument                     exit code 2
├── DecodeError              a file that holds no readable sound
│   └── FileUnavailable      a file that the system could not read just now
├── LibraryError             a library that is missing or unreadable
│   ├── SpaceMismatch        latents of one space, a model of another
│   └── StoreUnavailable     a full disk, or a file that another program holds
├── IndexUnavailable         an index on a server that cannot be reached, or refuses
├── ModelError               a model folder that is missing or malformed
│   └── WeightsMissing       weights that have to be fetched first
└── Cancelled                stopped because the caller asked        exit code 130
"""

from __future__ import annotations

from enum import Enum


class Hint(Enum):
    """What a user can do about an error, by kind, and the facts that the advice needs."""

    INDEX = "index", "root"
    """Index a folder."""
    INDEX_AGAIN = "index again", "root"
    """Index a folder, which makes again what is damaged."""
    INDEX_WITH_MODEL = "index with model", "root", "model"
    """Index a folder with a model."""
    INDEX_FOLDER_OF = "index folder of", "path"
    """Index the folder that a file is in."""
    REPLACE_LIBRARY = "replace library", "root", "store"
    """If the error persists, move the store away and index the folder again."""
    MOUNT_OR_FORGET = "mount or forget", "root"
    """Mount the disk of a folder, or let its library go."""
    FORGET = "forget", "root"
    """Forget tracks that are not there now."""
    EXCLUDE = "exclude", "root"
    """Leave files out that are there: exclude them, or mark their folder."""
    FORGET_WHOLE = "forget whole", "root"
    """Let the library of a folder that is there go all the same."""
    MOVE = "move", "old", "new"
    """Say that a library has moved."""
    DRAW = "draw"
    """Search by drawing, not by the contrastive tower alone."""
    TRAIN = "train", "model"
    """Train a retriever for a pair of encoders."""
    TRAIN_OR_LOOK_UP = "train or look up", "model"
    """The same, or search by the contrastive tower alone."""
    ANY_DEVICE = "any device"
    """Let gdr choose the device."""
    PULL = "pull", "name"
    """Fetch weights, or name the folder that holds them."""
    PULL_AGAIN = "pull again"
    """Fetch weights again."""
    FIND_OR_PULL = "find or pull", "name"
    """Name a folder, or fetch a repository's weights."""
    CONVERT = "convert", "pair"
    """Convert published weights, or name the folder that holds them."""
    CONVERT_FOLDER = "convert folder", "path", "pair"
    """Convert a folder of weights to another folder."""
    CONVERT_FILE = "convert file", "path", "pair"
    """Convert a file of weights."""
    COUNT_TEXT_HEADS = "count text heads"
    """Say how many attention heads the text tower has."""
    ADD_AUDIO_SIDE = "add audio side", "text"
    """Name an audio encoder along with a text encoder."""
    LIST_CRATES = "list crates"
    """Look at the names of the crates."""
    LIST_LIBRARIES = "list libraries"
    """Look at which libraries are known."""
    INSTALL = "install", "package"
    """Install a package of Python, which can be an extra of gdr's."""
    SEARCH_HERE = "search here"
    """Search with the index of this machine."""
    UPLOAD = "upload", "root", "index"
    """Upload the passages of a folder to an index."""
    ACCEPT_TERMS = "accept terms", "page"
    """Accept the terms of a repository, and name yourself to the hub."""
    SAVE_TRAIL = "save trail"
    """Save a trail from the app."""

    def __init__(self, _label: str, *facts: str) -> None:
        self.facts = facts


class GdrError(Exception):
    """Base of all errors raised on purpose.

    Args:
        sentence: what is wrong and why, without a full stop.
        hint: what the user can do about it.
        facts: what the advice needs, by the names that the hint lists.
    """

    exit_code = 1

    def __init__(self, sentence: str = "", hint: Hint | None = None, **facts: object) -> None:
        super().__init__(sentence)
        wanted = hint.facts if hint else ()
        if set(facts) != set(wanted):
            raise TypeError(f"{hint} needs {wanted or 'no facts'}, not {tuple(facts)}")
        self.hint = hint
        self.facts = {name: str(value) for name, value in facts.items()}


def first_line(error: Exception) -> str:
    """What an error of another library says, or its kind if it says nothing; for a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # the rest names numbers, and the file once more
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


class UsageError(GdrError):
    """An invalid argument."""

    exit_code = 2


def not_read(file: object, wanted: str, error: Exception) -> UsageError:
    """The refusal of a file that the user named: it is missing, or not what was wanted."""
    if isinstance(error, FileNotFoundError):
        return UsageError(f"there is no file {file}")
    why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else first_line(error)
    return UsageError(f"{file} cannot be read as {wanted}: {why}")


class DecodeError(GdrError):
    """A file that holds no readable sound."""


class FileUnavailable(DecodeError):
    """The system could not read a file: its disk or network failed, or permission is missing.

    It says nothing about what the file holds, so it is never kept as the file's own fault.
    """


class LibraryError(GdrError):
    """A library that is missing or unreadable."""


class SpaceMismatch(LibraryError):
    """Latents of one space were about to be compared with another's."""


class StoreUnavailable(LibraryError):
    """A file that another program has locked, or a full disk; trying again later can help."""


class IndexUnavailable(GdrError):
    """An index on a server that cannot be reached, refuses, or lacks what is searched."""


class ModelError(GdrError):
    """A model folder that is missing or malformed."""


class WeightsMissing(ModelError):
    """Weights that have to be fetched first."""


class Cancelled(GdrError):
    """The caller asked to stop."""

    exit_code = 130
