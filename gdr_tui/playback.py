"""Space, seek and the playhead: what lies between the keys and the player."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gdr_tui.jobs import Jobs
from gdr_tui.messages import SoundReady
from gdr_tui.player import ExternalPlayer, PlaybackError, Player


class Playback:
    """Decides between playing, pausing and decoding; says once that there is no sound."""

    def __init__(
        self, player: Player | ExternalPlayer, jobs: Jobs, complain: Callable[[str], None]
    ) -> None:
        self._player = player
        self._jobs = jobs
        self._complain = complain
        self._number = 0
        self.silent = False
        """No sound can be made here; already said."""

    @property
    def path(self) -> Path | None:
        """What plays or is paused."""
        return self._player.path

    @property
    def position_s(self) -> float:
        """Where the playhead is."""
        return self._player.position_s

    @property
    def playing(self) -> bool:
        """Whether the playhead moves."""
        return self._player.playing

    def toggle(self, path: Path, start_s: float) -> None:
        """Play `path` from `start_s`; if it is what plays, pause or go on."""
        if path == self._player.path and not self._player.ended and not self.silent:
            self._try(self._player.toggle)
        else:
            self._begin(path, start_s, self._player.play)

    def seek(self, path: Path, to_s: float, duration_s: float) -> None:
        """Move the playhead in `path`, starting it there if it is not what plays or is paused."""
        to_s = min(max(0.0, to_s), max(0.0, duration_s - 0.1))
        if path != self._player.path:
            self._begin(path, to_s, self._player.play)
        elif not self._player.seek(to_s):
            self._begin(path, to_s, self._player.play if self.playing else self._player.cue)

    def take(self, ready: SoundReady) -> None:
        """Give the player a stretch that was decoded for it."""
        if ready.number == self._number:
            self._player.extend(ready.start_s, ready.sound, last=ready.last)

    def stop(self) -> None:
        """Silence."""
        self._player.stop()

    def _begin(self, path: Path, start_s: float, act: Callable[[Path, float], object]) -> None:
        """Decode from `start_s` on, and play or wait there."""
        if self.silent:
            return
        self._number += 1
        self._try(lambda: act(path, start_s))
        if self._player.streams and not self.silent:
            self._jobs.sound(self._number, path, start_s, lambda: self._player.position_s)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except PlaybackError as error:
            self.silent = True
            self._complain(str(error))
