"""How many threads torch uses, decided once for a program by the program, not by the library."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdr_model.models.config import ModelConfig

LARGE_BYTES = 100_000_000
"""From this size of its weights, a network has matrices that are worth sharing: CLAP, MULE, MusCALL
and the method's U-Nets are larger, the built-in model has a sixth of it."""


def use_one_thread() -> None:
    """Let torch use one thread in this process; call it before a model is used.

    Small networks are not worth sharing: on a busy two-core machine a second thread made queries
    ten times slower, and on an idle one no faster.
    """
    import torch

    torch.set_num_threads(1)


def use_threads_for(config: ModelConfig) -> None:
    """Let torch use the cores that are idle, for a model that is large enough; else one thread.

    Threads that wait for a core keep all others waiting: with seven other programs on two cores,
    CLAP encoded 9.5 x real time on one thread and 1.9 x on two (benchmarks/encoder_speed.py).
    """
    import torch

    torch.set_num_threads(idle_cores() if config.size_bytes >= LARGE_BYTES else 1)


def usable_cores() -> int:
    """Cores that this program can use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


def idle_cores() -> int:
    """Cores that other programs have left idle in the last minute, at least one."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, round(usable_cores() - load))
