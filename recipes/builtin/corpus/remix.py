"""Remix the free music: voices over other tracks, other speeds, other rooms, bad copies.

    python -m recipes.builtin.corpus.remix --work DIR [--count 4000]

Nearly all free game music is instrumental, and the encoder cannot tell apart what it was
not trained on. The teachers label a remix like any other track, so its labels are as true as theirs
whatever was done to it. Tracks that sound like few others are used more often. Remix number n
depends on n and on the tracks that are prepared; only training tracks are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ, normalise_loudness
from gdr_model.types import Array
from recipes.builtin.corpus.effects import disturbed, rms
from recipes.builtin.corpus.prepare import (
    PreparedFolder,
    is_sung,
    listed,
    prepare_numbered,
    teachers,
)
from recipes.builtin.corpus.rarity import rarity
from recipes.builtin.steps import step_parser

PIECE_S = 12
SLOWEST, FASTEST = 0.78, 1.28
"""Some four semitones down and up, with the tempo: a new voice from an old one."""


def to_piece(sound: Array, rate_hz: float) -> Array:
    """Resample mono samples, cut or repeat them to a piece and bring it to the common loudness.

    A piece is mono 16 kHz, (PIECE_S * 16000,). A rate above the true one speeds the sound up.
    """
    sound = soxr.resample(sound, rate_hz, SAMPLE_RATE_HZ)
    return normalise_loudness(np.resize(sound, PIECE_S * SAMPLE_RATE_HZ).astype(np.float32))


def excerpt(record: dict[str, Any], rng: np.random.Generator, speed: float) -> Array:
    """A random piece from the first five minutes of a track, `speed` times as fast."""
    with soundfile.SoundFile(record["path"]) as file:
        rate = file.samplerate
        wanted = int(PIECE_S * rate * speed) + rate
        last = max(0, min(file.frames, 300 * rate) - wanted)
        file.seek(int(rng.integers(last + 1)))
        sound = file.read(wanted, dtype="float32", always_2d=True).mean(axis=1)
    return to_piece(sound, rate * speed)


@dataclass(frozen=True)
class Parents:
    """Tracks to take excerpts from, with the probability of each."""

    records: list[dict[str, Any]]
    probability: np.ndarray[tuple[int], np.dtype[np.float64]]

    @classmethod
    def of(cls, records: list[dict[str, Any]], worth: dict[str, float]) -> Parents:
        """Longer tracks and rarer sounds are used more often."""
        weights = np.array([min(120.0, r["duration_s"]) * worth[r["id"]] for r in records])
        return cls(records, weights / weights.sum())

    def excerpt(self, rng: np.random.Generator) -> tuple[str, Array]:
        """Id and disturbed excerpt of one of them, at a random speed."""
        record = self.records[int(rng.choice(len(self.records), p=self.probability))]
        speed = float(np.exp(rng.uniform(np.log(SLOWEST), np.log(FASTEST))))
        return str(record["id"]), disturbed(excerpt(record, rng, speed), rng)


def remix(number: int, sung: Parents, others: Parents) -> tuple[dict[str, Any], Array]:
    """One remix: its record and its sound.

    Of ten, four are sung over another track, two sung alone, two made of two other tracks and two
    of one.
    """
    rng = np.random.default_rng([12, number])
    role = number % 10
    first, sound = (sung if role < 6 else others).excerpt(rng)
    parents = [first]
    if role < 4 or role in (6, 7):
        second, under = others.excerpt(rng)
        level = 10 ** (rng.uniform(-9, 6) / 20)
        sound = sound / rms(sound) + np.float32(level) * under / rms(under)
        parents.append(second)
    record = {
        "id": f"remix/{number:05d}",
        "kind": "remix",
        "source": "remix",
        "split": "train",
        "voice": "sung" if role < 6 else None,
        "genre": None,
        "parents": parents,
    }
    return record, disturbed(sound, rng) if rng.random() < 0.4 else sound


def parents(work: Path, store: PreparedFolder) -> tuple[Parents, Parents]:
    """The sung and the other source tracks among the prepared training tracks.

    Raises:
        SystemExit: if either kind is missing.
    """
    prepared = {record["id"]: record for record in store.records()}
    usable = [r for r in listed(work) if r["kind"] == "source" and r["split"] == "train"]
    usable = [r for r in usable if r["id"] in prepared]
    if not any(map(is_sung, usable)) or all(map(is_sung, usable)):
        raise SystemExit(
            "remixes need sung and other tracks, and only one kind is prepared: set GDR_SHARED to "
            "a folder with excerpts, then run corpus.sources and corpus.prepare again"
        )
    logits = [store.logits(prepared[r["id"]]) for r in usable]
    worth = {r["id"]: float(w) for r, w in zip(usable, rarity(np.stack(logits)), strict=True)}
    sung = Parents.of([r for r in usable if is_sung(r)], worth)
    return sung, Parents.of([r for r in usable if not is_sung(r)], worth)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__, parts=True)
    parser.add_argument(
        "--count", type=int, default=4000, help="how many remixes in all (default %(default)s)"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    store = PreparedFolder(options.work)
    sung, others = parents(options.work, store)
    prepare_numbered(
        store,
        "remix",
        options.count,
        lambda number: remix(number, sung, others),
        teachers(),
        options.part,
    )


if __name__ == "__main__":
    main()
