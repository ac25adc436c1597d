"""Voices sing the notes that are written, and a piece is a function of its number."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from recipes.builtin.voices.lyrics import song
from recipes.builtin.voices.pieces import PIECE_S, WAYS, Ground, fitted, melody, piece, voiced
from recipes.builtin.voices.speakers import COMMANDS, Speaker, trimmed

MISSING = [c for c in COMMANDS if shutil.which(c) is None]
needs_voices = pytest.mark.skipif(
    bool(MISSING) or importlib.util.find_spec("pyworld") is None,
    reason="espeak-ng, flite and pyworld are not all installed",
)
GROUND = Ground(None, None, None, 0.5, 0, "major")


def test_songs_have_the_lines_and_words_asked_for() -> None:
    rng = np.random.default_rng(0)
    lines = song(rng, 8, 5)
    assert [len(line) for line in lines] == [5] * 8
    assert len({" ".join(line) for line in lines}) < 8  # some return


def test_a_melody_stays_in_its_scale_and_its_words_end_with_the_piece() -> None:
    rng = np.random.default_rng(1)
    lines = song(rng, 12, 6)
    notes = melody(GROUND, lines, 60.0, rng)
    assert {round(n.pitch) % 12 for n in notes} <= {0, 2, 4, 5, 7, 9, 11}
    assert all(a.start_s + a.length_s <= b.start_s for a, b in itertools.pairwise(notes))
    words, kept = fitted([w for line in lines for w in line], notes)
    assert len(words) == len(kept) < len(notes)
    assert kept[-1].start_s < PIECE_S


def test_silence_is_cut_off_but_not_to_nothing() -> None:
    sound = np.zeros(SAMPLE_RATE_HZ, np.float32)
    sound[4000:8000] = 0.5
    assert len(trimmed(sound)) == 4000
    assert len(trimmed(np.zeros(10, np.float32))) == SAMPLE_RATE_HZ // 10


@needs_voices
@pytest.mark.filterwarnings("ignore:pkg_resources")
@pytest.mark.parametrize(
    "speaker", [Speaker("flite", "rms", False), Speaker("espeak-ng", "en-us+f2", True)]
)
def test_a_note_is_sung_where_and_how_high_it_is_written(speaker: Speaker) -> None:
    from recipes.builtin.voices.sing import Manner, SungNote, sung

    rng = np.random.default_rng(0)
    plain = Manner(vibrato_cents=0, slide_s=0.005)
    sound = sung(
        ["la", "la"], [SungNote(0.5, 1.2, 57), SungNote(2.5, 1.2, 64)], speaker, plain, 4.0, rng
    )
    assert len(sound) == 4 * SAMPLE_RATE_HZ
    loud = [
        float(np.abs(sound[int(a * 16e3) : int(b * 16e3)]).mean())
        for a, b in ((0, 0.4), (0.8, 1.4), (2.8, 3.4))
    ]
    assert loud[0] < 0.05 * min(loud[1:])
    for start_s, pitch in ((0.8, 57), (2.8, 64)):
        part = sound[int(start_s * 16e3) : int((start_s + 0.5) * 16e3)]
        correlation = np.correlate(part, part, "full")[len(part) - 1 :]
        period = 40 + int(np.argmax(correlation[40:400]))
        found = 69 + 12 * np.log2(SAMPLE_RATE_HZ / period / 440)
        assert (
            abs(found - pitch) % 12 == pytest.approx(0, abs=0.6) or abs(found - pitch) % 12 > 11.4
        )


@needs_voices
@pytest.mark.filterwarnings("ignore:pkg_resources")
@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_of_using_a_voice_sounds(way: str, tmp_path: Path) -> None:
    sound, _ = voiced(way, GROUND, tmp_path, np.random.default_rng(3))
    assert len(sound) == PIECE_S * SAMPLE_RATE_HZ
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 1e-3


@needs_voices
@pytest.mark.filterwarnings("ignore:pkg_resources")
def test_a_piece_is_a_function_of_its_number(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(np.arange(30 * SAMPLE_RATE_HZ) * 0.1).astype(np.float32)
    path = tmp_path / "tone.flac"
    soundfile.write(path, tone, SAMPLE_RATE_HZ)
    facts = {"style": "reggae", "tempo_bpm": 90, "key": "D", "mode": "minor", "genre": "Reggae"}
    render = {"id": "render/1", "path": str(path), "duration_s": 30, **facts}
    free = {"id": "free/1", "path": str(path), "duration_s": 30, "genre": None}
    first, sound = piece(7, [render], [free], tmp_path)
    again, same = piece(7, [render], [free], tmp_path)
    assert first == again
    np.testing.assert_array_equal(sound, same)
    assert first["kind"] == "voice"
    assert first["split"] == "train"
    assert not np.array_equal(sound, piece(8, [render], [free], tmp_path)[1])
