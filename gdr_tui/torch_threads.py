"""How many threads torch uses, decided once for a program by the program, not by the library."""

from __future__ import annotations


def use_one_thread() -> None:
    """Let torch use one thread in this process; call it before a model is used.

    The networks are too small to share: on a busy two-core machine a second thread made queries
    ten times slower, and on an idle one no faster.
    """
    import torch

    torch.set_num_threads(1)
