"""Lines of a score: in range, in the bar, and made of the harmony they are given."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.builtin.music import parts
from recipes.builtin.music.gm import DRUMS
from recipes.builtin.music.parts import STEP, Harmony, Tone, harmonise
from recipes.builtin.music.rhythm import BASS, COMPS, GROOVES, events, fit
from recipes.builtin.music.styles import StyleLayer
from recipes.builtin.music.theory import MODES, chord, ladder

PROGRESSION = "1 6 2s,5d7 1"
BARS = (3.0, 3.5, 4.0)
SEEDS = st.integers(0, 10_000)
DRUM_NAMES = {number: name for name, number in DRUMS.items()}


def harmony(bars: int = 8, bar: float = 4.0, tonic: int = 2, mode: str = "major") -> Harmony:
    return harmonise(PROGRESSION, bars, bar, tonic, mode, close=True)


def on_grid(beat: float) -> bool:
    return abs(beat / STEP - round(beat / STEP)) < 1e-6


def classes_at(piece: Harmony, beat: float) -> set[int]:
    return set(piece.chords[piece.index(beat)].classes)


def ends_within(tones: list[Tone], piece: Harmony) -> bool:
    return all(tone.start >= 0 and tone.start + tone.length <= piece.end + 1e-6 for tone in tones)


# The harmony itself


def test_a_progression_is_repeated_and_comes_home_at_the_end() -> None:
    piece = harmonise("1 4 5", 5, 4.0, 0, "major", close=True)
    assert piece.starts == (0.0, 4.0, 8.0, 12.0, 16.0)
    assert [c.root for c in piece.chords] == [0, 5, 7, 0, 0]
    left_open = harmonise("1 4 5", 5, 4.0, 0, "major", close=False)
    assert [c.root for c in left_open.chords] == [0, 5, 7, 0, 5]


def test_two_chords_share_a_bar_on_the_grid() -> None:
    piece = harmonise("1,5", 2, 3.5, 0, "major", close=False)
    assert piece.starts == (0.0, 1.75, 3.5, 5.25)
    assert all(on_grid(beat) for beat in piece.starts)
    assert (piece.bars, piece.steps, piece.end) == (2, 14, 7.0)


@given(st.integers(1, 20), st.sampled_from(BARS), st.floats(0, 1, exclude_max=True))
def test_at_every_beat_exactly_one_chord_sounds(bars: int, bar: float, share: float) -> None:
    piece = harmony(bars, bar)
    beat = share * (piece.end - 0.01)
    index = piece.index(beat)
    assert piece.starts[index] <= beat + 1e-6
    assert beat < piece.until(index)
    assert piece.until(len(piece.chords) - 1) == piece.end


# Melodies


@given(SEEDS, st.sampled_from(sorted(MODES)), st.sampled_from(BARS), st.floats(0, 1))
@settings(max_examples=40)
def test_a_melody_stays_in_its_scale_its_range_and_its_bars(
    seed: int, mode: str, bar: float, busy: float
) -> None:
    piece = harmony(8, bar, mode=mode)
    layer = StyleLayer("melody", (0,), centre=74, busy=busy, scale=9)
    tones = parts.melody(Random(seed), piece, layer)
    assert {tone.pitch for tone in tones} <= set(ladder(2, mode, 65, 83))
    assert all(on_grid(tone.start) for tone in tones)
    assert ends_within(tones, piece)
    for before, after in pairwise(tones):
        assert before.start + before.length <= after.start + 1e-6


@given(SEEDS)
@settings(max_examples=25)
def test_a_melody_meets_the_chord_on_the_beat(seed: int) -> None:
    piece = harmonise("1 6 4 5", 8, 4.0, 2, "major", close=True)
    layer = StyleLayer("melody", (0,), centre=74)
    rungs = ladder(2, "major", 62, 86)
    for tone in parts.melody(Random(seed), piece, layer):
        if tone.start % 1.0 == 0 and tone.pitch not in {rungs[0], rungs[-1]}:
            assert tone.pitch % 12 in classes_at(piece, tone.start)


def test_a_phrase_breathes_at_its_end() -> None:
    for seed in range(20):
        tones = parts.melody(Random(seed), harmony(8), StyleLayer("melody", (0,), centre=74))
        for bar in (4, 8):
            end = max(t.start + t.length for t in tones if t.start < bar * 4.0)
            assert end <= bar * 4.0 - 2 * STEP


def test_a_busy_melody_has_more_notes_than_a_calm_one() -> None:
    def count(busy: float) -> int:
        layer = StyleLayer("melody", (0,), centre=74, busy=busy)
        return sum(len(parts.melody(Random(seed), harmony(16), layer)) for seed in range(10))

    assert count(0.0) < count(0.5) < count(1.0)


# Basses


@pytest.mark.parametrize("figure", sorted(BASS))
@pytest.mark.parametrize("bar", BARS)
def test_a_bass_line_follows_its_figure_low_and_in_the_bar(figure: str, bar: float) -> None:
    piece = harmony(8, bar)
    tones = parts.bass(Random(3), piece, StyleLayer("bass", (33,), figure, centre=40))
    rhythms = [
        [step for step, _, _ in events(fit(variant, piece.steps))] for variant in BASS[figure]
    ]
    for number in range(piece.bars):
        steps = [
            round((tone.start - number * bar) / STEP)
            for tone in tones
            if number * bar <= tone.start < (number + 1) * bar
        ]
        assert steps in rhythms
    assert all(40 - 9 <= tone.pitch <= 40 + 6 + 12 for tone in tones)
    assert ends_within(tones, piece)


def test_a_plain_bass_plays_the_root_of_each_chord() -> None:
    piece = harmonise("1 4 5 6", 4, 4.0, 0, "major", close=False)
    tones = parts.bass(Random(0), piece, StyleLayer("bass", (33,), "root", centre=40))
    assert [tone.pitch % 12 for tone in tones] == [0, 5, 7, 9]
    assert all(abs(tone.pitch - 40) <= 6 for tone in tones)


@pytest.mark.parametrize("symbol", ["1", "2", "5d7", "2h7", "7", "4M7"])
def test_the_third_and_fifth_of_a_bass_are_those_of_the_chord(symbol: str) -> None:
    piece = harmonise(symbol, 24, 4.0, 0, "major", close=False)
    for figure in ("halves", "arco"):  # roots, thirds, fifths and octaves
        tones = parts.bass(Random(0), piece, StyleLayer("bass", (33,), figure, centre=40))
        heights = {(tone.pitch - chord(symbol, 0, "major").root) % 12 for tone in tones}
        assert heights == set(chord(symbol, 0, "major").intervals[:3])


def test_an_approach_note_leads_to_the_next_root() -> None:
    piece = harmonise("1 4", 16, 4.0, 0, "major", close=False)
    tones = parts.bass(Random(1), piece, StyleLayer("bass", (32,), "walking", centre=40))
    last_of_bar = [tone for tone in tones if tone.start % 4.0 == 3.0]
    assert len(last_of_bar) == 16
    for tone in last_of_bar[:-1]:
        following = piece.chords[piece.index(tone.start + 1)].root
        assert (tone.pitch - following) % 12 in {1, 2, 11}


# Chords


@pytest.mark.parametrize("figure", sorted(COMPS))
@pytest.mark.parametrize("bar", BARS)
def test_accompaniment_is_made_of_the_chord_that_sounds(figure: str, bar: float) -> None:
    piece = harmony(6, bar)
    layer = StyleLayer("chords", (0,), figure, centre=60)
    tones = parts.chords(Random(5), piece, layer, plucked=False)
    assert tones
    for tone in tones:
        assert tone.pitch % 12 in classes_at(piece, tone.start)
        assert tone.start + tone.length <= piece.until(piece.index(tone.start)) + 1e-6
        assert 60 - 22 <= tone.pitch <= 60 + 22 + 24


def test_only_plucked_chords_are_strummed() -> None:
    piece = harmony(4)
    layer = StyleLayer("chords", (24,), "quarters", centre=55)
    together = parts.chords(Random(2), piece, layer, plucked=False)
    strummed = parts.chords(Random(2), piece, layer, plucked=True)
    assert [t.pitch for t in together] == [t.pitch for t in strummed]
    assert len({t.start for t in together}) == 16
    assert len({t.start for t in strummed}) == 16 * layer.size
    on_the_beat = [t for t in strummed if t.start < 1.0]
    assert [t.pitch for t in on_the_beat] == sorted(t.pitch for t in on_the_beat)  # downstroke
    assert max(b.start - a.start for a, b in pairwise(on_the_beat)) < 0.05


def test_a_held_chord_is_cut_where_the_harmony_changes() -> None:
    piece = harmonise("1,4", 1, 4.0, 0, "major", close=False)
    tones = parts.chords(Random(0), piece, StyleLayer("chords", (0,), "pad"), plucked=False)
    assert sorted({tone.start for tone in tones}) == [0.0, 2.0]


def test_the_four_voices_are_one_led_chord() -> None:
    piece = harmony(8)
    led = parts.voicings(piece, 62, 4)
    centres = (76, 67, 60, 48)
    for number, centre in enumerate(centres):
        layer = StyleLayer("voice", (40,), "hymn", centre=centre, size=3 - number)
        tones = parts.voice(Random(number), piece, layer)
        assert ends_within(tones, piece)
        scale = set(ladder(2, "major", 24, 100))
        for tone in tones:
            own = led[piece.index(tone.start)][layer.size] % 12
            passing = tone.strength == 0.9 and tone.pitch in scale
            assert tone.pitch % 12 == own or passing
            assert abs(tone.pitch - centre) <= 6 + 4


# Drones and drums


@pytest.mark.parametrize(("struck", "starts"), [(False, [0, 16, 32]), (True, range(0, 40, 4))])
def test_a_drone_covers_the_piece_with_tonic_and_fifth(struck: bool, starts: list[int]) -> None:
    piece = harmony(10)
    tones = parts.drone(piece, StyleLayer("drone", (109,), centre=48), struck)
    assert sorted({tone.start for tone in tones}) == list(starts)
    assert {tone.pitch % 12 for tone in tones} == {2, 9}
    lowest = [tone for tone in tones if tone.pitch % 12 == 2]
    assert sum(tone.length for tone in lowest) == piece.end


@pytest.mark.parametrize("groove", sorted(GROOVES))
def test_a_drum_machine_plays_every_hit_of_a_variant(groove: str) -> None:
    bar = len(next(iter(GROOVES[groove][0].values()))) * STEP
    # One section of four bars; a fill may come in the last of them only.
    tones = parts.drums(Random(4), groove, 4, bar, [0], machine=True)
    patterns = [
        {(DRUMS[drum], step) for drum, figure in variant.items() for step, _, _ in events(figure)}
        for variant in GROOVES[groove]
    ]
    for number in range(3):
        hits = {
            (tone.pitch, round((tone.start - number * bar) / STEP))
            for tone in tones
            if number * bar <= tone.start < (number + 1) * bar
        }
        assert hits in patterns


def test_a_drummer_leaves_out_few_hits_and_never_an_accent() -> None:
    accents = {(DRUMS["kick"], 0), (DRUMS["snare"], 4), (DRUMS["snare"], 12)}
    missing = total = 0
    for seed in range(30):
        tones = parts.drums(Random(seed), "rock", 4, 4.0, [0], machine=False)
        played = {(tone.pitch, round(tone.start / STEP)) for tone in tones}
        for number in range(3):
            assert {(drum, step + 16 * number) for drum, step in accents} <= played
        hats = {(DRUMS["hat"], step) for step in range(0, 48, 2)}
        total += len(hats)
        missing += len(hats - played)
    assert 0 < missing / total < 0.1


def test_sections_begin_with_a_crash_and_end_with_a_fill_that_gets_louder() -> None:
    fills = 0
    for seed in range(20):
        tones = parts.drums(Random(seed), "rock", 8, 4.0, [0, 4], machine=False)
        crashes = [tone.start for tone in tones if tone.pitch == DRUMS["crash"]]
        assert crashes == [16.0]
        toms = {DRUMS[name] for name in ("high tom", "tom", "floor")}
        fill = [tone for tone in tones if tone.pitch in toms and 14.0 <= tone.start < 16.0]
        fills += bool(fill)
        assert all(a.strength < b.strength for a, b in pairwise(fill))
        assert all(tone.strength <= 1.05 for tone in fill)
    assert 10 <= fills < 20  # three times in four


def test_a_groove_uses_only_its_drums_crashes_and_fills() -> None:
    allowed = {drum for variant in GROOVES["house"] for drum in variant} | {"snare", "crash"}
    tones = parts.drums(Random(9), "house", 16, 4.0, [0, 4, 8, 12], machine=True)
    assert {DRUM_NAMES[tone.pitch] for tone in tones} <= allowed


def test_chord_symbols_of_the_progression_are_those_of_the_harmony() -> None:
    piece = harmonise("1 6", 2, 4.0, 4, "minor", close=False)
    assert piece.chords == (chord("1", 4, "minor"), chord("6", 4, "minor"))
