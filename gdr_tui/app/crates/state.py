"""The crates as the app shows them: changed at once, saved in the background, undoable.

Free of Textual. Changes are handed to `write`, in order. Until the notebook has been read, marks
are collected in a crate that is then merged with the saved ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gdr_model.errors import UsageError
from gdr_model.notebook.crates import Crates, CrateTrack, checked_name
from gdr_model.paths import spelled_by
from gdr_model.patience import answered

Change = Callable[[Crates], object]
"""Something to do to the crates in the notebook."""
FIRST = "marked"
"""Name of the crate that the first mark makes."""
LONGEST_UNDO = 200


@dataclass(frozen=True)
class KeptCrates:
    """Every crate as the notebook holds it."""

    chosen: str = ""
    tracks: Mapping[str, Sequence[CrateTrack]] = field(default_factory=dict)

    @classmethod
    def read(cls, crates: Crates, roots: Sequence[Path] = ()) -> KeptCrates:
        """All there is, each file once, and spelled as results from these music folders are."""
        found = {crate.name: crates.tracks(crate.name) for crate in crates.all()}
        paths = {track.path for tracks in found.values() for track in tracks}
        # A disk that hangs must not keep the crates from being read.
        spelled: Mapping[Path, Path] = answered(lambda: _spelled(paths, roots), {})
        once: dict[str, dict[Path, CrateTrack]] = {name: {} for name in found}
        for name, tracks in found.items():
            for track in tracks:
                path = spelled.get(track.path, track.path)
                once[name].setdefault(path, replace(track, path=path))
        return cls(crates.chosen(), {name: list(each.values()) for name, each in once.items()})


def _spelled(paths: Iterable[Path], roots: Sequence[Path]) -> dict[Path, Path]:
    spelled = spelled_by(roots)
    return {path: spelled(path) for path in paths}


def _unkept(_: Change) -> None:
    """Write nothing before the notebook has been read."""


class CrateShelf:
    """The crates, the one that marks go to, and the changes that can be undone."""

    def __init__(self) -> None:
        self._crates: dict[str, list[CrateTrack]] = {}
        self._keep: Callable[[Change], object] = _unkept
        self._undo: list[tuple[str, Callable[[], None]]] = []
        self._marked: frozenset[Path] | None = None
        self.chosen = ""
        """The name of the crate that marks go to; "" while there is none."""
        self.changes = 0
        """Number of changes so far, which tells whether something read earlier is still current."""

    @property
    def restored(self) -> bool:
        """Whether the notebook was read."""
        return self._keep is not _unkept

    @property
    def names(self) -> list[str]:
        """Names of all crates, sorted."""
        return sorted(self._crates, key=lambda name: (name.casefold(), name))

    @property
    def marked(self) -> frozenset[Path]:
        """Paths in the crate that marks go to."""
        if self._marked is None:
            self._marked = frozenset(track.path for track in self.tracks(self.chosen))
        return self._marked

    def tracks(self, name: str) -> tuple[CrateTrack, ...]:
        """The tracks of a crate in its order; none if there is no such crate."""
        return tuple(self._crates.get(name, ()))

    def restore(self, kept: KeptCrates, keep: Callable[[Change], object]) -> None:
        """Take over the saved crates, and add what was marked before they were read."""
        early = self._crates if self._keep is _unkept else {}
        self._keep = keep
        self._crates = {name: list(tracks) for name, tracks in kept.tracks.items()}
        self.chosen, self._marked = kept.chosen, None
        for tracks in early.values():
            for track in tracks:
                if track.path not in self.marked:
                    self.toggle(track)

    # Marks

    def toggle(self, track: CrateTrack) -> bool:
        """Add a track to the chosen crate or remove it; True if it is in there now."""
        if track.path in self.marked:
            self.remove(self.chosen, track.path)
            return False
        if not self.chosen:
            if FIRST not in self._crates:
                self.make(FIRST)
            self.choose(FIRST)
        name = self.chosen
        self._crates[name].append(track)
        self._did(lambda crates: crates.add(name, [track]))
        self._undo_by(
            f"removed {track.name} from {name} again", lambda: self._take(name, track.path)
        )
        return True

    # Crates

    def choose(self, name: str) -> None:
        """Make this the crate that marks go to."""
        if name != self.chosen and name in self._crates:
            self.chosen = name
            self._did(lambda crates: crates.choose(name))

    def make(self, name: str) -> str:
        """Make a crate; returns its name as saved.

        Raises:
            UsageError: if the name is taken or invalid.
        """
        name = self.check(name)
        self._crates[name] = []
        self._did(lambda crates: crates.make(name))
        self._undo_by(f"deleted the crate {name} again", lambda: self._drop(name))
        return name

    def rename(self, name: str, to: str) -> None:
        """Rename a crate.

        Raises:
            UsageError: if the new name is taken or invalid.
        """
        if to.strip() == name or name not in self._crates:
            return
        to = self.check(to)
        self._call(name, to)
        self._undo_by(f"renamed {to} back to {name}", lambda: self._call(to, name))

    def check(self, name: str) -> str:
        """A name as a new crate would be saved under it.

        Raises:
            UsageError: if the name is taken or invalid.
        """
        name = checked_name(name)
        if name in self._crates:
            raise UsageError(f"there is already a crate called {name}")
        return name

    def delete(self, name: str) -> None:
        """Take a crate away; files are not touched."""
        if name not in self._crates:
            return
        tracks, was_chosen = self.tracks(name), name == self.chosen
        self._drop(name)

        def back() -> None:
            self._put_back(name, tracks)
            if was_chosen:
                self.choose(name)

        self._undo_by(f"restored the crate {name}", back)

    # The tracks of a crate

    def remove(self, name: str, path: Path) -> None:
        """Remove a track from a crate."""
        before = self.tracks(name)
        if gone := [track for track in before if track.path == path]:
            self._take(name, path)
            sentence = f"{gone[0].name} is back in {name}"
            self._undo_by(sentence, lambda: self._put_back(name, before))

    def move(self, name: str, path: Path, by: int) -> int:
        """Move a track within its crate; returns its new place."""
        before = self.tracks(name)
        at = [track.path for track in before].index(path)
        to = max(0, min(at + by, len(before) - 1))
        if to != at:
            tracks = self._crates[name]
            tracks.insert(to, tracks.pop(at))
            self._arranged(name)
            self._undo_by(f"moved {before[at].name} back", lambda: self._put_back(name, before))
        return to

    def undo(self) -> str:
        """Take back the last change and say so; "" if there is nothing to undo."""
        if not self._undo:
            return ""
        sentence, act = self._undo.pop()
        act()
        return sentence

    # The same changes without undo

    def _take(self, name: str, path: Path) -> None:
        if name in self._crates:
            self._crates[name] = [track for track in self._crates[name] if track.path != path]
            self._did(lambda crates: crates.remove(name, [path]))

    def _drop(self, name: str) -> None:
        if self._crates.pop(name, None) is None:
            return
        was_chosen = self.chosen == name
        self.chosen = "" if was_chosen else self.chosen
        self._did(lambda crates: crates.delete(name))
        if was_chosen and self._crates:
            self.choose(self.names[0])

    def _call(self, name: str, to: str) -> None:
        if name not in self._crates or to in self._crates:
            return
        self._crates[to] = self._crates.pop(name)
        self.chosen = to if self.chosen == name else self.chosen
        self._did(lambda crates: crates.rename(name, to))

    def _put_back(self, name: str, before: Sequence[CrateTrack]) -> None:
        """Restore these tracks in this order, followed by those added since."""
        if name not in self._crates:
            self._crates[name] = []
            self._did(lambda crates: crates.make(name))
        known = {track.path for track in before}
        since = [track for track in self._crates[name] if track.path not in known]
        self._crates[name] = [*before, *since]
        self._did(lambda crates: crates.add(name, before))
        self._arranged(name)

    def _arranged(self, name: str) -> None:
        order = [track.path for track in self._crates[name]]
        self._did(lambda crates: crates.arrange(name, order))

    def _did(self, change: Change) -> None:
        self.changes += 1
        self._marked = None
        self._keep(change)

    def _undo_by(self, sentence: str, act: Callable[[], None]) -> None:
        self._undo = [*self._undo[1 - LONGEST_UNDO :], (sentence, act)]
