"""How a prompt was understood, in sentences."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from gdr_model.search.understanding import Doubt, Note
from gdr_tui.language.negation import Negation


def sentence(note: Note) -> str:
    """What a user should know about an answer."""
    match note.doubt:
        case Doubt.LANGUAGE:
            *others, last = note.languages
            read = f"{', '.join(others)} and {last}" if others else last
            return f'this model reads {read}; it may not know "{note.text}"'
        case Doubt.SPELLING:
            return f'this model may not know the words "{note.text}"; are they misspelt?'
        case Doubt.FAR:
            return f'nothing here is close to "{note.text}"; the list is a guess'


def readings(found: Sequence[Negation]) -> str:
    """How negations in a typed line were read, and what to type for the other reading."""
    return " · ".join(map(_reading, found))


def readings_as_options(found: Sequence[Negation]) -> list[str]:
    """The same for the command line, in a sentence for each kind of reading."""
    read = [one for one in found if one.negatives]
    said = []
    if read:
        phrases = " and ".join(f'"{one.phrase}"' for one in read)
        options = " ".join(f"--not {shlex.quote(text)}" for one in read for text in _weighted(one))
        said.append(f"read {phrases} as {options} (--literal keeps the words)")
    for one in found:
        if not one.negatives:
            text = shlex.quote(_last_word(one))
            said.append(f'kept "{one.phrase}" as words; --not {text} pushes away from it')
    return said


def _reading(found: Negation) -> str:
    if not found.negatives:
        return f"“{found.phrase}” is kept as words; -{_last_word(found)} pushes away from it"
    read = ", ".join(f"−{text}" for text in _weighted(found))
    return f'read “{found.phrase}” as {read}; in "quotes" it stays words'


def _weighted(found: Negation) -> Iterator[str]:
    """The negatives with their weight, where it is not 1."""
    for text in found.negatives:
        yield text if found.weight == 1 else f"{text}:{found.weight:g}"


def _last_word(found: Negation) -> str:
    return found.phrase.split()[-1]
