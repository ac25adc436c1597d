"""What was done with earlier results, from the files that carry it to another query.

Such a file is what `gdr search -f json` printed, a list exported from the app as JSON, or a saved
trail; the command line writes no session by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gdr_model import decode, plain
from gdr_model.errors import UsageError, not_read
from gdr_model.evidence import Evidence, Judgement, preference
from gdr_model.steering import Steering


@dataclass(frozen=True)
class Earlier:
    """The evidence of an earlier query, and the files it listed."""

    evidence: tuple[Evidence, ...] = ()
    listed: tuple[str, ...] = ()

    def and_then(
        self, nearest: Sequence[int], heard: Sequence[int], passed: Sequence[int]
    ) -> tuple[Evidence, ...]:
        """The evidence with what was done with results since, by their numbers, nearest first.

        Raises:
            UsageError: if there is no result of a number, or none that it is preferred to.
        """
        done = [Evidence(Judgement.HEARD, self._file(number)) for number in heard]
        done += [Evidence(Judgement.PASSED, self._file(number)) for number in passed]
        for number in nearest:
            done.append(preference(self._file(number), self.listed, done))
        return (*self.evidence, *done)

    def _file(self, number: int) -> str:
        if not 1 <= number <= len(self.listed):
            held = f"it lists {len(self.listed)}" if self.listed else "it lists none"
            raise UsageError(f"the session file has no result number {number}; {held}")
        return self.listed[number - 1]


def read(file: Path) -> Earlier:
    """Read a session file; of a saved trail the current query, of several answers the last.

    Raises:
        UsageError: if it cannot be read, or is none of these files.
    """
    try:
        text = file.read_text(encoding="utf-8")
        raw = plain.from_json(text)
    except (OSError, ValueError) as error:
        raise not_read(file, "a session file", error) from error
    if isinstance(raw, dict) and "gdr_session" in raw:
        return _of_trail(text)
    answer = raw[-1] if isinstance(raw, list) and raw else raw
    try:
        prefix = f"{file} cannot be read as a session file: "
        steering = decode.into(Steering, answer["steering"], prefix=prefix)
        listed = tuple(str(hit["path"]) for hit in answer["hits"])
    except (LookupError, TypeError):
        raise UsageError(
            f"{file} is no session file; it needs results as JSON, or a saved trail"
        ) from None
    return Earlier(steering.evidence, listed)


def _of_trail(text: str) -> Earlier:
    from gdr_model.notebook.saved_trails import SavedTrail

    trail = SavedTrail.from_json(text)
    stands = [query for query in trail.queries if query.id == trail.stands_on]
    last = stands or list(trail.queries[-1:])
    return Earlier(last[0].steering.evidence if last else ())
