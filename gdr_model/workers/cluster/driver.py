"""The process that talks to Ray: it connects, and has files read as its parent asks.

It sends None once it is connected, then for each request as many outcomes as there are tasks, in
their order. In between it can send a sentence for the user, or an error, after which it ends.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from gdr_model.errors import Cancelled, GdrError, first_line
from gdr_model.workers import guard
from gdr_model.workers.cluster.nodes import Nodes
from gdr_model.workers.cluster.reading import Reading
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.tasks import Task, Wanted


class Terms(NamedTuple):
    """Where files are read, and with what."""

    address: str | None
    load: LoadEncoder
    readers: int | None
    """On each node, at most."""


class Request(NamedTuple):
    """Files to read."""

    tasks: Sequence[Task]
    sample_rate_hz: int
    wanted: Wanted


def main(parent: Connection, terms: Terms) -> None:
    """Connect, and read files until the parent hangs up."""
    guard.quieten()
    ray = None
    try:
        ray = _connected(terms.address)
        nodes = Nodes(ray, terms.load, terms.readers, parent.send)
        parent.send(None)
        while True:
            request: Request = parent.recv()
            nodes.begin(request.sample_rate_hz, request.wanted)
            # While files are read, nothing comes from the parent but the end.
            for outcome in Reading(ray, nodes, request.tasks, parent.poll).outcomes():
                parent.send(outcome)
    except (Cancelled, EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except GdrError as error:
        parent.send(error)
    except Exception as error:
        parent.send(GdrError(f"the Ray cluster cannot be used: {first_line(error)}"))
    if ray is not None:
        ray.shutdown()


def _connected(address: str | None) -> Any:
    """Ray's module, connected to a cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to its makers
    # A busy node takes more than the usual 5.
    os.environ.setdefault("RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S", "30")
    import ray

    ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
    return ray
