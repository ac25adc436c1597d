"""What a negation negates: the words after it, up to where the sentence continues without it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gdr_tui.language import sound_words as sound
from gdr_tui.language.sound_words import words
from gdr_tui.language.tokens import Tokens

_SKIPPED = words("""
    a an the any anything all of that those these this some single more kind kinds sort sorts
    lot lots much many being it having using as
""")  # fmt: skip
_VERBS = words("""
    be been have has get gets getting become becomes becoming sound sounds sounding feel feels
    feeling contain contains include includes use uses feature features involve involves want
    wants need needs like play plays go goes turn turns with from
""")  # fmt: skip
"""Between "not" and what it negates."""
_BEING = words("being getting becoming sounding feeling")
_CONSOLING = words("be been get become feel go turn")
""""Don't be sad" asks for no music."""
_OPEN_DEGREES = words(
    "too very overly excessively especially particularly extremely super terribly"
)
_DEGREES = _OPEN_DEGREES | words("so really as")
_NOT_DEGREED = words("late bad shabby far soon sure distant secret good well different little few")
_KEPT_BEFORE = words("yet enough anymore again alone")
""""Not loud enough" is no negation of loud."""
_ADJECTIVE = re.compile(r"\w{3,}(ed|ing|ic|ive|ous|ful|ish)")
_KINDRED = (sound.CALM, sound.LIVELY, sound.GLOOMY, sound.BRIGHT)


@dataclass(frozen=True)
class Manner:
    """How a phrase negates."""

    adjectives: bool = False
    """Whether it can be before an adjective alone: "not loud"."""
    verbs: bool = False
    """Whether it can be before a verb of having or being: "without (being) loud"."""
    needs_verb: bool = False
    """Whether nouns need a verb first: "never (uses) drums"."""
    refuses: bool = False
    """Whether it only means music with a verb of having or being: "can't (have) drums"."""
    consoles: bool = False
    """Whether "be" after it is meant for the listener: "don't be sad"."""
    lists: bool = False
    """Whether "and" ends a list: "without bass, drums and vocals"."""


@dataclass(frozen=True)
class Negated:
    """Words `begin` to `end`: a bare noun, an adjective, or a noun with adjectives."""

    begin: int
    end: int
    bare: bool = False
    adjective: str = ""


def negated(tokens: Tokens, begin: int, manner: Manner) -> list[Negated]:
    """What is negated from a place on; nothing where that is no word for sound."""
    first = _one(tokens, begin, manner)
    found = [first] if first else []
    while found and (more := _continued(tokens, found[-1], manner)):
        found += more
    return found


def _one(tokens: Tokens, begin: int, manner: Manner) -> Negated | None:
    verbs = _VERBS if manner.verbs else frozenset()
    at, degree = begin, ""
    while (word := tokens.word(at)) in _SKIPPED | _DEGREES | verbs and word:
        if tokens.is_cut(at, at + 1):
            return None
        degree = word if word in _DEGREES else "" if word in ("much", "many") else degree
        at += 1
    skipped = {tokens.word(place) for place in range(begin, at)}
    if manner.refuses and not (skipped & _VERBS):
        return None
    if manner.consoles and skipped & _CONSOLING and not degree:
        return None
    if degree:
        return _degreed(tokens, at, anything=degree in _OPEN_DEGREES)
    article = bool(skipped & {"a", "an", "the", "any"})
    adjectives = manner.adjectives or skipped & _BEING
    if adjectives and not article and (one := _adjective(tokens, at)):
        return one
    if manner.needs_verb and not article and not skipped & _VERBS and not tokens.compound(at):
        return None
    return _noun(tokens, at) or (_unknown(tokens, at) if "any" in skipped else None)


def _degreed(tokens: Tokens, at: int, *, anything: bool) -> Negated | None:
    """An adjective after "too" or "very", in full or with an adverb: "too heavily distorted"."""
    begin = at
    if tokens.word(at).endswith("ly") and tokens.is_word(at + 1) and not tokens.is_end(at + 1):
        at += 1
    word = tokens.word(at)
    fits = tokens.is_known(at) or (anything and tokens.is_word(at) and word not in _NOT_DEGREED)
    if not fits or tokens.word(at + 1) in _KEPT_BEFORE | {"to"}:  # "not too proud to beg"
        return None
    return Negated(begin, at + 1, adjective=word)


def _adjective(tokens: Tokens, at: int) -> Negated | None:
    """An adjective, with a noun only where that says nothing more ("not sad music")."""
    word, then = tokens.word(at), tokens.word(at + 1)
    if word not in sound.QUALITIES or tokens.compound(at):
        return None
    if not tokens.is_cut(at, at + 1):
        if sound.is_in(then, sound.KINDS):
            return Negated(at, at + 2)
        follows = tokens.is_end(at + 1) or tokens.is_known(at + 1)
        if then in _KEPT_BEFORE or not follows:
            return None
    return Negated(at, at + 1, adjective=word)


def _noun(tokens: Tokens, begin: int) -> Negated | None:
    """Nouns of sound, and the adjectives before them."""
    if tokens.is_quoted(begin):
        return Negated(begin, begin + 1)
    at, end, bare = begin, 0, True
    whole = False
    while (
        not whole and (word := tokens.word(at)) and not (at > begin and tokens.is_cut(at - 1, at))
    ):
        if length := tokens.compound(at):
            at = end = at + length
            whole = tokens.word(at - 1).endswith("s")
        elif tokens.is_noun(at):
            whole = tokens.is_whole(at)
            at = end = at + 1
        elif at > begin and sound.is_in(word, sound.KINDS):
            at = end = at + 1
            whole = True
        elif word in sound.QUALITIES | sound.ADJUNCTS or _ADJECTIVE.fullmatch(word):
            at, bare = at + 1, False
        else:
            break
    if whole and not tokens.is_cut(at - 1, at) and sound.is_in(tokens.word(at), sound.WHOLES):
        end = at + 1  # "no percussion instruments"
    shared = not end and at > begin and tokens.word(at) in ("or", "nor")
    if shared:  # "slow or sad songs"
        return Negated(begin, at) if tokens.word(begin) in sound.QUALITIES else None
    # Of "guitar hero", a noun that is not known is the head.
    goes_on = not (whole or tokens.is_end(end)) and not tokens.is_known(end) and tokens.is_word(end)
    return Negated(begin, end, bare) if end and not goes_on else None


def _unknown(tokens: Tokens, at: int) -> Negated | None:
    """A word that is not known, after "any" and at the end of its phrase."""
    return Negated(at, at + 1) if tokens.is_word(at) and tokens.is_end(at + 1) else None


def _continued(tokens: Tokens, last: Negated, manner: Manner) -> list[Negated]:
    """What is negated along with the last: "or bass", "and bass", ", bass or vocals"."""
    at = last.end
    link = tokens.word(at)
    if link in ("or", "nor", "and/or"):
        either = Manner(adjectives=bool(last.adjective), lists=manner.lists)
        one = _one(tokens, at + 1, either)
    elif link == "and" and not tokens.is_cut(at - 1, at):
        one = _adjective(tokens, at + 1) if last.adjective else _noun(tokens, at + 1)
        one = one if one and _alike(tokens, last, one) else None
    else:
        return _listed(tokens, at, manner) if tokens.is_cut(at - 1, at) and last.bare else []
    return [one] if one else []


def _alike(tokens: Tokens, last: Negated, one: Negated) -> bool:
    """Whether "and" joins two: bare nouns at the end of a phrase, or adjectives of a kind."""
    if last.adjective and one.adjective:
        return any({last.adjective, one.adjective} <= group for group in _KINDRED)
    return last.bare and one.bare and tokens.is_end(one.end)


def _listed(tokens: Tokens, at: int, manner: Manner) -> list[Negated]:
    """The rest of a list that ends with "or X", for some phrases also with "and X"."""
    links = ("or", "nor", "and") if manner.lists else ("or", "nor")
    found: list[Negated] = []
    while True:
        last = tokens.word(at) in links
        one = _noun(tokens, at + last)
        if one is None or not one.bare:
            return []
        found.append(one)
        at = one.end
        if last:
            return found
        if not tokens.is_cut(at - 1, at) and tokens.word(at) not in links:
            return []
