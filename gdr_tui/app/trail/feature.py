"""The trail on the screen: go back and forth, compare, name, hide, save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from gdr_model import atomic
from gdr_model.types import Results
from gdr_tui import export
from gdr_tui.app.feature import Host
from gdr_tui.app.trail.compare_dialog import CompareDialog
from gdr_tui.app.trail.jobs import TrailJobs
from gdr_tui.app.trail.list import TrailList
from gdr_tui.app.trail.messages import PrintsRead, TrailRead
from gdr_tui.app.trail.save import saved
from gdr_tui.app.trail.trail import Node, Trail
from gdr_tui.app.trail.writer import TrailWriter
from gdr_tui.app.ui.export_dialog import ExportDialog, Source
from gdr_tui.app.ui.listing import Listing
from gdr_tui.app.ui.name_dialog import NameDialog
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path


class TrailFeature:
    """The tree of queries, with its keys."""

    def __init__(
        self,
        host: Host,
        jobs: TrailJobs,
        writer: TrailWriter,
        trail: Trail,
        go_to: Callable[[Node], object],
        entitle: Callable[[Results, str], object],
        k: int,
    ) -> None:
        """Read nothing yet.

        Args:
            host: the main screen.
            jobs: compute on threads.
            writer: reads and writes the notebook.
            trail: the queries, to which searching adds.
            go_to: makes a query current and shows it.
            entitle: puts a note into the title over some results.
            k: how many results a saved query is replayed with.
        """
        self._host = host
        self._jobs = jobs
        self._writer = writer
        self._go_to = go_to
        self._entitle = entitle
        self._k = k
        self.state = trail
        self.tree = TrailList(id="trail")

    def show(self, node: Node, *, keep: bool) -> None:
        """Show the tree, and over the results which query the A / B key flips to."""
        self.tree.show(self.state)
        self._name_other()

    def take(self, message: Message) -> None:
        """Show the trail that was read; go to a query that was chosen."""
        match message:
            case TrailRead():
                self.state.restore(message.kept, self._writer)
                self.tree.show(self.state)
            case Listing.Chosen(listing=self.tree):
                self.go_to_chosen()
            case PrintsRead():
                self._ask_where_to(message)

    def read(self) -> None:
        """Read the trail that earlier sessions left; queries are saved from then on."""
        self._writer.read(lambda kept: self._host.post_message(TrailRead(kept)))

    def action_focus(self) -> None:
        """Choose in the trail."""
        self.tree.open()

    # Back and forth

    def action_undo(self) -> None:
        """Go back to the query this one came from."""
        self._go(self.state.undo(), "this is where the session began")

    def action_redo(self) -> None:
        """Go forward again."""
        self._go(self.state.redo(), "there is nothing to redo")

    def go_to_chosen(self) -> None:
        """Go to the query under the trail's cursor."""
        self._go(self.tree.node, "the trail is empty; search first")

    def _go(self, node: Node | None, otherwise: str) -> None:
        if node is None:
            self._host.say(otherwise)
        else:
            self._go_to(node)

    # Comparing

    def action_compare(self) -> None:
        """What came, went and moved since another query: the one chosen, else the one before."""
        trail = self.state
        node = trail.current
        other = trail.other if trail.other is not node else None
        if self.tree.has_focus and self.tree.node is not node:
            other = trail.other = self.tree.node
            self.tree.show(trail, stay=True)
        if node and other is None:
            other = node.parent
        if node is None or other is None:
            self._host.say("nothing to compare with yet; change the query first")
            return
        trail.other = other
        self._name_other()
        self._host.open(CompareDialog(other, node))

    def action_flip(self) -> None:
        """Flip between the current query and the one it is compared with."""
        trail = self.state
        here = trail.current
        other = trail.other if trail.other is not here else None
        if here is None or (other := other or here.parent) is None:
            self._host.say("nothing to flip to yet; change the query first")
            return
        trail.other = here
        self._go_to(other)

    def _name_other(self) -> None:
        node, other = self.state.current, self.state.other
        if node and other and other is not node:
            self._entitle(node.results, f"\\ {literal(other.title)}")

    # The tree

    def action_name(self) -> None:
        """Name the query under the cursor."""
        node = self.tree.node
        if node is None:
            return

        def take(name: str | None) -> None:
            if name is not None:
                self.state.rename(node, name if name != node.label else "")
                self.tree.show(self.state, stay=True)

        explained = f"leave empty to use what changed: {literal(node.label)}"
        self._host.open(NameDialog(node.title, explained), take)

    def action_fold(self) -> None:
        """Fold or unfold the queries below the one under the cursor."""
        node = self.tree.node
        if node and node.children:
            node.folded = not node.folded
            self.tree.show(self.state, stay=True)

    def action_hide(self) -> None:
        """Hide the branch under the cursor."""
        node = self.tree.node
        if node is None:
            return
        if not self.state.hide(node):
            self._host.say("the current query is in this branch; go to another branch first")
            return
        self.tree.show(self.state, stay=True)
        self._host.say("hidden; D shows it again")

    def action_unhide(self) -> None:
        """Bring back the hidden branch whose query was asked last."""
        node = self.state.unhide()
        if node is None:
            self._host.say("nothing is hidden")
            return
        self.tree.show(self.state, at=node)

    # Saving

    def action_save(self) -> None:
        """Save the trail in a file that `gdr replay` replays."""
        if not len(self.state):
            self._host.say("the trail is empty; search first")
            return
        if not self._host.has_model:
            self._host.say("the model is still loading; try again in a moment")
            return
        self._jobs.prints()

    def _ask_where_to(self, read: PrintsRead) -> None:
        """Ask for a file and write the trail."""
        trail = saved(self.state, read.prints, self._k)

        def write(typed: str, replace: bool, _style: export.Style) -> str:
            with typed_path(typed):
                target = Path(typed).expanduser()
                if target.suffix.lower() != ".json":
                    raise export.wrong_ending((".json",))
                if target.exists() and not replace:
                    raise export.already_there(target)
                atomic.write_text(target, trail.to_json())
            return f"wrote {len(trail.queries):,} queries to {literal(str(target))}"

        def report(sentence: str | None) -> None:
            if sentence:
                self._host.say(sentence)

        count = len(trail.queries)
        what = f"{count:,} quer{'y' if count == 1 else 'ies'}, for gdr replay"
        target = export.suggested_target("session").with_suffix(".json")
        self._host.open(ExportDialog([Source(what, target, write)], (".json",)), report)
