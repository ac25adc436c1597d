"""Figures on the grid: everything in the tables can be read, and adds up to whole bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.builtin.music.gm import DRUMS
from recipes.builtin.music.rhythm import BASS, CELLS, COMPS, GROOVES, events, fit

FIGURES = st.text(".-xX0", min_size=1, max_size=24)


def test_figures_are_parsed_into_step_length_and_symbol() -> None:
    assert events("x--.o.") == [(0, 3, "x"), (4, 1, "o")]
    assert events("....") == []
    assert events("--x-") == [(2, 2, "x")]  # nothing to hold before the first note
    assert events("x.-x") == [(0, 1, "x"), (3, 1, "x")]  # a rest ends a note


@given(FIGURES)
def test_events_lie_on_the_grid_one_after_the_other(figure: str) -> None:
    end = 0
    for step, length, symbol in events(figure):
        assert step >= end
        assert length >= 1
        assert figure[step] == symbol
        assert set(figure[step + 1 : step + length]) <= {"-"}
        end = step + length
    assert end <= len(figure)


@given(FIGURES)
def test_no_note_of_a_figure_is_lost(figure: str) -> None:
    played = "".join(symbol for _, _, symbol in events(figure))
    assert played == "".join(c for c in figure if c not in ".-")


@given(FIGURES, st.integers(1, 48))
def test_a_fitted_figure_fills_the_bar_and_repeats(figure: str, steps: int) -> None:
    fitted = fit(figure, steps)
    assert len(fitted) == steps
    assert all(symbol == figure[n % len(figure)] for n, symbol in enumerate(fitted))


@pytest.mark.parametrize("name", sorted(BASS))
def test_bass_figures_are_whole_bars_of_known_degrees(name: str) -> None:
    for figure in BASS[name]:
        assert len(figure) in {12, 16}
        assert set(figure) <= set(".-r35678a")
        assert events(figure)


@pytest.mark.parametrize("name", sorted(COMPS))
def test_chord_figures_are_whole_bars_of_known_voices(name: str) -> None:
    for figure in COMPS[name]:
        assert len(figure) in {12, 16}
        assert set(figure) <= set(".-xXbt0123456789")
        assert events(figure)


@pytest.mark.parametrize("name", sorted(GROOVES))
def test_the_variants_of_a_groove_share_their_bar_and_use_known_drums(name: str) -> None:
    variants = GROOVES[name]
    lengths = {len(figure) for variant in variants for figure in variant.values()}
    assert len(lengths) == 1
    assert lengths <= {12, 14, 16}
    for variant in variants:
        assert set(variant) <= set(DRUMS)
        assert set("".join(variant.values())) <= set(".Xxo")
        assert any("X" in figure or "x" in figure for figure in variant.values())


def test_the_variants_of_a_groove_differ() -> None:
    for name, variants in GROOVES.items():
        assert all(a != b for n, a in enumerate(variants) for b in variants[:n]), name


def test_cells_of_a_melody_last_one_beat_and_are_busier_the_more_notes_they_have() -> None:
    assert all(len(cell) == 4 for cell, _ in CELLS)
    notes = {cell: sum(symbol == "x" for symbol in cell) for cell, _ in CELLS}
    assert all(0 <= busy <= 1 for _, busy in CELLS)
    ranked = sorted(CELLS, key=lambda item: item[1])
    counts = [notes[cell] for cell, _ in ranked]
    assert counts == sorted(counts)
