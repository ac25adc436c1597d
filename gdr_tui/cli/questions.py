"""The queries of a command: prompts in the language of the app's line, and the options."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from gdr_model.errors import UsageError, not_read
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import SteeringOptions
from gdr_tui.language.syntax import NEUTRAL, ParsedLine, parse
from gdr_tui.language.understood import readings_as_options

_Text = TypeVar("_Text", WeightedText, Slider)


@dataclass(frozen=True)
class Question:
    """What steers a query, and which tracks compete."""

    steering: Steering
    where: str | None = None
    limits: Limits = NO_LIMITS


@dataclass(frozen=True)
class Reader:
    """Reads prompts under the options of a command."""

    options: SteeringOptions
    where: str | None = None
    keep_words: bool = False
    """Whether all of a prompt is words, whatever its signs."""
    limits: Limits = NO_LIMITS

    def question(self, prompt: str, edit: Edit | None = None) -> Question:
        """Read a prompt; what it names is added to the options, and negations are reported.

        Raises:
            UsageError: if the prompt or a value is invalid.
        """
        line = ParsedLine(prompt) if self.keep_words else parse(prompt)
        if line.likes or line.bans:
            raise UsageError(
                "like:N and unlike:N name results of the list on the app's screen; "
                "here name files with --like and --unlike"
            )
        steered = replace(
            self.options,
            negatives=_joined(self.options.negatives, line.negatives),
            sliders=_joined(self.options.sliders, line.sliders),
        )
        for reading in readings_as_options(line.negations):
            say(f"gdr: {reading}")
        words = line.words or (NEUTRAL if line.steers else "")
        if self.options.likes and line.bare and not edit:
            words = ""  # similar to what is liked, whatever else steers
        limits = replace(self.limits, **dict(line.limits))
        return Question(steered.steering(words, edit), self._filter(line.where), limits)

    def questions(self, asked: Sequence[Prompt]) -> list[Question]:
        """Read prompts.

        Raises:
            UsageError: if one is invalid, naming the place where it was read.
        """
        read = []
        for prompt in asked:
            try:
                read.append(self.question(prompt.text))
            except UsageError as error:
                if not prompt.place:
                    raise
                raise UsageError(f"{prompt.place}: {error}") from error
        return read

    def _filter(self, where: str) -> str | None:
        """The filter of the options and that of a prompt, which must both pass."""
        if self.where is None or not where:
            return where or self.where
        return f"({self.where}) and {where}"


class Prompt(NamedTuple):
    """A prompt to answer."""

    text: str
    place: str = ""
    """Where it was read, for errors; empty on the command line."""


def prompts(words: list[str] | None, file: Path | None, likes: Sequence[str] = ()) -> list[Prompt]:
    r"""The prompts to answer: the words given, or the lines of a file (`-` for stdin).

    Files that are liked need no words. Empty lines and lines that begin with `#` are left out;
    `\#` begins a prompt with a `#`.

    Raises:
        UsageError: if both or neither are given, or the file cannot be read or has none.
    """
    if words and file is not None:
        raise UsageError("give a prompt or --prompts-file, not both")
    if file is None:
        if not words and not likes:
            raise UsageError('give a prompt, as in gdr search "warm piano", or a file with --like')
        return [Prompt(" ".join(words or ()))]
    name = "standard input" if str(file) == "-" else str(file)
    try:
        text = _text(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise not_read(name, "a list of prompts", error) from error
    lines = [(line.strip(), f"{name}, line {at}") for at, line in enumerate(text.splitlines(), 1)]
    asked = [Prompt(line.removeprefix("\\") if line.startswith("\\#") else line, place)
             for line, place in lines if line and not line.startswith("#")]  # fmt: skip
    if not asked:
        raise UsageError(f"{name} holds no prompt; write one per line")
    return asked


def _text(content: bytes) -> str:
    """Text in UTF-8, or in the UTF-16 that its first bytes announce."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig")


def _joined(given: list[_Text] | None, typed: tuple[_Text, ...]) -> list[_Text]:
    """The texts of the options and those of a prompt, which replace equal ones."""
    return list({one.text: one for one in (*(given or ()), *typed)}.values())
