"""Dataclasses from the plain values that JSON, YAML and TOML hold, refused in one sentence.

    found = decode.into(RunConfig, yaml.safe_load(text), prefix=f"{path}: ")
    found = decode.from_json(Steering, text, prefix="this is no steering: ")

msgspec does the decoding; annotations say what is accepted: numbers, texts, booleans, paths,
`X | None`, `Literal`, enums, tuples and mappings of these, dataclasses within dataclasses, and
limits (`Annotated[float, msgspec.Meta(ge=0, le=20)]`). A dataclass may check itself further in
`__post_init__` by raising ValueError or an error of gdr's. Added here, at any depth:

- a field that is unknown is refused by name, and the known ones are listed;
- a float must be finite;
- a message names the field and says in words what belongs there:
  `optimiser.steps must be a whole number, not 'many'`.

Another module passes its own error class (`error=ModelError`) and the beginning of the sentence
(`prefix`); `whole` names the outermost value, "it" unless said otherwise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import inspect

from gdr_model.characters import cut
from gdr_model.errors import GdrError, UsageError
from gdr_model.plain import from_json as parsed_json

T = TypeVar("T")

_AT = re.compile(r"(?P<problem>.*) - at (?:`key` in )?`\$(?P<path>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_STEP = re.compile(r"\.(?P<field>\w+)|\[(?P<place>\d+)\]|\[\.\.\.\]")
_SHOWN = 60
"""Characters of a wrong value that are repeated in a message."""


class _Refused(Exception):
    """Why a plain value does not decode, in one sentence."""


def into(
    kind: type[T],
    plain: object,
    *,
    prefix: str = "",
    whole: str = "it",
    error: type[GdrError] = UsageError,
) -> T:
    """An instance of a dataclass from mappings, lists, texts, numbers, booleans and None.

    Args:
        kind: the dataclass.
        plain: what a parser of JSON, YAML or TOML returned.
        prefix: the beginning of every sentence that refuses.
        whole: how a sentence refers to `plain` itself.
        error: the class to raise.

    Raises:
        GdrError: of the class `error`, naming the field and what it must be.
    """
    try:
        decoded: T = _decoded(kind, plain, whole)
        return decoded
    except _Refused as refused:
        raise error(f"{prefix}{refused}") from None
    except RecursionError:
        raise error(f"{prefix}{whole} is nested too deeply") from None
    except UnicodeEncodeError:
        raise error(f"{prefix}{whole} holds half a character, which is no text") from None
    except GdrError as refused:  # by a `__post_init__`
        if type(refused) is error and not prefix:
            raise
        raise error(f"{prefix}{refused}", refused.hint, **refused.facts) from refused


def from_json(
    kind: type[T],
    text: str,
    *,
    prefix: str = "",
    whole: str = "it",
    error: type[GdrError] = UsageError,
) -> T:
    """An instance of a dataclass from a text of JSON; see `into`.

    Raises:
        GdrError: of the class `error`, if the text is not JSON or not of this kind.
    """
    try:
        plain = parsed_json(text)
    except ValueError as broken:
        raise error(f"{prefix}{broken}") from broken
    return into(kind, plain, prefix=prefix, whole=whole, error=error)


def _decoded(kind: Any, plain: object, whole: str) -> Any:
    info = _described(kind)
    plain = _prepared(info, plain, "", whole)
    try:
        return msgspec.convert(plain, kind, dec_hook=_custom)
    except msgspec.ValidationError as error:
        located = _AT.fullmatch(str(error))
        problem, path = (located["problem"], located["path"]) if located else (str(error), "")
        where, info, value = _walk(info, plain, path)
        if missing := _MISSING.fullmatch(problem):
            raise _Refused(f"the field {_join(where, missing[1])} is missing") from None
        if problem.startswith(("Expected", "Invalid enum")):
            _refuse(info, value, where, whole)
        # An error of a `__post_init__` or of a custom type.
        raise _Refused(f"{where}: {problem}" if where else problem) from None


@lru_cache(maxsize=64)
def _described(kind: Hashable) -> inspect.Type:
    return inspect.type_info(kind)


def _custom(kind: Any, value: Any) -> Any:
    """Decode a type that msgspec does not know: a path."""
    return kind(value)


def _prepared(info: inspect.Type, plain: Any, where: str, whole: str) -> Any:
    """The same value, once what msgspec would accept by mistake is refused."""
    match info:
        case inspect.UnionType():
            kinds = [kind for kind in info.types if not isinstance(kind, inspect.NoneType)]
            if plain is not None and len(kinds) == 1:
                return _prepared(kinds[0], plain, where, whole)
        case inspect.FloatType():
            if isinstance(plain, str) or (isinstance(plain, float) and not math.isfinite(plain)):
                _refuse(info, plain, where, whole)
        case inspect.CustomType() if not isinstance(plain, str | info.cls):
            _refuse(info, plain, where, whole)
        case inspect.DataclassType() if isinstance(plain, Mapping):
            known = {field.name: field.type for field in info.fields}
            for name in plain:
                if name not in known:
                    full = _join(where, str(name))
                    raise _Refused(f"unknown field {full}; known are {', '.join(known)}")
            return {
                name: _prepared(known[name], value, _join(where, name), whole)
                for name, value in plain.items()
            }
        case inspect.DictType() if isinstance(plain, Mapping):
            return {
                name: _prepared(info.value_type, value, _join(where, str(name)), whole)
                for name, value in plain.items()
            }
        case inspect.VarTupleType() | inspect.ListType() if isinstance(plain, list | tuple):
            return [
                _prepared(info.item_type, value, f"{where}[{place}]", whole)
                for place, value in enumerate(plain)
            ]
        case inspect.TupleType() if isinstance(plain, list | tuple):
            if len(plain) == len(info.item_types):
                return [
                    _prepared(kind, value, f"{where}[{place}]", whole)
                    for place, (kind, value) in enumerate(zip(info.item_types, plain, strict=True))
                ]
    return plain


def _walk(info: inspect.Type, plain: Any, path: str) -> tuple[str, inspect.Type, Any]:
    """The field at a path of msgspec's as a message names it, its type and its value.

    msgspec does not name the key of a mapping at which it failed, so the path can end early.
    """
    where = ""
    for step in _STEP.finditer(path):
        if isinstance(info, inspect.UnionType):
            info = next(kind for kind in info.types if not isinstance(kind, inspect.NoneType))
        if step["field"] and isinstance(info, inspect.DataclassType):
            where = _join(where, step["field"])
            info = next(field.type for field in info.fields if field.name == step["field"])
            plain = plain[step["field"]]
        elif step["place"] and not isinstance(info, inspect.DictType):
            place = int(step["place"])
            where = f"{where}[{place}]"
            info = info.item_types[place] if isinstance(info, inspect.TupleType) else (
                info.item_type  # type: ignore[attr-defined]
            )  # fmt: skip
            plain = plain[place]
        else:
            break
    return where, info, plain


def _refuse(info: inspect.Type, value: Any, where: str, whole: str) -> NoReturn:
    raise _Refused(f"{where or whole} must {_wanted(info)}, not {_short(value)}") from None


def _wanted(info: inspect.Type) -> str:
    """What belongs in a field, after "must"."""
    match info:
        case inspect.UnionType():
            kinds = [kind for kind in info.types if not isinstance(kind, inspect.NoneType)]
            return " or ".join(dict.fromkeys(_wanted(kind) for kind in kinds))
        case inspect.IntType():
            return f"be a whole number{_limits(info)}"
        case inspect.FloatType():
            return f"be a number{_limits(info)}"
        case inspect.StrType() | inspect.CustomType():
            return "be a text"
        case inspect.BoolType():
            return "be true or false"
        case inspect.LiteralType():
            return f"be one of {', '.join(map(str, info.values))}"
        case inspect.EnumType():
            return f"be one of {', '.join(str(member.value) for member in info.cls)}"
        case inspect.DictType():
            return f"hold named {_several(info.value_type, 'fields')}"
        case inspect.VarTupleType() | inspect.ListType():
            return f"be a list of {_several(info.item_type)}"
        case inspect.TupleType():
            kinds_of = dict.fromkeys(_several(kind) for kind in info.item_types)
            noun = next(iter(kinds_of)) if len(kinds_of) == 1 else "values"
            return f"be a list of {len(info.item_types)} {noun}"
    return "hold named fields"


def _several(info: inspect.Type, otherwise: str = "values") -> str:
    match info:
        case inspect.IntType():
            return "whole numbers"
        case inspect.FloatType():
            return "numbers"
        case inspect.StrType():
            return "texts"
    return otherwise


def _limits(info: inspect.IntType | inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:g} to {info.le:g}"
    limits = [
        f"{words} {limit:g}"
        for words, limit in (
            ("of at least", info.ge),
            ("above", info.gt),
            ("of at most", info.le),
            ("below", info.lt),
        )
        if limit is not None
    ]
    return f" {' and '.join(limits)}" if limits else ""


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{cut(text, _SHOWN - 1)}…"
