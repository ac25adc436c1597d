"""A line to type in that takes keys in the order they were pressed."""

from __future__ import annotations

from textual import events
from textual.binding import NoBinding
from textual.widgets import Input


class Box(Input):
    """Textual's `Input`, but Backspace and Enter do not arrive after the letters behind them.

    Textual takes in a letter at once and lets every other key bubble up to the app first, so of
    keys that come in one burst (a script, a slow connection) the letters went first.
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
