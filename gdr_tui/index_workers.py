"""In which processes an index is made, on which machines, and which of them encode."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import UsageError
from gdr_tui.torch_threads import LARGE_BYTES, usable_cores

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.models.config import ModelConfig
    from gdr_model.workers.pool import Workers
    from gdr_model.workers.tasks import Processes

_BEHIND = 10
"""The niceness of what the user does not wait for."""
_TOGETHER_BYTES, _EACH_BYTES = 320 << 20, 64 << 20
"""What processes share, with the one that stores what they find; and what each takes at most of
files of ordinary length."""
_ENCODING_BYTES = 120 << 20
"""What each takes with another encoder than the built-in one."""
_BUILTIN = "builtin"
_CGROUP = Path("/sys/fs/cgroup")
_ACCELERATORS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


LOCAL = "local"
"""The engine that is this machine."""


def engine_for(
    named: str,
    config: ModelConfig,
    device: str,
    jobs: int | None,
    notify: Callable[[str], None],
) -> Processes:
    """What reads files for a model.

    Args:
        named: `local`, `ray`, or `ray://HOST:PORT`.
        config: of the model.
        device: where its networks run.
        jobs: processes, on each machine; None for one for each core.
        notify: is given a sentence about each machine that cannot read.

    Raises:
        UsageError: if there is no such engine, or it has no such device.
        GdrError: if it is not installed.
    """
    if named == LOCAL:
        return workers_for(config, device, jobs)
    if named != "ray" and not named.startswith("ray://"):
        raise UsageError(f"there is no engine {named}; use local, ray or ray://HOST:PORT")
    if device not in ("auto", "cpu"):
        raise UsageError(f"a Ray cluster encodes on its processors, not on {device}")
    from gdr_model.workers.cluster.engine import Cluster
    from gdr_model.workers.encoders import LoadEncoder

    address = None if named == "ray" else named
    return Cluster(address, LoadEncoder(config.argument, config.space), notify, jobs)


def workers_for(
    config: ModelConfig,
    device: str,
    jobs: int | None = None,
    niceness: int = 0,
) -> Workers:
    """Processes that read files for a model.

    Each of them encodes too, on one thread, if the model is small. A large one, or one on an
    accelerator, is loaded once, by the caller.
    """
    from gdr_model.workers.encoders import LoadEncoder
    from gdr_model.workers.guard import ALLOWED_MB
    from gdr_model.workers.pool import Workers
    from gdr_model.workers.room import TOGETHER_MB

    small = config.size_bytes < LARGE_BYTES and _is_cpu(device)
    load = LoadEncoder(config.argument) if small else None
    # Other encoders take more than decoding does: cores would be idle while they waited.
    shared = load is None or config.space.encoder == _BUILTIN
    count = processes(jobs, _EACH_BYTES if shared else _ENCODING_BYTES)
    return Workers(count, load, niceness, TOGETHER_MB if shared else count * ALLOWED_MB)


def workers_beside(model: Model) -> Workers:
    """Processes that read files while a model answers queries, which go before them."""
    return workers_for(model.config, model.device.type, niceness=_BEHIND)


def processes(jobs: int | None = None, each: int = _EACH_BYTES) -> int:
    """How many read files: `jobs`, or one a core as far as half of the free memory holds them."""
    return jobs or min(usable_cores(), affordable(free_bytes(), each))


def affordable(free: int, each: int = _EACH_BYTES) -> int:
    """How many processes of so many bytes half of some free bytes hold, at least one."""
    return max(1, (free // 2 - _TOGETHER_BYTES) // each)


def free_bytes(cgroup: Path = _CGROUP) -> int:
    """Memory that is free for this program: on the machine, and within the limit of a container."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit, used = (int((cgroup / f"memory.{each}").read_text()) for each in ("max", "current"))
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # there is no limit
        return free
    # What files were read from the disk for is given up when it is needed.
    return max(0, min(free, limit - used + int(stat.get("inactive_file", 0))))


def _is_cpu(device: str) -> bool:
    """Whether a device is the CPU; torch is asked only where there could be another."""
    if device != "auto":
        return device == "cpu"
    possible = sys.platform != "linux" or any(map(os.path.exists, _ACCELERATORS))
    if not possible:
        return True
    from gdr_model.models.checkpoint import pick_device

    return pick_device(device).type == "cpu"
