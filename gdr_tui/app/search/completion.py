"""What a prompt may go on with: prompts asked before, the library's own tags, words of the model.

Plain functions over plain lists; `widgets/completions.py` shows them. A completion is a whole
line that may take the place of what has been typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gdr_tui.app.search.syntax import FIELDS, parts, quoted

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
"""What to ask of the most frequent genres."""
_RECENT = 3
_SPEAKING = 2
"""A tag that fewer tracks have is too rare to be suggested to everyone."""


@dataclass(frozen=True)
class Completion:
    """A line to put in, and where it comes from."""

    line: str
    note: str = ""


@dataclass(frozen=True)
class Known:
    """What completions are made of."""

    prompts: Sequence[str] = ()
    """Asked before, newest first."""
    tags: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    """Of a field, its values with how many tracks have each, most frequent first."""
    words: Sequence[str] = ()
    """Words the model is good at."""


def complete(line: str, known: Known) -> list[Completion]:
    """What the line may go on with, best first; suggestions where it is empty."""
    if not line.strip():
        return suggestions(known)
    offered = [*_before(line, known.prompts), *_of_last(line, known)]
    return _each_once(one for one in offered if one.line.strip() != line.strip())


def suggestions(known: Known) -> list[Completion]:
    """What to ask first: the newest prompts, the library's genres, then examples of our own."""
    recent = [Completion(prompt, "asked before") for prompt in known.prompts[:_RECENT]]
    spoken = [pair for pair in known.tags.get("genre", ()) if pair[1] >= _SPEAKING]
    genres = [
        Completion(f"{words} {_field('genre', genre)}", _tracks(count))
        for (genre, count), words in zip(spoken, _WITHIN, strict=False)
    ]
    examples = [Completion(example, "example") for example in EXAMPLES]
    return _each_once([*recent, *genres, *examples])


def _each_once(offered: Iterable[Completion]) -> list[Completion]:
    unique: dict[str, Completion] = {}
    for one in offered:
        unique.setdefault(one.line, one)
    return list(islice(unique.values(), SHOWN))


def _before(line: str, prompts: Sequence[str]) -> Iterator[Completion]:
    """Prompts that begin with the line, then those that hold it somewhere."""
    typed = line.strip().casefold()
    matching = [prompt for prompt in prompts if typed in prompt.casefold()]
    matching.sort(key=lambda prompt: not prompt.casefold().startswith(typed))
    for prompt in matching[: SHOWN // 2]:
        yield Completion(prompt, "asked before")


def _of_last(line: str, known: Known) -> Iterator[Completion]:
    """The line with its last part completed; nothing behind a space."""
    cut = parts(line)
    if not cut or cut[-1].end < len(line):
        return
    last = cut[-1].text
    head = line[: cut[-1].begin]
    sign = last[0] if last[0] in "-+" else ""
    bare = last[len(sign) :]
    name, colon, begun = bare.partition(":")
    if colon and name.casefold() in FIELDS and sign != "+":
        for value, count in _matching(known.tags.get(name.casefold(), ()), begun.strip('"')):
            yield Completion(f"{head}{sign}{_field(name.casefold(), value)}", _tracks(count))
        return
    if len(bare) < 2:
        return
    for word in _beginning(known.words, bare):
        yield Completion(f"{head}{sign}{quoted(word) if sign else word}")
    if sign:
        return
    for tag in ("genre", "artist"):
        for value, count in _matching(known.tags.get(tag, ()), bare.strip('"')):
            yield Completion(f"{head}{_field(tag, value)}", _tracks(count))
    for field_name in FIELDS:
        if field_name.startswith(bare.casefold()):
            yield Completion(f"{head}{field_name}:", "filter")


def _matching(values: Iterable[tuple[str, int]], begun: str) -> list[tuple[str, int]]:
    """Values that begin so, then those with a word that does, the most frequent first."""
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


def _tracks(count: int) -> str:
    return f"{count:,} track{'s' * (count != 1)}"
