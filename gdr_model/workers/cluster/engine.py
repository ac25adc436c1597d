"""The cluster as an engine: a process of its own talks to Ray, and passes on what is found.

Ray writes to stdout and stderr as it likes, and ends the program that lost its cluster. In its own
process it can do both.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from gdr_model.errors import Cancelled, GdrError, Hint, UsageError
from gdr_model.types import Cancel, never
from gdr_model.workers.cluster import driver
from gdr_model.workers.cluster.driver import Request, Terms
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.starting import apart, start_tracker
from gdr_model.workers.tasks import Outcome, Task, Wanted

REACH_S = 5.0
"""How long an address may take to answer at all."""
CONNECT_S = 60.0
"""How long Ray may take to connect, or to start where there is no cluster, each of two times: on
busy machines a connection is sometimes never answered, and the next one is."""
_POLL_S = 0.1
_END_S = 10.0


class Cluster:
    """A Ray cluster that reads files; it is connected to when there is something to do."""

    def __init__(
        self,
        address: str | None,
        load: LoadEncoder,
        notify: Callable[[str], None],
        readers: int | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            address: `ray://HOST:PORT` of a cluster's client server; None for the cluster that
                RAY_ADDRESS names, else the one that this machine is part of, else a new one on it.
            load: gives each reader its encoder.
            notify: is given a sentence about each node that cannot read, or can no longer.
            readers: how many at most on each node; one for each of its processors by default.

        Raises:
            UsageError: if the address is none.
            GdrError: if Ray is not installed.
        """
        if find_spec("ray") is None:
            raise GdrError(
                "Ray, which talks to clusters, is not installed",
                Hint.INSTALL,
                package="gdr-tui[ray]",
            )
        self._name = address or "of this machine"
        self._reached = _host_and_port(address or os.environ.get("RAY_ADDRESS", ""), bool(address))
        self._terms = Terms(address, load, readers)
        self._notify = notify
        self._process: Any = None
        self._driver: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what runs in the cluster."""
        if self._driver is None:
            return
        self._driver.close()
        self._process.join(_END_S)
        self._process.kill()
        self._process.join()
        self._driver = None

    def read(
        self,
        tasks: Sequence[Task],
        sample_rate_hz: int,
        wanted: Wanted,
        cancelled: Cancel = never,
    ) -> Iterator[Outcome]:
        """See `Engine.read`. `wanted` is sent as it is when this begins."""
        if not tasks:
            return
        try:
            connected = self._driver or self._connect(cancelled)
            self._send(connected, Request(list(tasks), sample_rate_hz, wanted))
            for _ in tasks:
                yield self._outcome(connected, cancelled)
        except BaseException:
            self.close()
            raise

    def _connect(self, cancelled: Cancel) -> Connection:
        """Start the process that talks to Ray, and wait until it is connected.

        Raises:
            GdrError: if that takes too long, or the cluster refuses.
        """
        if self._reached:
            try:
                socket.create_connection(self._reached, REACH_S).close()
            except (OSError, UnicodeError) as error:
                host, port = self._reached
                why = getattr(error, "strerror", "no host has such a name") or "no answer"
                raise GdrError(f"no Ray cluster answers at {host}:{port} ({why})") from error
        for _ in range(2):
            connected = self._start()
            begun = time.monotonic()
            while time.monotonic() - begun < CONNECT_S:
                _stop_if(cancelled)
                if connected.poll(_POLL_S):
                    self._receive(connected)
                    return connected
            self.close()
        raise GdrError(
            f"the Ray cluster {self._name} did not accept a connection within {2 * CONNECT_S:.0f} s"
        )

    def _start(self) -> Connection:
        """Start the process that talks to Ray."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=driver.main, args=(theirs, self._terms), daemon=True)
        with apart():
            start_tracker()
            self._process.start()
        theirs.close()
        self._driver = ours
        return ours

    def _outcome(self, connected: Connection, cancelled: Cancel) -> Outcome:
        while True:
            _stop_if(cancelled)
            if not connected.poll(_POLL_S):
                continue
            message = self._receive(connected)
            if isinstance(message, Outcome):
                return message
            self._notify(message)

    def _send(self, connected: Connection, request: Request) -> None:
        try:
            connected.send(request)
        except OSError as error:
            raise self._lost() from error

    def _receive(self, connected: Connection) -> Any:
        try:
            message = connected.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if isinstance(message, Exception):
            raise message
        return message

    def _lost(self) -> GdrError:
        return GdrError(f"the connection to the Ray cluster {self._name} is lost")


def _host_and_port(address: str, strict: bool) -> tuple[str, int] | None:
    """Where an address leads; None if it is none, like `auto`.

    Raises:
        UsageError: if it has to be one.
    """
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        if parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    if strict:
        raise UsageError(f"{address} names no host and port; write it as in ray://HOST:10001")
    return None


def _stop_if(cancelled: Cancel) -> None:
    if cancelled():
        raise Cancelled("stopped")
