"""Where gdr keeps its own files; never inside a music folder.

`GDR_HOME` overrides the platform's user data directory.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder that holds every store, the settings and the cached weights."""
    override = os.environ.get("GDR_HOME")
    return Path(override).expanduser() if override else platformdirs.user_data_path("gdr", False)


def store_of(root: Path) -> Path:
    """The folder of one library's store: a readable slug and a hash of the absolute path."""
    absolute = os.fsencode(os.path.realpath(root))
    slug = re.sub(r"[^A-Za-z0-9]+", "-", Path(os.path.realpath(root)).name).strip("-")[:40]
    return home() / "libraries" / f"{slug or 'root'}-{hashlib.sha256(absolute).hexdigest()[:12]}"


def models() -> Path:
    """The folder that holds the models a user has pulled or converted."""
    return home() / "models"
