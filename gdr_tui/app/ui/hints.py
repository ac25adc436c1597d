"""A line that names the keys of a screen, each of which can be clicked as well."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style

Hints = tuple[tuple[str, str], ...]
"""What is said, and the action of the screen that a click runs; "" for none."""


def clickable(hints: Hints) -> Content:
    """The hints with a dot between two."""
    parts = [
        Content.styled(said, Style.from_meta({"@click": f"screen.{act}"}) if act else "")
        for said, act in hints
    ]
    return Content(" · ").join(parts)
