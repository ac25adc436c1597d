"""Results follow the typing: after a pause, what the line asks is drawn and listed in grey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from gdr_model.errors import UsageError
from gdr_tui.app.feature import Host
from gdr_tui.app.messages import TracksArrived
from gdr_tui.app.previews import PAUSE_S, PreviewFound, Previews
from gdr_tui.app.search.empty import nothing_found
from gdr_tui.app.search.prompt import Completions, PromptBox
from gdr_tui.app.search.prompt_line import PromptLine
from gdr_tui.app.search.queries import Queries
from gdr_tui.app.search.typing.list import TypedList
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask


class TypedPreview:
    """Covers the results with what the line would find, until it is asked or given up.

    The results under it stay as they are, with their cursor: nothing is played, explained or
    added to the trail.
    """

    def __init__(
        self,
        host: Host,
        previews: Previews,
        prompt: PromptLine,
        queries: Queries,
        track_at: Callable[[int], Path | None],
        settings: Settings,
    ) -> None:
        """Show nothing yet.

        Args:
            host: the main screen.
            previews: draws on a thread.
            prompt: the line.
            queries: the draft that the line changes.
            track_at: the track of a rank in the results.
            settings: whether the user wants previews, and how many results.
        """
        self._host = host
        self._previews = previews
        self._prompt = prompt
        self._queries = queries
        self._track_at = track_at
        self._wanted = settings.as_you_type
        self._k = settings.results
        self._settling: Timer | None = None
        self._ask: Ask | None = None
        """What was drawn for the line last."""
        self.list = TypedList(id="typed")
        self.list.display = False

    def take(self, message: Message) -> None:
        """Follow the line, and show what it finds."""
        match message:
            case Input.Changed(input=self._prompt.box):
                self.line_changed()
            case PromptBox.Walked() | PromptBox.Completed() | Completions.Picked():
                self.line_changed()
            case Input.Blurred(input=self._prompt.box):
                self._leave()
            case TracksArrived() if self._ask:
                self._previews.drop()
                self._previews.try_out(self._ask, self._k)
            case PreviewFound():
                self._show(message)

    def line_changed(self) -> None:
        """Draw what is in the line now once the keys pause; until then the CPU is the keys'."""
        if self._wanted:
            self._forget()
            self._settling = self._host.set_timer(PAUSE_S, self._draw)

    def asked(self) -> None:
        """Leave the list until the answer is there: the line was asked, or something else was."""
        self._stop_settling()
        self._ask = None

    def hide(self) -> None:
        """Show the results again."""
        self.list.display = False

    def close(self) -> None:
        """Show the results again, and forget what is being drawn."""
        if self._ask or self._settling:
            self._forget()
        self.hide()

    def _draw(self) -> None:
        self._settling = None
        try:
            ask = self._typed()
        except UsageError:
            return  # many a line cannot be read until its end is typed
        if ask is None:
            self.close()
            return
        self._ask = ask
        self._previews.try_out(ask, self._k)

    def _typed(self) -> Ask | None:
        """What the line asks; None where that is nothing yet, or what is listed.

        Nor is a line previewed that names ranks of the list, which the preview would cover.

        Raises:
            UsageError: if it is invalid.
        """
        prompt, node = self._prompt, self._host.node
        if not (self._host.has_model and prompt.has_words and prompt.box.has_focus):
            return None
        draft = replace(self._queries.draft)
        if line := prompt.line_beyond(draft):
            if line.likes or line.bans:
                return None
            draft.take(line, self._track_at)
        return None if node and draft.answered_by(node.ask) else draft.ask()

    def _show(self, found: PreviewFound) -> None:
        """List the latest answer; where there is none, Enter will say why."""
        ask, results = found.tried.ask, found.results
        if results is None or ask is not self._ask or not self._previews.is_latest(found):
            return
        node = self._host.node
        self.list.empty = nothing_found(ask, results)
        shown = f"{len(results.hits):,} of {results.tracks_searched:,}"
        self.list.border_title = Content(f"as typed · {shown} · Enter keeps it")
        self.list.show_results(results, node.results if node else None, None)
        self.list.display = True

    def _leave(self) -> None:
        """Show the results again, unless the line was asked.

        A terminal that loses the focus leaves the app without one, and nothing changes.
        """
        if self._prompt.box.screen.focused and not self._queries.busy:
            self.close()

    def _forget(self) -> None:
        self._stop_settling()
        self._ask = None
        self._previews.drop()

    def _stop_settling(self) -> None:
        if self._settling:
            self._settling.stop()
            self._settling = None
