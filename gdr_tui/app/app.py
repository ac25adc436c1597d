"""The app: paints a frame, then reads the library, loads the model and indexes what is new.

Importing this module loads neither torch nor an index; the session does that on threads.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.message import Message
from textual.screen import Screen
from textual.theme import Theme

from gdr_tui.app import keymap, keys, settings
from gdr_tui.app.background import Background
from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.main.session import Parts, Session
from gdr_tui.app.messages import WentWrong
from gdr_tui.app.notebook import NotebookThread
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.ui.help_dialog import HelpDialog
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
"""Quitting waits this long for the trail to be written and for threads to end."""
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
    """Find music by generating the query."""

    TITLE = "gdr"
    # A dialog lets no other key of the app through.
    BINDINGS: ClassVar[list[BindingType]] = [replace(keys.SUSPEND, priority=True)]
    CSS_PATH = Path(__file__).with_name("gdr.tcss")
    # Textual's own declaration of these is not a ClassVar, so ours cannot be one either.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-sliver"),
        (12, "-tiny"),
        (20, "-short"),
        (32, "-tall"),
    ]

    def __init__(self, session: Parts, chosen: settings.Settings, problem: str = "") -> None:
        # Set before Textual chooses its filter; otherwise NO_COLOR would leave shades of grey.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.session = session
        self.background = Background()
        self._settings = chosen
        self._problem = problem
        self.notebook = NotebookThread(lambda why: self._post(WentWrong(literal(why), "notes")))
        tasks = Tasks(self.background, self._post)
        self._keymap_used = keymap.remapped(chosen.keys)
        valid = replace(chosen, keys=self._keymap_used.keys)
        self.main = MainScreen(session, tasks, self.notebook, valid)
        self._leaving = False
        self._early: list[events.Key | events.Paste] | None = []
        """What was typed before there was a prompt to type it into; None from then on."""
        session.on_trouble = lambda why: self._post(WentWrong(why, "server"))

    def get_default_screen(self) -> Screen[None]:
        """The screen to search in."""
        return self.main

    def on_mount(self) -> None:
        """Set theme and keys; start work once the first frame is painted."""
        for theme in (THEME, LIGHT_THEME):
            self.register_theme(theme)
        self._set_theme()
        self.set_keymap(self._keymap_used.keys)
        for sentence in (self._problem, self._keymap_used.problem):
            if sentence:
                self.notify(literal(sentence), severity="warning", timeout=10, markup=False)
        # A stopped program makes no sound, and after `fg` the terminal shows nothing of the app.
        self.app_suspend_signal.subscribe(
            self, lambda _: self.main.playback.state.stop(), immediate=True
        )
        self.app_resume_signal.subscribe(self, lambda _: self.refresh())
        self.call_after_refresh(self._begin)

    def _set_theme(self) -> None:
        """Use the theme of the settings, or the terminal's own colours under NO_COLOR."""
        name = "ansi-dark" if self.no_color else self._settings.theme
        if name in self.available_themes:
            self.theme = name
        else:
            self.theme = THEME.name
            self.notify(f"unknown theme {literal(name)}; using gdr's own", markup=False)

    async def _begin(self) -> None:
        self.main.begin()
        early, self._early = self._early or [], None
        for event in early:
            await self.on_event(event)

    def _post(self, message: Message) -> None:
        """Post to the screen; called on threads."""
        self.main.post_message(message)

    def action_open_folder(self) -> None:
        """Add another music folder."""
        self.main.library.action_open_folder()

    def action_help(self) -> None:
        """List every key."""
        self.push_screen(HelpDialog(self._keymap_used.keys))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action of the keys by name."""
        rows = keymap.help_rows(self._keymap_used.keys)
        for binding, (group, shown, name, tooltip, _) in zip(keys.ALL, rows, strict=False):

            async def act(action: str = binding.action) -> None:
                await self.main.run_action(action)

            yield SystemCommand(f"{name} ({shown})", f"{group}: {tooltip}", act)
        yield SystemCommand("Theme", "Change the colours for this session", self.search_themes)

    def get_driver_class(self) -> type[Driver]:
        """Ours in place of Textual's for terminals."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from gdr_tui.app.terminal.driver import TerminalDriver  # imports what Windows lacks

        return TerminalDriver

    def exit(self, result: None = None, return_code: int = 0, message: Any = None) -> None:
        """Quit at once; background work is cancelled."""
        self._leaving = True
        self.main.playback.state.stop()
        super().exit(result, return_code, message)

    async def on_event(self, event: events.Event) -> None:
        """Keep what is typed for the prompt until that is there, where a letter is no command.

        Once the app is quitting, keys are ignored: what they open would have nowhere to open.
        """
        if self._early is not None and isinstance(event, events.Key | events.Paste):
            self._early.append(_as_sent(event))
        elif not (self._leaving and isinstance(event, events.InputEvent)):
            await super().on_event(event)


def _as_sent(event: events.Key | events.Paste) -> events.Key | events.Paste:
    """An early event: until a program takes the terminal, that turns Enter into a line feed."""
    is_line_feed = isinstance(event, events.Key) and event.key == "ctrl+j"
    return events.Key("enter", "\r") if is_line_feed else event


def run(
    libraries: list[Path],
    model: str,
    device: str,
    report: Callable[[str], object],
    index: str | None = None,
) -> NoReturn:
    """Run the app until the user quits.

    Args:
        libraries: the music folders.
        model: name or path of the model.
        device: where it runs.
        report: takes a sentence for the terminal left behind.
        index: where passages are looked for; None follows the settings.
    """
    chosen, problem = settings.load()
    index = chosen.index if index is None else index
    session = Session(libraries, model, device, exclude=chosen.exclude, index=index)
    app = GdrApp(session, chosen, problem)
    app.run()
    deadline = time.monotonic() + LEAVING_S
    app.background.stop(0)  # a draw would keep the CPU from the writer
    written = app.notebook.close(LEAVING_S)
    if not written or app.notebook.unwritten:
        with suppress(OSError):  # the terminal is gone
            report(
                "gdr: the last changes to the trail and the crates could not be saved: "
                + app.notebook.problem
            )
    if app.background.stop(max(0.0, deadline - time.monotonic())) and written:
        session.close()
    # A thread deep inside a network or a decoder cannot be stopped, and shutting down the
    # interpreter under it crashes. Everything on disk can be abandoned at any point. Even without
    # such a thread, unloading the shared libraries would take longer than all of the above.
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(app.return_code or 0)
