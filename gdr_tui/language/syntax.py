r"""The language of a prompt: words, and among them everything else that steers.

    warm piano -vocals -drums:0.5 +strings like:3 unlike:2 genre:jazz year:>1990

    -TEXT  -TEXT:WEIGHT    push away; the weight is above 0 and up to 5, by default 1
    +TEXT  +TEXT:AMOUNT    move along; the amount is from -1 to 1, by default 0.5
    like:N  unlike:N       like, ban the N-th result
    FIELD:VALUE            only tracks with it: genre:jazz, year:1990..1999, duration_s:<240,
                           artist:!=Prince; title and path need only contain the value
    -FIELD:VALUE           only tracks without it

Everything else is words. "Quotes" keep several words together, also after a sign or a colon.
A backslash before a sign, `\-`, makes it part of the words; a hyphen inside a word always is.
Several values of one field are alternatives; conditions on different fields must all be met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from gdr_model.errors import UsageError
from gdr_model.store.filters import NUMBER_FIELDS, TEXT_FIELDS
from gdr_model.types import Slider, Steering, WeightedText

FIELDS = TEXT_FIELDS + NUMBER_FIELDS
NEUTRAL = "music"
"""The words of a prompt that only steers."""
SLIDER_AMOUNT = 0.5
"""Of `+text` without an amount."""
_CONTAINS = ("title", "path")
"""Fields whose values are too long to be typed in full."""

_PART = re.compile(r'(?:"[^"]*"|\S)+')
_OPERATOR = re.compile(r"(!=|<=|>=|=|<|>|~)?(.*)", re.DOTALL)
_SPAN = re.compile(r"(\d+)\.\.(\d+)")


class Part(NamedTuple):
    """A part of the line and its kind: words, negative, slider, like, ban or filter."""

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

    @property
    def steers(self) -> bool:
        """Whether there is anything besides words."""
        return bool(self.negatives or self.sliders or self.likes or self.bans or self.where)


def parts(line: str) -> list[Part]:
    """The line split at spaces outside quotes, each part with its kind."""
    return [
        Part(match.start(), match.end(), _kind(match[0]), match[0])
        for match in _PART.finditer(line)
    ]


def parse(line: str) -> ParsedLine:
    """Read a line.

    Raises:
        UsageError: if a weight, a rank or a value is invalid.
    """
    words: list[str] = []
    negatives: dict[str, WeightedText] = {}
    sliders: dict[str, Slider] = {}
    ranks: dict[str, dict[int, None]] = {"like": {}, "ban": {}}
    filters: dict[str, list[str]] = {}
    for part in parts(line):
        if part.kind == "words":
            words.append(_unquoted(_plain(part.text)))
        elif part.kind == "negative":
            negative = WeightedText.parse(_unquoted(part.text[1:]))
            Steering("-", negatives=(negative,))
            negatives[negative.text] = negative
        elif part.kind == "slider":
            slider = _slider(_unquoted(part.text[1:]))
            Steering("-", sliders=(slider,))
            sliders[slider.text] = slider
        elif part.kind == "filter":
            field, condition = _condition(part.text)
            filters.setdefault(field, []).append(condition)
        else:
            ranks[part.kind][_rank(part.text)] = None
    return ParsedLine(
        " ".join(words),
        tuple(negatives.values()),
        tuple(sliders.values()),
        tuple(ranks["like"]),
        tuple(ranks["ban"]),
        " and ".join(_any(conditions) for conditions in filters.values()),
    )


def quoted(text: str) -> str:
    """A value as it is typed after a colon or a sign."""
    return f'"{text}"' if re.search(r"\s", text) and '"' not in text else text


def _kind(text: str) -> str:
    """The kind of a part."""
    sign, rest = text[0], text[1:]
    name, colon, value = (rest if sign == "-" else text).partition(":")
    if colon and value and name.casefold() in FIELDS:
        return "filter"
    if colon and value and sign not in "-+":
        return {"like": "like", "unlike": "ban"}.get(name.casefold(), "words")
    if sign in "-+" and rest[:1] and (rest[0].isalpha() or (rest[0] == '"' and rest != '""')):
        return "negative" if sign == "-" else "slider"
    return "words"


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
    value = text.partition(":")[2]
    if not value.isascii() or not value.isdigit() or not int(value):
        raise UsageError(f"{text} names no result; put its number in the list, as in like:3")
    return int(value)


def _condition(text: str) -> tuple[str, str]:
    """The field of `FIELD:VALUE` and its condition in the language of filters."""
    without = text.startswith("-")
    name, _, rest = text.removeprefix("-").partition(":")
    field = name.casefold()
    if field in NUMBER_FIELDS and (span := _SPAN.fullmatch(rest)):
        condition = f"({field} >= {span[1]} and {field} <= {span[2]})"
        return ("-" if without else "") + field, f"not {condition}" if without else condition
    match = _OPERATOR.fullmatch(rest)
    sign, value = (match[1], _unquoted(match[2])) if match else (None, rest)
    if not value:
        raise UsageError(f"{text} has no value; write it as in genre:jazz or year:>1990")
    sign = sign or ("~" if field in _CONTAINS else "=")
    if field in NUMBER_FIELDS:
        _check_number(field, value)
    else:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        value = f'"{escaped}"' if re.search(r"""[\s()<>=!~"'\\]""", value) else value
    condition = f"{field} {sign} {value}"
    if without:
        return f"-{field}", f"not {condition}"
    # Values of a field are alternatives, because a track has only one; limits apply together.
    return (field if sign in "=~" else f"{field}{sign}{value}"), condition


def _check_number(field: str, value: str) -> None:
    try:
        float(value)
    except ValueError:
        raise UsageError(f"{field} is a number; write it as in year:1990 or year:>1990") from None


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
