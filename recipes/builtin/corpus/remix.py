"""More sound than the free music has: voices over other tracks, other speeds, rooms and copies.

    python -m recipes.builtin.corpus.remix --work DIR [--count 4000]

Nearly all free game music is instrumental, and what the encoder has not heard it cannot tell
apart. Each remix is heard by the teacher like any other track, so its labels are as true as
theirs, whatever was done to it. Tracks that sound like few others are taken more often. Remix
number n is a function of n and of the tracks prepared; only training tracks are used.
"""

from __future__ import annotations

import argparse
import time
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
from recipes.builtin.corpus.prepare import PreparedFolder, listed, listen
from recipes.builtin.corpus.rarity import rarity
from training.words.teacher import Teacher

PIECE_S = 12
SLOWEST, FASTEST = 0.78, 1.28
"""Some four semitones down and up, with the tempo: a new voice from an old one."""


def excerpt(record: dict[str, Any], rng: np.random.Generator, speed: float) -> Array:
    """A random piece of a track, mono 16 kHz (PIECE_S * 16000,), `speed` times as fast."""
    with soundfile.SoundFile(record["path"]) as file:
        rate = file.samplerate
        wanted = int(PIECE_S * rate * speed) + rate
        last = max(0, min(file.frames, 300 * rate) - wanted)
        file.seek(int(rng.integers(last + 1)))
        sound = file.read(wanted, dtype="float32", always_2d=True).mean(axis=1)
    sound = soxr.resample(sound, rate * speed, SAMPLE_RATE_HZ)
    count = PIECE_S * SAMPLE_RATE_HZ
    return normalise_loudness(np.resize(sound, count).astype(np.float32))


@dataclass(frozen=True)
class Parents:
    """Tracks to choose from, with the chance of each."""

    records: list[dict[str, Any]]
    chance: np.ndarray[tuple[int], np.dtype[np.float64]]

    @classmethod
    def of(cls, records: list[dict[str, Any]], worth: dict[str, float]) -> Parents:
        """Longer tracks and rarer sounds are taken more often."""
        weights = np.array([min(120.0, r["duration_s"]) * worth[r["id"]] for r in records])
        return cls(records, weights / weights.sum())

    def excerpt(self, rng: np.random.Generator) -> tuple[str, Array]:
        """A disturbed piece of one of them, at some speed."""
        record = self.records[int(rng.choice(len(self.records), p=self.chance))]
        speed = float(np.exp(rng.uniform(np.log(SLOWEST), np.log(FASTEST))))
        return str(record["id"]), disturbed(excerpt(record, rng, speed), rng)


def remix(number: int, sung: Parents, others: Parents) -> tuple[dict[str, Any], Array]:
    """One remix and its record.

    Of ten, four are sung over another track, two sung, two of two others, two of one other.
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


def is_sung(record: dict[str, Any]) -> bool:
    """Whether the list of sources says that a track is sung."""
    said = str(record.get("voice") or "").lower()
    return any(mark in said for mark in ("sung", "female", "vocaloid"))


def make(work: Path, count: int) -> None:
    """Make and prepare the remixes that are missing."""
    store, teacher = PreparedFolder(work), Teacher()
    have = {r["id"]: r for r in store.records()}
    usable = [r for r in listed(work) if r["kind"] == "source" and r["split"] == "train"]
    usable = [r for r in usable if r["id"] in have]
    if not any(map(is_sung, usable)) or all(map(is_sung, usable)):
        raise SystemExit("the list of sources has no sung excerpts; set GDR_SHARED and list again")
    logits = [store.logits(have[r["id"]]) for r in usable]
    worth = {r["id"]: float(w) for r, w in zip(usable, rarity(np.stack(logits)), strict=True)}
    sung = Parents.of([r for r in usable if is_sung(r)], worth)
    others = Parents.of([r for r in usable if not is_sung(r)], worth)
    began = time.monotonic()
    for number in range(count):
        if f"remix/{number:05d}" in have:
            continue
        record, sound = remix(number, sung, others)
        store.add(record, listen(sound, teacher))
        if number % 100 == 99:
            print(f"{number + 1}/{count} remixes, {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=4000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    make(arguments.work, arguments.count)


if __name__ == "__main__":
    main()
