"""Is a network of ours the original? Reference weights and inputs in, errors of each output out.

`CHECKS` is the table from what `gdr model check` takes to the module that runs the network; such
a module offers `outputs(case) -> Iterator[Compared]`, for one set of a reference folder. torch is
imported by those modules, and so when a check runs and not before.
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
    "clap": "gdr_model.checks.clap",
    "laion": "gdr_model.checks.laion",
    "unet": "gdr_model.checks.unet",
    "mlp": "gdr_model.checks.mlp",
}


def check(name: str, folder: Path) -> Iterator[Compared]:
    """Compare every output that a reference folder holds, set by set.

    Raises:
        UsageError: if nothing of that name can be checked.
        ModelError: if the folder holds no such reference, or one that cannot be read.
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
                f"{case.where} does not hold a reference of {name}: {_reason(error)}"
            ) from error
    if not compared:
        raise ModelError(f"{folder} holds no output of {name} to compare")


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[:2])
