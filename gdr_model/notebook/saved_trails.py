"""A trail saved as a JSON file, to be replayed with the same results on this machine or another.

The file holds the steering of every query, and fingerprints of the model and the libraries that
answered. If they have not changed, the results are the same (`Steering` in types.py); if they
have, `differences` says how.

    {"gdr_session": 1, "made_by": "0.1.0",
     "model": {"name": …, "fingerprint": …},
     "libraries": [{"root": …, "tracks": …, "fingerprint": …}],
     "k": 50, "stands_on": 2,
     "queries": [{"id": 1, "parent": null, "name": "", "where": "", "steering": {…}}, …]}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gdr_model import __version__, decode, plain
from gdr_model.errors import Hint, ModelError, UsageError, not_read
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.models.config import ModelConfig
from gdr_model.steering import Steering
from gdr_model.store.library import Library

FORMAT = 1


@dataclass(frozen=True)
class ModelPrint:
    """The model that answered."""

    name: str
    fingerprint: str
    """First 16 hex digits of the SHA-256 of its configuration and weights."""

    @classmethod
    def of(cls, config: ModelConfig) -> ModelPrint:
        """Fingerprint a model's files, which takes some ten milliseconds.

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
    """The content of a library."""

    root: str
    tracks: int
    fingerprint: str
    """First 16 hex digits of the SHA-256 of the path and the sound of every track."""

    @classmethod
    def of(cls, library: Library) -> LibraryPrint:
        """Fingerprint the tracks of a library."""
        digest, tracks = hashlib.sha256(), 0
        for name, content in library.sounds():
            digest.update(name + b"\0" + content.encode() + b"\n")
            tracks += 1
        return cls(str(library.root), tracks, digest.hexdigest()[:16])


@dataclass(frozen=True)
class SavedQuery:
    """A query of a saved trail."""

    id: int
    parent: int | None
    steering: Steering
    where: str = ""
    name: str = ""
    limits: Limits = NO_LIMITS


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
        """One sentence for each reason why a replay can give other results."""
        differences = []
        if model.fingerprint != self.model.fingerprint:
            other = " of other weights" if model.name == self.model.name else f", not {model.name}"
            differences.append(f"the trail was drawn by the model {self.model.name}{other}")
        before = {library.fingerprint: library for library in self.libraries}
        for now in libraries:
            if before.pop(now.fingerprint, None):
                continue
            was = next((b for b in before.values() if b.root == now.root), None)
            if was is None:
                differences.append(f"{now.root} is a different library from the trail's")
            else:
                before.pop(was.fingerprint)
                change = f"{was.tracks} tracks then, {now.tracks} now"
                if was.tracks == now.tracks:
                    change = f"{now.tracks} tracks as then, but not the same"
                differences.append(f"{now.root} has changed since: {change}")
        differences += [f"{gone.root} is not searched, but was then" for gone in before.values()]
        return differences

    def chosen(self, ids: Sequence[int]) -> tuple[SavedQuery, ...]:
        """The queries with these ids, in this order; all of them if none is given.

        Raises:
            UsageError: naming the first id that does not exist.
        """
        by_id = {query.id: query for query in self.queries}
        for id in ids:
            if id not in by_id:
                raise UsageError(f"this trail has no query {id}; it has {_listed(list(by_id))}")
        return tuple(by_id[id] for id in ids) or self.queries

    def to_json(self) -> str:
        """The content of the file; names that are not UTF-8 are kept as lone surrogate escapes."""
        whole = {"gdr_session": FORMAT, **asdict(self)}
        whole["queries"] = whole.pop("queries")  # last, because they are long
        return json.dumps(whole, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> SavedTrail:
        """Read what `to_json` wrote.

        Raises:
            UsageError: if it is not a saved trail, or was written by a newer gdr.
        """
        try:
            raw = plain.from_json(text)
        except ValueError as error:
            raise UsageError(f"this saved trail cannot be read: {error}") from error
        if not isinstance(raw, dict) or "gdr_session" not in raw:
            raise UsageError("this is not a saved trail of gdr", Hint.SAVE_TRAIL)
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
            raise not_read(file, "a saved trail", error) from error


def _listed(ids: list[int]) -> str:
    return f"{min(ids)} to {max(ids)}" if ids else "none"
