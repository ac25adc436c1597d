"""The store of one music folder: its tracks, and the latents of their sound.

    library.db    SQLite, WAL: tracks and other files (`files`), latents, passages (`latents`)
    latents/      two files of rows for each space (see `latent_files`)

Tracks belong to paths, latents to content: a moved or copied file keeps its latents, and
latents outlive their file in case it returns. Rows are on disk before the database row that
points at them is committed, so a crash leaves at worst a tail that no row points at, and the next
append overwrites it. One program writes at a time (`ingest` holds a lock); any number can read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from gdr_model import plain
from gdr_model.errors import Hint, LibraryError
from gdr_model.paths import inside
from gdr_model.patience import hangs, is_folder
from gdr_model.store import filters, lock, statements, text_match
from gdr_model.store.database import Database
from gdr_model.store.files import Files
from gdr_model.store.latents import Latents
from gdr_model.store.records import Failure, Passages, Sound, around, key, shown, within
from gdr_model.store.stores import Place, place
from gdr_model.types import Array, Cancel, LatentSpace, Section, Track, never


class Library:
    """One music folder's store, or the part of it in one folder. Safe from several threads."""

    def __init__(self, at: Place, database: Database) -> None:
        """Use `Library.open`."""
        self.root = at.root
        self.store = at.store
        self.part = at.part
        """The key of the folder that is seen, empty for the whole library."""
        self.files = Files(database, at.part)
        self._database = database
        self._latents = Latents(database, at.store / "latents", at.root)
        self._range = within(at.part)

    @classmethod
    def open(cls, folder: Path, *, create: bool = False, store: Path | None = None) -> Library:
        """The library of a folder.

        A folder inside an indexed one that has no library of its own is seen as a part of that:
        its tracks alone are listed, counted and found.

        Args:
            folder: the music folder.
            create: make a library if there is none.
            store: where it is kept, if not among the user's own stores.

        Raises:
            LibraryError: if there is none yet (and `create` is false), if it is damaged, or if
                a newer program wrote it.
        """
        # Not `resolve`: results keep the spelling the user gave, symbolic links included.
        folder = Path(os.path.abspath(folder.expanduser()))
        at = Place(folder, store) if store else place(folder)
        if not (at.store / "library.db").exists():
            if not create:
                raise LibraryError(f"no library at {shown(folder)} yet", Hint.INDEX, root=folder)
            if not is_folder(folder):
                what = "does not answer" if hangs(folder) else "is not a folder"
                raise LibraryError(f"{shown(folder)} {what}")
        return cls(at, Database.open(at.store, at.root))

    def close(self) -> None:
        """Close the store; the library cannot be used afterwards."""
        self._database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The folder whose tracks are seen: the root, or one inside it."""
        return self.path(self.part) if self.part else self.root

    def is_part_of(self, other: Library) -> bool:
        """Whether another library sees all that this one sees."""
        return self.store == other.store and (other.part in (b"", *around(self.part)))

    # What it holds

    @property
    def generation(self) -> int:
        """Increases with every change, whichever program makes it."""
        return self._database.generation

    @property
    def stamp(self) -> str:
        """Equal only while nothing changes, and for copies of the store."""
        return self._database.stamp

    def is_being_indexed(self) -> bool:
        """Whether any program, including this one, is indexing the folder right now."""
        return lock.is_held(self.store)

    def count(self) -> int:
        """How many tracks there are."""
        sql = f"SELECT count(*) FROM tracks WHERE {statements.WITHIN}"
        return int(self._database.read(sql, *self._range)[0][0])

    def duration_s(self) -> float:
        """How long all tracks are together."""
        sql = f"SELECT total(duration_s) FROM tracks WHERE {statements.WITHIN}"
        return float(self._database.read(sql, *self._range)[0][0])

    def recordings(self) -> int:
        """How many different sounds the tracks have."""
        sql = "SELECT count(DISTINCT content) FROM tracks"
        where = f" WHERE {statements.WITHIN}" if self.part else ""
        return int(self._database.read(sql + where, *self._range[: 2 * bool(where)])[0][0])

    def first(self, count: int) -> list[Track]:
        """The first tracks in the order of their paths; all of a large library take a second."""
        rows = self._database.read(f"{statements.TRACKS} LIMIT ?3", *self._range, count)
        return self._tracks(rows)

    def tracks(self, where: str | None = None) -> list[Track]:
        """The tracks in the order of their paths: all, or those a filter keeps (see `filters`).

        Those of a large library take a second and a hundred megabytes, which nothing keeps. What
        is shown of them is read by `tracks_of`.

        Raises:
            UsageError: if the filter is invalid.
        """
        keeps = filters.parse(where) if where is not None else None
        found: list[Track] = []
        for rows in self._database.chunks(statements.TRACKS, *self._range):
            for row, track in zip(rows, self._tracks(rows), strict=True):
                if keeps is None or keeps(track, os.fsdecode(row[0])):
                    found.append(track)
        return found

    def tracks_of(self, contents: Iterable[str]) -> dict[str, list[Track]]:
        """The tracks of some contents, those of each in the order of their paths."""
        wanted = json.dumps(list(contents))
        rows = self._database.read(statements.TRACKS_OF, *self._range, wanted)
        return by_content(self._tracks(rows))

    def sounds(self) -> Iterator[tuple[bytes, str]]:
        """The key and content of every track, in the order of their paths."""
        for rows in self._database.chunks(statements.SOUNDS, *self._range):
            yield from rows

    def keeps(self, where: str) -> Callable[[Track], bool]:
        """Whether a filter keeps a track of this library.

        Raises:
            UsageError: if the filter is invalid.
        """
        keeps, start = filters.parse(where), len(str(self.root / "x")) - 1
        return lambda track: keeps(track, str(track.path)[start:].replace(os.sep, "/"))

    def kept(self, where: str | None = None) -> Iterator[str]:
        """The content of every track, or of those that a filter keeps; no track is made for it.

        Raises:
            UsageError: if the filter is invalid.
        """
        keeps = filters.parse(where) if where is not None else None
        columns = filters.columns(where) if where is not None else ()
        sql = f"SELECT {', '.join(('path', 'content', *columns))} FROM tracks "
        track = SimpleNamespace()
        for rows in self._database.chunks(f"{sql} WHERE {statements.WITHIN}", *self._range):
            found = []
            with self._database.trusting():
                for path, content, *values in rows:
                    vars(track).update(zip(columns, values, strict=True))
                    if keeps is None or keeps(track, os.fsdecode(path)):
                        found.append(content)
            yield from found

    def track(self, path: Path) -> Track | None:
        """The track of a file, whichever way its path is spelled."""
        for _, relative in inside(path, self.root):
            rows = self._database.read(statements.TRACK, *self._range, key(relative))
            if rows:
                return self._tracks(rows)[0]
        return None

    def sections(self) -> dict[str, list[float]]:
        """Where the sections of each content begin that has any."""
        rows = self._database.read(statements.SECTIONS, *self._range)
        return {content: [part[0] for part in plain.from_json(parts)] for content, parts in rows}

    def contents(self, where: str | None = None) -> set[str]:
        """The contents of the tracks: all, or those a filter keeps."""
        return set(self.kept(where))

    def values(self, field: str) -> list[tuple[str, int]]:
        """The values of artist, album, genre or year, with the number of tracks of each.

        Each of several values in a tag counts, and equal ones together, in the spelling of most.
        """
        rows = self._database.read(statements.VALUES[field], *self._range)
        return text_match.counted(field, [(str(value), count) for value, count in rows])

    def failures(self) -> list[Failure]:
        """The files that could not be read, in the order of their paths."""
        rows = self._database.read(
            f"SELECT path, reason, at FROM failures WHERE {statements.WITHIN} ORDER BY path",
            *self._range,
        )
        return [Failure(self.path(row[0]), row[1], row[2]) for row in rows]

    def path(self, name: bytes) -> Path:
        """The absolute path of a key.

        Raises:
            LibraryError: if the database is damaged, and it is none.
        """
        with self._database.trusting():
            return self.root / os.fsdecode(name)

    # Latents, by content (see `Latents`)

    def spaces(self) -> list[LatentSpace]:
        """The spaces of this library's latents, oldest first."""
        return self._latents.spaces()

    def has_latents(self, content: str, space: LatentSpace) -> bool:
        """Whether a content has latents in a space."""
        return self._latents.has(content, space)

    def encoded(self, space: LatentSpace) -> set[str]:
        """The contents with latents in a space, whether or not a track still has them."""
        return self._latents.encoded(space)

    def covered(self, space: LatentSpace, *, absent_too: bool = False) -> int:
        """How many recordings have latents in a space, without files that are not there now."""
        encoded, absent = self.encoded(space), set[bytes]()
        if not absent_too:
            absent.update(self.files.absent())
        sounds = ((name, content) for name, content in self.sounds() if content in encoded)
        return len({content for name, content in sounds if absent.isdisjoint(around(name))})

    def latents(self, content: str, space: LatentSpace) -> Array:
        """The latents (T, D) of one content; see `Latents.of`."""
        return self._latents.of(content, space)

    def passages(self, space: LatentSpace, after: int = 0) -> Passages:
        """The passages with an id above `after`; see `Latents.passages`."""
        return self._latents.passages(space, after)

    def still_has(self, space: LatentSpace, ids: NDArray[np.int64]) -> bool:
        """Whether no passage has come or gone below the last of some ids."""
        return self._latents.still_has(space, ids)

    def table(self, space: LatentSpace, *columns: Any) -> Passages:
        """Passages that were read before; see `Latents.table`."""
        return self._latents.table(space, *columns)

    def put_latents(self, sound: Sound, space: LatentSpace, latents: Array) -> None:
        """Store the latents (T, D) of a content and its passages; see `Latents.put`."""
        self._latents.put(sound, space, latents)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store everything that is put meanwhile, or nothing; that waits for the disk once.

        Raises:
            LibraryError: if it cannot be stored.
        """
        with self._database.write(), self._latents.synced_once():
            yield

    def damaged(self, space: LatentSpace) -> int:
        """How many contents have damaged latents; see `Latents.damaged`."""
        return self._latents.damaged(space)

    def drop_damaged(self, space: LatentSpace, cancelled: Cancel = never) -> int:
        """Delete latents whose files are damaged; see `Latents.drop_damaged`."""
        return self._latents.drop_damaged(space, cancelled)

    def touch(self) -> None:
        """Record that the library was indexed just now, even if nothing changed."""
        with self._database.write():
            pass

    def _tracks(self, rows: Iterable[tuple[Any, ...]]) -> list[Track]:
        kinds = _kinds()
        found = []
        with self._database.trusting():
            for path, *values, parts in rows:
                sections = tuple(Section(*part) for part in plain.from_json(parts)) if parts else ()
                if not all(map(isinstance, values, kinds)):
                    raise TypeError("a column has a value of another type")
                fields: tuple[Any, ...] = (self.root / os.fsdecode(path), *values, sections)
                found.append(Track(*fields))
        return found


@cache
def _kinds() -> tuple[Any, ...]:
    """What the values between a track's path and its sections can be; a float can be whole."""
    hints = list(get_type_hints(Track).values())[1:-1]
    return tuple(hint | int if float in (hint, *get_args(hint)) else hint for hint in hints)


def by_content(tracks: Iterable[Track]) -> dict[str, list[Track]]:
    """Group tracks by their content, so that copies of one recording are together."""
    grouped: dict[str, list[Track]] = {}
    for track in tracks:
        grouped.setdefault(track.content, []).append(track)
    return grouped
