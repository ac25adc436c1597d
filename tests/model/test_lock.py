"""One program indexes a folder at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gdr_model.errors import StoreUnavailable
from gdr_model.store import lock
from gdr_model.store.library import Library

HOLD = """
import sys
from pathlib import Path
from gdr_model.store import lock

with lock.held(Path(sys.argv[1]), "a folder"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_program(store: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that holds the lock of a store until the end of the block, or until killed."""
    program = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "held\n"
        yield program
        if program.stdin is not None:
            program.stdin.close()


def test_a_library_knows_when_another_program_indexes_it(library: Library) -> None:
    assert not library.is_being_indexed()
    with another_program(library.store):
        assert library.is_being_indexed()
        refused = pytest.raises(StoreUnavailable, match="another gdr is indexing my music; wait")
        with refused, lock.held(library.store, "my music"):
            pass
    assert not library.is_being_indexed()


def test_the_lock_of_a_killed_program_is_free(library: Library) -> None:
    with another_program(library.store) as program:
        program.kill()
        program.wait()
        assert not library.is_being_indexed()
        with lock.held(library.store, "my music"):
            assert library.is_being_indexed()


def test_an_error_frees_the_lock(library: Library) -> None:
    def fail() -> None:
        with lock.held(library.store, "my music"):
            raise ValueError("while indexing")

    with pytest.raises(ValueError, match="while indexing"):
        fail()
    assert not library.is_being_indexed()


def test_a_store_without_a_lock_file_is_free_and_stays_as_it_is(tmp_path: Path) -> None:
    assert not lock.is_held(tmp_path)
    assert not lock.is_held(tmp_path / "none")
    assert not list(tmp_path.iterdir())
