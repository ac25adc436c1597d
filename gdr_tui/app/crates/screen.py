"""The crates screen: choose where marks go; make, rename and empty crates; order their tracks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gdr_model.notebook.crates import CrateTrack
from gdr_tui import export
from gdr_tui.app import keys
from gdr_tui.app.crates.list import CrateList, CrateTrackList
from gdr_tui.app.crates.state import CrateShelf
from gdr_tui.app.ui.export_dialog import ExportDialog, Source
from gdr_tui.app.ui.hints import Hints, clickable
from gdr_tui.app.ui.listing import Listing
from gdr_tui.app.ui.name_dialog import NameDialog
from gdr_tui.safe_text import clock, counted, literal

IN_CRATES: Hints = (
    ("Enter choose", "enter"),
    ("n new", "make"),
    ("R rename", "name"),
    ("d delete", "remove"),
    ("u undo", "undo"),
    ("→ tracks", "turn('crate-tracks')"),
    ("e export", "export"),
)
IN_TRACKS: Hints = (
    ("Enter play", "enter"),
    ("J", "shift(1)"),
    ("K order", "shift(-1)"),
    ("d remove", "remove"),
    ("u undo", "undo"),
    ("← crates", "turn('crates')"),
    ("e export", "export"),
    ("Esc back", "leave"),
)


def crate_source(shelf: CrateShelf, name: str) -> Source:
    """A crate as something to export."""
    tracks = shelf.tracks(name)

    def write(typed: str, replace: bool, style: export.Style) -> str:
        listed = export.of_crate(name, tracks)
        return export.write_list(Path(typed), listed, replace=replace, style=style)

    what = f"crate {literal(name)}: {counted(len(tracks), 'track')}"
    return Source(what, export.suggested_target(name), write)


class CratesScreen(ModalScreen[None]):
    """Crates at the left, the tracks of the one under the cursor at the right."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MOVES, *keys.CRATES]

    def __init__(
        self,
        shelf: CrateShelf,
        play: Callable[[CrateTrack], object],
        say: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._shelf = shelf
        self._play = play
        self._say = say

    def compose(self) -> ComposeResult:
        """Two lists and a line of hints."""
        with Horizontal(id="crates-both"):
            yield CrateList(id="crates")
            yield CrateTrackList(id="crate-tracks")
        yield Static(id="crates-hint")

    def on_mount(self) -> None:
        """Start on the crate that marks go to."""
        self.show(self._shelf.chosen)
        self.crates.focus()

    @property
    def crates(self) -> CrateList:
        """The list at the left."""
        return self.query_one(CrateList)

    @property
    def tracks(self) -> CrateTrackList:
        """The list at the right."""
        return self.query_one(CrateTrackList)

    def show(self, at: str = "") -> None:
        """Show everything as it is now; the cursor goes to a crate."""
        if self.query(CrateTrackList):  # otherwise it is shown once it is mounted
            self.crates.show(self._shelf, at or self.crates.crate)
            self._show_tracks()

    @on(Listing.Moved, "#crates")
    def _show_tracks(self) -> None:
        name = self.crates.crate
        tracks = self._shelf.tracks(name)
        total = f" · {len(tracks):,} · {clock(sum(track.duration_s for track in tracks))}"
        self.tracks.border_title = Content((literal(name) or "crate") + total * bool(tracks))
        self.tracks.show(tracks)

    def on_descendant_focus(self) -> None:
        """Show what the keys do in the focused list."""
        hints = IN_TRACKS if self.in_tracks else IN_CRATES
        self.query_one("#crates-hint", Static).update(clickable(hints))

    @property
    def in_tracks(self) -> bool:
        """Whether keys go to the list at the right."""
        return self.tracks.has_focus

    # Moving about

    def action_move(self, by: int) -> None:
        """Move in the focused list."""
        (self.tracks if self.in_tracks else self.crates).move(by)

    def action_turn(self, to: str) -> None:
        """Go to the other list."""
        self.query_one(f"#{to}").focus()

    def action_leave(self) -> None:
        """Back to the search."""
        self.dismiss(None)

    # Crates

    @on(Listing.Chosen, "#crates")
    def _choose(self) -> None:
        if name := self.crates.crate:
            self._shelf.choose(name)
            self._say(f"marks go to “{name}” from now on")
            self.show()

    def action_enter(self) -> None:
        """Choose the crate for marks, or play the track."""
        if self.in_tracks:
            self.action_play()
        else:
            self._choose()

    def action_make(self) -> None:
        """Make a crate and choose it for marks."""

        def take(name: str | None) -> None:
            if name is not None:
                name = self._shelf.make(name)
                self._shelf.choose(name)
                self.show(name)

        self.app.push_screen(NameDialog("", "marks will go to it", self._shelf.check), take)

    def action_name(self) -> None:
        """Rename the crate."""
        before = self.crates.crate
        if not before:
            return

        def check(typed: str) -> None:
            if typed.strip() != before:
                self._shelf.check(typed)

        def take(name: str | None) -> None:
            if name is not None:
                self._shelf.rename(before, name)
                self.show(name.strip())

        self.app.push_screen(NameDialog(before, "files are not touched", check), take)

    def action_remove(self) -> None:
        """Remove the track from the crate, or delete the crate."""
        name = self.crates.crate
        if self.in_tracks:
            if track := self.tracks.track:
                self._shelf.remove(name, track.path)
                self._say(f"removed {track.name} from {name}; u undoes it")
        elif name:
            self._shelf.delete(name)
            self._say(f"deleted the crate {name}; u undoes it")
        self.show()

    def action_undo(self) -> None:
        """Undo the last change; again for the one before."""
        self._say(self._shelf.undo() or "there is nothing to undo")
        self.show()

    # Tracks

    def action_shift(self, by: int) -> None:
        """Move the track up or down in its crate."""
        if track := self.tracks.track:
            to = self._shelf.move(self.crates.crate, track.path, by)
            self.show()
            self.tracks.cursor = to

    @on(Listing.Chosen, "#crate-tracks")
    def action_play(self) -> None:
        """Play the track from the matching passage, or pause."""
        if track := self.tracks.track:
            self._play(track)

    def action_export(self) -> None:
        """Export the crate."""
        name = self.crates.crate
        if not self._shelf.tracks(name):
            self._say("the crate is empty; there is nothing to export")
            return

        def report(sentence: str | None) -> None:
            if sentence:
                self._say(sentence)

        self.app.push_screen(ExportDialog([crate_source(self._shelf, name)]), report)
