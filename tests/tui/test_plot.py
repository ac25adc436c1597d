"""Points to cells: where they fall, which group a cell shows, what zooming keeps in place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_tui.app.map.plot import View, braille, inside, line, majority, nearest

CORNERS = np.array([[-1, 1], [1, 1], [-1, -1], [1, -1]], np.float32)


def test_the_corners_of_the_plane_are_the_corners_of_the_screen() -> None:
    view = View(40, 10)
    assert view.cells(CORNERS).tolist() == [[0, 0], [39, 0], [0, 9], [39, 9]]
    assert view.dots(CORNERS).tolist() == [[0, 0], [79, 0], [0, 39], [79, 39]]
    assert inside(view.zoomed(2, 0, 0).cells(CORNERS), 40, 10).sum() == 0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(1, 20), st.integers(0, 39), st.integers(0, 9))
def test_the_middle_of_a_cell_lies_in_it(
    x: float, y: float, zoom: float, column: int, row: int
) -> None:
    view = View(40, 10, x, y, zoom).bounded()
    point = np.array([view.point(column, row)])
    assert view.cells(point).tolist() == [[column, row]]


def test_zooming_keeps_the_point_under_the_cursor_and_never_leaves_the_plane() -> None:
    view = View(80, 20)
    x, y = view.point(50, 6)
    near = view.zoomed(4, x, y)
    assert np.abs(near.cells(np.array([[x, y]])) - [50, 6]).max() <= 1
    assert near.zoomed(1e9, x, y).zoom == 64
    assert near.zoomed(1 / 100, x, y) == View(80, 20)
    assert near.moved(1000, -1000).x == pytest.approx(1 - 1 / 4)
    assert view.moved(5, 5) == view


def test_every_dot_has_its_own_bit() -> None:
    everywhere = np.array([[x, y] for x in range(2) for y in range(4)])
    assert braille(everywhere, 1, 1).tolist() == [[0xFF]]
    bits = {int(braille(dot[None], 1, 1)[0, 0]) for dot in everywhere}
    assert len(bits) == 8
    assert chr(0x2800 + int(braille(np.array([[0, 0]]), 1, 1)[0, 0])) == "⠁"
    assert chr(0x2800 + int(braille(np.array([[1, 3]]), 1, 1)[0, 0])) == "⢀"
    assert not braille(np.array([[-1, 0], [2, 0], [0, 4]]), 1, 1).any()


def test_a_cell_shows_the_group_of_most_of_its_points() -> None:
    cells = np.array([[0, 0], [0, 0], [0, 0], [1, 0], [5, 5]])
    of = np.array([2, 1, 2, 0, 1])
    assert majority(cells, of, 3, 3, 1).tolist() == [[2, 0, -1]]


def test_a_line_has_no_gaps() -> None:
    dots = line(np.array([0, 0]), np.array([7, 3]))
    assert dots[0].tolist() == [0, 0]
    assert dots[-1].tolist() == [7, 3]
    assert np.abs(np.diff(dots, axis=0)).max() == 1
    assert line(np.array([2, 2]), np.array([2, 2])).tolist() == [[2, 2]]


def test_the_nearest_counts_rows_twice_and_only_within_reach() -> None:
    cells = np.array([[3, 0], [0, 1], [30, 9]])
    assert nearest(cells, 0, 0, 4) == 1
    assert nearest(cells, 10, 5, 3) is None
    assert nearest(cells[:0], 0, 0, 9) is None
