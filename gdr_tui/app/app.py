"""The app: paints first, then reads the library, loads the model and indexes what is new.

Importing this module loads neither torch nor an index; `Session` does that on threads.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.theme import Theme

from gdr_model.errors import LibraryError
from gdr_tui.app import keys, messages, settings
from gdr_tui.app.background import Background
from gdr_tui.app.crates.messages import CratesRead
from gdr_tui.app.crates.writer import CrateWriter
from gdr_tui.app.edit.jobs import EditJobs
from gdr_tui.app.explain.jobs import ExplainJobs
from gdr_tui.app.library.jobs import LibraryJobs
from gdr_tui.app.main.jobs import Jobs, ModelJobs
from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.main.session import Parts, Session
from gdr_tui.app.map.jobs import MapJobs
from gdr_tui.app.notebook import NotebookThread
from gdr_tui.app.playback.jobs import PlaybackJobs
from gdr_tui.app.search.jobs import SearchJobs
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.jobs import TrailJobs
from gdr_tui.app.trail.messages import TrailRead
from gdr_tui.app.trail.writer import TrailWriter
from gdr_tui.app.ui.ask import FolderScreen
from gdr_tui.app.ui.help import HelpScreen
from gdr_tui.cli.diagnostics import say
from gdr_tui.safe_text import literal

THEME = Theme(
    name="gdr",
    primary="#7fa7c9",
    secondary="#9a8fc7",
    accent="#e6a65d",
    warning="#e0c06a",
    error="#d9717d",
    success="#8fbf7f",
    foreground="#d5d8df",
    background="#13151a",
    surface="#1a1d24",
    panel="#242833",
)
LEAVING_S = 0.3
"""The end waits this long for the trail to be written and for threads to end."""
LIGHT_THEME = Theme(
    name="gdr-light",
    primary="#2f6690",
    secondary="#6a5aa8",
    accent="#b3640f",
    warning="#8f6a00",
    error="#b0303f",
    success="#3b7d2a",
    foreground="#22252b",
    background="#f7f5f0",
    surface="#efece4",
    panel="#e3dfd4",
    dark=False,
)


class GdrApp(App[None]):
    """Finds music by drawing the query."""

    TITLE = "gdr"
    BINDINGS: ClassVar[list[BindingType]] = [keys.SUSPEND]
    CSS_PATH = Path(__file__).with_name("gdr.tcss")
    # Textual's own declaration of these is no ClassVar, so ours cannot be one either.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-sliver"),
        (12, "-tiny"),
        (20, "-short"),
        (32, "-tall"),
    ]

    def __init__(self, session: Parts, chosen: settings.Settings, problem: str = "") -> None:
        # Said before Textual chooses its filter: else NO_COLOR would leave shades of grey.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.session = session
        self.background = Background()
        self._settings = chosen
        self._problem = problem
        tasks = Tasks(self.background, self._tell)
        search = SearchJobs(tasks, session.searcher, session.loader)
        self._jobs = Jobs(
            ModelJobs(tasks, session.loader),
            search,
            EditJobs(tasks, search.find),
            ExplainJobs(tasks, session.explainer),
            TrailJobs(tasks, session.fingerprinter),
            MapJobs(tasks, session.mapper),
            LibraryJobs(tasks, session.holdings, session.indexer, session.loader),
            PlaybackJobs(tasks, session.decoder),
        )
        self.notebook = NotebookThread(
            lambda why: self._tell(messages.WentWrong(literal(why), "notes"))
        )
        self.trail_writer = TrailWriter(self.notebook, session.roots)
        self.crate_writer = CrateWriter(self.notebook)
        check = session.searcher.check_filter
        self.main = MainScreen(self._jobs, self.crate_writer, chosen, check, session.model_name)
        self._keymap_used = keys.remapped(chosen.keys)
        self._leaving = False

    def get_default_screen(self) -> Screen[None]:
        """The screen to search in."""
        return self.main

    def on_mount(self) -> None:
        """Set looks and keys; start to work once the first frame is painted."""
        for theme in (THEME, LIGHT_THEME):
            self.register_theme(theme)
        self._set_theme()
        self.set_keymap(self._keymap_used.keys)
        for sentence in (self._problem, self._keymap_used.problem):
            if sentence:
                self.notify(literal(sentence), severity="warning", timeout=10, markup=False)
        self.call_after_refresh(self._begin)

    def _set_theme(self) -> None:
        """The theme of the settings; the terminal's own colours where no colour is wanted."""
        name = "ansi-dark" if self.no_color else self._settings.theme
        if name in self.available_themes:
            self.theme = name
        else:
            self.theme = THEME.name
            self.notify(f"there is no theme {literal(name)}; gdr's own is used", markup=False)

    def _begin(self) -> None:
        self._jobs.library.read_catalogue()
        self.trail_writer.read(lambda kept: self._tell(TrailRead(kept, self.trail_writer)))
        self.crate_writer.read(lambda kept: self._tell(CratesRead(kept)))
        self._jobs.model.load()

    def _tell(self, message: Message) -> None:
        """Called on threads: the screen hears it."""
        self.main.post_message(message)

    @on(messages.ModelReady)
    def index(self) -> None:
        """Index what is new or changed once the model, which it would slow down, has loaded."""
        if self.session.roots:
            self._jobs.library.index()
            self._jobs.library.follow()

    def action_open_folder(self) -> None:
        """Take in another folder."""

        def check(typed: str) -> None:
            if not typed:
                raise LibraryError("type the path of a folder")
            self.session.add(Path(typed))

        def opened(typed: str | None) -> None:
            if typed is not None:
                self._jobs.library.read_catalogue()
                if self.main.asking.has_model:
                    self.index()

        self.push_screen(FolderScreen("", check), opened)

    def action_help(self) -> None:
        """Every key."""
        self.push_screen(HelpScreen(self._keymap_used.keys))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the keys, by name."""
        rows = keys.help_rows(self._keymap_used.keys)
        for binding, (group, shown, name, tooltip, _) in zip(keys.ALL, rows, strict=False):

            async def act(action: str = binding.action) -> None:
                await self.main.run_action(action)

            yield SystemCommand(f"{name} ({shown})", f"{group}: {tooltip}", act)
        yield SystemCommand("Theme", "Change the colours for this sitting", self.search_themes)

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell until `fg`; a stopped program makes no sound."""
        self.main.playback.stop()
        super().action_suspend_process()

    async def action_quit(self) -> None:
        """Leave at once; what runs in the background is told to stop."""
        self._leaving = True
        self.main.playback.stop()
        self.exit()

    async def on_event(self, event: events.Event) -> None:
        """Take no more keys once the user leaves: what they open would find nothing to open in."""
        if not (self._leaving and isinstance(event, events.InputEvent)):
            await super().on_event(event)


def run(libraries: list[Path], model: str = "builtin", device: str = "auto") -> None:
    """Run the app until the user leaves it."""
    chosen, problem = settings.load()
    session = Session(libraries, model, device)
    app = GdrApp(session, chosen, problem)
    app.run()
    deadline = time.monotonic() + LEAVING_S
    app.background.stop(0)  # what draws would keep the processor from what writes
    written = app.notebook.close(LEAVING_S)
    if not written or app.notebook.unwritten:
        say(
            "gdr: the last changes of the trail and the crates could not be kept: "
            + app.notebook.problem
        )
    if app.background.stop(max(0.0, deadline - time.monotonic())) and written:
        session.close()
    # A thread deep inside a network or a decoder cannot be stopped, and ending the interpreter
    # under it crashes; everything on disk is written so that it can be left at any point. Without
    # such a thread, too, unloading the libraries would take longer than all of the above.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(app.return_code or 0)
