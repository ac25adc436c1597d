"""Inputs of one line that lose nothing of what is typed or pasted."""

from __future__ import annotations

from textual import events
from textual.binding import NoBinding
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Input

from gdr_tui.app.ui.pasted import dropped, one_line


class Box(Input):
    """Textual's `Input`, with every key handled before those that follow it, and lines joined.

    Textual handles a letter at once but lets every other key bubble up to the app first, so when
    keys come in a burst (a script, a slow connection) the letters would overtake the others. Of
    pasted lines it takes the first. It also lays the whole screen out for every letter, which takes
    longer than all else from key to paint; none of our inputs grows with its text.
    """

    virtual_size = reactive(Size(0, 0))

    def paste(self, text: str) -> None:
        """Put pasted text in, in place of what is selected."""
        self.replace(one_line(text), *self.selection)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.paste(event.text)

    async def _on_key(self, event: events.Key) -> None:
        try:
            bindings = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            return
        event.stop()
        event.prevent_default()
        for binding in bindings:
            await self.run_action(binding.action)


class PathBox(Box):
    """A box for a path; one that is dropped on it loses its quotes."""

    def paste(self, text: str) -> None:
        """Put a path in."""
        paths = dropped(text)
        super().paste(paths[0] if len(paths) == 1 else text)
