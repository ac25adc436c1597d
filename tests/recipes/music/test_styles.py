"""The tables behind the composer: every style can be read, and everything it names exists."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from recipes.builtin.music import styles
from recipes.builtin.music.compose import METERS, PLUCKED
from recipes.builtin.music.gm import DRUM_CHANNEL, DRUMS, KITS, PROGRAMS, SLOW, STRUCK
from recipes.builtin.music.rhythm import BASS, COMPS, GROOVES
from recipes.builtin.music.styles import BY_NAME, STYLES, TITLES, USUAL, Style, read_layer
from recipes.builtin.music.theory import MODES, chord

FIGURES = {"bass": BASS, "chords": COMPS, "voice": COMPS}


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_everything_a_style_names_exists(style: Style) -> None:
    assert style.genre
    assert style.meter in METERS
    assert set(style.modes) <= set(MODES)
    assert set(style.grooves) <= set(GROOVES)
    assert set(style.kits) <= set(KITS)
    assert 40 <= style.tempo[0] <= style.tempo[1] <= 240
    assert len(set(style.moods)) == len(style.moods) >= 2  # two are drawn for each piece
    for progression in style.chords:
        for symbol in progression.replace(",", " ").split():
            for mode in style.modes:
                assert chord(symbol, 0, mode).intervals[0] == 0


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_layer_can_be_played(style: Style) -> None:
    assert style.layers
    assert style.layers[0].enter == 0, "a piece would begin with silence"
    assert len(style.layers) < DRUM_CHANNEL + 1
    for layer in style.layers:
        assert layer.role in USUAL
        assert layer.programs
        assert all(0 <= program < len(PROGRAMS) for program in layer.programs)
        if layer.role in FIGURES:
            assert layer.figure in FIGURES[layer.role]
        else:
            assert not layer.figure
        assert 0 < layer.level <= 1
        assert 0 <= layer.busy <= 1
        assert 24 <= layer.centre <= 96


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_swing_and_looseness_are_those_of_people(style: Style) -> None:
    assert 0.5 <= style.swing < 0.75  # straight to a hard shuffle
    assert style.swing_beats in {0.5, 1.0}
    assert 0 <= style.loose <= 0.05  # seconds
    if style.grooves:
        assert 0 <= style.drums_enter <= 2


def test_no_style_is_lost_between_the_file_and_the_table() -> None:
    text = Path(styles.__file__).with_name("styles.toml").read_text(encoding="utf-8")
    named = tomllib.loads(text)["styles"]
    assert list(BY_NAME) == list(named)
    assert len(STYLES) == len(BY_NAME) >= 30
    assert "diverse" not in BY_NAME  # the composer's own


def test_a_named_set_of_progressions_is_unfolded() -> None:
    for style in STYLES:
        assert not any(progression.startswith("@") for progression in style.chords), style.name
    assert BY_NAME["piano ballad"].chords[0] == "1 5 6 4"
    assert len(BY_NAME["piano ballad"].chords) > 1


def test_a_layer_is_read_from_its_line() -> None:
    layer = read_layer("chords:boom chuck 25 24 centre=55 level=0.5")
    assert (layer.role, layer.figure, layer.programs) == ("chords", "boom chuck", (25, 24))
    assert (layer.centre, layer.level, layer.enter) == (55, 0.5, 0)


def test_a_layer_takes_the_rest_from_its_role() -> None:
    layer = read_layer("counter 73 busy=0.4")
    assert (layer.enter, layer.centre, layer.busy, layer.figure) == (1, 66, 0.4, "")
    assert read_layer("voice:hymn 52 size=2").size == 2


@pytest.mark.parametrize("line", ["whistle 75", "melody 73 loud=1", "melody 73 busy=very"])
def test_a_misspelt_layer_is_not_read(line: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_layer(line)


def test_titles_have_words_enough_and_no_two_alike() -> None:
    for words in TITLES.values():
        assert len(set(words)) == len(words) >= 16


def test_general_midi_is_complete_and_unambiguous() -> None:
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 128
    assert all(name == name.strip() and name for name in PROGRAMS)
    assert len(set(DRUMS.values())) == len(DRUMS)
    assert all(35 <= note <= 81 for note in DRUMS.values())  # the range of the standard
    for number, name in {
        0: "acoustic grand piano",
        24: "nylon guitar",
        40: "violin",
        56: "trumpet",
        73: "flute",
        104: "sitar",
        127: "gunshot",
    }.items():
        assert PROGRAMS[number] == name


def test_an_instrument_that_is_plucked_also_decays() -> None:
    assert PLUCKED <= STRUCK
    assert not SLOW & STRUCK
