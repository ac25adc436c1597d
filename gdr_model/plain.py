"""Plain values from texts of JSON and TOML.

The parsers recurse, so a text of nothing but brackets would end in a RecursionError, which no
caller expects. Here it is refused like any other mistake, by a ValueError.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

_TOO_DEEP = "it is nested too deeply"


def from_json(text: str | bytes) -> Any:
    """The value of a text of JSON.

    Raises:
        ValueError: if it is none.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def from_toml(text: str) -> dict[str, Any]:
    """The tables of a text of TOML.

    Raises:
        ValueError: if it is none.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
