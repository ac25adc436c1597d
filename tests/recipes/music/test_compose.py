from collections import Counter
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from mutagen.oggvorbis import OggVorbis

from recipes.builtin.music.compose import compose
from recipes.builtin.music.demo import pieces
from recipes.builtin.music.diverse import DIVERSE
from recipes.builtin.music.gm import DRUM_CHANNEL, DRUMS, PROGRAMS
from recipes.builtin.music.render import CEILING, SOUNDFONTS, level, plan
from recipes.builtin.music.rhythm import BASS, COMPS, GROOVES, events, fit
from recipes.builtin.music.score import Score, write_midi
from recipes.builtin.music.styles import BY_NAME, STYLES, read_layer
from recipes.builtin.music.theory import MODES, QUALITIES, chord, lead, nearest


def sounding(score: Score) -> set[int]:
    return {note.part for note in score.notes}


@pytest.mark.parametrize("style", [*BY_NAME, DIVERSE])
def test_every_style_composes_a_playable_piece(style: str) -> None:
    score = compose(11, style)
    assert score.style == style
    assert 20.0 <= score.duration_s <= 23.5
    assert 40 <= score.tempo_bpm <= 240
    assert score.mode in MODES
    assert len(score.notes) >= 8
    beats = score.duration_s * score.tempo_bpm / 60
    for note in score.notes:
        assert 12 <= note.pitch <= 115
        assert 20 <= note.velocity <= 127
        assert 0 <= note.start <= beats
        assert note.length > 0


@pytest.mark.parametrize("style", [*BY_NAME, DIVERSE])
def test_the_instruments_listed_are_those_that_play(style: str) -> None:
    score = compose(5, style)
    assert sounding(score) == set(range(len(score.parts)))
    melodic = [part for part in score.parts if part.channel != DRUM_CHANNEL]
    assert set(score.instruments) == {PROGRAMS[part.program] for part in melodic}
    assert len({part.channel for part in score.parts}) == len(score.parts)
    drummed = any(part.channel == DRUM_CHANNEL for part in score.parts)
    assert drummed == (score.drum_kit is not None)


def test_a_seed_gives_the_same_piece_again_and_another_seed_another() -> None:
    assert compose(7, "jazz trio") == compose(7, "jazz trio")
    assert compose(7, "jazz trio").notes != compose(8, "jazz trio").notes
    assert compose(7).style == compose(7).style


def test_diverse_seeds_count_through_all_programs() -> None:
    leads = {compose(seed, DIVERSE).parts[0].program for seed in range(1, 256, 2)}
    assert leads == set(range(128))


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='no style "polka"; one of: diverse, piano ballad'):
        compose(1, "polka")


@pytest.mark.parametrize("style", ["salsa", "celtic", "progressive rock", "solo cello"])
def test_midi_reads_back_with_tempo_duration_and_notes(style: str, tmp_path: Path) -> None:
    score = compose(3, style)
    write_midi(score, tmp_path / "score.mid")
    song = mido.MidiFile(tmp_path / "score.mid")
    assert song.length == pytest.approx(score.duration_s, abs=0.02)
    metas = {message.type: message for message in song.tracks[0]}
    assert mido.tempo2bpm(metas["set_tempo"].tempo) == pytest.approx(score.tempo_bpm, rel=1e-4)
    meter = f"{metas['time_signature'].numerator}/{metas['time_signature'].denominator}"
    assert meter == score.meter
    hits = Counter(m.channel for track in song.tracks for m in track if m.type == "note_on")
    expected = Counter(score.parts[note.part].channel for note in score.notes)
    assert hits == expected
    programs = {m.channel: m.program for t in song.tracks for m in t if m.type == "program_change"}
    assert programs == {part.channel: part.program for part in score.parts}


def test_every_note_of_a_midi_file_ends(tmp_path: Path) -> None:
    write_midi(compose(2, "heavy metal"), tmp_path / "score.mid")
    on: Counter[tuple[int, int]] = Counter()
    for track in mido.MidiFile(tmp_path / "score.mid").tracks:
        for message in track:
            if message.type in {"note_on", "note_off"}:
                on[message.channel, message.note] += 1 if message.type == "note_on" else -1
    assert not +on


def test_a_melody_repeats_itself() -> None:
    score = compose(4, "solo flute")
    bar = 4.0
    starts = sorted(note.start for note in score.notes)
    bars = Counter(
        tuple(round((s % bar) * 4) for s in starts if int(s // bar) == n)
        for n in range(int(starts[-1] // bar) + 1)
    )
    assert bars.most_common(1)[0][1] >= 2


def test_the_tables_are_whole() -> None:
    for style in STYLES:
        assert all(groove in GROOVES for groove in style.grooves)
        for layer in style.layers:
            tables = {"bass": BASS, "chords": COMPS, "voice": COMPS}
            assert not layer.figure or layer.figure in tables[layer.role]
            assert layer.programs
        for progression in style.chords:
            for symbol in progression.replace(",", " ").split():
                assert chord(symbol, 0, style.modes[0]).intervals[0] == 0
    for variants in GROOVES.values():
        for variant in variants:
            assert set(variant) <= set(DRUMS)
            assert len({len(figure) for figure in variant.values()}) == 1
    assert len(STYLES) >= 30
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 128


def test_layers_are_read_from_their_line() -> None:
    layer = read_layer("chords:boom chuck 25 24 centre=55 level=0.5")
    assert (layer.role, layer.figure, layer.programs) == ("chords", "boom chuck", (25, 24))
    assert (layer.centre, layer.level, layer.enter) == (55, 0.5, 0)


def test_chords_are_read_in_their_mode() -> None:
    assert chord("2", 0, "major").classes == (2, 5, 9)
    assert chord("5d7", 9, "minor").classes == (4, 8, 11, 2)
    assert chord("b7M", 0, "mixolydian").classes == (10, 2, 5)
    assert chord("1", 0, "pelog").intervals == QUALITIES["m"]


def test_voices_move_as_little_as_they_can() -> None:
    tonic = lead(chord("1", 0, "major"), None, 60, 3)
    fourth = lead(chord("4", 0, "major"), tonic, 60, 3)
    assert sum(abs(a - b) for a, b in zip(tonic, fourth, strict=True)) <= 5
    assert {pitch % 12 for pitch in fourth} == {5, 9, 0}
    assert nearest((0,), 61) == 60


def test_every_chord_can_be_voiced_in_up_to_five_parts() -> None:
    for quality in QUALITIES:
        for centre in range(45, 82):
            voices = lead(chord(f"1{quality}", 0, "major"), None, centre, 5)
            assert len(set(voices)) == 5
            assert max(abs(voice - centre) for voice in voices) <= 22


def test_figures_are_read_and_fitted() -> None:
    assert events("x--.o.") == [(0, 3, "x"), (4, 1, "o")]
    assert fit("x---", 6) == "x---x-"
    assert fit("x---------------", 12) == "x-----------"


def test_the_demo_library_has_forty_pieces_of_forty_styles() -> None:
    found = pieces()
    assert len(found) == len({piece.style for piece in found}) == 40
    assert len({piece.title for piece in found}) == 40
    assert all(piece.style in BY_NAME for piece in found)


DEMO = Path(__file__).parents[3] / "demo"


def test_the_demo_library_holds_those_pieces_tagged_and_small() -> None:
    files = sorted(DEMO.rglob("*.ogg"))
    assert files == sorted(DEMO / p.folder / f"{p.title}.ogg" for p in pieces())
    assert sum(file.stat().st_size for file in files) < 4_000_000
    readme = (DEMO / "README.md").read_text(encoding="utf-8")
    for piece in pieces():
        tags = OggVorbis(DEMO / piece.folder / f"{piece.title}.ogg")
        assert tags["title"] == [piece.title.capitalize()]
        assert tags["genre"] == [BY_NAME[piece.style].genre]
        assert f"| {piece.folder}/{piece.title} | {piece.style} |" in readme


def test_the_demo_library_neither_clips_nor_falls_silent() -> None:
    for file in DEMO.rglob("*.ogg"):
        sound, rate = soundfile.read(file)
        assert 20 <= len(sound) / rate <= 24
        assert 0.4 < np.abs(sound).max() < 1.0
        seconds = sound[: 18 * rate].reshape(18, rate)
        assert np.sqrt((seconds**2).mean(axis=1)).min() > 1e-3, file.name


def test_every_style_and_program_meets_both_soundfonts() -> None:
    met = {(style, font) for style, font in map(plan, range(0, 4 * len(STYLES), 2))}
    assert met == {(style.name, font) for style in STYLES for font in SOUNDFONTS}
    odd = [plan(number)[1] for number in range(1, 512, 2)]
    assert all({odd[k], odd[k + 128]} == set(SOUNDFONTS) for k in range(128))


def test_levelled_sound_has_one_loudness_no_offset_and_does_not_clip() -> None:
    clicks = np.random.default_rng(0).normal(0, 0.01, (32000, 2)).astype(np.float32) + 0.005
    clicks[::4000] = 0.9
    sound = level(clicks)
    assert np.abs(sound).max() <= CEILING
    assert np.abs(sound.mean(axis=0)).max() < 5e-3
    tone = np.sin(np.arange(32000, dtype=np.float32) / 10)[:, None].repeat(2, axis=1)
    assert np.sqrt(np.mean(level(tone * 0.02) ** 2)) == pytest.approx(0.1, rel=1e-3)
    with pytest.raises(ValueError, match="silent"):
        level(np.zeros((100, 2), np.float32))
