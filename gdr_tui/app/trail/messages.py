"""What threads report about the trail."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.notebook.trails import KeptTrail
from gdr_tui.app.messages import Report
from gdr_tui.app.values import Prints


@dataclass
class TrailRead(Report):
    """The trail as earlier sessions left it."""

    kept: KeptTrail


@dataclass
class PrintsRead(Report):
    """Fingerprints of model and libraries, which a saved trail records besides its queries."""

    prints: Prints
