"""Files of rows against an array in memory: what is written is read, whatever a crash left."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gdr_model.store.rows import RowFile

DIM = 3
rows = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.just(DIM)),
    elements=st.floats(-100, 100, width=16),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(blocks=st.lists(rows, min_size=1, max_size=6), torn=st.integers(0, 20))
def test_appended_rows_come_back_whatever_a_crash_left_behind_them(
    tmp_path: Path, blocks: list[np.ndarray], torn: int
) -> None:
    path = tmp_path / "rows.f16"
    path.unlink(missing_ok=True)
    file, expected = RowFile(path, DIM, np.float16), np.empty((0, DIM), np.float32)
    for block in blocks:
        if path.exists():  # a write that was never recorded
            with path.open("ab") as handle:
                handle.write(os.urandom(torn))
        file.write(len(expected), block)
        expected = np.concatenate([expected, block])
        np.testing.assert_array_equal(file.read(slice(0, len(expected))), expected)
    chosen = np.arange(len(expected))[::-2]
    again = RowFile(path, DIM, np.float16)
    np.testing.assert_array_equal(again.read(chosen), expected[chosen])
    assert again.read(chosen).dtype == np.float32


def test_a_file_that_does_not_exist_has_no_rows(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "none", DIM, np.float32)
    assert len(file) == 0
    assert file.read(np.empty(0, np.int64)).shape == (0, DIM)
    with pytest.raises(IndexError, match="1 rows needed, 0 present"):
        file.read(slice(0, 1))
    assert not file.path.exists()


def test_half_a_row_does_not_count(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows", DIM, np.float32)
    file.write(0, np.ones((2, DIM), np.float32))
    os.truncate(file.path, 2 * DIM * 4 - 1)
    assert len(file) == 1
    with pytest.raises(IndexError, match="2 rows needed, 1 present"):
        file.read(np.array([1]))
    np.testing.assert_array_equal(file.read(np.array([0])), np.ones((1, DIM)))


def test_rows_are_the_same_bytes_on_every_machine(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows", 2, np.float32)
    file.write(0, np.array([[1.0, 2.0]], ">f4"))
    assert file.path.read_bytes() == np.array([1, 2], "<f4").tobytes()


def test_what_was_read_is_a_copy(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "rows", DIM, np.float32)
    file.write(0, np.ones((1, DIM), np.float32))
    before = file.read(slice(0, 1))
    file.write(0, np.zeros((1, DIM), np.float32))
    np.testing.assert_array_equal(before, np.ones((1, DIM)))
    np.testing.assert_array_equal(file.read(slice(0, 1)), np.zeros((1, DIM)))
