"""Random reference weights, rebuilt from a recipe instead of being stored.

A recipe is JSON: for each tensor its shape, a rule, the numbers a, b and seed of the rule, the
sum and the first values. Normal numbers z come from numpy's legacy MT19937 stream, whose output
never changes:

    normal a + b z      lognormal a exp(b z)      const a      zeros-int64 0

computed in float64 and cast to float32. A tensor that is given replaces its recipe; with the rule
`stored` it must be given. The rule `keep` marks a constant of the architecture, which is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model import plain
from gdr_model.errors import ModelError, first_line

TOLERANCE = 1e-4
"""Relative for the sum of a tensor, absolute for its first values."""


def rebuild(
    recipe: Path,
    stored: Mapping[str, NDArray[Any]] | None = None,
    shared: Sequence[Sequence[str]] = (),
) -> dict[str, NDArray[Any]]:
    """The tensors of a recipe by name, each checked against its sum and first values.

    `shared` lists names of one and the same tensor: the weights were filled in name by name, so
    the last of them decides.

    Raises:
        ModelError: if the recipe cannot be read, or a tensor differs from what it promises.
    """
    try:
        entries = plain.from_json(recipe.read_text(encoding="utf-8"))
        seeds = {name: entries[names[-1]] for names in shared for name in names}
        return {
            name: _tensor(name, seeds.get(name, entry), stored or {})
            for name, entry in entries.items()
            if entry["rule"] != "keep"
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"{recipe} is not a recipe of reference weights: {first_line(error)}"
        ) from error


def _tensor(
    name: str, entry: Mapping[str, Any], stored: Mapping[str, NDArray[Any]]
) -> NDArray[Any]:
    shape = tuple(int(size) for size in entry["shape"])
    rule = entry["rule"]
    if name in stored or rule == "stored":
        return stored[name]
    if rule == "zeros-int64":
        return np.zeros(shape, np.int64)
    tensor = _filled(rule, shape, entry).astype(np.float32)
    total = float(tensor.sum(dtype=np.float64))
    first = tensor.reshape(-1)[: len(entry["first"])]
    # A sum may nearly cancel out, so rounding is judged by the norm of its terms.
    slack = TOLERANCE * max(1.0, float(np.linalg.norm(tensor)))
    if not math.isclose(total, entry["sum"], rel_tol=TOLERANCE, abs_tol=slack) or not np.allclose(
        first, entry["first"], atol=TOLERANCE
    ):
        raise ModelError(f"the reference tensor {name} differs from what its recipe promises")
    return tensor


def _filled(rule: str, shape: tuple[int, ...], entry: Mapping[str, Any]) -> NDArray[np.float64]:
    if rule == "const":
        return np.full(shape, entry["a"], np.float64)
    stream = np.random.RandomState(entry["seed"])
    z = stream.standard_normal(math.prod(shape)).reshape(shape)
    if rule == "normal":
        return np.asarray(entry["a"] + entry["b"] * z)
    if rule == "lognormal":
        return np.asarray(entry["a"] * np.exp(entry["b"] * z))
    raise ValueError(f"unknown rule {rule!r}")
