"""A real Ray cluster of two nodes on this machine, the second in a network of its own if it can."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil

HERE = Path(__file__).parent
START_S = 120
_START = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
_SMALL = ["--num-cpus=1", f"--object-store-memory={80 << 20}"]
_TRIES = 3
"""Ray gives a node thirty seconds to start, which a busy machine can exceed."""


class Node:
    """A node, by the process that starts it."""

    def __init__(
        self, command: list[str], folder: Path, name: str, host: str, secret: dict[str, str]
    ) -> None:
        self.host = host
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")} | secret
        environment["RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S"] = str(START_S)
        environment |= {"GDR_TEST_NODE": name, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
        self._log = folder / f"{name}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def processes(self) -> list[psutil.Process]:
        """All processes of the node."""
        try:
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def has_started(self) -> bool:
        """Wait until it has, or has ended."""
        begun = time.monotonic()
        while "Ray runtime started" not in self.said():
            if self._process.poll() is not None or time.monotonic() - begun > START_S:
                return False
            time.sleep(0.1)
        return True

    def said(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    def kill(self) -> None:
        """End it as a power cut would, unless it has ended."""
        for each in self.processes():
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()


class RayCluster:
    """The first node, and what it takes to add others."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._network = stack.enter_context(_network())
        self.host = f"{self._network}.1" if self._network else _address()
        self._port, self.client_port, dashboard = _free_ports(3)
        self.address = f"{self.host}:{self._port}"
        self.secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        """What lets a process in by its environment, whatever token the user has."""
        self.url = f"ray://{self.host}:{self.client_port}"
        where = [f"--node-ip-address={self.host}", f"--port={self._port}"]
        served = [f"--ray-client-server-port={self.client_port}", f"--dashboard-port={dashboard}"]
        self._add(
            [*_START, "--head", *where, *served, f"--temp-dir={folder}", *_SMALL],
            "first",
            self.host,
        )

    def add(self, name: str) -> Node:
        """Start another node."""
        inside = ["ip", "netns", "exec", _namespace(self._network)] if self._network else []
        host = f"{self._network}.2" if self._network else self.host
        command = [*inside, *_START, f"--address={self.address}", f"--node-ip-address={host}"]
        return self._add([*command, *_SMALL], name, host)

    def _add(self, command: list[str], name: str, host: str) -> Node:
        for _ in range(_TRIES):
            node = Node(command, self._folder, name, host, self.secret)
            self._stack.callback(node.kill)
            if node.has_started():
                return node
            node.kill()
        raise AssertionError(node.said())


@contextmanager
def running() -> Iterator[RayCluster]:
    """A cluster of one node, to which others are added."""
    folder = Path(tempfile.mkdtemp(prefix="gdr-ray-", dir="/tmp"))
    try:
        with ExitStack() as stack:
            yield RayCluster(folder, stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _network() -> Iterator[str]:
    """The first three bytes of a network shared with a namespace; nothing where there is none."""
    network = f"10.213.{os.getpid() % 250}"
    name, here, there = _namespace(network), f"gdr{os.getpid()}a", f"gdr{os.getpid()}b"
    steps = [
        f"ip netns add {name}",
        f"ip link add {here} type veth peer name {there} netns {name}",
        f"ip addr add {network}.1/30 dev {here}",
        f"ip link set {here} up",
        f"ip -n {name} addr add {network}.2/30 dev {there}",
        f"ip -n {name} link set {there} up",
        f"ip -n {name} link set lo up",
    ]
    try:
        for step in steps:
            subprocess.run(step.split(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        network = ""
    try:
        yield network
    finally:
        with suppress(OSError):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _namespace(network: str) -> str:
    return f"gdr-{network.rpartition('.')[2]}"


def _address() -> str:
    """This machine's own address, as other machines know it."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect(("192.0.2.1", 1))  # nothing is sent
        return str(probe.getsockname()[0])


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
