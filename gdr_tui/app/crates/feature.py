"""Crates on the screen: mark across queries, open the crates, write a list out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from gdr_model.notebook.crates import CrateTrack
from gdr_model.types import Hit, Track
from gdr_tui import export
from gdr_tui.app.crates.messages import CratesRead
from gdr_tui.app.crates.screen import CratesScreen, crate_source
from gdr_tui.app.crates.state import CrateShelf
from gdr_tui.app.crates.writer import CrateWriter
from gdr_tui.app.feature import Host
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.ui.export_dialog import ExportDialog, Source
from gdr_tui.labels import asked_for
from gdr_tui.safe_text import counted, literal


def crate_track(track: Track, hit: Hit | None, prompt: str) -> CrateTrack:
    """A track as a crate keeps it, with the passage and the words that found it."""
    return CrateTrack(
        track.path,
        hit.title if hit and hit.section else track.title,
        hit.artist if hit else track.artist,
        track.album,
        track.genre,
        track.duration_s,
        hit.start_s if hit else 0.0,
        prompt,
    )


class CratesFeature:
    """Marks tracks, and opens the screen of the crates."""

    def __init__(
        self, host: Host, writer: CrateWriter, play: Callable[[Path, float], object]
    ) -> None:
        """Read nothing yet.

        Args:
            host: the main screen.
            writer: reads and writes the notebook.
            play: plays a file from a second on, or pauses it.
        """
        self._host = host
        self._writer = writer
        self._play = play
        self._screen: CratesScreen | None = None
        self.state = CrateShelf()

    def show(self, node: Node, *, keep: bool) -> None:
        """Do nothing: the crates do not depend on the query."""

    def take(self, message: Message) -> None:
        """Show what is in the crates; read them again if they were changed meanwhile."""
        if not isinstance(message, CratesRead):
            return
        if message.changes >= 0 and message.changes != self.state.changes:
            self._read_again()
            return
        self.state.restore(message.kept, self._writer.write)
        self._host.refresh_status()
        if self._screen:
            self._screen.show()

    def read(self) -> None:
        """Read the crates as earlier sessions left them."""
        self._writer.read(lambda kept: self._host.post_message(CratesRead(kept)))

    def mark(self, track: Track, hit: Hit | None) -> str:
        """Add a track to the chosen crate or remove it; returns a sentence about it."""
        added = self.state.toggle(crate_track(track, hit, self._prompt))
        self._host.refresh_status()
        verb, where = ("added", "to") if added else ("removed", "from")
        return f"{verb} {track.name} {where} “{self.state.chosen}”"

    @property
    def summary(self) -> str:
        """Where marks go, with how many there are."""
        name = self.state.chosen
        return f"{literal(name)} {len(self.state.marked):,}" if name else ""

    def action_mark(self) -> None:
        """Add the chosen track to the crate or remove it, and move to the next line."""
        rows = self._host.rows
        if rows.track is None:
            return
        had_crate = bool(self.state.chosen)
        self.mark(rows.track, rows.hit)
        if not had_crate:
            self._host.say(
                f"added to the crate “{self.state.chosen}”; M renames it or makes others"
            )
        rows.move(1)

    def action_crates(self) -> None:
        """Show the crates, to change them and to choose where marks go."""
        self._read_again()

        def play(track: CrateTrack) -> None:
            self._play(track.path, track.start_s)

        def closed(_: None) -> None:
            self._screen = None
            self._host.refresh_status()

        self._screen = CratesScreen(self.state, play, self._host.say)
        self._host.open(self._screen, closed)

    def action_export(self) -> None:
        """Write the marked results, all of them, or the crate."""
        sources = [*self._result_sources(), *self._crate_sources()]
        if not sources:
            self._host.say("there are no results to export; search first")
            return

        def report(sentence: str | None) -> None:
            if sentence:
                self._host.say(sentence)

        self._host.open(ExportDialog(sources), report)

    def _read_again(self) -> None:
        """Read the crates again, since other programs change them too."""
        if self.state.restored:
            changes = self.state.changes
            self._writer.read(lambda kept: self._host.post_message(CratesRead(kept, changes)))

    def _result_sources(self) -> list[Source]:
        results = self._host.listed
        if results is None or not results.hits:
            return []
        marked = self.state.marked & {hit.track.path for hit in results.hits}

        def source(which: str, only: frozenset[Path]) -> Source:
            def write(typed: str, replace: bool, style: export.Style) -> str:
                tracks = export.of_results(results, only)
                return export.write_list(Path(typed), tracks, replace=replace, style=style)

            count = len(only) or len(results.hits)
            what = f"{which} {counted(count, 'result')}"
            return Source(what, export.suggested_target(self._prompt), write)

        return [*([source("marked:", marked)] if marked else []), source("all", frozenset())]

    def _crate_sources(self) -> list[Source]:
        return [crate_source(self.state, self.state.chosen)] if self.state.marked else []

    @property
    def _prompt(self) -> str:
        node = self._host.node
        return asked_for(node.ask.steering) if node else ""
