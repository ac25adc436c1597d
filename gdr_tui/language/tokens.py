"""The words of a prompt one by one, as the rules of negation look at them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gdr_model.search import vocabulary
from gdr_tui.language import sound_words as sound

STOPS = sound.words("""
    in with for and but or nor which who at on by from like to just only please is are was
    allowed whatsoever i you he she we they here there anymore until till used being because so as
    then than when while during throughout before after
""")
"""Words that begin another phrase."""
_COMPOUNDS = frozenset(
    name.casefold()
    for name in (*vocabulary.INSTRUMENTS, *vocabulary.VOICES, *vocabulary.GENRES)
    if " " in name
) | {
    "rock and roll", "rock n roll", "rock 'n' roll", "rhythm and blues", "drum n bass",
    "drum & bass", "drum kit", "drum set", "lo fi", "background noise",
}  # fmt: skip
"""Nouns of several words."""


class Token(NamedTuple):
    """A word of a prompt, with its place in the line."""

    begin: int
    end: int
    text: str
    """Without the punctuation around it."""
    ends: bool
    """Whether a comma or the like ends the phrase after it."""
    quoted: bool = False

    @property
    def word(self) -> str:
        """The text as it is compared."""
        return self.text.casefold().replace("’", "'")


class Tokens:
    """The words of one line; a place beyond its end holds no word."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._words = ["" if token.quoted else token.word for token in tokens]
        self._mixed = any(token.text.islower() for token in tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, at: int) -> Token:
        return self._tokens[at]

    def word(self, at: int) -> str:
        """The word at a place; "" for a quotation, which no rule looks into."""
        return self._words[at] if 0 <= at < len(self._words) else ""

    def ahead(self, at: int) -> str:
        """The words from a place on that a turn of phrase can have."""
        return " ".join(self._words[at : at + 4])

    def text(self, begin: int, end: int) -> str:
        """Words as they were typed."""
        return " ".join(token.text for token in self._tokens[begin:end])

    def is_quoted(self, at: int) -> bool:
        """Whether there is a quotation at a place."""
        return at < len(self._tokens) and self._tokens[at].quoted

    def is_cut(self, begin: int, end: int) -> bool:
        """Whether a phrase ends after one of some words."""
        return any(token.ends for token in self._tokens[begin:end])

    def is_end(self, at: int) -> bool:
        """Whether a phrase ends before a place."""
        return at >= len(self._words) or self.is_cut(at - 1, at) or self._words[at] in STOPS

    def is_word(self, at: int) -> bool:
        """Whether there is a word at a place that can be negated."""
        word = self.word(at)
        return len(word) > 1 and word[0].isalpha() and word not in STOPS

    def is_noun(self, at: int) -> bool:
        """Whether there is a noun of sound at a place, or several with slashes between them."""
        parts = self.word(at).split("/")
        return all(sound.is_in(part, sound.THINGS) or sound.is_style(part) for part in parts)

    def is_known(self, at: int) -> bool:
        """Whether there is a word of sound at a place."""
        return self.is_noun(at) or self.word(at) in sound.QUALITIES

    def is_whole(self, at: int) -> bool:
        """Whether the noun at a place is a plural or the like, which ends what is negated."""
        return sound.is_whole(self.word(at)) or "/" in self.word(at)

    def compound(self, at: int) -> int:
        """How many words make one noun at a place; 0 if there is no such noun."""
        for length in (3, 2):
            words = self._words[at : at + length]
            whole = len(words) == length and not self.is_cut(at, at + length - 1)
            if whole and sound.is_in(" ".join(words), _COMPOUNDS):
                return length
        return 0

    def is_title(self, at: int) -> bool:
        """Whether two words within a line are written as in a title: "covers of No Drums"."""
        here, then = self._tokens[at], self._tokens[at + 1 : at + 2]
        starts = at == 0 or self.is_cut(at - 1, at)
        capitals = here.text.istitle() and bool(then) and then[0].text[:1].isupper()
        return capitals and not starts and self._mixed

    def matches(self, at: int, pattern: re.Pattern[str]) -> int:
        """How many of the words from a place on a pattern matches."""
        match = pattern.match(self.ahead(at))
        return len(match[0].split()) if match else 0
