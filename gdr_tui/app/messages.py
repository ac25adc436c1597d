"""What background threads tell the app. Progress coalesces: only the latest is worth drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from gdr_model.types import Array, Interpretation, Results, Why
from gdr_tui.app.library.folders import Folder
from gdr_tui.app.main.notes import KeptCrates, KeptTrail, Notes
from gdr_tui.app.main.session import Catalogue, Indexed, Indexing, Loaded, Prints
from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.trail.trail import Ask, Keeper


@dataclass
class CatalogueRead(Message):
    """What the library holds, before any model is there."""

    catalogue: Catalogue


@dataclass
class HoldingsRead(Message):
    """What every folder holds."""

    folders: tuple[Folder, ...]


@dataclass
class TagsRead(Message):
    """What prompts can be completed with."""

    tags: Mapping[str, Sequence[tuple[str, int]]]
    """Of a field, its values with how many tracks have each."""
    words: Sequence[str]

    def can_replace(self, message: Message) -> bool:
        """Later tags hold the earlier ones."""
        return isinstance(message, TagsRead)


@dataclass
class ModelLoaded(Message):
    """The model is there; its text side follows."""

    loaded: Loaded


@dataclass
class ModelReady(Message):
    """Queries can be drawn from now on, and indexing no longer holds up the loading."""


@dataclass
class SearchAnswered(Message):
    """A query's answer; stale unless `number` is the app's latest."""

    number: int
    ask: Ask
    results: Results
    took_s: float
    quiet: bool
    """Drawn again because tracks arrived, not because the user asked."""


@dataclass
class PartsCounted(Message):
    """How many tracks each condition of a filter lets through by itself."""

    where: str
    counts: Mapping[str, int]


@dataclass
class InterpretationsFound(Message):
    """The interpretations of a query; stale unless the results are those shown."""

    results: Results
    interpretations: tuple[Interpretation, ...]


@dataclass
class WhyFound(Message):
    """Why a track is here; stale unless `number` is the latest question."""

    number: int
    why: Why | None
    problem: str = ""
    """One sentence where there is no answer."""


@dataclass
class PreviewDrawn(Message):
    """What an edit being tried finds; stale unless `number` is the latest try."""

    number: int
    results: Results | None
    took_s: float = 0.0
    problem: str = ""
    """One sentence where there is no answer."""


@dataclass
class SearchRefused(Message):
    """A query without an answer, and why, in one sentence."""

    number: int
    sentence: str
    quiet: bool


@dataclass
class IndexProgressed(Message):
    """How far indexing is."""

    indexing: Indexing

    def can_replace(self, message: Message) -> bool:
        """A later progress supersedes an earlier one."""
        return isinstance(message, IndexProgressed)


@dataclass
class IndexFinished(Message):
    """Indexing is through with every folder."""

    indexed: Indexed


@dataclass
class TracksArrived(Message):
    """Newly indexed tracks can be found now."""

    def can_replace(self, message: Message) -> bool:
        """One redraw is enough."""
        return isinstance(message, TracksArrived)


@dataclass
class PeaksReady(Message):
    """The waveform of a track, or a note why there is none."""

    path: Path
    peaks: Array  # (columns, 2)
    note: str = ""


@dataclass
class SoundReady(Message):
    """A stretch of a track, decoded for playback; stale unless `number` is the latest."""

    number: int
    start_s: float
    sound: Array  # (N, 2)
    last: bool


@dataclass
class SoundAhead(Message):
    """How a track sounds from a moment on, decoded before it is asked for."""

    moment: tuple[Path, float]
    sound: Array  # (N, 2)
    last: bool


@dataclass
class WentWrong(Message):
    """Something in the background failed; one sentence says what."""

    sentence: str
    about: str = ""
    """The work that failed: library, model, index or sound."""


@dataclass
class TrailRead(Message):
    """The trail as earlier sittings left it."""

    kept: KeptTrail
    keeper: Keeper
    """Who keeps what is asked from now on."""


@dataclass
class PrintsRead(Message):
    """Which model and libraries answer: what a session file says beside its queries."""

    prints: Prints


@dataclass
class CratesRead(Message):
    """The crates as the notebook has them."""

    kept: KeptCrates
    notes: Notes
    """Who keeps what is changed from now on."""
    changes: int = -1
    """What `Shelf.changes` was when they were read; -1 the first time."""


@dataclass
class MapRead(Message):
    """The map of the library."""

    mapped: Mapped


@dataclass
class MapProgressed(Message):
    """How far a better projection is."""

    share: float

    def can_replace(self, message: Message) -> bool:
        """A later share supersedes an earlier one."""
        return isinstance(message, MapProgressed)


@dataclass
class CourseRead(Message):
    """Where a query of the trail was drawn, and the way to it."""

    number: int
    """The query's place in the trail."""
    course: Course
