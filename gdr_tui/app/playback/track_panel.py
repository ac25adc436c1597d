"""The chosen track: its tags, its waveform, and why it was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from gdr_model.types import Array, Hit, Results, Track
from gdr_tui.app.playback.waveform import Waveform
from gdr_tui.app.values import from_home
from gdr_tui.rows import copies_note
from gdr_tui.safe_text import clock, literal

_NO_PROFILE = np.zeros(0, np.float32)


def tags(track: Track) -> str:
    """Tags and length of a track, in one line."""
    parts = [track.artist, track.album, track.genre, str(track.year or "")]
    shown = [literal(part) for part in parts if part.strip()]
    shown.append(clock(track.duration_s))
    if track.loudness_db is not None:
        shown.append(f"{track.loudness_db:.0f} dB")
    return " · ".join(shown)


def why(hit: Hit, results: Results) -> list[str]:
    """Why a track was found, one reason per line."""
    query = results.query
    draws = len(query.vectors) or query.steering.draws
    votes = f" · {hit.votes} of {draws} draws found it" if query.steering.worded else ""
    lines = [
        f"score {hit.score:.3f}{votes}",
        f"best passage {clock(hit.start_s)}–{clock(hit.end_s)}",
    ]
    if len(hit.profile):
        best = int(np.argmax(hit.profile))
        lines[1] += f" · best second {clock(best)} ({float(hit.profile[best]):.2f})"
    if query.round_trip is not None:
        lines.append(f"edited from {clock(query.source_start_s or 0)} of the source")
        lines[-1] += f" · round trip {1 - query.round_trip:.3f}"
    if query.steering.worded:
        lines.append(f"draw agreement {results.agreement:.2f}")
    if hit.copies:
        lines.append(copies_note(hit.copies))
    return lines


class TrackPanel(Vertical):
    """The right half of the screen, or below the results on a narrow one."""

    BORDER_TITLE = "track"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.track: Track | None = None
        self.waveform = Waveform(id="waveform")

    def compose(self) -> ComposeResult:
        """Name, tags, waveform, reasons."""
        yield Static(id="chosen-name", markup=False)
        yield Static(id="chosen-tags", markup=False)
        yield self.waveform
        yield Static(id="chosen-why", markup=False)
        yield Static(id="chosen-path", markup=False)

    def show(self, track: Track | None, hit: Hit | None, results: Results | None) -> None:
        """Show a track; its waveform follows once it is computed."""
        fresh = track is None or self.track is None or track.path != self.track.path
        self.track = track
        reasons = why(hit, results) if hit and results else []
        self._put("name", literal(hit.name if hit else track.name) if track else "")
        self._put("tags", tags(track) if track else "")
        self._put("why", "\n".join(reasons))
        self._put("path", literal(from_home(track.path)) if track else "")
        passage = (hit.start_s, hit.end_s) if hit else (0.0, 0.0)
        profile = hit.profile if hit else _NO_PROFILE
        self.waveform.show(track.duration_s if track else 0.0, passage, profile, fresh=fresh)

    def show_peaks(self, path: Path, peaks: Array) -> None:
        """Show the waveform, unless the cursor has moved on."""
        if self.track and self.track.path == path:
            self.waveform.show_peaks(peaks)

    def show_note(self, path: Path, note: str) -> None:
        """Show why there is no waveform, unless the cursor has moved on."""
        if self.track and self.track.path == path:
            self.waveform.show_note(note)

    def _put(self, part: str, text: str) -> None:
        self.query_one(f"#chosen-{part}", Static).update(Content(text))
