"""Renders: planned, levelled, synthesised by the real fluidsynth, resumed where they stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_soundfont import write_soundfont

from recipes.builtin.corpus.sources import split_of
from recipes.builtin.music import render
from recipes.builtin.music.compose import compose
from recipes.builtin.music.diverse import DIVERSE
from recipes.builtin.music.render import (
    CEILING,
    KNEE,
    LEVEL,
    RATE_HZ,
    SOUNDFONTS,
    facts,
    level,
    plan,
    render_all,
    soundfont,
    synthesise,
)
from recipes.builtin.music.score import Score, ScoreNote, ScorePart
from recipes.builtin.music.styles import STYLES
from recipes.builtin.steps import read_list

needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None, reason="the command fluidsynth is not installed"
)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


# The plan


def test_even_renders_go_through_the_styles_and_odd_ones_are_diverse() -> None:
    count = len(STYLES)
    assert [plan(2 * n)[0] for n in range(count)] == [style.name for style in STYLES]
    assert {plan(2 * n + 1)[0] for n in range(300)} == {DIVERSE}


def test_every_style_and_program_meets_both_soundfonts() -> None:
    met = {plan(number) for number in range(0, 4 * len(STYLES), 2)}
    assert met == {(style.name, font) for style in STYLES for font in SOUNDFONTS}
    odd = [plan(number)[1] for number in range(1, 512, 2)]
    assert all({odd[k], odd[k + 128]} == set(SOUNDFONTS) for k in range(128))


# The level


@pytest.mark.parametrize("amplitude", [0.001, 0.02, 0.9])
def test_a_tone_comes_out_at_one_loudness(amplitude: float) -> None:
    tone = np.sin(np.arange(32000, dtype=np.float32) / 10)[:, None].repeat(2, axis=1)
    levelled = level(amplitude * tone)
    assert rms(levelled) == pytest.approx(LEVEL, rel=1e-3)
    # Nothing else changes: below the knee it is the same tone.
    np.testing.assert_allclose(levelled, tone * levelled.max() / tone.max(), atol=2e-3)


def test_peaks_are_bent_in_order_and_an_offset_is_removed() -> None:
    clicks = np.random.default_rng(0).normal(0, 0.05, (32000, 2)).astype(np.float32) + 0.005
    clicks[::4000] = np.linspace(0.2, 0.9, 8)[:, None]
    levelled = level(clicks)
    assert np.abs(levelled).max() <= CEILING
    assert np.abs(levelled.mean(axis=0)).max() < 5e-3
    peaks = levelled[::4000, 0]
    assert (np.diff(peaks) > 0).all()  # a louder hit stays louder
    assert peaks[-1] > KNEE


def test_silence_is_refused() -> None:
    with pytest.raises(ValueError, match="the render is silent"):
        level(np.zeros((100, 2), np.float32))


# The facts


def test_the_facts_of_a_score_can_be_written_as_json() -> None:
    score = compose(3, "salsa")
    line = json.loads(json.dumps(facts(score)))
    assert line["style"] == "salsa"
    assert line["instruments"] == list(score.instruments)
    assert line["tempo_bpm"] == score.tempo_bpm
    assert "notes" not in line


# The sound


def a_note(pitch: int) -> Score:
    """One long note at 60 beats per minute, for three of four seconds."""
    part = ScorePart("acoustic grand piano", 0, 0, 1.0, 0.0, False)
    return Score(
        "solo", None, "one note", 60.0, "major", "A", "4/4", (part,), None, None, (), 0.25, 4.0,
        (ScoreNote(0.0, 3.0, pitch, 100, 0),),
    )  # fmt: skip


@needs_fluidsynth
@pytest.mark.parametrize("pitch", [57, 69, 76])
def test_a_note_sounds_at_its_pitch_for_its_length(pitch: int, tmp_path: Path) -> None:
    font = write_soundfont(tmp_path / "sine.sf2")
    sound = synthesise(a_note(pitch), font, 5.0, fade_s=0.2)
    assert sound.shape == (5 * RATE_HZ, 2)
    held = sound[RATE_HZ : 3 * RATE_HZ].mean(axis=1)
    spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held))))
    loudest_hz = float(np.argmax(spectrum)) * RATE_HZ / len(held)
    assert loudest_hz == pytest.approx(440 * 2 ** ((pitch - 69) / 12), abs=1.0)
    assert rms(sound[:-1]) == pytest.approx(LEVEL, rel=0.01)
    after = sound[round(4.5 * RATE_HZ) :]
    assert rms(after) < 0.05 * rms(held)  # reverberation only
    assert abs(float(sound[-1].max())) < 1e-3  # faded out


@needs_fluidsynth
def test_renders_are_added_where_they_stopped(tmp_path: Path) -> None:
    for package in SOUNDFONTS:  # found there, they are not downloaded
        write_soundfont(tmp_path / "soundfonts" / f"{package}.sf2")
    render_all(tmp_path, 2, seconds=6.0)
    first = read_list(tmp_path / "renders.jsonl")
    assert [record["id"] for record in first] == ["render/00000", "render/00001"]
    written = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "renders").iterdir()}
    assert sorted(written) == ["00000.flac", "00001.flac"]

    render_all(tmp_path, 4, seconds=6.0)
    records = read_list(tmp_path / "renders.jsonl")
    assert records[:2] == first
    assert [record["id"] for record in records] == [f"render/{n:05d}" for n in range(4)]
    for name, stamp in written.items():
        assert (tmp_path / "renders" / name).stat().st_mtime_ns == stamp
    for number, record in enumerate(records):
        sound, rate = soundfile.read(record["path"])
        assert (len(sound), rate) == (6 * RATE_HZ, RATE_HZ)
        assert (record["style"], record["soundfont"]) == plan(number)
        assert record["split"] == split_of(record["id"])
        assert record["tempo_bpm"] == compose(number, record["style"], 6.0).tempo_bpm
    assert not list((tmp_path / "renders").glob(".gdr-*")), "a temporary file is left"


@needs_fluidsynth
def test_a_render_is_the_same_sound_again(tmp_path: Path) -> None:
    for package in SOUNDFONTS:
        write_soundfont(tmp_path / "soundfonts" / f"{package}.sf2")
    once, again = (soundfile.read(render.render(6, tmp_path, 6.0)["path"])[0] for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_a_soundfont_is_taken_from_the_unpacked_package_once(tmp_path: Path) -> None:
    package = SOUNDFONTS[0]
    unpacked = tmp_path / "unpacked" / package
    original = write_soundfont(unpacked / "usr/share/sounds/sf2/FluidR3_GM.sf2")
    (original.parent / "default-GM.sf2").symlink_to(original)  # as Debian's alternatives do
    (unpacked / ".complete").touch()
    copied = soundfont(package, tmp_path)
    assert copied == tmp_path / "soundfonts" / f"{package}.sf2"
    assert copied.read_bytes() == original.read_bytes()
    shutil.rmtree(unpacked)
    assert soundfont(package, tmp_path) == copied
