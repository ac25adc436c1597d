"""A folder brought up to date."""

from __future__ import annotations

from ingesting import run

from gdr_model.store.library import Library
from gdr_model.workers import tasks


def index(root, encoder):
    with Library.open(root, create=True) as library:
        return run(library, encoder)


def index_without_decoding(root, encoder, monkeypatch):
    monkeypatch.setattr(tasks, "decode", None)
    return index(root, encoder)
