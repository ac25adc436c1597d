"""One process that reads files, as its parent sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from typing import Any

import psutil

from gdr_model.errors import DecodeError, FileUnavailable, GdrError
from gdr_model.workers import guard, preloaded, process
from gdr_model.workers.process import Terms
from gdr_model.workers.room import TOGETHER_MB, Numbers, Room
from gdr_model.workers.starting import apart, environment, start_tracker
from gdr_model.workers.tasks import Outcome, Task

QUIET_S = {process.TAGS: 40.0, process.SOUND: 130.0, process.LATENTS: 600.0}
"""Seconds without a sign of life, by what a process does; longer than its own limits."""
STARTING_S = 300.0
"""Seconds in which a process has to be ready; importing torch from a slow disk takes a minute."""
_LOOK_S = 0.1
_FORKS = sys.platform == "linux"
"""Elsewhere, forking a process that has loaded frameworks of the system is not safe."""


class Died(Exception):
    """A process has ended, or had to be ended."""

    def __init__(self, reason: Exception, doing: float, *, crashed: bool = False) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.doing = doing
        """What it was doing."""
        self.crashed = crashed
        """It ended without being ended."""


class Spawning:
    """Starts processes on the same terms."""

    def __init__(
        self,
        terms: Terms,
        modules: Sequence[str],
        encoder: str = "",
        count: int = 1,
        together_mb: int = TOGETHER_MB,
    ) -> None:
        """Import modules and load an encoder once for all processes, where the system allows it.

        Args:
            terms: how processes read.
            modules: what to import.
            encoder: the argument that names the model whose encoder to load.
            count: the most processes there are at a time.
            together_mb: what they can all take for their files.
        """
        self.terms = terms
        self._context: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
        if _FORKS:
            codecs = ("gdr_model.audio.decoding", "gdr_model.audio.tags.reading")
            self._context.set_forkserver_preload(["gdr_model.workers.process", *codecs, *modules])
        with apart(), environment(preloaded.VARIABLE, encoder):
            start_tracker()
            if _FORKS:
                forkserver.ensure_running()
        self.until: Numbers = self._context.RawArray("d", 1)
        self.room = Room(self._context, count, together_mb)
        self._free = list(range(count))
        self._scratch = tempfile.TemporaryDirectory(prefix="gdr-", ignore_cleanup_errors=True)
        """For what they fetch: one that is killed leaves it behind."""

    def start(self) -> Worker:
        """Start a process."""
        ours, theirs = self._context.Pipe()
        pulse = self._context.RawArray("d", [time.monotonic(), 0.0])
        place = self._free.pop()
        started = self._context.Process(
            target=process.main,
            args=(theirs, pulse, self.until, self.room, place, self.terms, self._scratch.name),
            daemon=True,
        )
        with apart():
            started.start()
        theirs.close()
        return Worker(started, ours, pulse, Place(self.room, place, self._free))

    def close(self) -> None:
        """End what processes were forked from, and remove what they have left behind."""
        if _FORKS:
            forkserver._forkserver._stop()  # type: ignore[attr-defined]
        self._scratch.cleanup()


@dataclass(frozen=True)
class Place:
    """The place of a process among all that hold memory together."""

    room: Room
    number: int
    free: list[int]
    """The places that no process has."""

    def leave(self) -> None:
        """Nobody is there any longer."""
        self.room.end(self.number)
        self.room.hold(self.number, 0)
        self.free.append(self.number)


class Worker:
    """A process, what it is doing, and how to end it."""

    def __init__(
        self, started: Any, ours: connection.Connection, pulse: Numbers, place: Place
    ) -> None:
        self._process = started
        self._system: Any = None
        self.connection = ours
        self._pulse = pulse
        self._place = place
        self.task: int | None = None
        """The number of the task it is at."""
        self.finished = 0
        """Tasks it has done."""
        self._ready = False
        self._excused_s = time.monotonic()
        self._looked_s = 0.0
        self._least_bytes = 0
        self._quiet_cpu: tuple[float, float] | None = None

    def begin(self, number: int, task: Task) -> None:
        """Give it a task.

        Raises:
            Died: if it has ended.
        """
        self.excuse()
        try:
            self.connection.send(task)
        except OSError as error:
            raise Died(error, 0.0) from error
        self.task = number
        self._place.room.begin(self._place.number, number)

    def answer(self, wanted: bool) -> None:
        """Say whether latents are wanted."""
        with contextlib.suppress(OSError):  # it is found dead when it is listened to
            self.connection.send(wanted)

    def done(self) -> int:
        """The number of the task that it has finished."""
        number, self.task = self.task, None
        self.finished += 1
        self._place.room.end(self._place.number)
        if number is None:
            raise RuntimeError("a process answered unasked")
        return number

    def excuse(self) -> None:
        """Count its silence from now on."""
        self._excused_s = time.monotonic()

    def end(self) -> None:
        """End it at once; it keeps nothing that could be lost."""
        self.connection.close()
        self._process.kill()
        self._process.join(1)
        if not self._process.is_alive():
            self._process.close()
        else:  # the system does not let it go; this program must not wait for it when it ends
            multiprocessing.process._children.discard(self._process)  # type: ignore[attr-defined]
        self._place.leave()

    def receive(self) -> Outcome | str | None:
        """What it says; None for a word that it is ready.

        Raises:
            Died: if it has ended.
            GdrError: if it could not load the encoder.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError) as error:
            raise self._fallen() from error
        if isinstance(message, Exception):
            raise message
        if message is None:
            self._ready = True
            self.excuse()
            self._least_bytes = self._memory()
        elif isinstance(message, Outcome) and not isinstance(message.error, GdrError | None):
            raise message.error
        return message  # type: ignore[no-any-return]

    def look(self) -> None:
        """See whether it is within its limits.

        Raises:
            Died: if it is not; it is not ended yet.
            GdrError: if it does not get ready.
        """
        now = time.monotonic()
        if self.task is None or now - self._looked_s < _LOOK_S:
            return
        self._looked_s = now
        if not self._ready:
            if now - self._excused_s > STARTING_S:
                within = f"within {STARTING_S:.0f} s"
                raise GdrError(f"a process that should read files was not ready {within}")
            return
        doing = self._pulse[1]
        if self._memory() - self._least_bytes > guard.ALLOWED_MB << 20:
            raise Died(process.too_large(), doing)
        last_s = max(self._pulse[0], self._excused_s)
        if now - last_s > QUIET_S.get(doing, QUIET_S[process.SOUND]):
            raise Died(self._stuck(now - last_s), doing)
        if now - last_s > 1 and (self._quiet_cpu is None or self._quiet_cpu[0] != last_s):
            self._quiet_cpu = (last_s, self._cpu_s())

    def _stuck(self, quiet_s: float) -> Exception:
        """Why nothing is found of it: a decoder is at work, the system is not."""
        worked_s = self._cpu_s() - self._quiet_cpu[1] if self._quiet_cpu else quiet_s
        if worked_s < 0.01 * quiet_s:
            return FileUnavailable(f"the system needed more than {quiet_s:.0f} s to read it")
        return DecodeError(f"no sound came out of it for {quiet_s:.0f} s")

    def _fallen(self) -> Exception:
        """Why it has ended: by a crash, or because the system ended it."""
        self._process.join(5)
        code = self._process.exitcode
        doing = self._pulse[1]
        if not self._ready:
            return GdrError(f"a process that should read files did not start (exit code {code})")
        if code in (-getattr(signal, "SIGKILL", 9), -signal.SIGTERM):
            return Died(
                FileUnavailable("what read it was ended by the system, perhaps for want of memory"),
                doing,
            )
        what = "encoder" if doing == process.LATENTS else "decoder"
        return Died(DecodeError(f"the {what} crashed on it ({_named(code)})"), doing, crashed=True)

    def _asked(self) -> Any:
        """What the system knows of it."""
        self._system = self._system or psutil.Process(self._process.pid)
        return self._system

    def _memory(self) -> int:
        try:
            return int(self._asked().memory_info().rss)
        except psutil.Error:
            return 0

    def _cpu_s(self) -> float:
        try:
            return float(sum(self._asked().cpu_times()[:2]))
        except psutil.Error:
            return 0.0


def messages(
    workers: Sequence[Worker], timeout_s: float
) -> Iterator[tuple[Worker, Outcome | str | Died]]:
    """What processes say within a time, and which of them have died.

    Raises:
        GdrError: if one cannot read any file.
    """
    by_connection = {each.connection: each for each in workers}
    for ready in connection.wait(list(by_connection), timeout_s):
        each = by_connection[ready]  # type: ignore[index]
        try:
            message = each.receive()
        except Died as died:
            yield each, died
            continue
        if message is not None:
            yield each, message
    for each in workers:
        try:
            each.look()
        except Died as died:
            yield each, died


def _named(code: int | None) -> str:
    """An exit code, by the name of its signal if it has one."""
    try:
        return signal.Signals(-(code or 0)).name
    except ValueError:
        return f"exit code {code}"
