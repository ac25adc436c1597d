"""Singing: a vowel of known pitch comes out at the notes that are written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voices import Vowel, between, needs_voices, needs_world, pitch_of, rng, vowel

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.effects import rms
from recipes.builtin.voices.sing import Manner, SungNote, stretched, sung, with_formants
from recipes.builtin.voices.speakers import Speaker

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources")
PLAIN = Manner(vibrato_cents=0, slide_s=0.005)


def sing(*notes: SungNote, manner: Manner = PLAIN, length_s: float = 4.0) -> Array:
    words = ["oo"] * len(notes)
    return sung(words, notes, Vowel(), manner, length_s, rng())  # type: ignore[arg-type]


def test_the_ruler_measures_known_pitches() -> None:
    for pitch in (45, 52, 60, 69, 76):
        hz = 440 * 2 ** ((pitch - 69) / 12)
        assert pitch_of(vowel(hz, 0.6)) == pytest.approx(pitch, abs=0.05)


# What WORLD is given


@given(st.lists(st.booleans(), min_size=12, max_size=80), st.integers(6, 300))
def test_a_stretched_word_runs_from_its_first_frame_towards_its_last(
    frames: list[bool], wanted: int
) -> None:
    which = stretched(np.array(frames), wanted)
    assert len(which) <= wanted
    assert which[0] == 0
    assert (np.diff(which) >= 0).all()
    assert which[-1] <= len(frames) - 1 + 1e-4
    if wanted >= len(frames):
        assert len(which) == wanted
        assert which[-1] == pytest.approx(len(frames) - 1)


def test_consonants_keep_their_time_and_the_vowel_is_held() -> None:
    voiced = np.zeros(60, bool)
    voiced[20:40] = True  # a vowel between two consonants
    which = stretched(voiced, 200)
    assert which[:25].tolist() == list(range(25))
    assert which[-25:].tolist() == list(range(35, 60))
    assert (np.diff(which[25:-25]) < 0.1).all()


def test_a_word_longer_than_its_note_is_spoken_faster() -> None:
    which = stretched(np.ones(100, bool), 50)
    np.testing.assert_allclose(np.diff(which), 99 / 49, rtol=1e-3)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_formants_move_by_the_factor(factor: float) -> None:
    bins = np.arange(513)
    envelope = np.exp(-(((bins - 200) / 20) ** 2))[None].astype(np.float32)
    shifted = with_formants(envelope, factor)
    assert shifted.shape == envelope.shape
    assert int(np.argmax(shifted)) == pytest.approx(200 * factor, abs=1)
    if factor == 1.0:
        np.testing.assert_allclose(shifted, envelope)


# What comes out


@needs_world
@pytest.mark.parametrize("pitches", [(50, 57), (60, 64), (72, 65)])
def test_each_note_is_sung_at_its_pitch_and_time(pitches: tuple[int, int]) -> None:
    sound = sing(SungNote(0.5, 1.2, pitches[0]), SungNote(2.5, 1.2, pitches[1]))
    assert len(sound) == 4 * SAMPLE_RATE_HZ
    assert rms(between(sound, 0, 0.4)) < 0.05 * rms(between(sound, 0.8, 1.4))
    assert rms(between(sound, 1.9, 2.4)) < 0.05 * rms(between(sound, 0.8, 1.4))
    for start_s, pitch in zip((0.8, 2.8), pitches, strict=True):
        assert pitch_of(between(sound, start_s, start_s + 0.7)) == pytest.approx(pitch, abs=0.3)


@needs_world
def test_a_singer_slides_in_from_the_previous_note() -> None:
    slow = Manner(vibrato_cents=0, slide_s=0.5)
    notes = (SungNote(0.2, 1.2, 55), SungNote(1.5, 2.0, 62))
    sliding, plain = sing(*notes, manner=slow), sing(*notes)
    early, late = (1.6, 1.75), (3.1, 3.4)
    assert pitch_of(between(plain, *early)) == pytest.approx(62, abs=0.4)
    assert 55.2 < pitch_of(between(sliding, *early), 50, 66) < 60
    assert pitch_of(between(sliding, *late)) == pytest.approx(62, abs=0.6)


@needs_world
def test_vibrato_has_its_width_and_speed() -> None:
    note = SungNote(0.0, 4.0, 60)

    def track(cents: float) -> Array:
        sound = sing(note, manner=Manner(vibrato_cents=cents, vibrato_hz=5.0, slide_s=0.005))
        starts = np.arange(0.8, 3.6, 0.02)
        return np.array([pitch_of(between(sound, s, s + 0.05), 54, 66) for s in starts])

    still, trembling = track(0.0), track(100.0)
    assert np.std(still) < 0.15
    assert np.std(trembling) == pytest.approx(1 / np.sqrt(2), rel=0.35)  # a sine of 100 cents
    spectrum = np.abs(np.fft.rfft(trembling - trembling.mean()))
    assert np.argmax(spectrum) / (0.02 * len(trembling)) == pytest.approx(5.0, abs=0.5)


@needs_world
def test_a_whisper_has_no_pitch() -> None:
    def regularity(breath: float) -> float:
        part = between(
            sing(SungNote(0, 3.0, 57), manner=Manner(0, slide_s=0.005, breath=breath)), 1, 2
        )
        period = round(SAMPLE_RATE_HZ / 220)
        return float(np.corrcoef(part[:-period], part[period:])[0, 1])

    assert regularity(0.0) > 0.8
    assert regularity(1.0) < 0.3


@needs_world
def test_notes_too_short_to_sing_are_left_out() -> None:
    sound = sing(SungNote(1.0, 0.02, 60), length_s=2.0)
    assert rms(sound) < 1e-3


@needs_world
def test_no_words_are_silence_of_the_right_length() -> None:
    sound = sing(length_s=1.5)
    assert len(sound) == round(1.5 * SAMPLE_RATE_HZ)
    assert rms(sound) < 1e-3


def test_singers_differ_within_human_bounds() -> None:
    manners = [Manner.draw(rng(seed)) for seed in range(300)]
    assert len(set(manners)) > 290
    tuned = [m for m in manners if m.vibrato_cents == 0]
    assert 0.08 < len(tuned) / len(manners) < 0.25
    for manner in manners:
        assert 0 <= manner.vibrato_cents <= 120
        assert 4.5 < manner.vibrato_hz < 7
        assert 0 <= manner.breath <= 0.5
        assert 0.85 < manner.formants < 1.2


@needs_voices
@pytest.mark.parametrize(
    "speaker", [Speaker("flite", "rms", False), Speaker("espeak-ng", "en-us+f2", True)]
)
def test_a_real_speaker_sings_in_tune(speaker: Speaker) -> None:
    notes = [SungNote(0.5, 1.2, 57), SungNote(2.5, 1.2, 64)]
    sound = sung(["la", "la"], notes, speaker, PLAIN, 4.0, rng())
    assert rms(between(sound, 0, 0.4)) < 0.05 * rms(between(sound, 0.8, 1.4))
    for start_s, pitch in ((0.8, 57), (2.8, 64)):
        off = (pitch_of(between(sound, start_s, start_s + 0.5)) - pitch) % 12
        assert min(off, 12 - off) < 0.6  # a loud harmonic may be taken for the fundamental
