"""The folders of gdr's own files; none is inside a music folder.

`GDR_HOME` overrides the platform's user data directory.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder of all stores, the settings and the user's models."""
    override = os.environ.get("GDR_HOME")
    return Path(override).expanduser() if override else platformdirs.user_data_path("gdr", False)


def store_of(root: Path) -> Path:
    """The store of one library: a readable slug and a hash of the absolute path."""
    absolute = os.fsencode(os.path.realpath(root))
    slug = re.sub(r"[^A-Za-z0-9]+", "-", Path(os.path.realpath(root)).name).strip("-")[:40]
    return home() / "libraries" / f"{slug or 'root'}-{hashlib.sha256(absolute).hexdigest()[:12]}"


def models() -> Path:
    """The folder of models that the user has pulled or converted."""
    return home() / "models"
