"""Reference weights from a recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gdr_model.checks.weight_recipe import rebuild
from gdr_model.errors import ModelError


def entry(rule: str, shape: list[int], tensor: np.ndarray | None = None, **more: float) -> dict:
    if tensor is None:
        return {"rule": rule, "shape": shape, "sum": 0, "first": []}
    first = tensor.reshape(-1)[:3].tolist()
    return {"rule": rule, "shape": shape, "sum": float(tensor.sum()), "first": first, **more}


def write(folder: Path, **entries: dict) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(entries))
    return path


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape)


def test_every_rule_is_followed(tmp_path: Path) -> None:
    z = drawn(5, 2, 3)
    given = np.arange(4, dtype=np.float32)
    recipe = write(
        tmp_path,
        normal=entry("normal", [2, 3], 1 + 2 * z, a=1, b=2, seed=5),
        lognormal=entry("lognormal", [2, 3], 3 * np.exp(0.1 * z), a=3, b=0.1, seed=5),
        const=entry("const", [2], np.full(2, 0.5), a=0.5),
        counter=entry("zeros-int64", []),
        given=entry("stored", [4], given),
        window=entry("keep", [4]),
    )
    tensors = rebuild(recipe, {"given": given})
    assert set(tensors) == {"normal", "lognormal", "const", "counter", "given"}
    np.testing.assert_allclose(tensors["normal"], 1 + 2 * z, rtol=1e-6)
    np.testing.assert_allclose(tensors["lognormal"], 3 * np.exp(0.1 * z), rtol=1e-6)
    assert tensors["normal"].dtype == np.float32
    assert tensors["counter"].dtype == np.int64


def test_of_two_names_of_one_tensor_the_last_decides(tmp_path: Path) -> None:
    z = drawn(2, 3)
    recipe = write(
        tmp_path,
        first=entry("normal", [3], z, a=0, b=1, seed=1),
        last=entry("normal", [3], z, a=0, b=1, seed=2),
    )
    tensors = rebuild(recipe, shared=[["first", "last"]])
    np.testing.assert_array_equal(tensors["first"], tensors["last"])


@pytest.mark.parametrize("wrong", [{"sum": 7}, {"first": [9.0]}, {"rule": "cosmic"}, {"seed": -1}])
def test_what_does_not_come_out_as_written_is_refused(tmp_path: Path, wrong: dict) -> None:
    made = entry("normal", [3], drawn(1, 3), a=0, b=1, seed=1)
    with pytest.raises(ModelError):
        rebuild(write(tmp_path, tensor=made | wrong))


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}'])
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(ModelError):
        rebuild(path)
