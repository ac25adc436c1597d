"""The chosen track: shown with its waveform, played, sought, looped, revealed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message
from textual.timer import Timer

from gdr_model.types import Array
from gdr_tui.app.feature import Host
from gdr_tui.app.playback.jobs import Moment, PlaybackJobs
from gdr_tui.app.playback.messages import PeaksReady, SoundAhead, SoundReady
from gdr_tui.app.playback.playback import Playback
from gdr_tui.app.playback.player import player_for
from gdr_tui.app.playback.reveal import RevealError, reveal
from gdr_tui.app.playback.track_panel import TrackPanel
from gdr_tui.app.playback.waveform import Waveform
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import literal

LOOK_S = 0.12
"""A waveform is computed once the cursor has rested this long."""
LINGER_S = 0.12
"""So is a result auditioned, and its neighbours made ready."""
AROUND = (0, 1, -1, 2)
"""Results made ready, counted from the cursor, in this order."""
KEPT_PEAKS = 200
VOLUME_STEP = 0.1
RESULTS = "results"
"""Id of the list whose track is the chosen one."""


class PlaybackFeature:
    """Shows and plays the track under the cursor of the results."""

    def __init__(
        self,
        host: Host,
        jobs: PlaybackJobs,
        settings: Settings,
        copy: Callable[[str], object],
    ) -> None:
        """Play nothing yet.

        Args:
            host: the main screen.
            jobs: decode on threads.
            settings: player, opener, volume and audition.
            copy: puts a text into the clipboard.
        """
        self._host = host
        self._jobs = jobs
        self._opener = settings.opener
        self._copy = copy
        self._resting: Timer | None = None
        self._lingering: Timer | None = None
        self.peaks: dict[Path, Array] = {}
        self.state = Playback(player_for(settings.player), jobs, self._report_sound)
        self.state.volume, self.state.audition = settings.volume, settings.audition
        self.panel = TrackPanel(id="chosen")

    def show(self, node: Node, *, keep: bool) -> None:
        """Do nothing: a query chooses a track by moving the cursor of the results."""

    def take(self, message: Message) -> None:
        """Follow the cursor of the results; play what is decoded."""
        match message:
            case Listing.Chosen() if message.listing.id == RESULTS:
                self._moved()
                self.action_play()
            case Listing.Moved() if message.listing.id == RESULTS:
                self._moved()
            case PeaksReady():
                self._show_peaks(message)
            case SoundReady():
                self.state.take(message)
            case SoundAhead():
                self.state.keep(message)
            case Waveform.Seek():
                self._seek(message.to_s)

    # The chosen track

    def _moved(self) -> None:
        """Show the track under the cursor; what takes time waits until the cursor rests."""
        rows = self._host.rows
        track = rows.track
        self.panel.show(track, rows.hit, self._host.listed)
        for timer in (self._resting, self._lingering):
            if timer:
                timer.stop()
        self._lingering = self._host.set_timer(LINGER_S, self._linger)
        if track is None:
            return
        if track.path in self.peaks:
            self.panel.show_peaks(track.path, self.peaks[track.path])
        else:
            self._resting = self._host.set_timer(LOOK_S, lambda: self._jobs.peaks(track.path))
        self.follow_playhead()

    def _show_peaks(self, ready: PeaksReady) -> None:
        """Show a waveform and keep it."""
        if ready.note:
            self.panel.show_note(ready.path, ready.note)
            return
        while len(self.peaks) >= KEPT_PEAKS:
            self.peaks.pop(next(iter(self.peaks)))
        self.peaks[ready.path] = ready.peaks
        self.panel.show_peaks(ready.path, ready.peaks)

    def follow_playhead(self) -> None:
        """Show the playhead, if it is in the chosen track."""
        track = self._host.rows.track
        here = track is not None and track.path == self.state.path and not self.state.silent
        self.panel.waveform.position_s = self.state.position_s if here else None

    # Playing

    def action_play(self) -> None:
        """Play from the matching passage; pause; resume."""
        if moment := self._moment():
            self.state.toggle(*moment)
            self._loop_again()
            self.follow_playhead()

    def action_play_next(self, by: int) -> None:
        """Move in the results and play what is there."""
        self._host.rows.move(by)
        self._play_here()

    def _play_here(self) -> None:
        if moment := self._moment():
            self.state.play(*moment)
            self._loop_again()
            self.follow_playhead()

    def _moment(self, by: int = 0) -> Moment | None:
        """Where the result `by` lines from the cursor would be played from."""
        rows = self._host.rows
        return rows.moment(rows.cursor + by)

    def _linger(self) -> None:
        """Audition the track if wanted, and make ready what may be played next."""
        here = self._moment()
        moved = here and here[0] != self.state.path
        if self.state.audition and moved and not self.state.silent:
            self._play_here()
        around = [moment for by in AROUND if (moment := self._moment(by))]
        if self.state.path is not None:  # nobody who never played wants the work
            self.state.prepare(around)

    def action_audition(self) -> None:
        """Play while moving, or stop that."""
        self.state.audition = not self.state.audition
        if self.state.audition:
            self._play_here()
        else:
            self.state.stop()
        self._host.refresh_status()

    # The playhead

    def action_seek(self, by_s: int) -> None:
        """Move the playhead of the chosen track."""
        if moment := self._moment():
            here = moment[0] == self.state.path
            self._seek((self.state.position_s if here else moment[1]) + by_s)

    def _seek(self, to_s: float) -> None:
        if track := self._host.rows.track:
            self.state.seek(track.path, to_s, track.duration_s)
            self.follow_playhead()

    def action_loop(self) -> None:
        """Repeat the matching passage, or play on."""
        if self.state.external:
            self._host.say("the external player cannot loop a passage")
            return
        self.state.looping = not self.state.looping
        self._loop_again()
        self._host.refresh_status()

    def _loop_again(self) -> None:
        hit = self._host.rows.hit
        plays = hit is not None and hit.track.path == self.state.path
        span_s = (hit.start_s, hit.end_s) if self.state.looping and hit and plays else None
        self.state.loop(span_s)

    def action_volume(self, sign: int) -> None:
        """Louder or softer."""
        if self.state.external:
            self._host.say("the external player has its own volume control")
            return
        louder = round(self.state.volume + sign * VOLUME_STEP, 2)
        self.state.volume = min(1.0, max(0.0, louder))
        self._host.refresh_status()

    def _report_sound(self, why_not: str) -> None:
        if why_not:
            self._host.say(f"{why_not}; Space tries again", problem=True)
        self._host.refresh_status()

    # The file

    def action_copy(self) -> None:
        """Copy the path of the chosen track."""
        track = self._host.rows.track
        if track is None:
            return
        try:
            self._copy(str(track.path))
        except UnicodeEncodeError:
            sentence = "this path is not valid UTF-8, so a clipboard cannot hold it"
            self._host.say(sentence, problem=True)
            return
        self._host.say("copied the path, if the terminal allows it (OSC 52)")

    def action_reveal(self) -> None:
        """Show the chosen file in its folder."""
        if track := self._host.rows.track:
            self.reveal(track.path)

    def reveal(self, path: Path) -> None:
        """Show a file in its folder."""
        try:
            reveal(path, self._opener)
        except RevealError as error:
            self._host.say(str(error), problem=True)
            return
        self._host.say(f"opened {literal(str(path.parent))}")
