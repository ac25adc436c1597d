"""A line of hints about the keys of a screen, each of which can be clicked too."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style

Hints = tuple[tuple[str, str], ...]
"""Text, and the action of the screen that a click runs; "" for none."""


def clickable(hints: Hints) -> Content:
    """The hints, separated by dots."""
    parts = [
        Content.styled(said, Style.from_meta({"@click": f"screen.{act}"}) if act else "")
        for said, act in hints
    ]
    return Content(" · ").join(parts)
