"""Queries in other languages than English, with the class of the teachers that answers each.

The multilingual sentence encoder puts most translations near their English, but not loan words in
other scripts. These queries show the retriever where those are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from training.words.people import Written

TABLES = Path(__file__).with_name("abroad.toml")
KINDS = {"genres": "genre", "feelings": "feeling", "sounds": "sound"}
"""Tables of a language, and the forms of their words."""


def translated() -> Iterator[Written]:
    """Every word in every form of its language."""
    for language in tomllib.loads(TABLES.read_text(encoding="utf-8")).values():
        for table, kind in KINDS.items():
            for name, joined in language[table].items():
                for word in joined.split("|"):
                    for form in language[kind]:
                        yield Written(form.format(word), {name: 1.0})
