"""What a library leaves out, what of it is not there, where it went, in the words of both faces."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.audio import UNREAD_SUFFIXES
from gdr_model.errors import Hint
from gdr_model.store.records import LeftOut, Reason
from gdr_tui.next_steps import step
from gdr_tui.safe_text import counted, literal

if TYPE_CHECKING:
    from gdr_model.notebook.moves import Moved

_NAMED = 3
"""Folders that a line names."""

_WORDS = {
    Reason.HIDDEN: ("hidden file", "hidden files"),
    Reason.EXCLUDED: ("excluded file or folder", "excluded files and folders"),
    Reason.SYSTEM: ("system folder", "system folders"),
    Reason.MARKER: ("folder marked .notmusic", "folders marked .notmusic"),
    Reason.IRREGULAR: ("pipe or device", "pipes and devices"),
}
_WITH_NAMES = (Reason.EXCLUDED, Reason.SYSTEM, Reason.MARKER, Reason.IRREGULAR)


def summarised(left_out: Iterable[LeftOut]) -> list[str]:
    """One line for each reason, with numbers; nothing for what is not left out."""
    by_reason: dict[Reason, list[LeftOut]] = {reason: [] for reason in Reason}
    for each in left_out:
        by_reason[each.reason].append(each)
    lines = [_other_kinds(by_reason.pop(Reason.KIND))]
    for reason, found in by_reason.items():
        if found:
            named = f": {_names(found)}" if reason in _WITH_NAMES else ""
            lines.append(f"{len(found):,} {_WORDS[reason][len(found) > 1]} left out{named}")
    return [line for line in lines if line]


def explained(each: LeftOut) -> str:
    """Why one file or folder is left out, in two or three words."""
    return f"of another kind ({literal(each.kind)})" if each.kind else _REASONS[each.reason]


_REASONS = {
    Reason.KIND: "of another kind",
    Reason.HIDDEN: "hidden",
    Reason.EXCLUDED: "excluded",
    Reason.SYSTEM: "a system folder",
    Reason.MARKER: "marked .notmusic",
    Reason.IRREGULAR: "not a regular file",
}


def name(each: LeftOut) -> str:
    """Its path relative to the root; "." for the root itself."""
    return literal(os.fsdecode(each.name)) or "."


def away(folder: Path, count: int) -> str:
    """What is not there now, and how to forget it."""
    are = "is" if count == 1 else "are"
    where = f"{counted(count, 'track')} in {literal(str(folder))}"
    return f"{where} {are} not there now; {step(Hint.FORGET, root=str(folder))}"


def _other_kinds(found: Sequence[LeftOut]) -> str:
    if not found:
        return ""
    sounds = Counter(each.kind for each in found if each.kind in UNREAD_SUFFIXES)
    parts = [f"{count:,} {literal(kind)}" for kind, count in sounds.most_common()]
    rest = len(found) - sounds.total()
    if not parts:
        are = "is" if rest == 1 else "are"
        return f"{counted(rest, 'file')} that {are} not audio left out"
    if rest:
        parts.append(f"{rest:,} not audio")
    noun = "file of another kind" if len(found) == 1 else "files of other kinds"
    return f"{len(found):,} {noun} left out: {', '.join(parts)}"


def _names(found: Sequence[LeftOut]) -> str:
    named = ", ".join(name(each) for each in found[:_NAMED])
    more = len(found) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def has_moved(moved: Moved) -> str:
    """What was moved."""
    crates = f"{counted(moved.in_crates, 'track')} in crates"
    if not moved.tracks:
        return f"crates and trails now look in {moved.new} for what was in {moved.old}: {crates}"
    unchanged = (
        f"the library {moved.old} has moved to {moved.new}: {moved.found:,} of "
        f"{counted(moved.tracks, 'track')} unchanged there"
    )
    return f"{unchanged}, {crates} moved with it" if moved.in_crates else unchanged
