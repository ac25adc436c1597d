"""Messages for more than one feature; each feature also has its own.

Progress coalesces: only the latest is worth showing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.message import Message

from gdr_tui.app.values import Catalogue, Indexed, Indexing, Loaded


class FeatureMessage(Message):
    """From a thread or a widget; the main screen hands it to every feature."""


class Report(FeatureMessage):
    """From a thread."""


@dataclass
class CatalogueRead(Report):
    """The contents of the library, read before a model is loaded."""

    catalogue: Catalogue


@dataclass
class TagsRead(Report):
    """What prompts can be completed with."""

    tags: Mapping[str, Sequence[tuple[str, int]]]
    """For each field, its values with how many tracks have each."""
    words: Sequence[str]

    def can_replace(self, message: Message) -> bool:
        """Later tags include the earlier ones."""
        return isinstance(message, TagsRead)


@dataclass
class ModelLoaded(Report):
    """The model is loaded; its text side follows."""

    loaded: Loaded


@dataclass
class ModelReady(Report):
    """Queries can be drawn from now on, and indexing no longer slows down the loading."""


@dataclass
class ModelReplaced(Report):
    """Another model answers from now on; what the one before has drawn means nothing to it."""

    loaded: Loaded


@dataclass
class TracksArrived(Report):
    """Newly indexed tracks can be found now."""

    def can_replace(self, message: Message) -> bool:
        """One refresh is enough."""
        return isinstance(message, TracksArrived)


@dataclass
class IndexProgressed(Report):
    """How far indexing is."""

    indexing: Indexing

    def can_replace(self, message: Message) -> bool:
        """A later progress supersedes an earlier one."""
        return isinstance(message, IndexProgressed)


@dataclass
class GraphsProgressed(Report):
    """How far the graphs of very large libraries are; queries are answered without them too."""

    done: int
    total: int
    """Passages."""

    def can_replace(self, message: Message) -> bool:
        """A later progress supersedes an earlier one."""
        return isinstance(message, GraphsProgressed)


@dataclass
class IndexFinished(Report):
    """Indexing is done with every folder."""

    indexed: Indexed


@dataclass
class WentWrong(Report):
    """Something in the background failed; one sentence says what."""

    sentence: str
    about: str = ""
    """The work that failed: library, model, index, map, sound ..."""
