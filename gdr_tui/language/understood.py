"""How a prompt was understood, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

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


def _reading(found: Negation) -> str:
    if not found.negatives:
        word = found.phrase.split()[-1]
        return f"“{found.phrase}” is kept as words; -{word} pushes away from it"
    read = ", ".join(f"−{text}" for text in found.negatives)
    return f'read “{found.phrase}” as {read}; in "quotes" it stays words'
