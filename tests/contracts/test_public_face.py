"""`import gdr_model` is light, and `__all__` is what it offers."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gdr_model

PACKAGES = ("gdr_model", "gdr_tui", "training")


def test_the_package_alone_loads_nothing(tmp_path: Path) -> None:
    code = "import sys, gdr_model; print([m for m in sys.modules if m.startswith('gdr_model.')])"
    code += "; print('numpy' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "GDR_HOME": str(tmp_path)},
    )
    assert done.stdout == "[]\nFalse False\n"


@pytest.mark.parametrize("name", gdr_model.__all__)
def test_every_public_name_is_the_one_its_module_defines(name: str) -> None:
    value = getattr(gdr_model, name)
    assert getattr(gdr_model, name) is value
    assert name in dir(gdr_model)
    if isinstance(value, type):
        assert value.__module__.startswith("gdr_model.")
        assert value.__doc__


def test_a_type_checker_sees_the_same_names() -> None:
    tree = ast.parse(Path(gdr_model.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.asname for node in ast.walk(block) if isinstance(node, ast.ImportFrom)
                for alias in node.names}  # fmt: skip
    assert imported | {"__version__"} == set(gdr_model.__all__)
    assert len(gdr_model.__all__) == len(set(gdr_model.__all__))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = gdr_model.nonsense  # type: ignore[attr-defined]


def test_a_star_import_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from gdr_model import *", names)  # noqa: S102 (the statement is under test)
    assert set(gdr_model.__all__) <= set(names)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_declares_that_it_is_typed(package: str) -> None:
    assert (Path(gdr_model.__file__).parents[1] / package / "py.typed").is_file()
