"""The store of one music folder: its tracks, and the latents of their sound.

    library.db    SQLite, WAL: tracks and other files (`files`), latents, passages (`latents`)
    latents/      two files of rows for each space (see `latent_files`)

Tracks belong to paths, latents to content: a moved or copied file keeps its latents, and
latents outlive their file in case it returns. Rows are on disk before the database row that
points at them is committed, so a crash leaves at worst a tail that no row points at, and the next
append overwrites it. One program writes at a time (`ingest` holds a lock); any number can read.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from gdr_model import plain
from gdr_model.errors import Hint, LibraryError
from gdr_model.paths import inside
from gdr_model.store import filters, lock, statements, text_match
from gdr_model.store.database import Database
from gdr_model.store.files import Files
from gdr_model.store.latents import Latents
from gdr_model.store.records import Failure, Passages, Sound, around, key, shown, within
from gdr_model.store.stores import Place, place
from gdr_model.types import Array, LatentSpace, Section, Track


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
        self._lock = threading.RLock()
        self._tracks: tuple[int, dict[Any, Track]] = (-1, {})

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
            if not folder.is_dir():
                raise LibraryError(f"{shown(folder)} is not a folder")
        return cls(at, Database.open(at.store, at.root))

    def close(self) -> None:
        """Close the store; the library cannot be used afterwards."""
        self._latents.close()
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

    def is_being_indexed(self) -> bool:
        """Whether any program, including this one, is indexing the folder right now."""
        return lock.is_held(self.store)

    def count(self) -> int:
        """How many tracks there are."""
        sql = f"SELECT count(*) FROM tracks WHERE {statements.WITHIN}"
        return int(self._database.read(sql, *self._range)[0][0])

    def first(self, count: int) -> list[Track]:
        """The first tracks in the order of their paths; all of a large library take a second."""
        rows = self._database.read(f"{statements.TRACKS} LIMIT ?3", *self._range, count)
        return [self._track(row) for row in rows]

    def tracks(self, where: str | None = None) -> list[Track]:
        """The tracks in the order of their paths: all, or those a filter keeps (see `filters`).

        Raises:
            UsageError: if the filter is invalid.
        """
        keeps = filters.parse(where) if where is not None else None
        with self._lock:
            generation = self.generation
            if self._tracks[0] != generation:
                # Making a Track takes longer than reading its row, so unchanged ones are
                # reused: while a folder is being indexed this is called all the time.
                before = self._tracks[1]
                rows = self._database.read(statements.TRACKS, *self._range)
                now = {row: before.get(row) or self._track(row) for row in rows}
                self._tracks = (generation, now)
            tracks = list(self._tracks[1].values())
        if keeps is None:
            return tracks
        start = len(str(self.root / "x")) - 1
        return [t for t in tracks if keeps(t, str(t.path)[start:].replace(os.sep, "/"))]

    def track(self, path: Path) -> Track | None:
        """The track of a file, whichever way its path is spelled."""
        for _, relative in inside(path, self.root):
            rows = self._database.read(statements.TRACK, *self._range, key(relative))
            if rows:
                return self._track(rows[0])
        return None

    def contents(self, where: str | None = None) -> set[str]:
        """The contents of the tracks: all, or those a filter keeps."""
        return {track.content for track in self.tracks(where)}

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
        """The absolute path of a key."""
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

    def latents(self, content: str, space: LatentSpace) -> Array:
        """The latents (T, D) of one content; see `Latents.of`."""
        return self._latents.of(content, space)

    def passages(self, space: LatentSpace, after: int = 0) -> Passages:
        """The passages with an id above `after`; see `Latents.passages`."""
        return self._latents.passages(space, after)

    def put_latents(self, sound: Sound, space: LatentSpace, latents: Array) -> None:
        """Store the latents (T, D) of a content and its passages; see `Latents.put`."""
        self._latents.put(sound, space, latents)

    def damaged(self, space: LatentSpace) -> int:
        """How many contents have damaged latents; see `Latents.damaged`."""
        return self._latents.damaged(space)

    def drop_damaged(self, space: LatentSpace) -> int:
        """Delete latents whose files are damaged; see `Latents.drop_damaged`."""
        return self._latents.drop_damaged(space)

    def touch(self) -> None:
        """Record that the library was indexed just now, even if nothing changed."""
        with self._database.write():
            pass

    def _track(self, row: tuple[Any, ...]) -> Track:
        path, values, parts = row[0], row[1:-1], row[-1]
        sections = tuple(Section(*part) for part in plain.from_json(parts)) if parts else ()
        fields: tuple[Any, ...] = (self.path(path), *values, sections)
        return Track(*fields)
