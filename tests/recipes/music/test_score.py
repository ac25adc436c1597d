"""A score written as MIDI and read back by mido is the same score."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import mido
import pytest

from recipes.builtin.music.compose import compose
from recipes.builtin.music.gm import DRUM_CHANNEL
from recipes.builtin.music.score import TICKS, Score, ScoreNote, ScorePart, write_midi

FLUTE = ScorePart("flute", 73, 0, 0.9, 0.0, True)
PIANO = ScorePart("acoustic grand piano", 0, 1, 0.5, -0.5, False)
KIT = ScorePart("standard kit", 0, DRUM_CHANNEL, 0.75, 0.0, False)


def score(*notes: ScoreNote, parts: tuple[ScorePart, ...] = (FLUTE,)) -> Score:
    """Two bars of 4/4 at 120 beats per minute: four seconds."""
    return Score(
        style="solo flute",
        genre=None,
        title="quiet kite",
        tempo_bpm=120.0,
        mode="major",
        key="C",
        meter="4/4",
        parts=parts,
        drum_kit=None,
        groove=None,
        moods=("calm", "airy"),
        density=1.0,
        duration_s=4.0,
        notes=notes,
    )


def written(piece: Score, folder: Path) -> mido.MidiFile:
    write_midi(piece, folder / "score.mid")
    return mido.MidiFile(folder / "score.mid")


def notes_of(track: mido.MidiTrack) -> list[tuple[int, int, int, int]]:
    """(start, end, pitch, velocity) in ticks, a note-off closing the oldest note of its pitch."""
    now, sounding = 0, defaultdict(list)
    closed = []
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.note].append((now, message.velocity))
        elif message.type in {"note_off", "note_on"}:
            start, velocity = sounding[message.note].pop(0)
            closed.append((start, now, message.note, velocity))
    assert not any(sounding.values()), "a note never ends"
    return sorted(closed)


def controls(track: mido.MidiTrack, number: int) -> list[tuple[int, int]]:
    """(tick, value) of a controller."""
    now, values = 0, []
    for message in track:
        now += message.time
        if message.type == "control_change" and message.control == number:
            values.append((now, message.value))
    return values


@pytest.mark.parametrize("style", ["salsa", "celtic", "progressive rock", "solo cello", "diverse"])
def test_every_note_is_read_back_within_a_tick(style: str, tmp_path: Path) -> None:
    piece = compose(3, style)
    song = written(piece, tmp_path)
    end = round(piece.duration_s * piece.tempo_bpm / 60 * TICKS)
    for index, track in enumerate(song.tracks[1:]):
        wanted = sorted(
            (
                min(round(n.start * TICKS), end),
                min(round((n.start + n.length) * TICKS), end),
                n.pitch,
                n.velocity,
            )
            for n in piece.notes
            if n.part == index
        )
        read = notes_of(track)
        assert len(read) == len(wanted)
        # Overlapping notes of one pitch may close in the other order: compare starts and ends.
        assert [(s, p, v) for s, _, p, v in read] == [(s, p, v) for s, _, p, v in wanted]
        assert Counter((e, p) for _, e, p, _ in read) == Counter((e, p) for _, e, p, _ in wanted)


@pytest.mark.parametrize("style", ["salsa", "celtic", "progressive rock", "solo cello"])
def test_tempo_meter_length_title_and_programs_are_read_back(style: str, tmp_path: Path) -> None:
    piece = compose(3, style)
    song = written(piece, tmp_path)
    assert song.length == pytest.approx(piece.duration_s, abs=0.02)
    metas = {message.type: message for message in song.tracks[0]}
    assert metas["track_name"].name == piece.title
    assert mido.tempo2bpm(metas["set_tempo"].tempo) == pytest.approx(piece.tempo_bpm, rel=1e-4)
    meter = f"{metas['time_signature'].numerator}/{metas['time_signature'].denominator}"
    assert meter == piece.meter
    assert [track.name for track in song.tracks[1:]] == [part.name for part in piece.parts]
    programs = {m.channel: m.program for t in song.tracks for m in t if m.type == "program_change"}
    assert programs == {part.channel: part.program for part in piece.parts}


def test_a_repeated_note_is_struck_again(tmp_path: Path) -> None:
    piece = score(*[ScoreNote(beat, 1.0, 72, 90, 0) for beat in (0.0, 1.0, 2.0)])
    (_, track) = written(piece, tmp_path).tracks
    kinds = [m.type for m in track if m.type.startswith("note_")]
    assert kinds == ["note_on", "note_off"] * 3
    assert notes_of(track) == [(TICKS * n, TICKS * (n + 1), 72, 90) for n in range(3)]


def test_no_note_sounds_past_the_end(tmp_path: Path) -> None:
    song = written(score(ScoreNote(6.0, 5.0, 72, 90, 0)), tmp_path)
    assert notes_of(song.tracks[1]) == [(6 * TICKS, 8 * TICKS, 72, 90)]
    assert song.length == pytest.approx(4.0)


def test_level_and_place_of_a_part_become_controllers(tmp_path: Path) -> None:
    piece = score(ScoreNote(0, 1, 60, 80, 1), parts=(FLUTE, PIANO))
    _, flute, piano = written(piece, tmp_path).tracks
    assert controls(flute, 7) == [(0, 99)]
    assert controls(flute, 10) == [(0, 64)]  # in the middle
    assert controls(piano, 7) == [(0, 55)]
    assert controls(piano, 10) == [(0, 32)]  # half way to the left


def test_only_long_notes_of_sustained_parts_swell(tmp_path: Path) -> None:
    long, short = ScoreNote(0, 4.0, 72, 90, 0), ScoreNote(4, 1.0, 74, 90, 0)
    both = score(long, short, ScoreNote(0, 4.0, 48, 90, 1), parts=(FLUTE, PIANO))
    _, flute, piano = written(both, tmp_path).tracks
    swell = controls(flute, 11)
    assert [tick for tick, _ in swell] == [0, 576, 1152, 1728]  # within the long note
    assert [value for _, value in swell] == [98, 116, 127, 108]
    vibrato = [value for _, value in controls(flute, 1)]
    assert vibrato[0] == 0 < max(vibrato)
    assert controls(piano, 11) == []


def test_instruments_are_named_once_and_without_drums() -> None:
    second_flute = ScorePart("flute", 73, 2, 0.5, 0.2, True)
    piece = score(parts=(PIANO, FLUTE, KIT, second_flute))
    assert piece.instruments == ("acoustic grand piano", "flute")
