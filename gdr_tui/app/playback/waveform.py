"""The waveform widget: waveform, playhead and, below, how well each second matches."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from textual import events
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from gdr_model.types import Array
from gdr_tui.app.messages import FeatureMessage
from gdr_tui.safe_text import clock, fit

_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)
"""Bits of a braille cell's two columns, from the lowest dot up."""
_STEPS = "▁▂▃▄▅▆▇█"
SMALLEST_SPAN = 0.1
"""A profile flatter than this is not stretched to full height, which would magnify noise."""


def braille(peaks: Array, columns: int, rows: int) -> list[str]:
    """Peaks (N, 2) as `rows` lines of `columns` braille cells, loudest sample at full height."""
    if not len(peaks):
        return [" " * columns] * rows
    edges = np.linspace(0, len(peaks), columns * 2 + 1).astype(int)
    starts = np.minimum(edges[:-1], len(peaks) - 1)
    low = np.minimum.reduceat(peaks[:, 0], starts)
    high = np.maximum.reduceat(peaks[:, 1], starts)
    half = rows * 2
    scale = half / max(float(np.abs(peaks).max()), 1e-4)
    bottom = np.clip(np.floor(half + low * scale), 0, half - 1).astype(int)
    top = np.clip(np.ceil(half + high * scale), half + 1, 2 * half).astype(int)
    lines = []
    for row in reversed(range(rows)):
        cells = np.zeros(columns, int)
        for dot in range(4):
            on = (bottom <= row * 4 + dot) & (row * 4 + dot < top)
            cells |= on[0::2] * _LEFT[dot] | on[1::2] * _RIGHT[dot]
        lines.append("".join(chr(0x2800 + cell) for cell in cells))
    return lines


def levels(profile: Array, columns: int) -> list[int]:
    """The profile (T,) reduced to `columns` heights from 0 to 7, keeping each best second."""
    if not len(profile):
        return []
    edges = np.linspace(0, len(profile), columns + 1).astype(int)
    best = np.maximum.reduceat(profile, np.minimum(edges[:-1], len(profile) - 1))
    low, high = float(profile.min()), float(profile.max())
    share = (best - low) / max(high - low, SMALLEST_SPAN)
    return [int(height) for height in np.clip(np.round(share * 7), 0, 7)]


class Waveform(Widget):
    """A waveform; a click seeks."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "waveform--rest",
        "waveform--passage",
        "waveform--played",
        "waveform--head",
        "waveform--time",
        "waveform--heat-0",
        "waveform--heat-1",
        "waveform--heat-2",
        "waveform--heat-3",
    }

    position_s: reactive[float | None] = reactive(None)
    """The playhead; None if this track is not playing or paused."""

    class Seek(FeatureMessage):
        """A moment was clicked."""

        def __init__(self, to_s: float) -> None:
            super().__init__()
            self.to_s = to_s

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._peaks: Array = np.zeros((0, 2), np.float32)
        self._profile: Array = np.zeros(0, np.float32)
        self._passage = (0.0, 0.0)
        self._duration_s = 0.0
        self._note = ""
        self._rendered: tuple[tuple[int, int], list[str]] | None = None

    def show(
        self, duration_s: float, passage: tuple[float, float], profile: Array, *, fresh: bool
    ) -> None:
        """Show a track's passage and profile; the peaks of a new track come later."""
        self._duration_s, self._passage, self._profile = duration_s, passage, profile
        if fresh:
            self.show_peaks(np.zeros((0, 2), np.float32))
        self.refresh()

    def show_peaks(self, peaks: Array) -> None:
        """Show the waveform."""
        self._peaks, self._note, self._rendered = peaks, "", None
        self.refresh()

    def show_note(self, note: str) -> None:
        """Show why there is no waveform."""
        self._note = note
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Seek to the moment under the pointer."""
        if self._duration_s and self.size.width:
            x = event.get_content_offset_capture(self).x
            self.post_message(self.Seek(self._duration_s * (x + 0.5) / self.size.width))

    def _column(self, at_s: float) -> int:
        return int(at_s / max(self._duration_s, 1e-6) * self.size.width)

    def render_line(self, y: int) -> Strip:
        """Render waveform rows, then the profile, then the times if there is room."""
        width, height = self.size
        has_times = height >= 5
        rows = max(1, height - 1 - has_times)
        if not self._duration_s:
            return Strip.blank(width, self.rich_style)
        if y < rows:
            return self._wave_line(y, width, rows)
        return self._heat_line(width) if y == rows else self._time_line(width)

    def _wave_line(self, y: int, width: int, rows: int) -> Strip:
        """A row of the waveform, coloured by part and cut by the playhead."""
        if not len(self._peaks):
            text = self._note if y == rows // 2 else ""
            return self._strip(
                [(fit(text, min(len(text), width)).center(width), "waveform--time")], width
            )
        if self._rendered is None or self._rendered[0] != (width, rows):
            self._rendered = ((width, rows), braille(self._peaks, width, rows))
        line = self._rendered[1][y]
        begin, end = (self._column(at) for at in self._passage)
        head = -1 if self.position_s is None else min(self._column(self.position_s), width - 1)
        cuts = sorted({0, width, *(c for c in (begin, end, head, head + 1) if 0 < c < width)})
        pieces = []
        for left, right in pairwise(cuts):
            part = "passage" if begin <= left < max(end, begin + 1) else "rest"
            part = "played" if left < head and part == "passage" else part
            text = "┃" if left == head else line[left:right]
            pieces.append((text, f"waveform--{'head' if left == head else part}"))
        return self._strip(pieces, width)

    def _heat_line(self, width: int) -> Strip:
        """How well each second matches, low to high."""
        pieces = [(_STEPS[n], f"waveform--heat-{n // 2}") for n in levels(self._profile, width)]
        return self._strip(pieces, width)

    def _time_line(self, width: int) -> Strip:
        """Playhead, start of the passage, and length."""
        total = clock(self._duration_s)
        now = "" if self.position_s is None else clock(self.position_s)
        begin = clock(self._passage[0]) if self._passage[1] else ""
        line = list(now.ljust(width))
        at = min(max(self._column(self._passage[0]), len(now) + 1 if now else 0), width)
        if at + len(begin) < width - len(total):
            line[at : at + len(begin)] = begin
        line[width - len(total) :] = total
        return self._strip([("".join(line), "waveform--time")], width)

    def _strip(self, pieces: list[tuple[str, str]], width: int) -> Strip:
        segments = [Segment(text, self.get_component_rich_style(name)) for text, name in pieces]
        return Strip(segments).adjust_cell_length(width, self.rich_style)
