"""Lay voices over music: sung, rapped, spoken, shouted, chanted, in choirs.

    python -m recipes.builtin.voices.pieces --work DIR [--count 1600]

The free music has next to no voices. Here speech synthesisers (and the recorded lines of one game)
are made to sing by sing.py: in the key and tempo of one of our renders, over free music, or alone.
The teachers label a piece like any other track, so the training learns what is audible and not what
was intended. Piece number n depends on n and on the tracks that are prepared; only training tracks
are used. Needs the commands espeak-ng and flite, and the package pyworld.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.debian import fetch
from recipes.builtin.corpus.effects import distorted, disturbed, equalised, reverberant, rms
from recipes.builtin.corpus.prepare import (
    PreparedFolder,
    is_sung,
    listed,
    prepare_numbered,
    teachers,
)
from recipes.builtin.corpus.remix import PIECE_S
from recipes.builtin.steps import step_parser
from recipes.builtin.voices.backing import Backing, backing
from recipes.builtin.voices.lyrics import song
from recipes.builtin.voices.sing import Manner, SungNote, sung
from recipes.builtin.voices.speakers import COMMANDS, RECORDED, Speaker, recordings, trimmed
from recipes.builtin.voices.tunes import melody, rap, within_piece

RNG = np.random.Generator

WAYS = {"sung": 0.5, "rapped": 0.18, "choir": 0.1, "spoken": 0.1, "shouted": 0.07, "chanted": 0.05}
"""Ways of using a voice, with the share of each."""
ROSTER = [Speaker.draw(np.random.default_rng([3, number])) for number in range(28)]
"""Enough speakers to differ, few enough that analysed words are used again."""


def pick(rng: RNG) -> Speaker:
    """A random speaker of the roster."""
    return ROSTER[int(rng.integers(len(ROSTER)))]


def spoken(folder: Path, speaker: Speaker, rng: RNG) -> Array:
    """Lines spoken with pauses between them, by a synthesiser or in a recording (N,)."""
    files = recordings(folder)
    recorded = files and rng.random() < 0.35
    sound = np.zeros(PIECE_S * SAMPLE_RATE_HZ, np.float32)
    now = int(rng.uniform(0, 1.5) * SAMPLE_RATE_HZ)
    while now < len(sound) - SAMPLE_RATE_HZ:
        if recorded:
            speech, rate = soundfile.read(files[int(rng.integers(len(files)))], always_2d=True)
            speech = speech.mean(axis=1).astype(np.float32)
            line = trimmed(soxr.resample(speech, rate, SAMPLE_RATE_HZ))
        else:
            line = speaker.say(" ".join(song(rng, 1, int(rng.integers(5, 12)))[0]))
        line = line[: len(sound) - now] / rms(line)
        sound[now : now + len(line)] = 0.1 * line
        now += len(line) + int(rng.uniform(0.1, 0.9) * SAMPLE_RATE_HZ)
    return sound


def voiced(way: str, under: Backing, folder: Path, rng: RNG) -> tuple[Array, bool]:
    """The voice or voices of a piece (N,), and True if a woman's leads."""
    lead = pick(rng)
    if way == "spoken":
        return spoken(folder, lead, rng), lead.female
    centre = float(rng.uniform(62, 74) if lead.female else rng.uniform(48, 62))
    lines = song(rng, 6, int(rng.integers(4, 9)))
    if way == "rapped":
        lines = song(rng, 12, int(rng.integers(6, 11)))
        notes = rap(under, lines, centre - 2, rng)
    elif way == "chanted":
        notes = [replace(n, pitch=centre) for n in melody(under, lines, centre, rng)]
    else:
        notes = melody(under, lines, centre, rng)
    words, notes = within_piece([word for words in lines for word in words], notes)
    manner = Manner.draw(rng)
    sound = sung(words, notes, lead, manner, PIECE_S, rng)
    layers = {"choir": int(rng.integers(3, 6)), "chanted": int(rng.integers(2, 4))}.get(way, 0)
    if way == "sung" and rng.random() < 0.3:
        layers = int(rng.integers(1, 3))
    for _ in range(layers):
        other = lead if way == "sung" else pick(rng)
        apart = rng.normal(0, 0.12) + float(rng.choice([-12, -5, 0, 0, 3, 4, 7, 12]))
        late_s = abs(rng.normal(0, 0.02))
        shifted = [SungNote(n.start_s + late_s, n.length_s, n.pitch + apart) for n in notes]
        similar = replace(manner, formants=manner.formants * float(rng.uniform(0.94, 1.06)))
        level = np.float32(rng.uniform(0.4, 1.0) if way != "sung" else rng.uniform(0.2, 0.6))
        layer = sung(*within_piece(words, shifted), other, similar, PIECE_S, rng)
        sound = sound + level * layer / rms(layer) * rms(sound)
    if way == "shouted":
        sound = distorted(equalised(sound, rng), rng)
    if rng.random() < (0.9 if way == "choir" else 0.5):
        sound = reverberant(sound, rng)
    return sound, lead.female


def piece(
    number: int, renders: Sequence[dict[str, Any]], free: Sequence[dict[str, Any]], folder: Path
) -> tuple[dict[str, Any], Array]:
    """One piece: its record and its sound. `folder` holds the recorded lines."""
    rng = np.random.default_rng([21, number])
    way = str(rng.choice(list(WAYS), p=np.array(list(WAYS.values()))))
    under = backing(way, renders, free, rng)
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


def backings(
    work: Path, store: PreparedFolder
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Renders and free music without voices, among the prepared training tracks.

    Raises:
        SystemExit: if either kind is missing.
    """
    prepared = {record["id"] for record in store.records()}
    usable = [r for r in listed(work) if r["split"] == "train" and r["id"] in prepared]
    renders = [r for r in usable if r["kind"] == "render"]
    free = [r for r in usable if r["kind"] == "source" and not is_sung(r)]
    if not renders or not free:
        raise SystemExit(
            "voices are laid over renders and free music, and not both are prepared: "
            "run music.render, corpus.sources and corpus.prepare first"
        )
    return renders, free


def check_commands() -> None:
    """Check that the speech synthesisers are installed.

    Raises:
        SystemExit: if one is not.
    """
    if missing := [command for command in COMMANDS if shutil.which(command) is None]:
        raise SystemExit(f"the voices need {' and '.join(missing)}: install the Debian packages")


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__, parts=True)
    parser.add_argument(
        "--count", type=int, default=1600, help="how many pieces in all (default %(default)s)"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    check_commands()
    store = PreparedFolder(options.work)
    renders, free = backings(options.work, store)
    folder = fetch(RECORDED, options.work)
    prepare_numbered(
        store,
        "voice",
        options.count,
        lambda number: piece(number, renders, free, folder),
        teachers(),
        options.part,
    )


if __name__ == "__main__":
    main()
