"""The demo tracks as an indexed library, for tests that need real music and the shipped model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gdr_model.models.checkpoint import Model
from gdr_model.store import ingest
from gdr_model.store.library import Library

SONGS = sorted((Path(__file__).parents[2] / "demo").glob("*/*.ogg"))


def indexed(folders: pytest.TempPathFactory, model: Model, every: int = 1) -> Library:
    """A library of every so many demo tracks, in a store of its own."""
    music = folders.mktemp("music")
    for song in SONGS[::every]:
        shutil.copy(song, music)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDR_HOME", str(folders.mktemp("home")))
        library = Library.open(music, create=True)
        ingest.ingest(library, model.encoder, on_progress=lambda progress: None)
    return library
