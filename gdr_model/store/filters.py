"""The language of `--where`: `genre = jazz and (duration_s < 240 or not year >= 1990)`.

    expression   either of  A and B   A or B   not A   (A)   FIELD OPERATOR VALUE
    operators    =  !=  <  <=  >  >=  and  ~ (contains, text only)
    text fields  title artist album genre path folder
    numbers      year duration_s loudness_db

`and` binds tighter than `or`, `not` tightest. A value of several words is quoted, with ' or ";
a backslash before a quote keeps it. Text is compared without regard to case (Unicode's case
folding). Of a tag with several values, `jazz; funk`, `=` matches the whole or any one. `path` is
relative to the library's root with forward slashes, and `folder = Live` means in that folder or
deeper. An unknown year or loudness is neither equal to, below nor above anything, so it
satisfies `!=` alone, and `not (A)` is always the opposite of `A`.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from gdr_model.errors import UsageError
from gdr_model.types import Track

Predicate = Callable[[Track, str], bool]
"""Decides about a track and its path relative to the root, with forward slashes."""

TEXT_FIELDS = ("title", "artist", "album", "genre", "path", "folder")
NUMBER_FIELDS = ("year", "duration_s", "loudness_db")

_SEVERAL = ("artist", "genre")
_DEEPEST = 50
"""Parentheses and nots within one another; far above need, far below Python's own limit."""

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
    at: int


def parse(expression: str) -> Predicate:
    """The predicate that an expression means.

    Raises:
        UsageError: with one sentence that says where and what instead.
    """
    return _Parser(expression).parse()


def parts(expression: str) -> list[str]:
    """What must hold all together: the expression, cut at each `and` outside parentheses.

    Raises:
        UsageError: if it cannot be read.
    """
    parser = _Parser(expression)
    parser.parse()
    return parser.parts


class _Parser:
    """Recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._next = 0
        self._depth = 0
        self.parts: list[str] = []
        """The conditions that must hold all together, as they were written."""

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
        if self._depth > _DEEPEST:
            _refuse(token, f"more than {_DEEPEST} parentheses within one another")
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
                self.parts.append(self._expression[token.at : self._peek().at].strip())

    def _comparison(self) -> Predicate:
        field, sign, value = self._take(), self._take(), self._take()
        name = field.text.casefold()
        if field.kind != "word" or name not in TEXT_FIELDS + NUMBER_FIELDS:
            _refuse(field, f"expected a field, one of {', '.join(TEXT_FIELDS + NUMBER_FIELDS)}")
        if sign.kind != "operator":
            _refuse(sign, "expected an operator, one of = != < <= > >= ~")
        if value.kind not in ("word", "quoted"):
            _refuse(value, "expected a value")
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
        found = token.kind == "word" and token.text.casefold() == keyword
        self._next += found
        return found


def _number(name: str, sign: _Token, value: _Token) -> Predicate:
    if sign.text == "~":
        _refuse(sign, f"~ looks inside text; compare {name} with = != < <= > >=")
    try:
        wanted = float(value.text)
    except ValueError:
        wanted = math.nan
    if not math.isfinite(wanted):
        _refuse(value, f"{name} is compared with a number")
    compare = _ORDER["=" if sign.text == "!=" else sign.text]

    def holds(track: Track, _path: str) -> bool:
        found: float | None = getattr(track, name)
        return found is not None and compare(found, wanted)

    return (lambda t, p: not holds(t, p)) if sign.text == "!=" else holds


def _text(name: str, sign: str, value: str) -> Predicate:
    wanted = value.casefold()
    if name == "folder":
        wanted = wanted.strip("/")

    def equal(found: str) -> bool:
        if name == "folder":
            return found == wanted or found.startswith(wanted + "/") or not wanted
        several = name in _SEVERAL and ";" in found
        return found == wanted or (several and wanted in map(str.strip, found.split(";")))

    def read(track: Track, path: str) -> str:
        if name == "path":
            return path.casefold()
        if name == "folder":
            return path.rpartition("/")[0].casefold()
        return str(getattr(track, name)).casefold()

    if sign == "=":
        return lambda t, p: equal(read(t, p))
    if sign == "!=":
        return lambda t, p: not equal(read(t, p))
    if sign == "~":
        return lambda t, p: wanted in read(t, p)
    ordered = _ORDER[sign]
    return lambda t, p: ordered(read(t, p), wanted)


def _tokens(expression: str) -> list[_Token]:
    found: list[_Token] = []
    at, length = 0, len(expression.rstrip())
    while at < length:
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            at = length - len(expression[at:length].lstrip())
            quote = expression[at] in "\"'"
            problem = "a quote is not closed" if quote else "this cannot stand here"
            _refuse(_Token("error", expression[at], at), problem)
        text = match[match.lastgroup]
        start = match.start(match.lastgroup)
        if match.lastgroup == "quoted":
            text = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        found.append(_Token(match.lastgroup, text, start))
        at = match.end()
    found.append(_Token("end", "", length))
    return found


def _refuse(token: _Token, problem: str) -> NoReturn:
    what = "the end" if token.kind == "end" else f'"{token.text}"'
    raise UsageError(f"filter, character {token.at + 1}, at {what}: {problem}")
