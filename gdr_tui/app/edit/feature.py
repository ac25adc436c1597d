"""Editing on the screen: the panel in which a result is inverted and drawn with another prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from textual.message import Message

from gdr_model.limits import Limits
from gdr_model.steering import Steering
from gdr_tui.app.edit.panel import EditPanel
from gdr_tui.app.edit.state import EditState, Source
from gdr_tui.app.feature import Host
from gdr_tui.app.previews import PreviewFound, Previews
from gdr_tui.app.trail.trail import Ask, Node


class Drafted(Protocol):
    """The query that is being put together."""

    steering: Steering
    prompt: str
    where: str
    limits: Limits


class EditFeature:
    """Opens the panel, and asks what is kept of it."""

    def __init__(
        self,
        host: Host,
        previews: Previews,
        drafted: Callable[[], Drafted],
        keep: Callable[[Ask], object],
        strength: float,
        k: int,
    ) -> None:
        """Start without an edit.

        Args:
            host: the main screen.
            previews: draws what is tried on a thread.
            drafted: the query that is being put together.
            keep: asks an edit that the user keeps.
            strength: how far an edit walks from its source, unless the user says otherwise.
            k: how many results a preview has.
        """
        self._host = host
        self._previews = previews
        self._drafted = drafted
        self._keep = keep
        self._strength = strength
        self._k = k
        self._panel: EditPanel | None = None
        self.state: EditState | None = None
        """The edit being tried."""

    def show(self, node: Node, *, keep: bool) -> None:
        """Do nothing: the panel compares with the query it was opened on."""

    def take(self, message: Message) -> None:
        """Hand the panel its answer."""
        if isinstance(message, PreviewFound) and self._panel:
            self._panel.show(message)

    def action_edit(self) -> None:
        """Invert the chosen result and draw it again with another prompt."""
        hit, node = self._host.rows.hit, self._host.node
        if hit is None or node is None:
            self._host.say("select a result first, then press i to edit it")
            return
        self._open(Source.result(hit.track, hit.start_s, node.ask.steering.prompt))

    def change(self) -> None:
        """Change the edit that is drafted."""
        drafted = self._drafted()
        if edit := drafted.steering.edit:
            self._open(Source.of(edit, drafted.prompt))

    def _open(self, source: Source) -> None:
        """Let the user try an edit and take over what is kept of it."""
        before = self._host.listed
        if before is None or not self._host.has_model:
            self._host.say("the model is still loading; try again in a moment")
            return
        drafted = self._drafted()
        edit = drafted.steering.edit
        strength = edit.strength if edit else self._strength
        self.state = EditState(
            source, drafted.steering, drafted.where, before, strength, drafted.limits
        )

        def closed(ask: Ask | None) -> None:
            self._panel = self.state = None
            if ask:
                self._keep(ask)
            else:
                self._previews.drop()

        self._panel = EditPanel(self.state, self._previews, self._k)
        self._host.open(self._panel, closed)
