"""What a store keeps about servers: its number there, and what was uploaded where.

A copy of a store takes a number of its own: with the same one, each of the two would give up what
the other still claims.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path

import numpy as np

from gdr_model import atomic, plain
from gdr_model.errors import LibraryError
from gdr_model.private import make_private
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.upload import Held
from gdr_model.store.records import shown


class Kept:
    """The file `milvus.json`; without one, nothing was uploaded and the number is a new one."""

    def __init__(self, file: Path, address: Address) -> None:
        """Read the file, as far as it concerns an address."""
        self._file = file
        self._address = address
        self._uploaded: dict[str, str] = {}
        self.library = secrets.randbits(62)
        """The number of the library on any server."""
        self._is_new = True
        self._database = 0
        """The number of the database in its file system; that of a copy is another one."""
        try:
            self._database = (file.parents[2] / "library.db").stat().st_ino
            kept = plain.from_json(file.read_text("utf-8"))
            if kept["database"] != self._database:
                return
            uploaded = {str(uri): str(digest) for uri, digest in kept["uploaded"].items()}
            self.library, self._uploaded = int(kept["library"]), uploaded
            self._is_new = False
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            pass

    def has(self, held: Held) -> bool:
        """Whether exactly these passages were uploaded to the address."""
        return self._uploaded.get(str(self._address)) == _digest(held)

    def write(self, uploaded: Held | None = None) -> None:
        """Keep the number, and what is uploaded to the address.

        Raises:
            LibraryError: if the disk cannot be written.
        """
        if uploaded is None and not self._is_new:
            return
        if uploaded is not None:
            self._uploaded[str(self._address)] = _digest(uploaded)
        facts = {
            "library": self.library,
            "database": self._database,
            "uploaded": self._uploaded,
        }
        text = json.dumps(facts, indent=2)
        try:
            make_private(self._file.parent)
            atomic.write_text(self._file, text)
        except OSError as error:
            raise LibraryError(f"{shown(self._file)} cannot be written: {error}") from error
        self._is_new = False


def _digest(held: Held) -> str:
    """The checksum of a set of passages."""
    return hashlib.sha256(np.sort(held.keys).tobytes()).hexdigest()
