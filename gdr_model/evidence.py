"""What a person did with results that were shown, as values that a steering carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gdr_model.errors import UsageError

MOST_SHOWN = 1000
"""Files that one choice can have been made among."""


class Judgement(StrEnum):
    """What was done with a file."""

    PREFERRED = "preferred"
    """Of those shown, it is the nearest to what is wanted."""
    HEARD = "heard"
    """It was listened to until its end."""
    PASSED = "passed"
    """It was listened to and left soon."""


@dataclass(frozen=True)
class Evidence:
    """One thing that a person did, and to which file."""

    judgement: Judgement
    path: str
    over: tuple[str, ...] = ()
    """The files it was preferred to; only a preference has any."""

    def __post_init__(self) -> None:
        """Validate the files.

        Raises:
            UsageError: if a file is missing or named twice, or there are too many.
        """
        if not self.path:
            raise UsageError("a judgement names no file")
        preferred = self.judgement == Judgement.PREFERRED
        if preferred != bool(self.over):
            needs = "needs the files that it was preferred to" if preferred else "has no others"
            raise UsageError(f"a file that was {self.judgement} {needs}")
        if self.path in self.over or len(set(self.over)) < len(self.over) or "" in self.over:
            raise UsageError("a file can be preferred only to other files, each named once")
        if len(self.over) > MOST_SHOWN:
            raise UsageError(f"a choice among more than {MOST_SHOWN:,} files is too long")


def preference(path: str, shown: Iterable[str], before: Iterable[Evidence] = ()) -> Evidence:
    """A file as the nearest of those shown that are left.

    Of one list several can be pointed out, the nearest first: those that were preferred `before`
    stay nearer than this one.

    Raises:
        UsageError: if there are no others, or too many.
    """
    nearer = {one.path for one in before if one.judgement == Judgement.PREFERRED}
    others = dict.fromkeys(other for other in shown if other != path and other not in nearer)
    if not others:
        raise UsageError("there is no other result that it could be nearer than")
    return Evidence(Judgement.PREFERRED, path, tuple(others))
