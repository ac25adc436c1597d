"""Folders that were indexed at both places: two stores become one."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import pytest
from indexed_again import index, index_without_decoding
from ingesting import names

from gdr_model.errors import StoreUnavailable
from gdr_model.notebook.moves import move
from gdr_model.paths import store_of
from gdr_model.store import lock
from gdr_model.store.library import Library
from gdr_model.store.stores import stores


def test_a_folder_indexed_anew_by_mistake_is_merged(old, new, encoder, write_tone, monkeypatch):
    shutil.copytree(old, new, copy_function=shutil.copy)  # new times: not recognised
    shutil.rmtree(old)
    write_tone(new / "only here.wav", hz=900)
    assert index(new, encoder) == {"new": 6, "encoded": 6}
    assert move(old, new).tracks == 5
    assert index_without_decoding(new, encoder, monkeypatch) == {"unchanged": 6}
    assert stores().roots == [new]
    with Library.open(new) as library:
        assert len(library.passages(encoder.space).ids) == 6


def test_a_merged_file_is_listed_once_as_the_newer_store_has_it(old, new, encoder, write_tone):
    (old / "fails.wav").write_bytes(b"nothing")
    write_tone(old / "plays.wav", hz=700)
    index(old, encoder)
    old.rename(new)
    write_tone(new / "fails.wav", hz=800)
    (new / "plays.wav").write_bytes(b"nothing")
    write_tone(new / "gone.wav", hz=900)
    index(new, encoder)
    (new / "gone.wav").unlink()
    index(new, encoder)
    move(old, new)
    with Library.open(new) as library:
        assert names(library) == [*(f"Album/{i}.wav" for i in range(5)), "fails.wav"]
        assert [failure.path.name for failure in library.failures()] == ["plays.wav"]
        assert list(library.files.former()) == [b"gone.wav"]
    assert [path.name for path in store_of(new).parent.iterdir()] == [store_of(new).name]


def test_a_store_that_a_program_uses_again_after_it_was_merged_is_kept(
    old, new, encoder, write_tone, monkeypatch
):
    old.rename(new)
    write_tone(new / "only here.wav", hz=900)
    index(new, encoder)
    rename = os.rename

    with ExitStack() as stack, monkeypatch.context() as meanwhile:

        def begin_indexing(*paths):
            meanwhile.undo()
            stack.enter_context(lock.held(store_of(new), "it"))
            rename(*paths)

        meanwhile.setattr(os, "rename", begin_indexing)
        with pytest.raises(StoreUnavailable, match="another gdr is indexing"):
            move(old, new)
    assert set(stores().roots) == {old, new}
    assert index(new, encoder) == {"unchanged": 6}
    assert move(old, new).tracks == 6
