"""A trail as a JSON file that gives the same results again, on this machine or another.

The file holds every query's steering, and fingerprints of the model and the libraries that
answered. Whoever replays it can be told what has changed; with nothing changed, the results are
the same (`Steering` in types.py).

    {"gdr_session": 1, "made_by": "0.1.0",
     "model": {"name": …, "fingerprint": …},
     "libraries": [{"root": …, "tracks": …, "fingerprint": …}],
     "k": 50, "stands_on": 2,
     "queries": [{"id": 1, "parent": null, "name": "", "where": "", "steering": {…}}, …]}
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gdr_model import __version__, decode
from gdr_model.errors import Hint, ModelError, UsageError
from gdr_model.models.config import ModelConfig
from gdr_model.store.library import Library
from gdr_model.store.records import key
from gdr_model.types import Steering

FORMAT = 1


@dataclass(frozen=True)
class ModelPrint:
    """Which model answered."""

    name: str
    fingerprint: str
    """First 16 hex digits of the SHA-256 of its configuration and weights."""

    @classmethod
    def of(cls, config: ModelConfig) -> ModelPrint:
        """Read a model's files, some ten milliseconds.

        Raises:
            ModelError: if they cannot be read.
        """
        digest = hashlib.sha256()
        try:
            digest.update((config.folder / "config.json").read_bytes())
            with config.weights.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ModelError(f"{config.folder} cannot be read: {error.strerror}") from error
        return cls(config.name, digest.hexdigest()[:16])


@dataclass(frozen=True)
class LibraryPrint:
    """What a library held."""

    root: str
    tracks: int
    fingerprint: str
    """First 16 hex digits of a SHA-256 over the path and the sound of every track."""

    @classmethod
    def of(cls, library: Library) -> LibraryPrint:
        """Go through the tracks of a library."""
        digest, tracks = hashlib.sha256(), library.tracks()
        for track in tracks:
            name = key(os.path.relpath(track.path, library.root))
            digest.update(name + b"\0" + track.content.encode() + b"\n")
        return cls(str(library.root), len(tracks), digest.hexdigest()[:16])


@dataclass(frozen=True)
class SavedQuery:
    """A query of a saved trail."""

    id: int
    parent: int | None
    steering: Steering
    where: str = ""
    name: str = ""


@dataclass(frozen=True)
class SavedTrail:
    """The queries of a trail, parents before children."""

    queries: tuple[SavedQuery, ...]
    model: ModelPrint
    libraries: tuple[LibraryPrint, ...]
    k: int
    stands_on: int | None = None
    made_by: str = __version__

    def differences(self, model: ModelPrint, libraries: Sequence[LibraryPrint]) -> list[str]:
        """One sentence for everything because of which a replay may give other results."""
        said = []
        if model.fingerprint != self.model.fingerprint:
            said.append(f"the trail was drawn by the model {self.model.name}")
            said[0] += (
                " of other weights" if model.name == self.model.name else f", not {model.name}"
            )
        before = {known.fingerprint: known for known in self.libraries}
        for now in libraries:
            if before.pop(now.fingerprint, None):
                continue
            was = next((b for b in before.values() if b.root == now.root), None)
            if was is None:
                said.append(f"{now.root} is a different library from the trail's")
            else:
                before.pop(was.fingerprint)
                changed = f"{was.tracks} tracks then, {now.tracks} now"
                if was.tracks == now.tracks:
                    changed = f"{now.tracks} tracks as then, but not the same"
                said.append(f"{now.root} has changed since: {changed}")
        said += [f"{gone.root} is not searched, but was then" for gone in before.values()]
        return said

    def chosen(self, ids: Sequence[int]) -> tuple[SavedQuery, ...]:
        """The queries of these numbers in their order; all of them where none is named.

        Raises:
            UsageError: naming the first number there is not.
        """
        by_id = {query.id: query for query in self.queries}
        for id in ids:
            if id not in by_id:
                raise UsageError(f"this trail has no query {id}; it has {_listed(list(by_id))}")
        return tuple(by_id[id] for id in ids) or self.queries

    def to_json(self) -> str:
        """The file's text; names that are not UTF-8 are kept as lone surrogate escapes."""
        whole = {"gdr_session": FORMAT, **asdict(self)}
        whole["queries"] = whole.pop("queries")  # last, because they are long
        return json.dumps(whole, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> SavedTrail:
        """Read what `to_json` wrote.

        Raises:
            UsageError: if it is something else, or was written by a newer gdr.
        """
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise UsageError(f"this saved trail cannot be read: {error}") from error
        if not isinstance(raw, dict) or "gdr_session" not in raw:
            raise UsageError("this is no saved trail of gdr", Hint.SAVE_TRAIL)
        version = raw.pop("gdr_session")
        if version != FORMAT:
            raise UsageError(
                f"a newer gdr saved this trail (format {version}, this one reads {FORMAT}); "
                "upgrade gdr to replay it"
            )
        return decode.into(cls, raw, prefix="this saved trail cannot be read: ")

    @classmethod
    def read(cls, file: Path) -> SavedTrail:
        """Read a saved trail.

        Raises:
            UsageError: if it cannot be read.
        """
        try:
            return cls.from_json(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read as a saved trail: {error}") from error


def _listed(ids: list[int]) -> str:
    return f"{min(ids)} to {max(ids)}" if ids else "none"
