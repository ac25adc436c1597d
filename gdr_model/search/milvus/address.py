"""Where the passages of a library are looked for: on this machine, or where Milvus is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gdr_model.errors import UsageError

LOCAL = "local"
PREFIX = "milvus:"


@dataclass(frozen=True)
class Address:
    """A file of Milvus Lite, or a server."""

    uri: str = field(repr=False)
    """As pymilvus takes it: a path that ends in .db, or http://HOST:PORT, with any password."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `milvus:FILE.db` or `milvus:http://HOST:PORT`.

        Raises:
            UsageError: if it is neither.
        """
        uri = text.removeprefix(PREFIX)
        if uri.startswith(("http://", "https://")):
            try:
                parts = urlsplit(uri)
                if parts.hostname and parts.port != 0:
                    return cls(uri)
            except ValueError:
                pass
        elif uri.endswith(".db") and "://" not in uri and "\0" not in uri:
            return cls(os.path.abspath(os.path.expanduser(uri)))
        raise UsageError(
            "an index in Milvus is milvus:FILE.db or milvus:http://HOST:PORT, not "
            + text.rpartition("@")[2]  # no password is printed
        )

    @classmethod
    def of(cls, index: str) -> Address | None:
        """Read the name of an index: None for `local`, else see `parse`.

        Raises:
            UsageError: if there is no index of this name.
        """
        if index == LOCAL:
            return None
        if not index.startswith(PREFIX):
            raise UsageError(f'there is no index "{index}"; it is local, or milvus: and an address')
        return cls.parse(index)

    @property
    def file(self) -> Path | None:
        """The file of Milvus Lite; None for a server."""
        return None if "://" in self.uri else Path(self.uri)

    def __str__(self) -> str:
        if self.file:
            return self.uri
        parts = urlsplit(self.uri)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
