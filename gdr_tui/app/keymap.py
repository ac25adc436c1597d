"""The keys as the user has remapped them, and as the help and the palette show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding, InvalidBinding

from gdr_tui.app import keys

_SHOWN = {
    "slash": "/",
    "backslash": "\\",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "full_stop": ".",
    "comma": ",",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "question_mark": "?",
    "enter": "Enter",
    "space": "Space",
    "escape": "Esc",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "delete": "Del",
    "tab": "Tab",
    "backspace": "⌫",
    "home": "Home",
    "end": "End",
}
_HELD = {"ctrl": "^", "shift": "⇧"}


@dataclass(frozen=True)
class Keymap:
    """The user's keys by id, and one sentence if some are invalid."""

    keys: Mapping[str, str]
    problem: str = ""


def remapped(wanted: Mapping[str, str]) -> Keymap:
    """The user's keys, without unknown ids and without keys that clash with another action's."""
    scopes = [_defaults(scope) for scope in (keys.ALL, *keys.LOCAL.values())]
    defaults = {name: key for scope in scopes for name, key in scope.items()}
    problems = [f"there is no action called {name}" for name in sorted(set(wanted) - set(defaults))]
    known = {name: key for name, key in wanted.items() if name in defaults and key.strip()}
    for scope in scopes:
        while clash := _clash({name: known.get(name, key) for name, key in scope.items()}):
            key, one, other = clash
            problems.append(f"{shown(key)} is both {one} and {other}")
            # Defaults never clash with one another, so one of the two is the user's, and this ends.
            known.pop(other if other in known else one)
    problem = f"settings.toml, keys: {'; '.join(problems)}; the default is kept" if problems else ""
    return Keymap(known, problem)


def used(id: str, chosen: Mapping[str, str]) -> str:
    """The keys of an action, in readable form, where `chosen` holds the user's valid ones."""
    default = next(binding.key for binding in keys.ALL if binding.id == id)
    return shown(chosen.get(id, default))


def _defaults(bindings: Iterable[Binding]) -> dict[str, str]:
    return {binding.id or "": binding.key for binding in bindings}


def _clash(keys_by_action: Mapping[str, str]) -> tuple[str, str, str] | None:
    """A key that two actions would share, with both ids; None if there is none."""
    owners: dict[str, str] = {}
    for action, pressed in keys_by_action.items():
        for key in _normal(pressed):
            if (owner := owners.setdefault(key, action)) != action:
                return key, owner, action
    return None


def _normal(pressed: str) -> list[str]:
    """Names of keys in Textual: `+` is `plus`."""
    try:
        return [b.key for b in Binding.make_bindings([Binding(pressed, "")])]
    except InvalidBinding:
        return []


def shown(pressed: str) -> str:
    """Keys in readable form: `plus,equals_sign` is `+ =`."""
    return " ".join(_shown(key.strip()) for key in pressed.split(","))


def _shown(key: str) -> str:
    """One key: `ctrl+r` is `^r`, `shift+down` is `⇧↓`."""
    *held, last = key.split("+")
    signs = "".join(_HELD.get(name, f"{name}+") for name in held)
    return signs + _SHOWN.get(last, last)


def help_rows(keymap: Mapping[str, str]) -> Iterable[tuple[str, str, str, str, str]]:
    """Group, keys, description, tooltip and id of every binding."""
    for group, bindings in {**keys.GROUPS, **keys.LOCAL}.items():
        for binding in bindings:
            pressed = shown(keymap.get(binding.id or "", binding.key))
            yield group, pressed, binding.description, binding.tooltip, binding.id or ""
