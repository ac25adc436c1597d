"""What is heard: playing, auditioning while moving, seeking, looping, volume."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.timer import Timer

from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.playback.jobs import Moment
from gdr_tui.app.playback.messages import SoundAhead, SoundReady
from gdr_tui.app.playback.reveal import RevealError, reveal
from gdr_tui.app.playback.waveform import Waveform
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import literal

LINGER_S = 0.12
"""The cursor has rested on a result: it is auditioned, and its neighbours are made ready."""
AROUND = (0, 1, -1, 2)
"""Results made ready, seen from the cursor, in this order."""
VOLUME_STEP = 0.1


class ListeningScreen(SearchScreen):
    """The search screen with ears."""

    audition = False
    """Whether moving in the results plays the passage under the cursor."""
    looping = False
    """Whether the matching passage is repeated."""
    _lingering: Timer | None = None

    def on_mount(self) -> None:
        """Take over what the settings say; `SearchScreen` mounts the rest."""
        self.audition, self.playback.volume = self._settings.audition, self._settings.volume
        self._tell_listening()

    # Playing

    @on(Listing.Chosen, "#results")
    def action_play(self) -> None:
        """Play from the matching passage; pause; go on."""
        if moment := self._moment():
            self.playback.toggle(*moment)
            self._loop_again()
            self._follow_playhead()

    def action_play_next(self, by: int) -> None:
        """Move in the results and play what is there."""
        self.results.move(by)
        self._play_here()

    def _play_here(self) -> None:
        if (moment := self._moment()) and not self.playback.silent:
            self.playback.play(*moment)
            self._loop_again()
            self._follow_playhead()

    def _moment(self, by: int = 0) -> Moment | None:
        """Where the result `by` lines from the cursor would be played from."""
        return self.results.moment(self.results.cursor + by)

    @on(Listing.Moved, "#results")
    def linger(self) -> None:
        """Make ready what may be played next, once the cursor rests; audition it if wanted."""
        if self._lingering:
            self._lingering.stop()
        self._lingering = self.set_timer(LINGER_S, self._lingered)

    def _lingered(self) -> None:
        here = self._moment()
        if self.audition and here and here[0] != self.playback.path:
            self._play_here()
        around = [moment for by in AROUND if (moment := self._moment(by))]
        if self.playback.path is not None:  # nobody who never played wants the work
            self.playback.prepare(around)

    def action_audition(self) -> None:
        """Play while moving, or no more."""
        self.audition = not self.audition
        if self.audition:
            self._play_here()
        else:
            self.playback.stop()
        self._tell_listening()

    # The playhead

    @on(SoundReady)
    def play_on(self, ready: SoundReady) -> None:
        """Hand the player its sound."""
        self.playback.take(ready)

    @on(SoundAhead)
    def keep_sound(self, ahead: SoundAhead) -> None:
        """Keep what may be played next."""
        self.playback.keep(ahead)

    @on(Waveform.Seek)
    def seek_to(self, seek: Waveform.Seek) -> None:
        """Play on from where the waveform was clicked."""
        self._seek(seek.to_s)

    def action_seek(self, by_s: int) -> None:
        """Move the playhead of the chosen track."""
        if moment := self._moment():
            here = moment[0] == self.playback.path
            self._seek((self.playback.position_s if here else moment[1]) + by_s)

    def _seek(self, to_s: float) -> None:
        if track := self.results.track:
            self.playback.seek(track.path, to_s, track.duration_s)
            self._follow_playhead()

    def action_loop(self) -> None:
        """Repeat the matching passage, or play on."""
        if self.playback.external:
            self.say("the external player plays on: it cannot be told to repeat a passage")
            return
        self.looping = not self.looping
        self._loop_again()
        self._tell_listening()

    def _loop_again(self) -> None:
        hit = self.results.hit
        own = hit is not None and hit.track.path == self.playback.path
        self.playback.loop((hit.start_s, hit.end_s) if self.looping and hit and own else None)

    def action_volume(self, sign: int) -> None:
        """Louder or softer."""
        if self.playback.external:
            self.say("the external player has its own volume")
            return
        louder = round(self.playback.volume + sign * VOLUME_STEP, 2)
        self.playback.volume = min(1.0, max(0.0, louder))
        self._tell_listening()

    def _tell_listening(self) -> None:
        """Say in the status line how it is listened."""
        parts = ["audition"] if self.audition else []
        parts += ["loop"] if self.looping else []
        gain = self.playback.volume
        parts += [f"vol {gain:.0%}".replace("%", " %")] if gain < 1 else []
        self.status.state.listening = " ".join(parts)
        self.status.refresh()

    # The file

    def action_reveal(self) -> None:
        """Show the chosen file in the folder it lies in."""
        if track := self.results.track:
            self.reveal(track.path)

    def reveal(self, path: Path) -> None:
        """Show a file in the folder it lies in."""
        try:
            reveal(path, self._settings.opener)
        except RevealError as error:
            self.say(str(error), problem=True)
            return
        self.say(f"opened {literal(str(path.parent))}")
