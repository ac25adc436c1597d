"""A folder that will move, and where to."""

from __future__ import annotations

import pytest
from indexed_again import index


@pytest.fixture
def old(tmp_path, write_tone, encoder):
    """An indexed folder of five tracks."""
    root = tmp_path / "mnt" / "nas" / "Music"
    for i in range(5):
        write_tone(root / "Album" / f"{i}.wav", hz=200 + 50 * i)
    index(root, encoder)
    return root


@pytest.fixture
def new(tmp_path):
    (tmp_path / "media").mkdir()
    return tmp_path / "media" / "Music"
