"""Libraries of one passage a track, queries of them, and the full matrix as an oracle."""

from __future__ import annotations

import os

import numpy as np

from gdr_model.audio import Tags
from gdr_model.search.whitening import unit
from gdr_model.store.records import Sound, Stamp
from gdr_model.types import LatentSpace

DIM = 16
SPACE = LatentSpace("plain", DIM, 16000, 1.0, 1.0, "ab" * 8)
KEPT = {"kept_from": 1}
GRAPH = {"exact_below": 1, "kept_from": 1, "piece": 200}
"""Files and graphs although the library is small."""


def fill(library, count, first=0):
    """Tracks of one passage each, from a few clusters as music is."""
    random = np.random.default_rng(first)
    centres = np.random.default_rng(99).standard_normal((10, DIM))
    library_rows = centres[random.integers(0, 10, count)] + random.standard_normal((count, DIM))
    for i, row in enumerate(library_rows.astype(np.float32), first):
        sound = Sound(str(i), 1.0, -20.0)
        library.put_latents(sound, SPACE, row[None])
        library.files.put_track(str(i).encode(), Stamp(1, 2), sound, Tags())


def fill_one(library, number):
    """The track of a sound that is known."""
    sound = Sound(str(number), 1.0, -20.0)
    library.files.put_track(str(number).encode(), Stamp(1, 2), sound, Tags())


def some_queries(count=5):
    return unit(np.random.default_rng(7).standard_normal((count, DIM)).astype(np.float32))


def oracle(vectors, queries, k, allowed=None):
    """Sort everything, in double precision."""
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


def shorten(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def another(path):
    np.save(path, np.arange(3)) if path.suffix == ".npy" else path.write_bytes(b"another")


DAMAGE = {
    "shorten": shorten,
    "flip": flip,
    "remove": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "another": another,
}


def lite_file(folder):
    """A file of Milvus Lite, closed in the end."""
    from milvus_lite.server_manager import server_manager_instance

    file = str(folder / "passages.db")
    yield file
    server_manager_instance.release_server(file)


def lite_server(folder, port=0):
    """Milvus Lite as a server of this process: the server, what to close after it, its address."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    server, database, port = start_server_in_thread(str(folder / "server"), port=port)
    return server, database, f"http://127.0.0.1:{port}"
