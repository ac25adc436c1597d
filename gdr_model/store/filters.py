"""The filter language: `genre = jazz and (duration_s < 240 or not year >= 1990)`.

    expression   one of  A and B   A or B   not A   (A)   FIELD OPERATOR VALUE
    operators    =  !=  <  <=  >  >=  and  ~ (contains, text only)
    text fields  title artist albumartist album genre key comment path folder
    numbers      year originalyear bpm duration_s loudness_db; a range for = and !=: 1960..1969

`and` binds tighter than `or`, and `not` tightest. Quote a value of several words with ' or "; a
backslash escapes a quote. Text is compared ignoring case and however its accents are encoded;
`~` also ignores accents. A tag can hold several values: genres separated by `;`, `/` or `,`,
artists by `;`. `=` matches the whole or any one of them. `path` is relative to the library's root
with forward slashes, and `folder = Live` means in that folder or below it. `year` is the year of
the first release where the tags give it, so that a remaster counts for its own decade. An unknown
number is neither equal to, below nor above anything, so it satisfies only `!=`, and `not (A)` is
always the opposite of `A`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from gdr_model.errors import UsageError
from gdr_model.store.text_match import folded, plain, values

Predicate = Callable[[Any, str], bool]
"""Whether a track, or anything with the tags of one that the filter compares, is kept; given also
its path relative to the root, with forward slashes."""

TEXT_FIELDS = (
    "title", "artist", "albumartist", "album", "genre", "key", "comment", "path", "folder",
)  # fmt: skip
NUMBER_FIELDS = ("year", "originalyear", "bpm", "duration_s", "loudness_db")

_VALUES = 4096
"""Different texts of a field whose comparison is remembered."""
_MAX_DEPTH = 50
"""Nested parentheses and nots; far more than needed, far below Python's recursion limit."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator><=|>=|!=|=|<|>|~)
      | (?P<bracket>[()])
      | (?P<word>[^\s()<>=!~"']+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse(expression: str) -> Predicate:
    """Parse an expression to a predicate.

    Raises:
        UsageError: naming the place of the mistake and what was expected.
    """
    return _Parser(expression).parse()


def columns(expression: str) -> tuple[str, ...]:
    """The columns of tracks that an expression compares; its path is not among them.

    Raises:
        UsageError: if it is invalid.
    """
    parser = _Parser(expression)
    parser.parse()
    return tuple(sorted(parser.columns))


def parts(expression: str) -> list[str]:
    """The conditions that must all hold: an expression, split at each `and` outside parentheses.

    Raises:
        UsageError: if it is invalid.
    """
    parser = _Parser(expression)
    parser.parse()
    return parser.parts


class _Parser:
    """A recursive-descent parser; each method parses one rule of the grammar."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._next = 0
        self._depth = 0
        self.parts: list[str] = []
        """The conditions that must all hold, as they were written."""
        self.columns: set[str] = set()

    def parse(self) -> Predicate:
        predicate = self._either()
        token = self._peek()
        if token.kind != "end":
            _refuse(token, "expected and, or, or the end; quote a value of several words")
        return predicate

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        if not self._depth and len(parts) > 1:
            self.parts = [self._expression.strip()]
        return parts[0] if len(parts) == 1 else lambda t, p: any(part(t, p) for part in parts)

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda t, p: all(part(t, p) for part in parts)

    def _one(self) -> Predicate:
        token = self._peek()
        outermost = not self._depth
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            _refuse(token, f"more than {_MAX_DEPTH} nested parentheses")
        try:
            if self._takes("not"):
                inner = self._one()
                return lambda t, p: not inner(t, p)
            if token.text == "(" and token.kind == "bracket":
                self._next += 1
                inside = self._either()
                closing = self._take()
                if closing.kind != "bracket" or closing.text != ")":
                    _refuse(closing, 'expected ")"')
                return inside
            return self._comparison()
        finally:
            self._depth -= 1
            if outermost:
                self.parts.append(self._expression[token.start : self._peek().start].strip())

    def _comparison(self) -> Predicate:
        field, sign, value = self._take(), self._take(), self._take()
        name = field.text.casefold()
        if field.kind != "word" or name not in TEXT_FIELDS + NUMBER_FIELDS:
            _refuse(field, f"expected a field, one of {', '.join(TEXT_FIELDS + NUMBER_FIELDS)}")
        if sign.kind != "operator":
            _refuse(sign, "expected an operator, one of = != < <= > >= ~")
        if value.kind not in ("word", "quoted"):
            _refuse(value, "expected a value")
        self.columns |= {"year", "originalyear"} if name == "year" else {name} - {"path", "folder"}
        if name in NUMBER_FIELDS:
            return _number(name, sign, value)
        return _text(name, sign.text, value.text)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek()
        if token.kind != "end":
            self._next += 1
        return token

    def _takes(self, keyword: str) -> bool:
        token = self._peek()
        matches = token.kind == "word" and token.text.casefold() == keyword
        self._next += matches
        return matches


def _number(name: str, sign: _Token, value: _Token) -> Predicate:
    if sign.text == "~":
        _refuse(sign, f"~ searches in text; compare {name} with = != < <= > >=")
    low, dots, high = value.text.partition("..")
    if dots and sign.text not in ("=", "!="):
        _refuse(sign, f"a range of {name} is compared with = or !=")
    if dots:
        least = _finite(name, value, low) if low else -math.inf
        most = _finite(name, value, high) if high or not low else math.inf
        if least > most:
            _refuse(value, "the range ends before it starts")

        def fits(actual: float) -> bool:
            return least <= actual <= most
    else:
        wanted = _finite(name, value, low)
        compare = _ORDER["=" if sign.text == "!=" else sign.text]

        def fits(actual: float) -> bool:
            return compare(actual, wanted)

    def holds(track: Any, _path: str) -> bool:
        actual = _number_of(track, name)
        return actual is not None and fits(actual)

    return (lambda t, p: not holds(t, p)) if sign.text == "!=" else holds


def _finite(name: str, value: _Token, typed: str) -> float:
    try:
        number = float(typed)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        _refuse(value, f"{name} needs a number to compare with")
    return number


def _number_of(track: Any, name: str) -> float | None:
    if name == "year" and track.originalyear is not None:
        return float(track.originalyear)
    number: float | None = getattr(track, name)
    return number


def _text(name: str, sign: str, value: str) -> Predicate:
    value = value.strip("/") if name == "folder" else value
    form = plain if sign == "~" else folded
    wanted = form(value)

    def equal(text: str) -> bool:
        actual = folded(text)
        if name == "folder":
            return actual == wanted or actual.startswith(wanted + "/") or not wanted
        return actual == wanted or wanted in map(folded, values(name, text))

    def holds(text: str) -> bool:
        if sign in ("=", "!="):
            return equal(text) == (sign == "=")
        return wanted in plain(text) if sign == "~" else _ORDER[sign](folded(text), wanted)

    holds_ = lru_cache(_VALUES)(holds)  # many tracks have the same artist
    return lambda t, p: holds_(_text_of(t, p, name))


def _text_of(track: Any, path: str, name: str) -> str:
    if name == "path":
        return path
    if name == "folder":
        return path.rpartition("/")[0]
    return str(getattr(track, name))


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, length = 0, len(expression.rstrip())
    while place < length:
        match = _TOKEN.match(expression, place)
        if match is None or match.lastgroup is None:
            place = length - len(expression[place:length].lstrip())
            quote = expression[place] in "\"'"
            problem = "a quote is not closed" if quote else "unexpected character"
            _refuse(_Token("error", expression[place], place), problem)
        text = match[match.lastgroup]
        start = match.start(match.lastgroup)
        if match.lastgroup == "quoted":
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        tokens.append(_Token(match.lastgroup, text, start))
        place = match.end()
    tokens.append(_Token("end", "", length))
    return tokens


def _refuse(token: _Token, problem: str) -> NoReturn:
    what = "the end" if token.kind == "end" else f'"{token.text}"'
    raise UsageError(f"filter, character {token.start + 1}, at {what}: {problem}")
