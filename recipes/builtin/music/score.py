"""A composed piece as values, and its MIDI file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mido

from recipes.builtin.music.gm import DRUM_CHANNEL

TICKS = 480


@dataclass(frozen=True)
class ScoreNote:
    """A note as played: start and length in beats, and the number of the part that plays it."""

    start: float
    length: float
    pitch: int
    velocity: int
    part: int


@dataclass(frozen=True)
class ScorePart:
    """A player: a General MIDI program, or a kit on the drum channel."""

    name: str
    program: int
    channel: int
    level: float
    pan: float  # -1 left, 1 right
    held: bool  # True if its long notes swell


@dataclass(frozen=True)
class Score:
    """A piece and the facts about it."""

    style: str
    genre: str | None
    title: str
    tempo_bpm: float
    mode: str
    key: str
    meter: str
    parts: tuple[ScorePart, ...]
    drum_kit: str | None
    groove: str | None
    moods: tuple[str, ...]
    density: float  # notes a second
    duration_s: float
    notes: tuple[ScoreNote, ...]

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names of the programs used, each once, without drums."""
        return tuple(
            dict.fromkeys(part.name for part in self.parts if part.channel != DRUM_CHANNEL)
        )


def _controls(score: Score, index: int, part: ScorePart) -> list[tuple[float, mido.Message]]:
    """Program, level, pan, reverb and, for parts that can shape a held note, swell and vibrato."""
    send = {"channel": part.channel}
    out = [
        (0.0, mido.Message("program_change", program=part.program, **send)),
        (0.0, mido.Message("control_change", control=7, value=round(110 * part.level), **send)),
        (0.0, mido.Message("control_change", control=10, value=round(64 + 63 * part.pan), **send)),
        (0.0, mido.Message("control_change", control=91, value=48, **send)),
    ]
    starts = (
        sorted({(n.start, n.length) for n in score.notes if n.part == index and n.length >= 1.5})
        if part.held
        else []
    )
    for start, length in starts:
        for share, loudness, vibrato in (
            (0.0, 98, 0),
            (0.3, 116, 12),
            (0.6, 127, 36),
            (0.9, 108, 20),
        ):
            when = start + share * length
            out.append((when, mido.Message("control_change", control=11, value=loudness, **send)))
            out.append((when, mido.Message("control_change", control=1, value=vibrato, **send)))
    return out


def write_midi(score: Score, path: Path) -> None:
    """Write the score as a MIDI file: tempo, meter and title, then one track per part."""
    song = mido.MidiFile(ticks_per_beat=TICKS)
    over, under = (int(number) for number in score.meter.split("/"))
    head = mido.MidiTrack()
    head.append(mido.MetaMessage("track_name", name=score.title))
    head.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(score.tempo_bpm)))
    head.append(mido.MetaMessage("time_signature", numerator=over, denominator=under))
    last = round(score.duration_s * score.tempo_bpm / 60 * TICKS)
    head.append(mido.MetaMessage("end_of_track", time=last))
    song.tracks.append(head)
    for index, part in enumerate(score.parts):
        timed = _controls(score, index, part)
        for note in (n for n in score.notes if n.part == index):
            hit = {"channel": part.channel, "note": note.pitch}
            timed.append((note.start, mido.Message("note_on", velocity=note.velocity, **hit)))
            timed.append((note.start + note.length, mido.Message("note_off", velocity=0, **hit)))
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("track_name", name=part.name))
        now = 0
        # Note-offs come before note-ons at the same tick; otherwise a repeated note is cut off.
        for when, message in sorted(
            timed, key=lambda item: (round(item[0] * TICKS), _rank(item[1]))
        ):
            tick = min(round(when * TICKS), last)
            track.append(message.copy(time=tick - now))
            now = tick
        song.tracks.append(track)
    song.save(path)


def _rank(message: mido.Message) -> int:
    """Order of messages at the same tick: controls, note-offs, note-ons."""
    return {"note_off": 1, "note_on": 2}.get(message.type, 0)
