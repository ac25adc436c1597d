"""Completions of the prompt line: earlier prompts, the library's tags, words the model knows.

Plain functions on plain lists; `prompt.Completions` shows them. A completion is a whole line that
replaces what was typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gdr_tui.language.syntax import FIELDS, parts, quoted
from gdr_tui.safe_text import counted

SHOWN = 8
"""Completions offered at once."""
EXAMPLES = (
    "slow strings, sad",
    "warm piano -vocals",
    "driving drums and bass, dark",
    "solo acoustic guitar, late at night",
    "loud distorted guitars -drums:0.5",
    "dreamy ambient +bells",
)
_WITHIN = ("slow and warm", "dark", "fast and loud")
"""Words that the most frequent genres are suggested with."""
_RECENT = 3
_LEAST_TRACKS = 2
"""A genre of fewer tracks is too rare to be suggested."""


@dataclass(frozen=True)
class Completion:
    """A line that can be inserted, and where it comes from."""

    line: str
    note: str = ""


@dataclass(frozen=True)
class Sources:
    """Where completions come from."""

    prompts: Sequence[str] = ()
    """Earlier ones, newest first."""
    tags: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    """The values of each field with their numbers of tracks, most frequent first."""
    words: Sequence[str] = ()
    """Words the model is good at."""


def complete(line: str, sources: Sources) -> list[Completion]:
    """Completions of a line, best first; suggestions if it is empty."""
    if not line.strip():
        return suggestions(sources)
    offered = [*_before(line, sources.prompts), *_of_last(line, sources)]
    return _each_once(one for one in offered if one.line.strip() != line.strip())


def suggestions(sources: Sources) -> list[Completion]:
    """First prompts: the newest ones, the library's genres, then examples."""
    recent = [Completion(prompt, "asked before") for prompt in sources.prompts[:_RECENT]]
    frequent = [pair for pair in sources.tags.get("genre", ()) if pair[1] >= _LEAST_TRACKS]
    genres = [
        Completion(f"{words} {_field('genre', genre)}", counted(count, "track"))
        for (genre, count), words in zip(frequent, _WITHIN, strict=False)
    ]
    examples = [Completion(example, "example") for example in EXAMPLES]
    return _each_once([*recent, *genres, *examples])


def _each_once(offered: Iterable[Completion]) -> list[Completion]:
    unique: dict[str, Completion] = {}
    for one in offered:
        unique.setdefault(one.line, one)
    return list(islice(unique.values(), SHOWN))


def _before(line: str, prompts: Sequence[str]) -> Iterator[Completion]:
    """Prompts that begin with the line, then those that contain it."""
    typed = line.strip().casefold()
    matching = [prompt for prompt in prompts if typed in prompt.casefold()]
    matching.sort(key=lambda prompt: not prompt.casefold().startswith(typed))
    for prompt in matching[: SHOWN // 2]:
        yield Completion(prompt, "asked before")


def _of_last(line: str, sources: Sources) -> Iterator[Completion]:
    """The line with its last part completed; nothing after a space."""
    cut = parts(line)
    if not cut or cut[-1].end < len(line):
        return
    last = cut[-1].text
    head = line[: cut[-1].begin]
    sign = last[0] if last[0] in "-+" else ""
    bare = last[len(sign) :]
    name, colon, begun = bare.partition(":")
    if colon and name.casefold() in FIELDS and sign != "+":
        for value, count in _matching(sources.tags.get(name.casefold(), ()), begun.strip('"')):
            yield Completion(
                f"{head}{sign}{_field(name.casefold(), value)}", counted(count, "track")
            )
        return
    if len(bare) < 2:
        return
    for word in _beginning(sources.words, bare):
        yield Completion(f"{head}{sign}{quoted(word) if sign else word}")
    if sign:
        return
    for tag in ("genre", "artist"):
        for value, count in _matching(sources.tags.get(tag, ()), bare.strip('"')):
            yield Completion(f"{head}{_field(tag, value)}", counted(count, "track"))
    for field_name in FIELDS:
        if field_name.startswith(bare.casefold()):
            yield Completion(f"{head}{field_name}:", "filter")


def _matching(values: Iterable[tuple[str, int]], begun: str) -> list[tuple[str, int]]:
    """Values that begin with the text, then those with a word that does, most frequent first."""
    typed = begun.casefold()
    first, then = [], []
    for value, count in values:
        folded = value.casefold()
        if '"' in value or not value.isprintable():
            continue
        if folded.startswith(typed):
            first.append((value, count))
        elif f" {typed}" in folded:
            then.append((value, count))
    return [*first, *then][:SHOWN]


def _beginning(words: Iterable[str], begun: str) -> Iterator[str]:
    typed = begun.casefold().strip('"')
    return islice((word for word in words if word.casefold().startswith(typed)), SHOWN // 2)


def _field(name: str, value: str) -> str:
    return f"{name}:{quoted(value)}"
