"""Plain values that more than one feature shows: libraries, models, indexing, errors as sentences.

Free of Textual, torch and indexes, so that any module can import it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import GdrError
from gdr_model.types import Track
from gdr_tui.next_steps import for_app
from gdr_tui.safe_text import literal

if TYPE_CHECKING:
    from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint


@dataclass(frozen=True)
class Catalogue:
    """The contents of the libraries, read without a model."""

    count: int = 0
    first: tuple[Track, ...] = ()
    failures: int = 0
    roots: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """The model in use."""

    model: str
    """Its name, marked if it is a pair without a retriever, or of an earlier version."""
    device: str
    news: str = ""
    """A sentence about what it answers for, if it is not the model that answers for everything."""


@dataclass(frozen=True)
class Indexing:
    """Progress of indexing, with its measured rate."""

    done: int
    total: int
    per_s: float
    left_s: float | None
    path: Path | None = None


@dataclass(frozen=True)
class Indexed:
    """The outcome of indexing."""

    encoded: int = 0
    gone: int = 0
    failed: int = 0
    took_s: float = 0.0
    unavailable: int = 0
    """Files that the system could not read just now."""
    away: int = 0
    """Tracks whose files are not there now."""
    news: tuple[str, ...] = ()
    """Sentences about libraries that have moved."""
    problems: tuple[str, ...] = field(default=())
    """One sentence for every folder that could not be indexed."""


@dataclass(frozen=True)
class Prints:
    """Fingerprints of the model and the libraries in use."""

    model: ModelPrint
    libraries: tuple[LibraryPrint, ...]


def measured(done: int, total: int, elapsed_s: float, path: Path | None = None) -> Indexing:
    """Progress with its rate, and the time left once the rate is known well enough."""
    per_s = done / elapsed_s if elapsed_s > 0 else 0.0
    left_s = (total - done) / per_s if per_s > 0 and elapsed_s > 1 else None
    return Indexing(done, total, per_s, left_s, path)


def out_of_memory(error: BaseException) -> bool:
    """Whether a GPU ran out of memory; recognised by name, since torch is not loaded here."""
    return any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)


def sentence(error: BaseException) -> str:
    """An error as one sentence, ready for a notification."""
    if isinstance(error, GdrError):
        return literal(for_app(error))
    if out_of_memory(error):
        return "out of GPU memory; start gdr with --device cpu, or close what else uses it"
    return literal(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def from_home(path: Path) -> str:
    """A path as people write it, `~` for their own folder."""
    home = Path(os.path.expanduser("~"))  # `Path.home` raises where there is none
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
