"""Tunes: in the scale and the beat of what is sung over."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voices import rng

from recipes.builtin.corpus.remix import PIECE_S
from recipes.builtin.music.theory import MODES
from recipes.builtin.voices.backing import Backing
from recipes.builtin.voices.lyrics import song
from recipes.builtin.voices.sing import SungNote
from recipes.builtin.voices.tunes import melody, rap, within_piece

SEEDS = st.integers(0, 10_000)


def over(beat_s: float = 0.5, tonic: int = 0, mode: str = "major") -> Backing:
    return Backing(None, None, None, beat_s, tonic, mode)


@given(SEEDS, st.integers(0, 11), st.sampled_from(sorted(MODES)), st.floats(48, 74))
@settings(max_examples=50)
def test_a_melody_stays_in_the_scale_near_its_centre(
    seed: int, tonic: int, mode: str, centre: float
) -> None:
    lines = song(rng(seed), 6, 5)
    notes = melody(over(tonic=tonic, mode=mode), lines, centre, rng(seed))
    assert len(notes) == 30  # one for each word
    scale = {(tonic + step) % 12 for step in MODES[mode]}
    for note in notes:
        assert round(note.pitch) % 12 in scale
        assert abs(note.pitch - centre) <= 10
    for before, after in pairwise(notes):
        assert before.start_s + before.length_s <= after.start_s + 1e-9


@given(SEEDS)
def test_a_line_ends_on_a_long_note(seed: int) -> None:
    notes = melody(over(), song(rng(seed), 4, 5), 60, rng(seed))
    shortest = min(note.length_s for note in notes)
    for end in (4, 9, 14, 19):
        assert notes[end].length_s >= 1.9 * shortest
        assert notes[end].length_s >= max(n.length_s for n in notes[end - 4 : end]) - 1e-9


@given(SEEDS, st.floats(0.25, 1.0))
@settings(max_examples=50)
def test_a_rap_is_on_the_grid_of_its_beat_and_lines_start_on_a_beat(
    seed: int, beat_s: float
) -> None:
    lines = song(rng(seed), 4, 7)
    notes = rap(over(beat_s), lines, 50, rng(seed))
    beat = beat_s * 2 if beat_s < 0.45 else beat_s  # a fast beat is counted in halves
    for note in notes:
        quarters = note.start_s / beat * 4
        assert quarters == pytest.approx(round(quarters), abs=1e-6)
    for first in (0, 7, 14, 21):
        beats = notes[first].start_s / beat
        assert beats == pytest.approx(round(beats), abs=1e-6)
    for before, after in pairwise(notes):
        assert before.start_s + before.length_s <= after.start_s + 1e-9


def test_a_rap_falls_towards_the_end_of_a_line() -> None:
    falls = []
    for seed in range(200):
        notes = rap(over(), [["word"] * 8], 50, rng(seed))
        falls.append(notes[0].pitch - notes[-1].pitch)
    assert 2.2 < sum(falls) / len(falls) < 3.1


def test_a_fast_beat_is_sung_at_half_its_speed() -> None:
    notes = melody(over(0.3), [["a"] * 8], 60, rng(1))
    assert min(note.length_s for note in notes) >= 0.94 * 0.3 - 1e-9


def test_words_after_the_end_of_the_piece_are_dropped_with_their_notes() -> None:
    notes = [SungNote(float(second), 0.9, 60) for second in range(PIECE_S + 3)]
    words = [str(second) for second in range(PIECE_S + 3)]
    kept_words, kept_notes = within_piece(words, notes)
    assert kept_words == words[:PIECE_S]
    assert kept_notes == notes[:PIECE_S]
    late = SungNote(PIECE_S - 0.1, 0.9, 60)
    assert within_piece(["late"], [late]) == ([], [])
