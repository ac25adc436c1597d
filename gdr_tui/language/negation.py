"""Negations in the words of a prompt: "no drums", "without vocals", "not too fast".

A text encoder hardly hears a "no": the words after it draw such music nearer. So what is negated
is pushed away from instead, and its phrase leaves the words. The rules:

1. A negation is one of a few phrases (`_PHRASES`), a verb in n't, or a word such as "drumless".
2. What it negates follows, after articles and the like: nouns with their adjectives ("no loud
   drums"), an adjective ("not loud"), or any word after "too" or "very" ("not too fussy").
3. These words must be ones for sound (`sound_words`). All else ("no borders", "without you") stays
   as it is typed, and so do "not only", "or not", a double negation, a title within a sentence
   ("covers of No Drums"), and everything in quotes.
4. "or" and "nor" always continue a negation; "and" does between bare nouns ("no drums and bass")
   and between adjectives of one kind ("not loud and fast").
5. Connecting words around the phrase leave with it: "piano, but it has no drums" is "piano".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from gdr_tui.language import sound_words as sound
from gdr_tui.language.negated import Manner, Negated, negated
from gdr_tui.language.sound_words import words
from gdr_tui.language.tokens import Token, Tokens

LESS_WEIGHT = 0.5
"""Of what there should be less of; of what there should be none of it is 1."""

_NOT = Manner(adjectives=True, verbs=True)
_RARELY = replace(_NOT, needs_verb=True)
_REFUSAL = replace(_NOT, refuses=True)
_PLEA = replace(_REFUSAL, consoles=True)
_PHRASES = {
    "no": Manner(),
    "without": Manner(verbs=True, lists=True),
    **dict.fromkeys(("not", "not at all", "non", "less", "neither"), _NOT),
    **dict.fromkeys(("never", "nothing"), _RARELY),
    "cannot": _REFUSAL,
    **dict.fromkeys(
        (
            "w/o", "w/out", "sans", "minus", "lacking", "lacks", "free of", "free from",
            "devoid of", "absence of", "excluding", "exclude", "except", "except for", "avoid",
            "avoiding", "omit", "omitting", "remove", "skip", "get rid of", "leave out",
            "leaving out", "instead of", "rather than", "other than", "apart from",
            "anything but", "everything but", "none of", "little to no", "little or no",
            "hardly any", "barely any", "fewer", "i hate", "i dislike", "not looking for",
        ),
        Manner(lists=True),
    ),
}  # fmt: skip
_REFUSING = re.compile(r"(do|did|does|ca|could|wo|would|should|must|need)n't")
_AUXILIARIES = ("do", "did", "does", "can", "could", "will", "would", "should", "must")
_PLAIN = re.compile(
    r"((no|without|free of|free from) (strings (attached|on me)|woman|wave|doubt|limits?|frills|"
    r"nonsense|holds|input|matter|one|way|longer|end|name|you|me|him|her|it|us|them|regrets?|"
    r"problem|cry|borders|charge|country for old|other (?!instrument|sound)|\d+)|(or|if|why) not|"
    r"more or less|no (less|more than)|less (is|than)|songs? without words|skip a beat|"
    r"like no other|nothing beats)(?!\S)"
)
"""Common turns of phrase that negate nothing."""
_TWICE = re.compile(r"((no|not|never|nothing|cannot|\w+n't) |no \S+ )without(?!\S)")
_LEAD = words("""
    and but with though yet has have having contains containing uses using includes including
    features featuring there there's is are
    be been was should must can could would does do did that that's which who it it's i i'd i'm we
    please pls absolutely preferably ideally definitely completely totally where of
    except
""")
"""What leaves the words along with a negation after it."""
_TAIL = re.compile(
    r"(at all|please|pls|whatsoever|allowed|thanks|ever|anywhere|of any (kind|sort)|in (it|there)|"
    r"((is|are|being) )?(used|played|heard|present|featured|involved)|"
    r"(in|on) (this|the) (background|mix|song|songs|track|clip|piece|music|recording|audio))(?!\S)"
)
_LINK = re.compile(r"(but|and|yet|except for|except)(?!\S)")
_FILLER = _LEAD | words("""
    something anything everything some a an the give me play find want need like looking for us
    let let's stuff thing things else maybe just any to listen hear - – — & or
""")
_LESS_KEPT = ("word", "tune")
"""Wordless vocals are vocals."""


class Negation(NamedTuple):
    """A phrase of a line, and what it pushes away from; nothing if it is only suspected."""

    begin: int
    end: int
    phrase: str
    negatives: tuple[str, ...]
    weight: float = 1.0


def negations(line: Sequence[Token]) -> Iterator[Negation]:
    """The negations among the words of a prompt, in order."""
    tokens, at = Tokens(line), 0
    while at < len(tokens):
        found, at = _at(tokens, at)
        if found:
            yield found


def is_filler(text: str) -> bool:
    """Whether words ask for music, but for none in particular."""
    return all(word.strip(".,;:!?") in _FILLER for word in text.casefold().split())


def _at(tokens: Tokens, at: int) -> tuple[Negation | None, int]:
    """The negation that begins at a place, if one does, and where to read on."""
    if single := _in_one_word(tokens.word(at)):
        return _negation(tokens, at, at + 1, (single,)), at + 1
    if sung := _nobody(tokens, at):
        return _negation(tokens, at, sung + 1, (tokens.word(sung),)), sung + 1
    if plain := tokens.matches(at, _PLAIN) or tokens.matches(at, _TWICE):
        return None, at + plain
    phrase, begin, manner = _phrase(tokens, at)
    if manner is None or tokens.is_title(at):
        return None, at + 1
    found = negated(tokens, begin, manner)
    if not found or tokens.word(found[-1].end) in ("until", "till"):
        suspected = phrase in ("no", "without") or (phrase == "not" and tokens.is_known(begin))
        if suspected and tokens.is_word(begin):
            return _negation(tokens, at, begin + 1, ()), begin + 1
        return None, begin
    negatives = tuple(text for one in found for text in _texts(tokens, one))
    weight = LESS_WEIGHT if phrase in ("less", "fewer") else 1.0
    read = _negation(tokens, at, found[-1].end, negatives, weight)
    return read, found[-1].end + tokens.matches(found[-1].end, _LINK)


def _phrase(tokens: Tokens, at: int) -> tuple[str, int, Manner | None]:
    """The phrase at a place, where it ends, and how it negates; None if it does not."""
    word = tokens.word(at)
    if word.endswith("n't") and not tokens.is_cut(at, at + 1):
        manner = _PLEA if word == "don't" else _REFUSAL if _REFUSING.fullmatch(word) else _NOT
        return word, at + 1, manner
    for length in (3, 2, 1):
        ahead = tokens.ahead(at).split(" ")[:length]
        phrase, end = " ".join(ahead), at + length
        if phrase in _PHRASES and len(ahead) == length and not tokens.is_cut(at, end):
            before = tokens.word(at - 1) if at else ""
            if phrase == "not" and before in _AUXILIARIES:
                return phrase, end, _PLEA if before == "do" else _REFUSAL
            return phrase, end, _PHRASES[phrase]
    return "", at + 1, None


def _in_one_word(word: str) -> str:
    """What a word such as "drumless", "no-drums" or "vocal-free" negates, "" for others."""
    if match := re.fullmatch(r"(?:no|non|not-too|not-so|not-very)-(.+)", word):
        known = sound.is_in(match[1], sound.THINGS | sound.STYLES | sound.QUALITIES)
        return match[1] if known else ""
    match = re.fullmatch(r"(.+?)(?:-free|-?less)", word)
    thing = match[1] if match else ""
    if thing in _LESS_KEPT or not sound.is_in(thing, sound.THINGS):
        return ""
    return thing if thing in sound.MASS or thing[-1] in "sy" else f"{thing}s"


def _nobody(tokens: Tokens, at: int) -> int:
    """The place of "singing" in "nobody is singing", 0 if that is not there."""
    length = tokens.matches(at, re.compile(r"(nobody|no-one|no one)( is)?(?!\S)"))
    end = at + length
    gerund = tokens.word(end)
    sung = length and gerund in sound.MASS and gerund.endswith("ing") and tokens.is_end(end + 1)
    return end if sung else 0


def _texts(tokens: Tokens, one: Negated) -> list[str]:
    return [part for part in tokens.text(one.begin, one.end).split("/") if part]


def _negation(
    tokens: Tokens, begin: int, end: int, negatives: tuple[str, ...], weight: float = 1.0
) -> Negation:
    """The phrase of some tokens; where it negates, with the connecting words around it."""
    phrase = tokens.text(begin, end)
    if negatives:
        while not tokens.is_cut(end - 1, end) and (length := tokens.matches(end, _TAIL)):
            end += length
        end += tokens.matches(end, _LINK)
        while begin and tokens.word(begin - 1) in _LEAD and not tokens.is_cut(begin - 1, begin):
            begin -= 1
    return Negation(tokens[begin].begin, tokens[end - 1].end, phrase, negatives, weight)
