"""The crates as the app shows them: changed at once, kept behind the screen's back, undone by key.

Free of Textual. What is changed here is written by whoever `keep` hands it to, in the same order;
until the notebook was read, marks are gathered in a crate that is then merged with what was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gdr_model.errors import UsageError
from gdr_model.notebook.crates import Crates, CrateTrack, checked_name

Change = Callable[[Crates], object]
"""What is to be done to the crates in the notebook."""
FIRST = "marked"
"""What the first crate is called, which the first mark makes."""
LONGEST_UNDO = 200


@dataclass(frozen=True)
class KeptCrates:
    """Every crate as the notebook holds it."""

    chosen: str = ""
    tracks: Mapping[str, Sequence[CrateTrack]] = field(default_factory=dict)

    @classmethod
    def read(cls, crates: Crates) -> KeptCrates:
        """All there is."""
        return cls(crates.chosen(), {c.name: crates.tracks(c.name) for c in crates.all()})


def _unkept(_: Change) -> None:
    """Before the notebook was read nothing is written."""


class CrateShelf:
    """The crates, the one that marks go to, and what can be undone."""

    def __init__(self) -> None:
        self._crates: dict[str, list[CrateTrack]] = {}
        self._keep: Callable[[Change], object] = _unkept
        self._undo: list[tuple[str, Callable[[], None]]] = []
        self._marked: frozenset[Path] | None = None
        self.chosen = ""
        """The name of the crate that marks go to; "" while there is none."""
        self.changes = 0
        """How often anything was changed: whether what was read is still so."""

    @property
    def restored(self) -> bool:
        """Whether the notebook was read."""
        return self._keep is not _unkept

    @property
    def names(self) -> list[str]:
        """Every crate, in the order of their names."""
        return sorted(self._crates, key=lambda name: (name.casefold(), name))

    @property
    def marked(self) -> frozenset[Path]:
        """What is in the crate that marks go to."""
        if self._marked is None:
            self._marked = frozenset(track.path for track in self.tracks(self.chosen))
        return self._marked

    def tracks(self, name: str) -> tuple[CrateTrack, ...]:
        """The tracks of a crate in its order; none if there is no such crate."""
        return tuple(self._crates.get(name, ()))

    def restore(self, kept: KeptCrates, keep: Callable[[Change], object]) -> None:
        """Take over what the notebook holds; what was marked before that is added to it."""
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
        """Put a track into the chosen crate, or take it out; whether it is in it now."""
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
            f"took {track.name} out of {name} again", lambda: self._take(name, track.path)
        )
        return True

    # Crates

    def choose(self, name: str) -> None:
        """Let marks go to this crate."""
        if name != self.chosen and name in self._crates:
            self.chosen = name
            self._did(lambda crates: crates.choose(name))

    def make(self, name: str) -> str:
        """Make a crate and say how its name is kept.

        Raises:
            UsageError: if there is one of this name, or it is no name.
        """
        name = self.check(name)
        self._crates[name] = []
        self._did(lambda crates: crates.make(name))
        self._undo_by(f"took the crate {name} away again", lambda: self._drop(name))
        return name

    def rename(self, name: str, to: str) -> None:
        """Call a crate something else.

        Raises:
            UsageError: if another one has the new name, or it is no name.
        """
        if to.strip() == name or name not in self._crates:
            return
        to = self.check(to)
        self._call(name, to)
        self._undo_by(f"{to} is called {name} again", lambda: self._call(to, name))

    def check(self, name: str) -> str:
        """A name that a new crate could have.

        Raises:
            UsageError: if there is one of this name, or it is no name.
        """
        name = checked_name(name)
        if name in self._crates:
            raise UsageError(f"there is a crate called {name} already")
        return name

    def delete(self, name: str) -> None:
        """Take a crate away; no file is touched."""
        if name not in self._crates:
            return
        tracks, was_chosen = self.tracks(name), name == self.chosen
        self._drop(name)

        def back() -> None:
            self._put_back(name, tracks)
            if was_chosen:
                self.choose(name)

        self._undo_by(f"the crate {name} is back", back)

    # The tracks of a crate

    def remove(self, name: str, path: Path) -> None:
        """Take a track out of a crate."""
        before = self.tracks(name)
        if gone := [track for track in before if track.path == path]:
            self._take(name, path)
            sentence = f"{gone[0].name} is back in {name}"
            self._undo_by(sentence, lambda: self._put_back(name, before))

    def move(self, name: str, path: Path, by: int) -> int:
        """Move a track within its crate; returns its place there."""
        before = self.tracks(name)
        at = [track.path for track in before].index(path)
        to = max(0, min(at + by, len(before) - 1))
        if to != at:
            tracks = self._crates[name]
            tracks.insert(to, tracks.pop(at))
            self._arranged(name)
            self._undo_by(
                f"{before[at].name} is where it was", lambda: self._put_back(name, before)
            )
        return to

    def undo(self) -> str:
        """Take back the last change and say so; "" if there is nothing to take back."""
        if not self._undo:
            return ""
        sentence, act = self._undo.pop()
        act()
        return sentence

    # How: the same without a way back

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
        """Have these tracks in this order again; what came since stays behind them."""
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
