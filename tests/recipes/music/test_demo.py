"""The demo library: what is in the folder is what the recipe says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.oggvorbis import OggVorbis
from tiny_soundfont import write_soundfont

from recipes.builtin.music.demo import OUT_HZ, PEAK, SECONDS, encode, make, pieces, readme, row
from recipes.builtin.music.render import RATE_HZ
from recipes.builtin.music.styles import BY_NAME

DEMO = Path(__file__).parents[3] / "demo"
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="the command ffmpeg is not installed"
)
needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None, reason="the command fluidsynth is not installed"
)


def test_there_are_forty_pieces_of_forty_styles() -> None:
    listed = pieces()
    assert len(listed) == len({piece.style for piece in listed}) == 40
    assert len({piece.title for piece in listed}) == 40
    assert all(piece.style in BY_NAME for piece in listed)


def test_the_readme_is_the_one_that_the_recipe_writes() -> None:
    assert (DEMO / "README.md").read_text(encoding="utf-8") == readme()


def test_a_row_names_style_tempo_key_and_every_instrument() -> None:
    piece = next(piece for piece in pieces() if piece.title == "mercado")
    place, style, tempo, key, instruments = row(piece).strip("| ").split(" | ")
    score = piece.compose()
    assert (place, style) == ("dance floor/mercado", "salsa")
    assert float(tempo) == pytest.approx(score.tempo_bpm, abs=0.5)
    assert key == f"{score.key} {score.mode}"
    assert instruments.split(", ") == [*score.instruments, score.drum_kit]


def test_the_folder_holds_those_pieces_tagged_and_small() -> None:
    files = sorted(DEMO.rglob("*.ogg"))
    assert files == sorted(DEMO / piece.path for piece in pieces())
    assert sum(file.stat().st_size for file in files) < 4_000_000
    for number, piece in enumerate(pieces(), start=1):
        tags = OggVorbis(DEMO / piece.path)
        assert tags["title"] == [piece.title.capitalize()]
        assert tags["genre"] == [BY_NAME[piece.style].genre]
        assert tags["tracknumber"] == [str(number)]


def test_no_piece_clips_or_falls_silent() -> None:
    for file in DEMO.rglob("*.ogg"):
        sound, rate = soundfile.read(file)
        assert 20 <= len(sound) / rate <= 24
        assert 0.4 < np.abs(sound).max() < 1.0
        seconds = sound[: 18 * rate].reshape(18, rate)
        assert np.sqrt((seconds**2).mean(axis=1)).min() > 1e-3, file.name


@needs_ffmpeg
def test_a_sound_is_encoded_to_the_same_bytes_again(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    files = [tmp_path / name for name in ("one.ogg", "two.ogg")]
    for file in files:
        encode(tone, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    sound, rate = soundfile.read(files[0])
    assert (sound.ndim, rate) == (1, OUT_HZ)
    assert len(sound) == pytest.approx(OUT_HZ, abs=0.05 * OUT_HZ)
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) * rate / len(sound) == pytest.approx(440, abs=2)


@needs_ffmpeg
@needs_fluidsynth
def test_a_piece_is_made_and_tagged(tmp_path: Path) -> None:
    piece = pieces()[0]
    make(piece, 1, write_soundfont(tmp_path / "sine.sf2"), tmp_path / "demo")
    path = tmp_path / "demo" / "after dark" / "blue lantern.ogg"
    sound, rate = soundfile.read(path)
    assert len(sound) / rate == pytest.approx(SECONDS, abs=0.1)
    assert np.abs(sound).max() == pytest.approx(PEAK, rel=0.2)
    tags = OggVorbis(path)
    assert (tags["artist"], tags["album"]) == (["gdr"], ["Demo library"])
    assert tags["genre"] == [BY_NAME["jazz ballad"].genre]
