"""Talking to Milvus: the one module that imports pymilvus, and only when a server is asked.

Every call has a time limit, and every failure becomes one sentence.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gdr_model.errors import Hint, IndexUnavailable, first_line
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.keys import Keys
from gdr_model.types import Array

CONNECT_S = 5.0
ANSWER_S = 15.0
WRITE_S = 120.0
"""Writing can wait for a server that compacts or builds its graphs."""
MOST = 16_384
"""Results of one query that Milvus returns at most."""
M, EF_CONSTRUCTION, EF = 16, 100, 600
"""Of the graphs that Milvus builds, as of ours; a narrow filter needs so wide a search."""
TOKEN = "MILVUS_TOKEN"  # noqa: S105 (the name of a variable)
"""The environment variable with USER:PASSWORD or the API key of a server that asks for one."""
_PAGE = 5000
_SELDOM = {"grpc.keepalive_time_ms": 600_000, "grpc.keepalive_permit_without_calls": 0}
"""Milvus Lite hangs up on a client that asks every ten seconds whether it is there."""


class Server:
    """A connection, made when it is first needed."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._client: Any = None
        self._connecting = threading.Lock()

    def has(self, name: str) -> bool:
        """Whether there is a collection of this name. No file is made, as connecting would do."""
        if self.address.file and not self.address.file.exists():
            return False
        with self._asked() as client:
            return bool(client.has_collection(name, timeout=ANSWER_S))

    def create(self, name: str, about: str, integers: Sequence[str], dim: int) -> None:
        """Make a collection, unless it is there.

        Args:
            name: of the collection.
            about: what people who look at the server read.
            integers: its fields; the first is the key.
            dim: the width of its vectors.
        """
        if self.has(name):
            return
        with self._asked() as client:
            from pymilvus import DataType

            schema = client.create_schema(auto_id=False, description=about)
            indexes = client.prepare_index_params()
            for number, field in enumerate(integers):
                schema.add_field(field, DataType.INT64, is_primary=not number)
                if number:
                    indexes.add_index(field, index_type="INVERTED")
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
            graph = {"M": M, "efConstruction": EF_CONSTRUCTION}
            indexes.add_index("vector", index_type="HNSW", metric_type="IP", params=graph)
            client.create_collection(name, schema=schema, index_params=indexes, timeout=WRITE_S)

    def load(self, name: str) -> None:
        """Let a collection be searched; at once if that is so already."""
        with self._asked() as client:
            client.load_collection(name, timeout=WRITE_S)

    def count(self, name: str, expression: str = "") -> int:
        """How many rows there are, or match."""
        with self._asked() as client:
            found = client.query(
                name,
                filter=expression,
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=ANSWER_S,
            )
            return int(found[0]["count(*)"])

    def rows(self, name: str, expression: str, fields: Sequence[str]) -> Keys:
        """Some integer fields (n, F) of all rows that match."""
        found: list[list[int]] = []
        with self._asked() as client:
            pages = client.query_iterator(
                name,
                batch_size=_PAGE,
                filter=expression,
                output_fields=list(fields),
                consistency_level="Strong",
                timeout=WRITE_S,
            )
            try:
                while page := pages.next():
                    found += ([row[field] for field in fields] for row in page)
            finally:
                pages.close()
        return np.array(found, np.int64).reshape(-1, len(fields))

    def there(self, name: str, key: str, keys: Keys) -> Keys:
        """Those of some keys that a collection has."""
        with self._asked() as client:
            found = client.query(
                name,
                ids=keys.tolist(),
                output_fields=[key],
                consistency_level="Strong",
                timeout=WRITE_S,
            )
            return np.array([row[key] for row in found], np.int64)

    def put(self, name: str, columns: Mapping[str, Keys | int], vectors: Array) -> None:
        """Insert rows or replace those of the same keys; a number stands for a whole column."""
        fields = {
            field: [value] * len(vectors) if isinstance(value, int) else value.tolist()
            for field, value in columns.items()
        }
        rows = [
            dict(zip((*fields, "vector"), row, strict=True))
            for row in zip(*fields.values(), vectors, strict=True)
        ]
        with self._asked() as client:
            client.upsert(name, rows, timeout=WRITE_S)

    def delete(self, name: str, expression: str) -> None:
        """Delete the rows that match."""
        with self._asked() as client:
            client.delete(name, filter=expression, timeout=WRITE_S)

    def flush(self, name: str) -> None:
        """Have everything on disk and in graphs."""
        with self._asked() as client:
            client.flush(name, timeout=WRITE_S)

    def search(self, name: str, points: Array, k: int, expression: str) -> list[Keys]:
        """The keys of about the k nearest rows of each point (Q, D) that match, nearest first."""
        with self._asked() as client:
            found = client.search(
                name,
                list(points),
                limit=k,
                filter=expression,
                output_fields=["content"],  # asked for none, Milvus Lite returns the vectors too
                search_params={"metric_type": "IP", "params": {"ef": max(2 * k, EF)}},
                timeout=ANSWER_S,
            )
            return [np.array(hits.ids, np.int64) for hits in found]

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """The client.

        Raises:
            IndexUnavailable: if the server cannot be reached, or refuses.
        """
        with self._connecting:
            if self._client is None:
                self._client = self._connected()
        with self._worded():
            yield self._client

    def _connected(self) -> Any:
        # Before the import: what gRPC and pymilvus have to say would be on the user's screen.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            import pymilvus

            if self.address.file:
                import milvus_lite  # noqa: F401 (pymilvus starts it)
        except ImportError as error:
            raise IndexUnavailable(
                f"an index in Milvus needs {error.name or 'pymilvus'}",
                Hint.INSTALL,
                package="gdr-tui[milvus]",
            ) from None
        for name in ("pymilvus", "milvus_lite", "grpc"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        with self._worded():
            return pymilvus.MilvusClient(
                self.address.uri,
                token=os.environ.get(TOKEN, ""),
                timeout=CONNECT_S,
                grpc_options=_SELDOM,
            )

    @contextmanager
    def _worded(self) -> Iterator[None]:
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            yield
        except (MilvusException, RpcError, OSError) as error:
            raise IndexUnavailable(self._sentence(error), Hint.SEARCH_HERE) from error

    def _sentence(self, error: Exception) -> str:
        code = getattr(error.__cause__ or error, "code", None)
        if callable(code) and code().name in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            return f"the index at {self.address} refuses the user or key in {TOKEN}"
        details = getattr(error, "details", None)  # of gRPC's errors
        why = str(details() if callable(details) else getattr(error, "message", ""))
        why = why or first_line(error)
        why = (why.strip().splitlines() or [type(error).__name__])[0][:200]
        if not self.address.file:
            if "connect" in why.lower():
                return f"the index at {self.address} cannot be reached"
            return f"the index at {self.address} does not answer: {why}"
        if "Open local milvus failed" in why:
            why = "another program is using it, or it is no file of Milvus Lite"
            if not self.address.file.parent.is_dir():
                why = "its folder does not exist"
        return f"the index in {self.address} cannot be opened: {why}"
