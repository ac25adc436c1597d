"""The screen to search in: prompt, chips, results, the chosen track, the trail, one status line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from gdr_model.errors import UsageError
from gdr_model.types import Array, Results
from gdr_tui.app import messages
from gdr_tui.app.crates.state import Shelf
from gdr_tui.app.crates.writer import CrateWriter
from gdr_tui.app.explain.tabs import InterpretationTabs
from gdr_tui.app.main.jobs import Jobs
from gdr_tui.app.main.status import StatusLine
from gdr_tui.app.playback.messages import PeaksReady
from gdr_tui.app.playback.playback import Playback
from gdr_tui.app.playback.player import player_for
from gdr_tui.app.playback.waveform import Waveform
from gdr_tui.app.search.chips import Chips
from gdr_tui.app.search.chosen import Chosen
from gdr_tui.app.search.empty import nothing_found, nothing_yet
from gdr_tui.app.search.messages import SearchAnswered, SearchRefused
from gdr_tui.app.search.prompt import Completions, PromptBox, Signs
from gdr_tui.app.search.queries import Asking
from gdr_tui.app.search.results import Flags, ResultsList
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.list import TrailList
from gdr_tui.app.ui.box import Box
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import literal

SETTLE_S = 0.35
"""Turning guidance or liking asks anew this long after the last key, not after each."""
LOOK_S = 0.12
"""A waveform is computed once the cursor has rested this long."""
KEPT_PEAKS = 200
READING_S = 3.0
"""What was just said is not said again for so long, and a problem stays that long at least."""


class SearchScreen(Screen[None]):
    """Handlers draw; what computes is in `Jobs`, what is asked in `Asking`."""

    AUTO_FOCUS = "#prompt"

    def __init__(
        self,
        jobs: Jobs,
        crate_writer: CrateWriter,
        settings: Settings,
        check_filter: Callable[[str], object],
        model_name: str,
    ) -> None:
        super().__init__()
        self._check_filter = check_filter
        self._model_name = model_name
        self._jobs = jobs
        self.crate_writer = crate_writer
        self._settings = settings
        self.asking = Asking(jobs.search, settings)
        self.playback = Playback(player_for(settings.player), jobs.playback, self._no_sound)
        self._said, self._said_problem, self._said_at = "", False, 0.0
        self.shelf = Shelf()
        self._peaks: dict[Path, Array] = {}
        self._settling: Timer | None = None
        self._looking: Timer | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Horizontal(id="prompt-row"):
            yield Static("/", id="prompt-sign", markup=False)
            yield PromptBox(
                placeholder="describe the music you want · ↓ suggests",
                id="prompt",
                highlighter=Signs(),
                compact=True,
                # The key that leads here is no first letter: it is often pressed once too often.
                restrict="(?!/).*",
            )
        with Horizontal(id="steer-row"):
            yield Chips(id="chips")
            yield Box(placeholder="what it is not, as in drums or drums:1.5",
                      id="negative", compact=True)  # fmt: skip
        yield Completions(id="completions")
        yield InterpretationTabs(id="interpretations")
        with Container(id="middle"):
            yield ResultsList(id="results")
            yield Chosen(id="chosen")
        yield TrailList(id="trail")
        yield StatusLine(id="status")

    def on_mount(self) -> None:
        """Say what to do first."""
        self.query_one("#negative").display = False
        self.query_one(Chips).hint = "in the prompt: -vocals · +strings:0.5 · genre:jazz · like:2"
        self.results.empty = ("reading the library …",)
        self.status.state.model_name = self._model_name
        self.set_interval(0.1, self._follow_playhead)
        self.draw_status()

    # What the screen holds

    @property
    def found(self) -> Results | None:
        """What the list shows, once there is an answer."""
        node = self.asking.trail.current
        return node.results if node else None

    @property
    def results(self) -> ResultsList:
        """The list of tracks."""
        return self.query_one(ResultsList)

    @property
    def status(self) -> StatusLine:
        """The line at the bottom."""
        return self.query_one(StatusLine)

    def draw_status(self) -> None:
        """Draw the status line and the chips from the draft."""
        draft, state = self.asking.draft, self.status.state
        steering = draft.steering
        state.guidance, state.steps, state.seed = steering.guidance, steering.steps, steering.seed
        state.asking, state.waiting = self.asking.busy, self.asking.waiting
        self.status.refresh()
        self.query_one(Chips).show(draft.chips())
        self.results.show_flags(Flags(steering.likes, steering.dislikes, self.shelf.marked))

    def say(self, sentence: str, *, problem: bool = False) -> None:
        """One sentence in a corner, in the place of the one before; not twice in a breath.

        A problem can be read for a while before the next sentence takes its place.
        """
        sentence, now = literal(sentence), monotonic()
        fresh = now - self._said_at < READING_S
        if self._said == sentence and fresh:
            return
        if not (self._said_problem and fresh):
            self.app.clear_notifications()
        self._said, self._said_problem, self._said_at = sentence, problem, now
        self.notify(sentence, severity="warning" if problem else "information", markup=False)

    # Asking

    @on(Input.Submitted, "#negative")
    def add_negative(self, event: Input.Submitted) -> None:
        """Add a chip and ask."""
        try:
            self.asking.draft.push_away(event.value)
        except UsageError as error:
            self.say(str(error), problem=True)
            return
        event.input.value = ""
        self.results.focus()
        self.changed()

    def changed(self) -> None:
        """Ask again when the keys have settled; without a prompt, only show the change."""
        self.draw_status()
        self.settle()
        if self.has_words:
            self._settling = self.set_timer(SETTLE_S, self._ask)

    @property
    def has_words(self) -> bool:
        """Whether there is a prompt to draw by, in the line or already taken over."""
        return bool(self.query_one("#prompt", Input).value.strip())

    def settle(self) -> None:
        """Forget a change that was about to be asked."""
        if self._settling:
            self._settling.stop()

    def _ask(self) -> bool:
        self.settle()
        try:
            self.asking.ask()
        except UsageError as error:
            self.say(str(error), problem=True)
            return False
        self.draw_status()
        return True

    @on(SearchAnswered)
    def show_answer(self, answer: SearchAnswered) -> None:
        """Draw the latest answer; stale ones are dropped."""
        before = self.asking.trail.current
        node = self.asking.answered(answer)
        if node is None:
            return
        if not answer.quiet:
            self.status.state.took_s = answer.took_s
        same = before and before.ask.steering.prompt == answer.ask.steering.prompt
        self._show_node(keep=bool(answer.quiet or same))

    @on(SearchRefused)
    def show_refusal(self, refusal: SearchRefused) -> None:
        """Say why there is no answer."""
        if self.asking.refused(refusal):
            self.say(refusal.sentence, problem=True)
        self.draw_status()

    @on(messages.TracksArrived)
    def ask_again(self) -> None:
        """Let new tracks into the list."""
        self.asking.ask_again()

    def _show_node(self, *, keep: bool) -> None:
        """Draw the query the trail stands on."""
        node = self.asking.trail.current
        if node is None:
            return
        kept = self.results.track.path if keep and self.results.track else None
        parent = node.parent.results if node.parent else None
        found = node.results
        self.results.empty = nothing_found(node)
        self.results.border_title = f"results · {len(found.hits):,} of {found.tracks_searched:,}"
        self.results.show_results(found, parent, kept)
        self.query_one(TrailList).show(self.asking.trail)
        self.draw_status()

    # The chosen track

    @on(Listing.Moved, "#results")
    def look_at_track(self) -> None:
        """Show the track under the cursor; its waveform when the cursor rests."""
        track = self.results.track
        chosen = self.query_one(Chosen)
        chosen.show(track, self.results.hit, self.found)
        if self._looking:
            self._looking.stop()
        if track is None:
            return
        if track.path in self._peaks:
            chosen.show_peaks(track.path, self._peaks[track.path])
        else:
            self._looking = self.set_timer(LOOK_S, lambda: self._jobs.playback.peaks(track.path))
        self._follow_playhead()

    @on(PeaksReady)
    def show_peaks(self, ready: PeaksReady) -> None:
        """Draw a waveform and keep it."""
        if ready.note:
            self.query_one(Chosen).show_note(ready.path, ready.note)
            return
        while len(self._peaks) >= KEPT_PEAKS:
            self._peaks.pop(next(iter(self._peaks)))
        self._peaks[ready.path] = ready.peaks
        self.query_one(Chosen).show_peaks(ready.path, ready.peaks)

    def _follow_playhead(self) -> None:
        track = self.results.track
        here = track is not None and track.path == self.playback.path and not self.playback.silent
        self.query_one(Waveform).position_s = self.playback.position_s if here else None

    def _no_sound(self, sentence: str) -> None:
        self.status.state.sound = "no sound"
        self.say(f"{sentence}; everything else goes on", problem=True)
        self.draw_status()

    # What the app hears from the background

    @on(messages.CatalogueRead)
    def show_catalogue(self, read: messages.CatalogueRead) -> None:
        """Draw what the library holds; its tracks are the list before the first query."""
        catalogue = self.status.state.catalogue = read.catalogue
        if self.asking.trail.current is None:
            self.results.empty = nothing_yet(catalogue)
            count = f" · {catalogue.count:,} tracks" if catalogue.count else ""
            self.results.border_title = f"library{count}"
            self.results.show_tracks(catalogue.first)
        self.draw_status()

    @on(messages.ModelLoaded)
    def model_arrived(self, arrived: messages.ModelLoaded) -> None:
        """Say which model it is."""
        self.status.state.loaded = arrived.loaded
        self.draw_status()

    @on(messages.ModelReady)
    def model_is_ready(self) -> None:
        """Ask what was waiting for the model."""
        self.status.state.ready = self.asking.has_model = True
        if self.asking.waiting:
            self._ask()
        else:
            self.asking.mend()
        self.draw_status()

    @on(messages.IndexProgressed)
    def show_indexing(self, progress: messages.IndexProgressed) -> None:
        """Draw how far indexing is."""
        self.status.state.indexing = progress.indexing
        self.status.refresh()

    @on(messages.IndexFinished)
    def show_indexed(self, finished: messages.IndexFinished) -> None:
        """Say what could not be indexed."""
        state, indexed = self.status.state, finished.indexed
        state.indexing, state.indexed = None, indexed
        for problem in indexed.problems:
            self.say(problem, problem=True)
        if indexed.encoded and indexed.failed:
            self.say(f"{indexed.failed:,} files could not be read; L lists them")
        self.status.refresh()

    @on(messages.WentWrong)
    def show_problem(self, wrong: messages.WentWrong) -> None:
        """Say what failed and where it leaves the user."""
        if wrong.about == "model" and not self.asking.has_model:
            self.status.state.model_problem = True
            self.asking.waiting = False
        if wrong.about == "library":
            self.results.empty = (wrong.sentence,)
            self.results.refresh()
        if wrong.about == "index":
            self.status.state.indexing = None
        self.say(f"{wrong.about}: {wrong.sentence}", problem=True)
        self.draw_status()
