"""An input that handles keys in the order they were pressed."""

from __future__ import annotations

from textual import events
from textual.binding import NoBinding
from textual.widgets import Input


class Box(Input):
    """Textual's `Input`, with Backspace and Enter handled before the letters that follow them.

    Textual handles a letter at once but lets every other key bubble up to the app first, so when
    keys come in a burst (a script, a slow connection) the letters would overtake the others.
    """

    async def _on_key(self, event: events.Key) -> None:
        try:
            bindings = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            return
        event.stop()
        event.prevent_default()
        for binding in bindings:
            await self.run_action(binding.action)
