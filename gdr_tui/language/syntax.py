r"""The language of a prompt: words, and among them everything else that steers.

    warm piano -vocals -drums:0.5 +strings like:3 unlike:2 genre:jazz year:>1990

    -TEXT  -TEXT:WEIGHT    push away; the weight is above 0 and up to 5, by default 1
    +TEXT  +TEXT:AMOUNT    move along; the amount is from -1 to 1, by default 0.5
    like:N  unlike:N       like, ban the N-th result
    FIELD:VALUE            only tracks with it: genre:jazz, year:1990..1999, duration_s:..240,
                           artist:!=Prince; title and path need only contain the value
    -FIELD:VALUE           only tracks without it
    per-artist:N           at most N results of an artist, and per-album:N; 0 is any number

Everything else is words. "Quotes" keep several words together, also after a sign or a colon.
A backslash before a sign, `\-`, makes it part of the words; a hyphen inside a word always is.
"no drums", "without vocals", "not too fast" push away, too (`gdr_tui.language.negation`); in
quotes they stay words.
Several values of one field are alternatives; conditions on different fields must all be met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from gdr_model.errors import UsageError
from gdr_model.steering import Slider, Steering, WeightedText
from gdr_model.store import filters
from gdr_model.store.filters import NUMBER_FIELDS, TEXT_FIELDS
from gdr_tui.language.negation import Negation, is_filler, negations
from gdr_tui.language.tokens import Token

FIELDS = TEXT_FIELDS + NUMBER_FIELDS
NEUTRAL = "music"
"""The words of a prompt that only steers."""
LIMITS = {"per-artist": "per_artist", "per-album": "per_album"}
"""How the fields of `Limits` are typed."""
SLIDER_AMOUNT = 0.5
"""Of `+text` without an amount."""
_CONTAINS = ("title", "path")
"""Fields whose values are too long to be typed in full."""

_LOOSE = " .,;:/-–—"
"""What is left at the ends of words when a phrase between them has gone."""
_ENDS = (".", ",", ";", ":", "!", "?", ")", "]", "/", "–", "—")
_AROUND = "".join(_ENDS) + "([…"
_IN_QUOTES = re.compile(r"(?<!\w)['‘“][^'‘’“”]*\s[^'‘’“”]*['’”](?!\w)")
"""Several words in single or typographic quotes."""

_PART = re.compile(r'(?:"[^"]*"|\S)+')
_OPERATOR = re.compile(r"(!=|<=|>=|=|<|>|~)?(.*)", re.DOTALL)
_MOST_DIGITS = 9
"""Of a rank or a limit; far more than there are tracks."""


class Part(NamedTuple):
    """A part of the line and its kind: words, negative, slider, like, ban, limit or filter."""

    begin: int
    end: int
    kind: str
    text: str


@dataclass(frozen=True)
class ParsedLine:
    """The meaning of a line."""

    words: str = ""
    negatives: tuple[WeightedText, ...] = ()
    sliders: tuple[Slider, ...] = ()
    likes: tuple[int, ...] = ()
    """Ranks in the list shown, from 1."""
    bans: tuple[int, ...] = ()
    where: str = ""
    """A filter, in the language of `gdr_model.store.filters`."""
    negations: tuple[Negation, ...] = ()
    """Phrases that were read as negatives, which are among the negatives, or could be meant so."""

    limits: tuple[tuple[str, int], ...] = ()
    """Fields of `Limits` that the line sets."""

    @property
    def steers(self) -> bool:
        """Whether there is anything besides words."""
        steered = self.negatives or self.sliders or self.likes or self.bans
        return bool(steered or self.where or self.limits)

    @property
    def bare(self) -> bool:
        """Whether there are no words, or only those that stand for what a negation leaves."""
        return not self.words or bool(self.negations and self.words == NEUTRAL)


def parts(line: str) -> list[Part]:
    """The line split at spaces outside quotes, each part with its kind."""
    return [
        Part(match.start(), match.end(), _kind(match[0]), match[0])
        for match in _PART.finditer(line)
    ]


def read_negations(line: str) -> list[Negation]:
    """The negations in the words of a line."""
    return list(negations(_tokens(line, parts(line))))


def parse(line: str) -> ParsedLine:
    """Read a line.

    Raises:
        UsageError: if a weight, a rank or a value is invalid.
    """
    cut, read = parts(line), read_negations(line)
    words = _words(cut, read)
    negatives = {
        text: WeightedText(text, found.weight) for found in read for text in found.negatives
    }
    sliders: dict[str, Slider] = {}
    ranks: dict[str, dict[int, None]] = {"like": {}, "ban": {}}
    filters: dict[str, list[str]] = {}
    limits: dict[str, int] = {}
    for part in cut:
        if part.kind == "negative":
            negative = WeightedText.parse(_unquoted(part.text[1:]))
            Steering("-", negatives=(negative,))
            negatives[negative.text] = negative
        elif part.kind == "slider":
            slider = _slider(_unquoted(part.text[1:]))
            Steering("-", sliders=(slider,))
            sliders[slider.text] = slider
        elif part.kind == "limit":
            name, number = _limit(part.text)
            limits[name] = number
        elif part.kind == "filter":
            field, condition = _condition(part.text)
            filters.setdefault(field, []).append(condition)
        elif part.kind != "words":
            ranks[part.kind][_rank(part.text)] = None
    return ParsedLine(
        words,
        tuple(negatives.values()),
        tuple(sliders.values()),
        tuple(ranks["like"]),
        tuple(ranks["ban"]),
        " and ".join(_any(conditions) for conditions in filters.values()),
        tuple(read),
        tuple(limits.items()),
    )


def as_typed(words: str) -> str:
    """A line that has exactly these words and does not steer, where there is one."""
    try:
        line = parse(words)
        plain = line.words == words and not line.steers
    except UsageError:  # the words look like a sign with an invalid value
        plain = False
    return words if plain or '"' in words else f'"{words}"'


def quoted(text: str) -> str:
    """A value as it is typed after a colon or a sign."""
    return f'"{text}"' if re.search(r"\s", text) and '"' not in text else text


def _kind(text: str) -> str:
    """The kind of a part."""
    sign, rest = text[0], text[1:]
    name, colon, value = (rest if sign == "-" else text).partition(":")
    if colon and value and name.casefold() in FIELDS:
        return "filter"
    if colon and value and name.casefold() in LIMITS:
        return "limit"
    if colon and value and sign not in "-+":
        return {"like": "like", "unlike": "ban"}.get(name.casefold(), "words")
    if sign in "-+" and rest[:1] and (rest[0].isalpha() or (rest[0] == '"' and rest != '""')):
        return "negative" if sign == "-" else "slider"
    return "words"


def _tokens(line: str, cut: list[Part]) -> list[Token]:
    """The words among the parts of a line; anything else between them ends a phrase."""
    kept = [match.span() for match in _IN_QUOTES.finditer(line)]
    tokens: list[Token] = []
    for part in cut:
        if part.kind != "words":
            tokens[-1:] = [token._replace(ends=True) for token in tokens[-1:]]
            continue
        text = part.text.strip(_AROUND)
        within = any(begin <= part.begin < end for begin, end in kept)
        tokens.append(
            Token(
                part.begin,
                part.end,
                _unquoted(text) or part.text,
                part.text.endswith(_ENDS),
                within or text.startswith(('"', "\\")),
            )
        )
    return tokens


def _words(cut: list[Part], read: list[Negation]) -> str:
    """The words of a line without the phrases that were read as negatives."""
    gone = [(found.begin, found.end) for found in read if found.negatives]
    kept = " ".join(
        _unquoted(_plain(part.text))
        for part in cut
        if part.kind == "words"
        and not any(begin <= part.begin and part.end <= end for begin, end in gone)
    )
    if not gone:
        return kept
    kept = kept.strip(_LOOSE)
    return NEUTRAL if is_filler(kept) else kept


def _plain(text: str) -> str:
    """Words without the backslash that made them words."""
    rest = text[1:]
    escapes = text[:1] == "\\" and rest and (rest[0] in "-+" or _kind(rest) != "words")
    return rest if escapes else text


def _slider(typed: str) -> Slider:
    text, colon, amount = typed.rpartition(":")
    try:
        return Slider(text.strip(), float(amount)) if colon else Slider(typed, SLIDER_AMOUNT)
    except ValueError:
        return Slider(typed, SLIDER_AMOUNT)


def _rank(text: str) -> int:
    if not (rank := _count(text.partition(":")[2])):
        raise UsageError(f"{text} names no result; put its number in the list, as in like:3")
    return rank


def _limit(text: str) -> tuple[str, int]:
    """The field of `Limits` that a part sets, and its number."""
    name, _, typed = text.removeprefix("-").partition(":")
    name = name.casefold()
    if text.startswith("-"):
        raise UsageError(f"{name} sets a number and cannot be negated; write {name}:1")
    if (number := _count(typed)) is None:
        raise UsageError(f"{text} has no number of results; write it as in per-artist:1")
    return LIMITS[name], number


def _count(typed: str) -> int | None:
    """A whole number from 0; None if the text is something else."""
    plain = typed.isascii() and typed.isdigit() and len(typed) <= _MOST_DIGITS
    return int(typed) if plain else None


def _condition(text: str) -> tuple[str, str]:
    """The field of `FIELD:VALUE` and its condition in the language of filters."""
    without = text.startswith("-")
    name, _, rest = text.removeprefix("-").partition(":")
    field = name.casefold()
    match = _OPERATOR.fullmatch(rest)
    sign, value = (match[1], _unquoted(match[2])) if match else (None, rest)
    if not value:
        raise UsageError(f"{text} has no value; write it as in genre:jazz or year:>1990")
    sign = sign or ("~" if field in _CONTAINS else "=")
    condition = f"{field} {sign} {_escaped(value)}"
    if field in NUMBER_FIELDS and not _is_valid(condition):
        low, dots, high = value.partition("..")
        if dots and sign in ("=", "!=") and _is_valid(f"{field} = {_escaped(f'{high}..{low}')}"):
            raise UsageError(f"{text} ends before it starts; write {field}:{high}..{low}")
        raise UsageError(
            f"{field} needs a number or a range; write it as in year:1990, year:>1990 or "
            "year:1960..1969"
        )
    if without:
        return f"-{field}", f"not {condition}"
    # Values of a field are alternatives, because a track has only one; limits apply together.
    return (field if sign in "=~" else f"{field}{sign}{value}"), condition


def _escaped(value: str) -> str:
    """A value as the language of filters writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if re.search(r"""[\s()<>=!~"'\\]""", value) else value


def _is_valid(condition: str) -> bool:
    """Whether a condition can be read; errors of filters name places that nobody typed."""
    try:
        filters.parse(condition)
    except UsageError:
        return False
    return True


def _any(conditions: list[str]) -> str:
    """One condition from several on the same field: any of them, but every exclusion."""
    if len(conditions) == 1:
        return conditions[0]
    if all(condition.startswith("not ") for condition in conditions):
        return " and ".join(conditions)
    return f"({' or '.join(conditions)})"


def _unquoted(text: str) -> str:
    """The text without the quotes that keep it together; a quote that is not closed stays."""
    return re.sub(r'"([^"]*)"', r"\1", text).strip()
