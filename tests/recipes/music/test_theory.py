"""Harmony: chords belong to their key, and voices move as little as they can."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recipes.builtin.music.theory import (
    DARK,
    KEYS,
    MODES,
    QUALITIES,
    UNDER,
    Chord,
    chord,
    ladder,
    lead,
    nearest,
)

SEVEN_NOTES = [mode for mode, scale in MODES.items() if len(scale) == 7]
TONICS = st.integers(0, 11)
CHORDS = st.builds(Chord, TONICS, st.sampled_from(sorted(set(QUALITIES.values()))))
SIZES = st.integers(3, 5)
CENTRES = st.integers(45, 82)


def test_every_mode_is_a_rising_scale_within_an_octave() -> None:
    for mode, scale in MODES.items():
        assert scale[0] == 0, mode
        assert list(scale) == sorted(set(scale)), mode
        assert scale[-1] < 12, mode
    assert len(KEYS) == 12
    assert set(MODES) >= DARK


def test_a_mode_with_fewer_notes_borrows_chords_from_a_mode_with_seven() -> None:
    assert {mode for mode, scale in MODES.items() if len(scale) != 7} == set(UNDER)
    assert all(len(MODES[mode]) == 7 for mode in UNDER.values())


@pytest.mark.parametrize("mode", SEVEN_NOTES)
@pytest.mark.parametrize(("suffix", "size"), [("", 3), ("s", 4)])
@pytest.mark.parametrize("tonic", [0, 4, 11])
def test_triads_and_sevenths_are_every_other_note_of_the_mode(
    mode: str, suffix: str, size: int, tonic: int
) -> None:
    scale = MODES[mode]
    for degree in range(7):
        harmony = chord(f"{degree + 1}{suffix}", tonic, mode)
        wanted = [(tonic + scale[(degree + 2 * k) % 7]) % 12 for k in range(size)]
        assert list(harmony.classes) == wanted
        assert list(harmony.intervals) == sorted(harmony.intervals)


@pytest.mark.parametrize(
    ("symbol", "tonic", "mode", "classes"),
    [
        ("2", 0, "major", (2, 5, 9)),  # D minor
        ("5d7", 9, "minor", (4, 8, 11, 2)),  # E7 in A minor, with the leading note
        ("b7M", 0, "mixolydian", (10, 2, 5)),  # B flat
        ("b7M", 0, "major", (10, 2, 5)),  # the same: an accidental counts from the major scale
        ("#1o7", 0, "minor", (1, 4, 7, 10)),
        ("1", 0, "pelog", (0, 3, 7)),  # borrowed from the Phrygian mode
        ("7dim", 7, "major", (6, 9, 0)),
        ("4M9", 5, "major", (10, 2, 5, 9, 0)),
    ],
)
def test_chord_symbols_mean_what_a_musician_expects(
    symbol: str, tonic: int, mode: str, classes: tuple[int, ...]
) -> None:
    assert chord(symbol, tonic, mode).classes == classes


@pytest.mark.parametrize("symbol", ["", "8", "0", "b", "m7", "bb7M"])
def test_what_is_not_a_chord_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match="is not a chord: write a degree and a quality"):
        chord(symbol, 0, "major")


def test_a_misspelt_quality_is_refused_instead_of_read_as_a_triad() -> None:
    with pytest.raises(ValueError, match='"5maj7" is not a chord: there is no quality "maj7"'):
        chord("5maj7", 0, "major")


@given(TONICS, st.sampled_from(sorted(MODES)), st.integers(20, 60), st.integers(0, 48))
def test_a_ladder_holds_every_pitch_of_the_scale_and_no_other(
    tonic: int, mode: str, low: int, span: int
) -> None:
    rungs = ladder(tonic, mode, low, low + span)
    scale = {(tonic + step) % 12 for step in MODES[mode]}
    assert rungs == sorted(rungs)
    for pitch in range(low, low + span + 1):
        assert (pitch in rungs) == (pitch % 12 in scale)


@given(st.sets(TONICS, min_size=1), st.floats(30, 90))
def test_the_nearest_pitch_is_the_nearest_of_all(classes: set[int], pitch: float) -> None:
    found = nearest(tuple(classes), pitch)
    assert found % 12 in classes
    distances = {p: abs(p - pitch) for p in range(128) if p % 12 in classes}
    assert distances[found] == min(distances.values())


def test_of_two_pitches_equally_near_the_lower_is_taken() -> None:
    assert nearest((0, 2), 61) == 60
    assert nearest((6,), 60) == 54


@given(CHORDS, CENTRES, SIZES)
def test_a_voicing_rises_around_its_centre_and_names_the_chord(
    harmony: Chord, centre: int, size: int
) -> None:
    voices = lead(harmony, None, centre, size)
    assert len(voices) == size
    assert list(voices) == sorted(set(voices))
    assert {pitch % 12 for pitch in voices} <= set(harmony.classes)
    assert max(abs(pitch - centre) for pitch in voices) <= 36
    sounding = {pitch % 12 for pitch in voices}
    if len(harmony.classes) <= size:
        assert sounding == set(harmony.classes)
    elif len(harmony.classes) > 2 and len(harmony.classes) - 1 <= size:
        # Only the fifth may be missing.
        assert set(harmony.classes) - sounding <= {harmony.classes[2]}


@example(Chord(6, (0, 4, 7, 10, 14)), 61, 3, 1)
@given(CHORDS, CENTRES, SIZES, st.integers(1, 11))
def test_a_chord_is_voiced_alike_in_every_key(
    harmony: Chord, centre: int, size: int, up: int
) -> None:
    here = lead(harmony, None, centre, size)
    there = lead(Chord((harmony.root + up) % 12, harmony.intervals), None, centre + up, size)
    assert there == tuple(pitch + up for pitch in here)


@given(CHORDS, CENTRES, SIZES)
def test_a_repeated_chord_does_not_move(harmony: Chord, centre: int, size: int) -> None:
    first = lead(harmony, None, centre, size)
    assert lead(harmony, first, centre, size) == first


@given(CHORDS, CHORDS, CENTRES)
def test_no_other_voicing_as_even_and_central_would_move_less(
    before: Chord, after: Chord, centre: int
) -> None:
    previous = lead(before, None, centre, 3)
    chosen = lead(after, previous, centre, 3)

    def motion(voicing: tuple[int, ...]) -> int:
        return sum(abs(a - b) for a, b in zip(voicing, previous, strict=True))

    def uneven(voicing: tuple[int, ...]) -> int:
        low, middle, high = voicing
        return sum(not 3 <= gap <= 9 for gap in (middle - low, high - middle))

    pool = [p for p in range(centre - 10, centre + 11) if p % 12 in after.classes]
    needed = {*after.classes[:2], *after.classes[3:]} if len(after.classes) > 3 else after.classes
    for other in combinations(pool, 3):
        if len(set(needed) - {p % 12 for p in other}) > max(0, len(set(needed)) - 3):
            continue
        nearer = abs(sum(other) / 3 - centre) <= abs(sum(chosen) / 3 - centre)
        if nearer and uneven(other) <= uneven(chosen):
            assert motion(other) >= motion(chosen)


def test_neighbouring_voices_keep_their_distance() -> None:
    def gaps(quality: str) -> list[int]:
        return [
            b - a
            for root in range(12)
            for centre in range(45, 82)
            for a, b in pairwise(lead(Chord(root, QUALITIES[quality]), None, centre, 4))
        ]

    assert set(gaps("m")) <= set(range(3, 10))
    assert max(gaps("M7")) <= 9
    close = [gap for gap in gaps("M7") if gap < 3]  # the seventh just under the root
    assert len(close) / len(gaps("M7")) < 0.08


def test_the_classic_cadence_moves_by_steps() -> None:
    tonic = lead(chord("1", 0, "major"), None, 60, 3)
    fourth = lead(chord("4", 0, "major"), tonic, 60, 3)
    fifth = lead(chord("5", 0, "major"), fourth, 60, 3)
    assert sum(abs(a - b) for a, b in zip(tonic, fourth, strict=True)) <= 5
    assert sum(abs(a - b) for a, b in zip(fourth, fifth, strict=True)) <= 6
    assert {pitch % 12 for pitch in fourth} == {5, 9, 0}
