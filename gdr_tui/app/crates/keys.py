"""What the keys of crates do: mark across queries, open the crates, write a list out."""

from __future__ import annotations

from pathlib import Path

from textual import on

from gdr_model.notebook.crates import CrateTrack
from gdr_model.types import Hit, Track
from gdr_tui import export
from gdr_tui.app.crates.export import ExportScreen, Source
from gdr_tui.app.crates.messages import CratesRead
from gdr_tui.app.crates.screen import CratesScreen, counted, crate_source
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.safe_text import literal


def crate_track(track: Track, hit: Hit | None, prompt: str) -> CrateTrack:
    """A track as a crate keeps it, with the passage and the words that found it."""
    return CrateTrack(
        track.path,
        track.title,
        track.artist,
        track.album,
        track.genre,
        track.duration_s,
        hit.start_s if hit else 0.0,
        prompt,
    )


class CrateKeys(SearchScreen):
    """The search screen with the keys of crates."""

    @on(CratesRead)
    def show_crates(self, read: CratesRead) -> None:
        """Show what is in the crates; read again if that was changed meanwhile."""
        if read.changes != self.shelf.changes and read.changes >= 0:
            self._read_crates()
            return
        self.shelf.restore(read.kept, self.crate_writer.write)
        self.draw_status()
        if isinstance(self.app.screen, CratesScreen):
            self.app.screen.show()

    def _read_crates(self) -> None:
        """Other programs change crates, too."""
        if self.shelf.restored:
            changes = self.shelf.changes
            self.crate_writer.read(lambda kept: self.post_message(CratesRead(kept, changes)))

    def draw_status(self) -> None:
        """Draw where marks go, too."""
        name = self.shelf.chosen
        self.status.state.crate = f"{literal(name)} {len(self.shelf.marked):,}" if name else ""
        super().draw_status()

    def action_mark(self) -> None:
        """Put the chosen track into the crate, or take it out, and go on to the next line."""
        track, node = self.results.track, self.asking.trail.current
        if track is None:
            return
        had_crate = bool(self.shelf.chosen)
        prompt = node.ask.steering.prompt if node else ""
        self.shelf.toggle(crate_track(track, self.results.hit, prompt))
        if not had_crate:
            self.say(f"put into the crate “{self.shelf.chosen}”; M names it and makes others")
        self.results.move(1)
        self.draw_status()

    def action_crates(self) -> None:
        """See the crates, change them, choose where marks go."""
        self._read_crates()

        def closed(_: None) -> None:
            self.draw_status()

        screen = CratesScreen(self.shelf, self._play_from_crate, self.say)
        self.app.push_screen(screen, closed)

    def _play_from_crate(self, track: CrateTrack) -> None:
        self.playback.toggle(track.path, track.start_s)

    def action_export(self) -> None:
        """Write the marked results, all of them, or the crate."""
        sources = [*self._result_sources(), *self._crate_sources()]
        if not sources:
            self.say("there are no results to export: search first")
            return

        def tell(said: str | None) -> None:
            if said:
                self.say(said)

        self.app.push_screen(ExportScreen(sources), tell)

    def _result_sources(self) -> list[Source]:
        node = self.asking.trail.current
        if node is None or not node.results.hits:
            return []
        results, prompt = self.found or node.results, node.ask.steering.prompt
        marked = self.shelf.marked & {hit.track.path for hit in results.hits}

        def source(which: str, only: frozenset[Path]) -> Source:
            def write(typed: str, replace: bool, relative: bool) -> str:
                tracks = export.of_results(results, only)
                return export.write_list(Path(typed), tracks, replace=replace, relative=relative)

            count = len(only) or len(results.hits)
            what = f"{which} {counted(count, 'result')}"
            return Source(what, export.suggested_target(prompt), write)

        return [*([source("marked:", marked)] if marked else []), source("all", frozenset())]

    def _crate_sources(self) -> list[Source]:
        name = self.shelf.chosen
        return [crate_source(self.shelf, name)] if self.shelf.marked else []
