"""The nodes of a cluster, and the readers on them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from gdr_model.errors import GdrError, first_line
from gdr_model.workers.cluster.reader import Reader
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.tasks import Wanted

LOOK_S = 2.0
"""How often to look for nodes that have come."""
PATIENCE_S = 120.0
"""How long to wait for a node on which anything can be read."""
_STARTS = 3
"""How often in succession a reader may fail to start on a node."""


class Remote:
    """A reader on a node, and what it has been asked."""

    def __init__(self, actor: Any, node: str, host: str, begun: Any) -> None:
        self.actor = actor
        self.node = node
        self.host = host
        self.begun = begun
        """The answer to the first question; None once it is there."""
        self.asked: deque[tuple[int, Any]] = deque()
        """Numbers of tasks with their answers to come, in the order in which they are read."""
        self.has_read = False


class Nodes:
    """Readers on all nodes, as many on each as it has processors for them."""

    def __init__(
        self, ray: Any, load: LoadEncoder, most: int | None, notify: Callable[[str], None]
    ) -> None:
        """Start nothing yet.

        Args:
            ray: Ray's module, connected.
            load: gives each reader its encoder.
            most: readers on a node; None for as many as it has processors.
            notify: is given a sentence about each node that is lost.
        """
        self._ray = ray
        self._load = load
        self._most = most
        self._notify = notify
        self._class = ray.remote(num_cpus=1, max_restarts=0)(Reader)
        self._terms: tuple[Any, ...] = ()
        self._unfit: dict[str, str] = {}
        self._missed: set[str] = set()
        """Nodes of which a reader was lost."""
        self._failed_starts: Counter[str] = Counter()
        self._looked_s = self._ready_s = 0.0
        self.readers: list[Remote] = []

    def begin(self, sample_rate_hz: int, wanted: Wanted) -> None:
        """Prepare for reading on other terms than before."""
        self._terms = (sample_rate_hz, self._ray.put(wanted))
        self._looked_s, self._ready_s = 0.0, time.monotonic()
        for each in self.readers:
            each.begun = each.actor.begin.remote(*self._terms)

    def look(self) -> None:
        """Start readers where there are fewer than there could be, now and then.

        Raises:
            GdrError: if no node can read, or none does for too long.
        """
        now = time.monotonic()
        if now - self._looked_s < LOOK_S:
            return
        self._looked_s = now
        if any(each.begun is None for each in self.readers):
            self._ready_s = now
        count = Counter(each.node for each in self.readers)
        for identity, node in self._alive().items():
            processors = int(node["Resources"].get("CPU", 0))
            wanted = min(processors, self._most or processors)
            for _ in range(wanted - count[identity] if identity not in self._unfit else 0):
                self._start(identity, node["NodeManagerAddress"])
        if not self.readers and self._unfit:
            raise GdrError(f"no node of the cluster can read: {list(self._unfit.values())[-1]}")
        if now - self._ready_s > PATIENCE_S:
            raise GdrError(f"no node of the cluster had a processor free for {PATIENCE_S:.0f} s")

    def begun(self, each: Remote) -> None:
        """Take note that a reader is ready."""
        each.begun = None
        self._failed_starts[each.node] = 0

    def lose(self, each: Remote, error: Exception) -> None:
        """Let go of a reader that is gone."""
        self.readers.remove(each)
        if each.begun is None:
            if each.node not in self._missed:
                self._notify(f"a reader on {each.host} is gone; its files are read elsewhere")
            self._missed.add(each.node)
        elif each.node in self._alive():
            self._failed_starts[each.node] += 1
        if self._failed_starts[each.node] >= _STARTS and each.node not in self._unfit:
            self._refuse(each, f"gdr does not start there ({first_line(error)})")

    def refuse(self, each: Remote, reason: str) -> list[Remote]:
        """Use a node no longer; returns the readers that it had."""
        lost = [other for other in self.readers if other.node == each.node]
        self.readers = [other for other in self.readers if other.node != each.node]
        for other in lost:
            self._ray.kill(other.actor)
        self._refuse(each, reason)
        return lost

    def _alive(self) -> dict[str, Any]:
        return {node["NodeID"]: node for node in self._ray.nodes() if node["Alive"]}

    def _refuse(self, each: Remote, reason: str) -> None:
        self._unfit[each.node] = reason
        self._notify(f"nothing is read on {each.host}: {reason}")

    def _start(self, node: str, host: str) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        strategy = NodeAffinitySchedulingStrategy(node, soft=False)
        actor = self._class.options(scheduling_strategy=strategy).remote(self._load)
        self.readers.append(Remote(actor, node, host, actor.begin.remote(*self._terms)))
