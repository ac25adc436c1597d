"""Promises about the layout: folder sizes, module lengths, README's tree, the wheel."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gdr_model", "gdr_tui", "training", "recipes")
MODULES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
FOLDERS = sorted({file.parent for file in MODULES})
MOST_LINES = 400
MOST_MODULES = 15


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_a_folder_says_what_it_holds_and_stays_small(folder: Path) -> None:
    modules = [file for file in folder.glob("*.py") if file.stem != "__init__"]
    assert len(modules) <= MOST_MODULES
    purpose = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert purpose, "its __init__ says in a line what lives there"


def test_modules_are_short_and_documented() -> None:
    texts = {relative(file): file.read_text(encoding="utf-8") for file in MODULES}
    assert not [name for name, text in texts.items() if text.count("\n") > MOST_LINES]
    assert not [name for name, text in texts.items() if not ast.get_docstring(ast.parse(text))]


def test_the_readme_names_every_folder() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = readme.split("## Repository layout", 1)[1].split("## ", 1)[0]
    named = set(re.findall(r"(\w+)/", tree))
    missing = [relative(folder) for folder in FOLDERS if folder.name not in named]
    assert not missing, f"README's tree lacks {missing}"


def test_the_wheel_holds_the_packages_and_no_recipe(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert top == {"gdr_model", "gdr_tui", "training"}
    for needed in (
        "gdr_model/builtin/model.safetensors",
        "gdr_model/retrievers/musicnn/model.safetensors",
        "gdr_model/py.typed",
        "gdr_tui/py.typed",
        "gdr_tui/app/gdr.tcss",
        "training/configs/base.yaml",
        "training/configs/library.yaml",
        "training/py.typed",
    ):
        assert needed in names


def test_no_two_test_modules_have_one_name() -> None:
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), "pytest imports them by their name alone"
