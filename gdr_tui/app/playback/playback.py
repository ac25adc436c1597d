"""Playing, pausing and seeking: the state between the keys and the player.

A few seconds of each result around the cursor are decoded ahead of time, so that switching
between them only means handing over an array. Free of Textual.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from gdr_model.types import Array
from gdr_tui.app.playback.jobs import Moment, PlaybackJobs
from gdr_tui.app.playback.messages import SoundAhead, SoundReady
from gdr_tui.app.playback.player import RATE_HZ, ExternalPlayer, PlaybackError, Player

AHEAD = 8
"""Number of decoded beginnings kept, about four megabytes each."""


class Playback:
    """Decides between playing, pausing and decoding."""

    def __init__(
        self, player: Player | ExternalPlayer, jobs: PlaybackJobs, report: Callable[[str], None]
    ) -> None:
        """Play nothing yet.

        Args:
            player: plays.
            jobs: decode on threads.
            report: takes why there is no sound, each time; "" once there is sound again.
        """
        self._player = player
        self._jobs = jobs
        self._report = report
        self._number = 0
        self._ahead: OrderedDict[Moment, tuple[Array, bool]] = OrderedDict()
        self.silent = False
        """There was no sound when it was last wanted."""
        self.audition = False
        """Moving in the results plays the passage under the cursor."""
        self.looping = False
        """The matching passage is repeated."""

    @property
    def path(self) -> Path | None:
        """The file that is playing or paused."""
        return self._player.path

    @property
    def position_s(self) -> float:
        """Position of the playhead."""
        return self._player.position_s

    @property
    def playing(self) -> bool:
        """Whether the playhead moves."""
        return self._player.playing

    @property
    def external(self) -> bool:
        """Whether another program plays, whose loop and volume cannot be controlled."""
        return not self._player.streams

    @property
    def volume(self) -> float:
        """Gain, 0 to 1."""
        return self._player.volume

    @volume.setter
    def volume(self, gain: float) -> None:
        self._player.volume = gain

    @property
    def summary(self) -> str:
        """How results are played, where that is not the usual way."""
        parts = ["audition"] if self.audition else []
        parts += ["loop"] if self.looping else []
        parts += [f"vol {self.volume:.0%}".replace("%", " %")] if self.volume < 1 else []
        return " ".join(parts)

    def play(self, path: Path, start_s: float) -> None:
        """Play `path` from `start_s`, whatever was playing."""
        self._begin(path, start_s, self._player.play)

    def loop(self, span_s: tuple[float, float] | None) -> None:
        """Loop a span of what is playing, from its start if the playhead is elsewhere."""
        path = self._player.path
        if span_s and path and not span_s[0] <= self.position_s < span_s[1]:
            self.seek(path, span_s[0], span_s[1] + 1)
        self._player.loop(span_s)

    def prepare(self, moments: Sequence[Moment]) -> None:
        """Decode ahead the moments that may be played next."""
        missing = [moment for moment in moments if moment not in self._ahead]
        if missing and not self.external and not self.silent:
            self._jobs.ahead(missing)

    def keep(self, ahead: SoundAhead) -> None:
        """Keep a decoded beginning and drop the oldest."""
        self._ahead[ahead.moment] = ahead.sound, ahead.last
        while len(self._ahead) > AHEAD:
            self._ahead.popitem(last=False)

    def toggle(self, path: Path, start_s: float) -> None:
        """Play `path` from `start_s`; if it is already playing, pause or resume."""
        again = path == self._player.path and not self._player.ended
        if again and not self.silent:
            self._try(self._player.toggle)
        else:
            self._begin(path, self.position_s if again else start_s, self._player.play)

    def seek(self, path: Path, to_s: float, duration_s: float) -> None:
        """Move the playhead in `path`, starting playback there if another file is playing."""
        to_s = min(max(0.0, to_s), max(0.0, duration_s - 0.1))
        if path != self._player.path:
            self._begin(path, to_s, self._player.play)
        elif not self._player.seek(to_s):
            plays = self.playing or self.silent  # without sound, seeking tries it again
            self._begin(path, to_s, self._player.play if plays else self._player.cue)

    def take(self, ready: SoundReady) -> None:
        """Hand the player a decoded stretch."""
        if ready.number == self._number:
            self._player.extend(ready.start_s, ready.sound, last=ready.last)

    def stop(self) -> None:
        """Stop."""
        self._player.stop()

    def _begin(self, path: Path, start_s: float, act: Callable[[Path, float], object]) -> None:
        """Decode from `start_s` on, and play or wait there."""
        self._number += 1
        if not self._try(lambda: act(path, start_s)) or not self._player.streams:
            return
        if kept := self._ahead.get((path, start_s)):
            sound, last = kept
            self._player.extend(start_s, sound, last=last)
            if last:
                return
            start_s += len(sound) / RATE_HZ
        self._jobs.sound(self._number, path, start_s, lambda: self._player.position_s)

    def _try(self, act: Callable[[], object]) -> bool:
        """Whether there was sound; devices come and go, so it is tried each time."""
        before, why = self.silent, ""
        try:
            act()
        except PlaybackError as error:
            why = str(error)
        self.silent = bool(why)
        if self.silent or before:
            self._report(why)
        return not self.silent
