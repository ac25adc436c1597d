"""Placeholders in the commands that the settings name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def filled_in(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The arguments with `{name}` replaced by its value, each once: a value is never looked into.

    A file can be called `{start_s}.mp3`.
    """
    return [_PLACEHOLDER.sub(lambda at: values.get(at[1], at[0]), part) for part in command]
