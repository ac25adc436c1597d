"""`gdr bench ingest`: how fast files become rows of a library, and what bounds it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import psutil
import typer

from gdr_model.errors import LibraryError
from gdr_tui.cli.commands.bench.figures import middle, row
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import EngineOption, Processes, RetrieverOptions
from gdr_tui.cli.retrievers import open_libraries
from gdr_tui.index_workers import LOCAL

if TYPE_CHECKING:
    from gdr_model.store.disk.together import Together
    from gdr_model.store.library import Library
    from gdr_model.types import AudioEncoder
    from gdr_model.workers.tasks import Engine, Found, Outcome

MANY = 16
"""Cores for which the figures say what could be reached."""
_LOOK_S = 0.2

Files = Annotated[int, typer.Option(help="Files to read, spread over the libraries.", min=1)]
Rounds = Annotated[int, typer.Option(help="How often; the medians count.", min=1)]


@dataclass(frozen=True)
class Round:
    """What decoding took, and decoding, encoding and storing, of the same files in one run."""

    audio_s: float
    decode_s: float
    all_s: float
    serial_s: float
    """Of the processor, by the one process that stores what the others found."""
    decode_processor_s: float
    """Of the processor that decoding took."""
    processor_s: float
    """Of the processes that read files, while all was done."""

    @property
    def total_s(self) -> float:
        """All work, whoever does it; other programs on a busy machine do not count."""
        return self.serial_s + self.processor_s

    @property
    def serial_share(self) -> float:
        """Of all work, what one process does alone."""
        return self.serial_s / self.total_s


def ingest(
    backend: RetrieverOptions,
    files: Files = 40,
    rounds: Rounds = 3,
    jobs: Processes = None,
    engine: EngineOption = LOCAL,
) -> None:
    """Measure decoding alone and indexing in one run, in turns, on files of the library."""
    from gdr_model.models.config import ModelConfig
    from gdr_tui.cli.commands.library.index import LoadedOnUse
    from gdr_tui.index_workers import engine_for, processes

    config = ModelConfig.read(backend.model)
    with ExitStack() as stack:
        paths = _some(open_libraries(stack, backend.library), files)
        encoder = LoadedOnUse(config, backend.device)
        workers = stack.enter_context(engine_for(engine, config, backend.device, jobs, say))
        _round(workers, paths[:2], encoder)  # starts the processes
        found = [_round(workers, paths, encoder) for _ in range(rounds)]
        with _library() as library, Memory() as memory:
            _read(workers, paths, encoder, library)
    decode = middle([one.audio_s / one.decode_s for one in found])
    where = f"{min(processes(jobs), len(paths))} processes" if engine == LOCAL else engine
    row(f"decode alone, {where}", f"{decode:,.0f} ×", "real time")
    everything = middle([one.audio_s / one.all_s for one in found])
    share = middle([one.decode_s / one.all_s for one in found])
    work = middle([one.decode_processor_s / one.total_s for one in found])
    compared = f"{share:.2f} of decoding alone; {work:.2f} by processor time"
    row("decode, encode and store", f"{everything:,.0f} ×", compared)
    hourly = middle([3600 * one.total_s / one.audio_s for one in found])
    row("processor time", f"{hourly:.1f} s", "for an hour of sound, by all processes")
    serial = middle([one.serial_share for one in found])
    row("done by one process alone", f"{serial:.3f}", "of the processor time")
    row(f"  so on {MANY} cores at most", f"{speedup(serial, MANY):.1f} ×", "one core (Amdahl)")
    row("memory at most", f"{memory.most_mb:,.0f} MB", "all processes together")


def speedup(serial: float, cores: int) -> float:
    """How many times as fast `cores` are as one, where a share is done by one alone (Amdahl)."""
    return 1 / (serial + (1 - serial) / cores)


def _some(libraries: Sequence[Library], count: int) -> list[Path]:
    """Files that are there, spread evenly over all tracks.

    Raises:
        LibraryError: if there is none.
    """
    paths = [track.path for library in libraries for track in library.tracks()]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise LibraryError("no file of the library is there now")
    return there[:: max(1, len(there) // count)][:count]


def _round(workers: Engine, paths: Sequence[Path], encoder: AudioEncoder) -> Round:
    """Decode files, then decode, encode and store them."""
    begun, others = time.perf_counter(), _processor_s()
    for outcome in _outcomes(workers, paths, encoder, latents=False):
        outcome.result()
    decode_s, decode_processor_s = time.perf_counter() - begun, _processor_s() - others
    with _library() as library:
        own, others, begun = time.process_time(), _processor_s(), time.perf_counter()
        audio_s = _read(workers, paths, encoder, library)
        all_s = time.perf_counter() - begun
        serial_s, others_s = time.process_time() - own, _processor_s() - others
    return Round(audio_s, decode_s, all_s, serial_s, decode_processor_s, others_s)


def _read(workers: Engine, paths: Sequence[Path], encoder: AudioEncoder, library: Library) -> float:
    """Read and store files; returns the seconds of sound."""
    from gdr_model.store.disk.together import Together

    outcomes = _outcomes(workers, paths, encoder, latents=True)
    puts = Together(library)
    seconds = sum(
        _store(library, puts, str(number).encode(), outcome.result(), encoder)
        for number, outcome in enumerate(outcomes)
    )
    puts.flush()
    return seconds


def _outcomes(
    workers: Engine, paths: Sequence[Path], encoder: AudioEncoder, *, latents: bool
) -> Iterator[Outcome]:
    from gdr_model.remote.places import address_of
    from gdr_model.workers.tasks import Task

    todo = [Task(path, decode=True, address=address_of(path)) for path in paths]
    return workers.read(todo, encoder.space.sample_rate_hz, _always if latents else _never)


def _always(_: str) -> bool:
    return True


def _never(_: str) -> bool:
    return False


@contextmanager
def _library() -> Iterator[Library]:
    """An empty library that is removed afterwards."""
    from gdr_model.store.library import Library

    with tempfile.TemporaryDirectory(prefix="gdr-bench-") as name:
        root = Path(name) / "music"
        root.mkdir()
        with Library.open(root, create=True, store=Path(name) / "store") as library:
            yield library


def _store(
    library: Library, puts: Together, name: bytes, found: Found, encoder: AudioEncoder
) -> float:
    """Store what was found in a file; returns its length in seconds."""
    from gdr_model.store.records import Stamp

    sound, latents = found.sound, found.latents
    if sound is None:
        return 0.0
    if latents is None and found.samples is not None:
        latents = encoder.encode(found.samples)
    if latents is not None:
        put = partial(library.put_latents, sound, encoder.space, latents)
        puts.put(put, latents.nbytes)
    puts.put(partial(library.files.put_track, name, Stamp(0, 0), sound, found.tags))
    return sound.duration_s


class Memory:
    """What this process and those it started hold together, looked at now and then."""

    def __init__(self) -> None:
        self.most_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        ended = False
        while not ended:
            ended = self._stop.wait(_LOOK_S)
            self.most_mb = max(self.most_mb, sum(_held(each) for each in _processes()) / 2**20)


def _processes() -> list[psutil.Process]:
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def _held(process: psutil.Process) -> float:
    """Bytes that a process holds; of what it shares with others, its part."""
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0.0
    return float(getattr(full, "pss", full.rss))


def _processor_s() -> float:
    """Seconds of the processor that the other processes have used."""
    total = 0.0
    for each in _processes()[1:]:
        try:
            total += sum(each.cpu_times()[:2])
        except psutil.Error:
            continue
    return total
