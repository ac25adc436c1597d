"""The stages of one query in a process of its own, from the first import to results.

    python -m gdr_tui.cli.commands.bench.stages MODEL DEVICE [DIR...]

prints one JSON line a stage. `gdr bench startup` and `gdr bench memory` run it as a child, because
what a process has loaded once, it cannot load again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from gdr_model.errors import LibraryError
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.output import write

PROMPT = "warm piano"


@dataclass(frozen=True)
class Stage:
    """What one stage took."""

    name: str
    wall_s: float
    processor_s: float
    resident_mb: float | None
    """Of the whole process at its end; None where the system does not report it."""


def measured(backend: RetrieverOptions) -> list[Stage]:
    """Run the stages in a fresh process.

    Raises:
        LibraryError: if nothing has been indexed.
    """
    folders = [str(folder) for folder in backend.library or ()]
    command = [sys.executable, "-P", "-m", __name__, backend.model, backend.device.value, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LibraryError((done.stderr.strip().splitlines() or ["it ended early"])[-1])
    return [Stage(**json.loads(line)) for line in done.stdout.splitlines()]


def stages(model: str, device: str, folders: list[Path], stack: ExitStack) -> Iterator[str]:
    """Do one stage after the other; yields the name of each when it is done."""
    import gdr_tui.cli.main  # noqa: F401 (what every command imports)

    yield "Python and the command line"
    import torch  # noqa: F401

    yield "torch"
    from gdr_model.models.checkpoint import load
    from gdr_model.search.retriever import Retriever
    from gdr_model.steering import Steering
    from gdr_tui.cli.retrievers import open_libraries
    from gdr_tui.torch_threads import use_threads_for

    loaded = load(model, device)
    use_threads_for(loaded.config)
    yield "the model"
    loaded.text.embed([PROMPT])
    yield "the text encoder"
    retriever = Retriever(loaded, open_libraries(stack, folders))
    yield "the library"
    query = retriever.query(Steering(PROMPT))
    yield "the first draw"
    retriever.answer(query)
    yield "the first search"
    for number in range(8):
        retriever.search(Steering(f"{PROMPT} {number}"))
    yield "eight more queries"


def resident_mb() -> float | None:
    """Memory of this process that is in use, where the system reports it (Linux)."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(x.split()[1]) / 1024 for x in lines if x.startswith("VmRSS")), None)


def main() -> None:
    """Print a line for every stage."""
    model, device, *folders = sys.argv[1:]
    wall, processor = time.perf_counter() - time.process_time(), 0.0
    with ExitStack() as stack:
        for name in stages(model, device, [Path(folder) for folder in folders], stack):
            now, spent = time.perf_counter(), time.process_time()
            write(
                json.dumps(asdict(Stage(name, now - wall, spent - processor, resident_mb()))) + "\n"
            )
            wall, processor = time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main()
