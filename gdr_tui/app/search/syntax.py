r"""The prompt line's language: words, and beside them what else steers.

    warm piano -vocals -drums:0.5 +strings like:3 unlike:2 genre:jazz year:>1990

    -TEXT  -TEXT:WEIGHT    push away; a weight above 0 and up to 5, 1 where none is given
    +TEXT  +TEXT:AMOUNT    move along; an amount from -1 to 1, 0.5 where none is given
    like:N  unlike:N       draw towards, away from the N-th result
    FIELD:VALUE            only tracks with it: genre:jazz, year:1990..1999, duration_s:<240,
                           artist:!=Prince; title and path need only contain the value
    -FIELD:VALUE           only tracks without it

Everything else is words. "Quotes" hold several words together, also behind a sign or a colon.
A backslash before a sign, `\-`, makes it part of the words; a hyphen inside a word always is.
Of one field's values any will do, of several fields all must hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from gdr_model.errors import UsageError
from gdr_model.store.filters import NUMBER_FIELDS, TEXT_FIELDS
from gdr_model.types import Slider, Steering, WeightedText

FIELDS = TEXT_FIELDS + NUMBER_FIELDS
SLID = 0.5
"""How far `+text` moves where no amount is given."""
_CONTAINS = ("title", "path")
"""Fields whose whole value nobody types."""

_PART = re.compile(r'(?:"[^"]*"|\S)+')
_OPERATOR = re.compile(r"(!=|<=|>=|=|<|>|~)?(.*)", re.DOTALL)
_SPAN = re.compile(r"(\d+)\.\.(\d+)")


class Part(NamedTuple):
    """A stretch of the line and what it is: words, negative, slider, like, ban or filter."""

    begin: int
    end: int
    kind: str
    text: str


@dataclass(frozen=True)
class Typed:
    """What a line means."""

    words: str = ""
    negatives: tuple[WeightedText, ...] = ()
    sliders: tuple[Slider, ...] = ()
    likes: tuple[int, ...] = ()
    """Ranks in the list shown, from 1."""
    bans: tuple[int, ...] = ()
    where: str = ""
    """A filter, in the language of `--where`."""

    @property
    def steers(self) -> bool:
        """Whether there is anything beside the words."""
        return bool(self.negatives or self.sliders or self.likes or self.bans or self.where)


def parts(line: str) -> list[Part]:
    """The line cut at spaces outside quotes, each part with its kind."""
    found = []
    for match in _PART.finditer(line):
        text = match[0]
        found.append(Part(match.start(), match.end(), _kind(text), text))
    return found


def parse(line: str) -> Typed:
    """What a line means.

    Raises:
        UsageError: if a weight, a rank or a value cannot be meant.
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
    return Typed(
        " ".join(words),
        tuple(negatives.values()),
        tuple(sliders.values()),
        tuple(ranks["like"]),
        tuple(ranks["ban"]),
        " and ".join(_any(conditions) for conditions in filters.values()),
    )


def quoted(text: str) -> str:
    """A value as it is typed behind a colon or a sign."""
    return f'"{text}"' if re.search(r"\s", text) and '"' not in text else text


def _kind(text: str) -> str:
    """What a part of the line is."""
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
    """Words without the backslash that kept them from being something else."""
    rest = text[1:]
    escapes = text[:1] == "\\" and rest and (rest[0] in "-+" or _kind(rest) != "words")
    return rest if escapes else text


def _slider(typed: str) -> Slider:
    text, colon, amount = typed.rpartition(":")
    try:
        return Slider(text.strip(), float(amount)) if colon else Slider(typed, SLID)
    except ValueError:
        return Slider(typed, SLID)


def _rank(text: str) -> int:
    value = text.partition(":")[2]
    if not value.isascii() or not value.isdigit() or not int(value):
        raise UsageError(f"{text} names no result; put its number in the list, as in like:3")
    return int(value)


def _condition(text: str) -> tuple[str, str]:
    """The field of `FIELD:VALUE`, and its condition in the language of `--where`."""
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
    # Alternatives make sense where a track has one value; limits must hold together.
    return (field if sign in "=~" else f"{field}{sign}{value}"), condition


def _check_number(field: str, value: str) -> None:
    try:
        float(value)
    except ValueError:
        raise UsageError(f"{field} is a number; write it as in year:1990 or year:>1990") from None


def _any(conditions: list[str]) -> str:
    """One condition out of several about the same field; what is excluded stays excluded."""
    if len(conditions) == 1:
        return conditions[0]
    if all(condition.startswith("not ") for condition in conditions):
        return " and ".join(conditions)
    return f"({' or '.join(conditions)})"


def _unquoted(text: str) -> str:
    """The text without the quotes that hold it together; one that is not closed stays."""
    return re.sub(r'"([^"]*)"', r"\1", text).strip()
