"""Weights that a Python package holds, or the user's model folder: found, and checked."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

from gdr_model import paths
from gdr_model.errors import Hint, ModelError, WeightsMissing


def packaged(module: str, folder: str) -> list[Path]:
    """The folder in an installed package, which is not imported; none if there is no package."""
    package = importlib.util.find_spec(module)
    origin = package.origin if package else None
    return [Path(origin).parent / folder] if origin else []


def find_published(
    name: str,
    folders: Sequence[Path],
    sha256: Mapping[str, str],
    package: str,
    others: Sequence[str] = (),
) -> Path:
    """The first of some folders that holds every file of `sha256` and the `others`.

    `sha256` has the published digests, `package` what to install where there is no such folder.

    Raises:
        WeightsMissing: if none holds them.
        ModelError: if the first that does holds weights other than the published ones.
    """
    files = [*sha256, *others]
    for folder in folders:
        if all((folder / file).is_file() for file in files):
            for file, published in sha256.items():
                with (folder / file).open("rb") as opened:
                    digest = hashlib.file_digest(opened, "sha256").hexdigest()
                if digest != published:
                    raise ModelError(
                        f"{folder / file} is not of the published {name} "
                        f"(SHA-256 {digest[:12]}…, expected {published[:12]}…); remove that folder"
                    )
            return folder
    raise WeightsMissing(
        f"the text model {name} is not on this machine, and its {listed(files)} are not in "
        f"{paths.models() / name}",
        Hint.INSTALL,
        package=package,
    )


def listed(files: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(files[:-1]), files[-1]]))
