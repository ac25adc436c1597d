"""What the main screen and its features ask of one another.

A feature is a folder: a state free of Textual, widgets with their own keys and messages, jobs for
threads, and the class in its `feature.py` that ties these together. It imports no other feature;
what it needs of others, the main screen gives to it: a `Host`, and a function for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from gdr_model.types import Hit, Results, Track
from gdr_tui.app.trail.trail import Node

Answer = TypeVar("Answer")


class Feature(Protocol):
    """What every feature does for the main screen; keys call its `action_` methods."""

    def show(self, node: Node, *, keep: bool) -> None:
        """Show a query of the trail; `keep` leaves the cursor of a list on its track."""

    def take(self, message: Message) -> None:
        """Act on a message if it concerns the feature."""


class Rows(Protocol):
    """The list of results, as far as other features use it."""

    cursor: int

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What is listed, in order."""

    @property
    def track(self) -> Track | None:
        """The track under the cursor."""

    @property
    def hit(self) -> Hit | None:
        """The hit under the cursor; None in the library's own list."""

    @property
    def rank(self) -> int:
        """The rank, from 1, of the recording under the cursor."""

    def moment(self, row: int) -> tuple[Path, float] | None:
        """Where the track of a row is played from; None where there is no such row."""

    def move(self, by: int) -> None:
        """Move the cursor, not beyond the ends."""


class Host(Protocol):
    """What the main screen does for every feature."""

    @property
    def has_model(self) -> bool:
        """Whether queries can be drawn."""

    @property
    def node(self) -> Node | None:
        """The query that is shown."""

    @property
    def listed(self) -> Results | None:
        """The results in the list: of the query, or of one interpretation of it."""

    @property
    def rows(self) -> Rows:
        """The list of results."""

    def say(self, sentence: str, *, problem: bool = False) -> None:
        """Say one sentence in a corner."""

    def refresh_status(self) -> None:
        """Show the status line, the chips and the marks as they are now."""

    def show_node(self, *, keep: bool) -> None:
        """Let every feature show the current query."""

    def open(
        self, screen: Screen[Answer], then: Callable[[Answer | None], None] | None = None
    ) -> None:
        """Open a screen over this one; `then` gets its answer."""

    def post_message(self, message: Message) -> bool:
        """Post a message, from any thread; every feature gets it."""

    def set_timer(self, delay: float, callback: Callable[[], Any] | None = None) -> Timer:
        """Call something on the app's thread after a delay in seconds."""
