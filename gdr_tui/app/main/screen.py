"""The screen to search in: lays out the features and passes between them what each needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import ClassVar, TypeVar

from textual import events, on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from gdr_model.types import Results
from gdr_tui.app import keymap, keys
from gdr_tui.app.crates.feature import CratesFeature
from gdr_tui.app.crates.writer import CrateWriter
from gdr_tui.app.edit.feature import EditFeature
from gdr_tui.app.explain.feature import ExplainFeature
from gdr_tui.app.explain.jobs import ExplainJobs
from gdr_tui.app.feature import Feature
from gdr_tui.app.library.feature import LibraryFeature
from gdr_tui.app.library.jobs import LibraryJobs
from gdr_tui.app.main.jobs import ModelJobs
from gdr_tui.app.main.notices import Notices
from gdr_tui.app.main.session import Parts
from gdr_tui.app.main.status import StatusLine, made
from gdr_tui.app.map.feature import MapFeature
from gdr_tui.app.map.jobs import MapJobs
from gdr_tui.app.messages import FeatureMessage, ModelLoaded, ModelReplaced, WentWrong
from gdr_tui.app.notebook import NotebookThread
from gdr_tui.app.playback.feature import PlaybackFeature
from gdr_tui.app.playback.jobs import PlaybackJobs
from gdr_tui.app.search.feature import SearchFeature
from gdr_tui.app.search.jobs import SearchJobs
from gdr_tui.app.search.results import ResultsList
from gdr_tui.app.settings import Settings
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.feature import TrailFeature
from gdr_tui.app.trail.jobs import TrailJobs
from gdr_tui.app.trail.trail import Node, Trail
from gdr_tui.app.trail.writer import TrailWriter
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import literal

Answer = TypeVar("Answer")


class MainScreen(Screen[None]):
    """Composed of one object a feature; itself the `Host` of each."""

    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.ALL, *keys.AT_ONCE]

    def __init__(
        self, session: Parts, tasks: Tasks, notebook: NotebookThread, settings: Settings
    ) -> None:
        super().__init__()
        self._model = ModelJobs(tasks, session.loader)
        self._notices = Notices()
        self.status = StatusLine(session.model_name, id="status")
        trail, k = Trail(), settings.results
        explain_jobs = ExplainJobs(tasks, session.explainer)
        search_jobs = SearchJobs(tasks, session.searcher, session.loader)
        library_jobs = LibraryJobs(tasks, session.holdings, session.indexer, session.loader)
        self.search = SearchFeature(
            self, search_jobs, trail, settings, explain_jobs.cancel_why, lambda: self.edit.change()
        )
        self.edit = EditFeature(
            self, search_jobs.previews, lambda: self.search.state.draft,
            self.search.keep, settings.strength, k,
        )  # fmt: skip
        self.playback = PlaybackFeature(
            self, PlaybackJobs(tasks, session.decoder), settings, self._copy
        )
        self.crates = CratesFeature(
            self, CrateWriter(notebook, session.roots), self.playback.state.toggle
        )
        self.map = MapFeature(
            self, MapJobs(tasks, session.mapper), self.playback.state.toggle,
            self.crates.mark, self.search.go_to_track,
        )  # fmt: skip
        self.library = LibraryFeature(
            self, library_jobs, session.roots, session.add, self.playback.reveal
        )
        self.trail = TrailFeature(
            self, TrailJobs(tasks, session.fingerprinter), TrailWriter(notebook, session.roots),
            trail, self.search.go_to, self.search.found.entitle, k,
        )  # fmt: skip
        interpretation = keymap.used("search.interpretation", settings.keys)
        self.explain = ExplainFeature(
            self, explain_jobs, self.search.found.list_results, interpretation, k
        )
        # In this order they show a query: the list first, then what changes its title.
        self.features: Mapping[str, Feature] = {
            "search": self.search,
            "edit": self.edit,
            "playback": self.playback,
            "crates": self.crates,
            "map": self.map,
            "library": self.library,
            "trail": self.trail,
            "explain": self.explain,
        }

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Horizontal(id="prompt-row"):
            yield Static("/", id="prompt-sign", markup=False)
            yield self.search.prompt.box
        with Horizontal(id="steer-row"):
            yield self.search.chips
            yield self.search.negative
        yield self.explain.tabs
        yield self.search.prompt.completions
        with Container(id="middle"):
            with Container(id="lists"):
                yield self.search.results
                yield self.search.typed.list
            yield self.playback.panel
        yield self.trail.tree
        yield self.status

    def on_mount(self) -> None:
        """Read the prompts asked before; follow the playhead from now on."""
        self.search.prompt.history.load()
        self.set_interval(0.1, self.playback.follow_playhead)
        self.refresh_status()

    def begin(self) -> None:
        """Start to work, once the first frame is painted."""
        self.library.read()
        self.trail.read()
        self.crates.read()
        self._model.load()

    # What features are given

    @property
    def has_model(self) -> bool:
        """Whether queries can be drawn."""
        return self.search.state.has_model

    @property
    def node(self) -> Node | None:
        """The query that is shown."""
        return self.trail.state.current

    @property
    def listed(self) -> Results | None:
        """The results in the list: of the query, or of one interpretation of it."""
        node = self.node
        interpretation = self.explain.state.listed(node)
        if interpretation:
            return interpretation.results
        return node.results if node else None

    @property
    def rows(self) -> ResultsList:
        """The list of results."""
        return self.search.results

    def show_node(self, *, keep: bool) -> None:
        """Let every feature show the current query; `keep` leaves the cursor on its track."""
        if node := self.node:
            for feature in self.features.values():
                feature.show(node, keep=keep)

    def open(
        self, screen: Screen[Answer], then: Callable[[Answer | None], None] | None = None
    ) -> None:
        """Open a screen over this one; `then` gets its answer."""
        self.app.push_screen(screen, then)

    def say(self, sentence: str, *, problem: bool = False) -> None:
        """Say one sentence in a corner, in the place of the one before.

        A problem can be read for a while before the next sentence takes its place.
        """
        sentence = literal(sentence)
        admitted, clear = self._notices.admit(sentence, problem, monotonic())
        if clear:
            self.app.clear_notifications()
        if admitted:
            self.notify(sentence, severity="warning" if problem else "information", markup=False)

    def refresh_status(self) -> None:
        """Show the status line, the chips and the marks as they are now."""
        state, queries, library = self.status.state, self.search.state, self.library.state
        steering = queries.draft.steering
        state.guidance, state.seed = steering.guidance, steering.seed
        state.steps = steering.steps
        state.made = made(steering) if self.search.prompt.has_words else ""
        state.asking, state.waiting = queries.busy, queries.waiting
        state.took_s, state.ready = queries.took_s, queries.has_model
        state.library = library
        state.sound = "no sound" if self.playback.state.silent else ""
        state.listening, state.crate = self.playback.state.summary, self.crates.summary
        self.status.refresh()
        self.search.show_draft(self.crates.state.marked)

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)

    # Messages and keys

    @on(FeatureMessage)
    @on(Input.Submitted)
    @on(Input.Changed)
    @on(Input.Blurred)
    def hand_on(self, message: Message) -> None:
        """Hand a message to every feature."""
        for feature in self.features.values():
            feature.take(message)

    @on(ModelLoaded)
    @on(ModelReplaced)
    def show_model(self, message: ModelLoaded | ModelReplaced) -> None:
        """Show which model answers, and say why if it is not the usual one."""
        self.status.state.loaded = message.loaded
        if message.loaded.news:
            self.say(message.loaded.news)
        self.refresh_status()

    @on(WentWrong)
    def show_problem(self, wrong: WentWrong) -> None:
        """Say what failed; the features, which take it next, show the consequences."""
        self.say(f"{wrong.about}: {wrong.sentence}", problem=True)

    @on(events.DescendantFocus)
    def suggest(self) -> None:
        """Suggest what can be done where the focus is now."""
        self.search.suggest()

    def on_paste(self, event: events.Paste) -> None:
        """Put what is pasted into the prompt, where no input has taken it."""
        event.stop()
        self.search.paste(event.text)

    def action_feature(self, name: str, action: str, *arguments: object) -> None:
        """Call an action of a feature."""
        getattr(self.features[name], f"action_{action}")(*arguments)

    def action_at_once(self, name: str, action: str) -> None:
        """An action that moves the focus, unless its key is a letter of what is being typed."""
        if isinstance(self.focused, Input):
            raise SkipAction
        self.action_feature(name, action)

    def action_move(self, by: int) -> None:
        """Move in the list that has the focus, else in the results."""
        focused = self.focused
        (focused if isinstance(focused, Listing) else self.search.listed).move(by)

    def action_enter(self) -> None:
        """Go to the trail's query under the cursor, or ask what is drafted."""
        if self.trail.tree.has_focus:
            self.trail.go_to_chosen()
        else:
            self.search.action_draw()
