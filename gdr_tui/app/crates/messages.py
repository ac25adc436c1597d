"""What the notebook's thread reports about crates."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_tui.app.crates.state import KeptCrates
from gdr_tui.app.messages import Report


@dataclass
class CratesRead(Report):
    """The crates as the notebook has them."""

    kept: KeptCrates
    changes: int = -1
    """What `CrateShelf.changes` was when they were read; -1 the first time."""
