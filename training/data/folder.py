"""A folder of music as a dataset: captions come from tags.

Genre, mood, instrument, style, grouping, decade and comment, each once, joined by commas. Title,
artist and album never: they name a recording and do not say what it sounds like. A tag that
repeats one of them, or holds an address, is left out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import mutagen

from gdr_model.audio import Tags, read_tags
from gdr_model.errors import FileUnavailable
from gdr_model.store.folder.scan import scan
from training.data.items import Dataset, Item, Problem

_KINDS = {
    "mood": "mood",
    "tmoo": "mood",
    "instrument": "instrument",
    "instrumentation": "instrument",
    "style": "style",
    "grouping": "grouping",
    "tit1": "grouping",
    "grp1": "grouping",
    "©grp": "grouping",
    "comment": "comment",
    "description": "comment",
    "comm": "comment",
    "©cmt": "comment",
    "desc": "comment",
}
"""Names of tags in Vorbis comments, ID3 and MP4, and what they are taken for."""

_LONGEST = 300
"""Longer comments are notes about the file, licences or lyrics."""


def read(root: Path) -> Dataset:
    """Every file of music in a folder that has a tag which says what it sounds like."""
    found = scan(root)
    items: list[Item] = []
    problems = [
        Problem(os.fsdecode(name).encode("utf-8", "replace").decode(), "it cannot be looked at")
        for name in found.unreadable
    ]
    for key in found.files:
        name = os.fsdecode(key)
        words = describing_words(root / name)
        if words:
            items.append(Item(name, ", ".join(words), root / name))
        else:
            shown = name.encode("utf-8", "replace").decode()
            problems.append(Problem(shown, "none of its tags says what it sounds like"))
    return Dataset(root.name, tuple(items), tuple(problems))


def describing_words(path: Path) -> tuple[str, ...]:
    """The tags of a file that describe its sound, each once, comments last."""
    try:
        tags = read_tags(path)
    except FileUnavailable:
        tags = Tags()
    found: dict[str, list[str]] = {"genre": _parts(tags.genre)}
    for kind, text in _more_tags(path):
        found.setdefault(kind, []).extend([text] if kind == "comment" else _parts(text))
    if tags.year:
        found["decade"] = [f"{tags.year // 10 * 10}s"]
    names = [n.casefold() for n in (tags.title, tags.artist, tags.album) if len(n) > 2]
    words: dict[str, str] = {}
    for kind in ("genre", "mood", "instrument", "style", "grouping", "decade", "comment"):
        for text in found.get(kind, ()):
            word = " ".join(text.encode("utf-8", "replace").decode().split())
            plain = word.casefold()
            address = "://" in plain or "www." in plain
            if word and not address and len(word) <= _LONGEST and not _holds(plain, names):
                words.setdefault(plain, word)
    return tuple(words.values())


def words_of(path: Path, root: Path) -> set[str]:
    """The words that say what a file below `root` sounds like: its tags and its folders' names."""
    try:
        folders = path.relative_to(root).parts[:-1]
    except ValueError:
        folders = ()
    return {word.lower() for word in (*describing_words(path), *folders) if not word.isdigit()}


def _holds(text: str, names: list[str]) -> bool:
    """Whether a text contains a name as a word; "party" does not contain "art"."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


def _more_tags(path: Path) -> list[tuple[str, str]]:
    """Pairs of kind and text of the tags that `read_tags` does not read."""
    try:
        file = mutagen.File(path)
        tags: Any = (file.tags if file is not None else None) or {}
        pairs: list[tuple[str, str]] = []
        for name in sorted({str(key) for key in tags.keys()}):  # noqa: SIM118 (Vorbis: pairs)
            # ID3 keys end in description and language (`COMM::eng`), free ones begin with a
            # name space (`TXXX:MOOD`, `----:com.apple.iTunes:MOOD`).
            head, _, rest = name.lower().partition(":")
            kind = _KINDS.get(rest.rpartition(":")[2] if head in ("txxx", "----") else head)
            if kind:
                pairs += [(kind, text) for text in _texts(tags[name])]
        return pairs
    except Exception:  # mutagen raises whatever a malformed file makes it raise
        return []


def _texts(value: Any) -> list[str]:
    values = getattr(value, "text", value)
    values = values if isinstance(values, list | tuple) else [values]
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]


def _parts(text: str) -> list[str]:
    """`Jazz; Soul/Funk` as its three parts."""
    return [part.strip() for part in re.split(r"[;,/|\n]", text) if part.strip()]
