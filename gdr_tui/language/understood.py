"""What a user should know about an answer, in a sentence."""

from __future__ import annotations

from gdr_model.search.understanding import Doubt, Note


def sentence(note: Note) -> str:
    """A note in words."""
    match note.doubt:
        case Doubt.LANGUAGE:
            *others, last = note.languages
            read = f"{', '.join(others)} and {last}" if others else last
            return f'this model reads {read}; it may not know "{note.text}"'
        case Doubt.SPELLING:
            return f'this model may not know the words "{note.text}"; are they misspelt?'
        case Doubt.FAR:
            return f'nothing here is close to "{note.text}"; the list is a guess'
