"""The prompt line: completion, history, and taking what is typed over into the draft."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message
from textual.widgets import Input

from gdr_tui.app.messages import TagsRead
from gdr_tui.app.search.completion import Sources, complete
from gdr_tui.app.search.draft import Draft
from gdr_tui.app.search.history import History
from gdr_tui.app.search.prompt import Completions, PromptBox, Signs
from gdr_tui.language.syntax import ParsedLine, as_typed, parse
from gdr_tui.language.understood import readings

_BETWEEN = ", "
"""Separates the words of a prompt."""


class PromptLine:
    """The box, the list under it, and the prompts asked before."""

    def __init__(self) -> None:
        self.box = PromptBox(
            placeholder="describe the music you want · ↓ suggests",
            id="prompt",
            highlighter=Signs(),
            compact=True,
        )
        self.completions = Completions(id="completions")
        self.history = History()
        self.tags: TagsRead | None = None
        """Tags of the library, once they are read."""
        self.read = ""
        """How negations in the line asked last were read."""

    @property
    def has_words(self) -> bool:
        """Whether the line has a prompt."""
        return bool(self.box.value.strip())

    def show(self, words: str) -> None:
        """Put a prompt in, such that it is read as words only."""
        self.box.put(as_typed(words))

    def go_on(self) -> None:
        """Let one more word be typed after those in the line."""
        words = self.box.value.rstrip(_BETWEEN)
        self.box.put(f"{words}, " if words else "")
        self.box.go_on()

    def take_over(self, draft: Draft, track_at: Callable[[int], Path | None]) -> None:
        """Take what is in the line over into the draft.

        Raises:
            UsageError: if it is invalid.
        """
        self.read = ""
        if line := self.line_beyond(draft):
            draft.take(line, track_at)
            self.show(draft.prompt)
            self.read = readings(line.negations)

    def line_beyond(self, draft: Draft) -> ParsedLine | None:
        """What is in the line; None where that is what the draft has already.

        Raises:
            UsageError: if it is invalid.
        """
        typed = self.box.value.rstrip(_BETWEEN)  # a word may be about to follow
        return None if typed == as_typed(draft.prompt).rstrip(_BETWEEN) else parse(typed)

    def take(self, message: Message) -> None:
        """Offer completions, and insert the picked one."""
        match message:
            case TagsRead():
                self.tags = message
            case Input.Changed(input=self.box):
                typed = message.value
                offered = complete(typed, self._sources()) if typed.strip() else []
                self.completions.offer(typed, offered)
            case Input.Blurred(input=self.box):
                self.completions.close()
            case PromptBox.Walked():
                self._walk(message.by)
            case PromptBox.Completed():
                self._complete()
            case Completions.Picked():
                self.box.put(message.line)
                self.completions.close()
                self.box.go_on()

    def undo_completion(self) -> bool:
        """Restore what was typed and close the list; False if it was not open."""
        if not self.completions.open:
            return False
        self.box.put(self.completions.typed)
        self.completions.close()
        return True

    def _walk(self, by: int) -> None:
        """Insert the next completion; in an empty line, the next suggestion."""
        if not self.completions.open:
            self.completions.offer(self.box.value, complete(self.box.value, self._sources()))
        if self.completions.open:
            self.box.put(self.completions.walk(by))

    def _complete(self) -> None:
        """Accept the chosen completion, or the first; the next Tab leaves the line."""
        if not self.completions.open or not self.box.value.strip():
            self.box.screen.focus_next()
            return
        if not self.completions.walking:
            self.box.put(self.completions.walk(1))
        self.completions.close()

    def _sources(self) -> Sources:
        tags, words = (self.tags.tags, self.tags.words) if self.tags else ({}, ())
        return Sources(self.history.prompts, tags, words)
