"""What the keys of the trail do: go back and forth, branch, name, compare, keep."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.content import Content
from textual.widgets import Input

from gdr_model import atomic
from gdr_tui import export
from gdr_tui.app.crates.export import ExportScreen, Source
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.trail.compare import CompareScreen
from gdr_tui.app.trail.list import TrailList
from gdr_tui.app.trail.messages import PrintsRead, TrailRead
from gdr_tui.app.trail.save import saved
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.ui.listing import Listing
from gdr_tui.app.ui.name import NameScreen
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path


class TrailKeys(SearchScreen):
    """The search screen with the keys of the trail."""

    @property
    def trail_list(self) -> TrailList:
        """The trail on the screen."""
        return self.query_one(TrailList)

    @on(TrailRead)
    def show_trail(self, read: TrailRead) -> None:
        """Show what earlier sittings asked; from now on what is asked is kept."""
        self.asking.trail.restore(read.kept, read.keeper)
        self.trail_list.show(self.asking.trail)

    def action_focus_trail(self) -> None:
        """Choose in the trail."""
        self.trail_list.open()

    # Back and forth

    def action_undo(self) -> None:
        """Back to the query this one came from."""
        self._stand(self.asking.trail.undo(), "this is where the sitting began")

    def action_redo(self) -> None:
        """Forward again."""
        self._stand(self.asking.trail.redo(), "there is nothing to redo")

    @on(Listing.Chosen, "#trail")
    def go_to_chosen(self) -> None:
        """Go to the query under the trail's cursor."""
        self._stand(self.trail_list.node, "the trail is empty; search first")

    def _stand(self, node: Node | None, otherwise: str) -> None:
        if node is None:
            self.say(otherwise)
            return
        self.settle()
        self.asking.stand_on(node)
        with self.prevent(Input.Changed):
            self.query_one("#prompt", Input).value = node.ask.steering.prompt
        self._show_node(keep=True)

    # Comparing

    def action_compare(self) -> None:
        """What came, went and moved beside another query: the one chosen, else the one before."""
        trail = self.asking.trail
        node = trail.current
        other = trail.other if trail.other is not node else None
        if self.trail_list.has_focus and self.trail_list.node is not node:
            other = trail.other = self.trail_list.node
            self.trail_list.show(trail, stay=True)
        if node and other is None:
            other = node.parent
        if node is None or other is None:
            self.say("nothing to compare with yet: change the query first")
            return
        trail.other = other
        self._name_other()
        self.app.push_screen(CompareScreen(other, node))

    def action_flip(self) -> None:
        """Between the current query and the one it is compared with."""
        trail = self.asking.trail
        here = trail.current
        other = trail.other if trail.other is not here else None
        if here is None or (other := other or here.parent) is None:
            self.say("nothing to flip to yet: change the query first")
            return
        trail.other = here
        self._stand(other, "")

    def _show_node(self, *, keep: bool) -> None:
        """Draw the query the trail stands on, and say what the key flips to."""
        super()._show_node(keep=keep)
        self._name_other()

    def _name_other(self) -> None:
        node, other = self.asking.trail.current, self.asking.trail.other
        if node and other and other is not node:
            found = f"results · {len(node.results.hits):,} of {node.results.tracks_searched:,}"
            # Content, because a name is never markup.
            self.results.border_title = Content(f"{found} · \\ {literal(other.title)}")

    # The tree

    def action_trail_name(self) -> None:
        """Call the query under the cursor something."""
        node = self.trail_list.node
        if node is None:
            return

        def take(name: str | None) -> None:
            if name is not None:
                self.asking.trail.rename(node, name if name != node.label else "")
                self.trail_list.show(self.asking.trail, stay=True)

        explained = f"empty calls it what changed: {literal(node.label)}"
        self.app.push_screen(NameScreen(node.title, explained), take)

    def action_trail_fold(self) -> None:
        """Hide or show what came of the query under the cursor."""
        node = self.trail_list.node
        if node and node.children:
            node.folded = not node.folded
            self.trail_list.show(self.asking.trail, stay=True)

    def action_trail_away(self) -> None:
        """Put the branch under the cursor away."""
        node = self.trail_list.node
        if node is None:
            return
        if not self.asking.trail.put_away(node):
            self.say("the list shown came of this query; go to another branch first")
            return
        self.trail_list.show(self.asking.trail, stay=True)
        self.say("put away; D brings it back")

    def action_trail_back(self) -> None:
        """Bring back the branch that was asked last of those put away."""
        node = self.asking.trail.bring_back()
        if node is None:
            self.say("nothing is put away")
            return
        self.trail_list.show(self.asking.trail, at=node)

    # Out of here

    def action_trail_write(self) -> None:
        """Write the trail to a file that `gdr replay` answers again."""
        if not len(self.asking.trail):
            self.say("the trail is empty; search first")
            return
        if not self.asking.has_model:
            self.say("the model is still loading; try again when it is there")
            return
        self._jobs.trail.prints()

    @on(PrintsRead)
    def ask_where_to(self, read: PrintsRead) -> None:
        """Ask for a file and write the session."""
        session = saved(self.asking.trail, read.prints, self._settings.results)

        def write(typed: str, replace: bool, _relative: bool) -> str:
            with typed_path(typed):
                target = Path(typed).expanduser()
                if target.suffix.lower() != ".json":
                    raise export.wrong_ending((".json",))
                if target.exists() and not replace:
                    raise export.already_there(target)
                atomic.write_text(target, session.to_json())
            return f"wrote {len(session.queries):,} queries to {literal(str(target))}"

        def tell(said: str | None) -> None:
            if said:
                self.say(said)

        count = len(session.queries)
        what = f"{count:,} quer{'y' if count == 1 else 'ies'}, for gdr replay"
        target = export.suggested_target("session").with_suffix(".json")
        self.app.push_screen(ExportScreen([Source(what, target, write)], (".json",)), tell)
