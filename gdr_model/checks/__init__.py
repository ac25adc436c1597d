"""Comparison of our networks with the originals, on reference folders; no weights are kept here.

`CHECKS` maps what `gdr model check` takes to the module that runs the network. Such a module has
`outputs(case)`, which compares the outputs of one set of a reference folder. It is imported when a
check runs, because it imports torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from gdr_model.checks.case import Compared, cases
from gdr_model.errors import ModelError, UsageError

CHECKS = {
    "mule": "gdr_model.checks.mule",
    "mule-port": "gdr_model.checks.mule_port",
    "muscall": "gdr_model.checks.muscall",
    "musicnn": "gdr_model.checks.musicnn",
    "clap": "gdr_model.checks.clap",
    "laion": "gdr_model.checks.laion",
    "unet": "gdr_model.checks.unet",
    "mlp": "gdr_model.checks.mlp",
}


def check(name: str, folder: Path) -> Iterator[Compared]:
    """Compare every output that a reference folder holds, set by set.

    Raises:
        UsageError: if there is no check of that name.
        ModelError: if the folder holds no such reference, or an unreadable one.
    """
    if name not in CHECKS:
        raise UsageError(f"there is no check of {name!r}; use {', '.join(CHECKS)}")
    module = importlib.import_module(CHECKS[name])
    compared = 0
    for case in cases(folder):
        try:
            for output in module.outputs(case):
                compared += 1
                yield output
        except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
            raise ModelError(
                f"{case.where} is no reference for {name}: {_reason(error)}"
            ) from error
    if not compared:
        raise ModelError(f"{folder} holds no output of {name} to compare with")


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[:2])
