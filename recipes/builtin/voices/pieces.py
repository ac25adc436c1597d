"""Voices over music: sung, rapped, spoken, chanted, in choirs; the free music has next to none.

    python -m recipes.builtin.voices.pieces --work DIR [--count 1600]

Speech of free synthesisers (and the recorded lines of one game) is made to sing by `sing.py`, in
the key and the tempo of one of our renders, or over free music, or alone. Every piece is heard
by the teacher like any other track: what it hears, and not what was meant, is learnt from. Piece
number n is a function of n and of the tracks prepared; only training tracks are used.
Needs the commands espeak-ng and flite, and the package pyworld.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ, normalise_loudness
from gdr_model.types import Array
from recipes.builtin.corpus.effects import distorted, disturbed, equalised, reverberant, rms
from recipes.builtin.corpus.prepare import PreparedFolder, listed, listen
from recipes.builtin.corpus.remix import PIECE_S, excerpt, is_sung
from recipes.builtin.corpus.sources import fetch
from recipes.builtin.music.theory import MODES, ladder
from recipes.builtin.voices.lyrics import song
from recipes.builtin.voices.sing import Manner, SungNote, sung
from recipes.builtin.voices.speakers import COMMANDS, RECORDED, Speaker, recordings, trimmed

RNG = np.random.Generator

FITTING = {
    "rapped": ("trap", "hip", "lo-fi", "funk", "drum", "dub", "techno"),
    "shouted": ("metal", "punk", "rock", "industrial"),
    "choir": ("orchestral", "string", "organ", "ambient", "medieval", "cinematic", "piano"),
    "sung": (
        *("reggae", "soul", "ska", "country", "blues", "ballad", "pop", "rock", "folk", "bossa"),
        *("gospel", "jazz", "disco", "house", "samba", "salsa", "tango", "R&B", "funk", "trance"),
    ),
}
"""Parts of the names of styles that go with a way of singing; other renders do so less often."""
WAYS = {"sung": 0.5, "rapped": 0.18, "choir": 0.1, "spoken": 0.1, "shouted": 0.07, "chanted": 0.05}


@dataclass(frozen=True)
class Ground:
    """What is sung over: sound (N,) or nothing, its beat and its scale."""

    sound: Array | None
    parent: str | None
    genre: str | None
    beat_s: float
    tonic: int
    mode: str


ROSTER = [Speaker.draw(np.random.default_rng([3, number])) for number in range(28)]
"""Enough to differ, few enough that words taken apart are met again."""


def pick(rng: RNG) -> Speaker:
    """One of the roster."""
    return ROSTER[int(rng.integers(len(ROSTER)))]


def ground(
    way: str, renders: Sequence[dict[str, Any]], free: Sequence[dict[str, Any]], rng: RNG
) -> Ground:
    """A render that fits (six in ten), a piece of free music, or silence (one in ten)."""
    luck = rng.random()
    if luck < 0.1 and way != "rapped":
        mode = ("major", "minor")[int(rng.integers(2))]
        return Ground(None, None, None, 60 / rng.uniform(66, 120), int(rng.integers(12)), mode)
    if luck < 0.4:
        record = free[int(rng.integers(len(free)))]
        sound = excerpt(record, rng, 1.0)
        beat = 60 / rng.uniform(72, 132)
        return Ground(
            sound, record["id"], record.get("genre"), beat, int(rng.integers(12)), "minor"
        )
    marks = FITTING.get(way, ())
    fitting = [r for r in renders if any(mark in r["style"] for mark in marks)]
    pool = fitting if fitting and rng.random() < 0.75 else renders
    record = pool[int(rng.integers(len(pool)))]
    beat = 60 / float(record["tempo_bpm"])
    latest = max(0.0, float(record["duration_s"]) - PIECE_S - 1)
    start = np.floor(latest * rng.random() / (4 * beat)) * 4 * beat
    with soundfile.SoundFile(record["path"]) as file:
        file.seek(int(start * file.samplerate))
        sound = file.read(PIECE_S * file.samplerate, dtype="float32", always_2d=True).mean(axis=1)
        sound = soxr.resample(sound, file.samplerate, SAMPLE_RATE_HZ)
    sound = normalise_loudness(np.resize(sound, PIECE_S * SAMPLE_RATE_HZ).astype(np.float32))
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    key = str(record["key"])
    tonic = names.index(key) if key in names else 0
    mode = record["mode"] if record["mode"] in MODES else "major"
    return Ground(sound, record["id"], record.get("genre"), beat, tonic, mode)


def melody(
    under: Ground, lines: Sequence[Sequence[str]], centre: float, rng: RNG
) -> list[SungNote]:
    """A note for each word: steps up and down a scale, lines of a bar or two, long last notes."""
    scale = ladder(under.tonic, under.mode, int(centre) - 8, int(centre) + 9)
    at = len(scale) // 2
    beat = under.beat_s * (2 if under.beat_s < 0.36 else 1)
    unit = beat * float(rng.choice([0.5, 0.5, 1.0]))
    now, notes = beat * float(rng.integers(0, 3)), []
    for words in lines:
        for number, _ in enumerate(words):
            last = number == len(words) - 1
            length = unit * (float(rng.choice([2, 3, 4])) if last else float(rng.choice([1, 1, 2])))
            at = int(np.clip(at + rng.choice([-2, -1, -1, 0, 1, 1, 2]), 0, len(scale) - 1))
            notes.append(SungNote(now, 0.94 * length, scale[at]))
            now += length
        now += beat * float(rng.choice([0, 1, 2]))
    return notes


def rhythm(
    under: Ground, lines: Sequence[Sequence[str]], centre: float, rng: RNG
) -> list[SungNote]:
    """A note for each word of a rap: eighths and sixteenths near one pitch, falling at the end."""
    beat = under.beat_s * (2 if under.beat_s < 0.45 else 1)
    now, notes = 0.0, []
    for words in lines:
        for number, _ in enumerate(words):
            length = beat * float(rng.choice([0.25, 0.25, 0.5]))
            fall = 3.0 * number / len(words)
            notes.append(SungNote(now, 0.9 * length, centre + rng.normal(0, 1.5) - fall))
            now += length
        now = np.ceil(now / beat) * beat
    return notes


def spoken(folder: Path, speaker: Speaker, rng: RNG) -> Array:
    """Lines as they are said, by a synthesiser or in a recording, with pauses between."""
    files = recordings(folder)
    recorded = files and rng.random() < 0.35
    sound = np.zeros(PIECE_S * SAMPLE_RATE_HZ, np.float32)
    now = int(rng.uniform(0, 1.5) * SAMPLE_RATE_HZ)
    while now < len(sound) - SAMPLE_RATE_HZ:
        if recorded:
            said, rate = soundfile.read(files[int(rng.integers(len(files)))], always_2d=True)
            piece = trimmed(
                soxr.resample(said.mean(axis=1).astype(np.float32), rate, SAMPLE_RATE_HZ)
            )
        else:
            piece = speaker.say(" ".join(song(rng, 1, int(rng.integers(5, 12)))[0]))
        piece = piece[: len(sound) - now] / rms(piece)
        sound[now : now + len(piece)] = 0.1 * piece
        now += len(piece) + int(rng.uniform(0.1, 0.9) * SAMPLE_RATE_HZ)
    return sound


def fitted(words: Sequence[str], notes: Sequence[SungNote]) -> tuple[list[str], list[SungNote]]:
    """Words and notes that begin before the piece ends."""
    both = [(w, n) for w, n in zip(words, notes, strict=True) if n.start_s < PIECE_S - 0.2]
    return [w for w, _ in both], [n for _, n in both]


def voiced(way: str, under: Ground, folder: Path, rng: RNG) -> tuple[Array, bool]:
    """The voice or voices of a piece (N,), and whether a woman's leads."""
    lead = pick(rng)
    if way == "spoken":
        return spoken(folder, lead, rng), lead.female
    centre = float(rng.uniform(62, 74) if lead.female else rng.uniform(48, 62))
    lines = song(rng, 6, int(rng.integers(4, 9)))
    if way == "rapped":
        lines = song(rng, 12, int(rng.integers(6, 11)))
        notes = rhythm(under, lines, centre - 2, rng)
    elif way == "chanted":
        notes = [replace(n, pitch=centre) for n in melody(under, lines, centre, rng)]
    else:
        notes = melody(under, lines, centre, rng)
    words, notes = fitted([word for words in lines for word in words], notes)
    manner = Manner.draw(rng)
    sound = sung(words, notes, lead, manner, PIECE_S, rng)
    layers = {"choir": int(rng.integers(3, 6)), "chanted": int(rng.integers(2, 4))}.get(way, 0)
    if way == "sung" and rng.random() < 0.3:
        layers = int(rng.integers(1, 3))
    for _ in range(layers):
        other = lead if way == "sung" else pick(rng)
        apart = rng.normal(0, 0.12) + float(rng.choice([-12, -5, 0, 0, 3, 4, 7, 12]))
        late = abs(rng.normal(0, 0.02))
        theirs = [SungNote(n.start_s + late, n.length_s, n.pitch + apart) for n in notes]
        own = replace(manner, formants=manner.formants * float(rng.uniform(0.94, 1.06)))
        level = np.float32(rng.uniform(0.4, 1.0) if way != "sung" else rng.uniform(0.2, 0.6))
        part = sung(*fitted(words, theirs), other, own, PIECE_S, rng)
        sound = sound + level * part / rms(part) * rms(sound)
    if way == "shouted":
        sound = distorted(equalised(sound, rng), rng)
    if rng.random() < (0.9 if way == "choir" else 0.5):
        sound = reverberant(sound, rng)
    return sound, lead.female


def piece(
    number: int, renders: Sequence[dict[str, Any]], free: Sequence[dict[str, Any]], folder: Path
) -> tuple[dict[str, Any], Array]:
    """One piece and its record."""
    rng = np.random.default_rng([21, number])
    way = str(rng.choice(list(WAYS), p=np.array(list(WAYS.values()))))
    under = ground(way, renders, free, rng)
    sound, female = voiced(way, under, folder, rng)
    if under.sound is not None:
        level = 10 ** (rng.uniform(-16, -1) / 20)
        sound = sound / rms(sound) + np.float32(level) * under.sound / rms(under.sound)
    record = {
        "id": f"voice/{number:05d}",
        "kind": "voice",
        "source": "voice",
        "split": "train",
        "voice": f"{way}, {'female' if female else 'male'}",
        "genre": under.genre,
        "parents": [under.parent] if under.parent else [],
    }
    return record, disturbed(sound, rng) if rng.random() < 0.6 else sound


def make(work: Path, count: int) -> None:
    """Make and prepare the pieces that are missing."""
    if missing := [command for command in COMMANDS if shutil.which(command) is None]:
        raise SystemExit(f"install {' and '.join(missing)}: the voices are theirs")
    store = PreparedFolder(work)
    have = {r["id"] for r in store.records()}
    usable = [r for r in listed(work) if r["split"] == "train" and r["id"] in have]
    renders = [r for r in usable if r["kind"] == "render"]
    free = [r for r in usable if r["kind"] == "source" and not is_sung(r)]
    if not renders or not free:
        raise SystemExit("voices are laid over renders and music: prepare both first")
    folder = fetch(RECORDED, work)
    from training.words.teacher import Teacher

    teacher, began = Teacher(), time.monotonic()
    for number in range(count):
        if f"voice/{number:05d}" in have:
            continue
        record, sound = piece(number, renders, free, folder)
        store.add(record, listen(sound, teacher))
        if number % 100 == 99:
            print(f"{number + 1}/{count} voices, {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=1600)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    make(arguments.work, arguments.count)


if __name__ == "__main__":
    main()
