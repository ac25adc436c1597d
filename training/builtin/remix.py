"""More voices than the free music has: sung excerpts over other tracks, and tracks at other speeds.

    python -m training.builtin.remix --work DIR [--count 900]

Nearly all free game music is instrumental, and what the encoder has not heard it cannot tell
apart. Each remix is heard by the teacher like any other track, so its labels are as true as
theirs. Remix number n is a function of n and the list of sources; only training tracks are used.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch

from gdr_model.encoders.builtin import SAMPLE_RATE_HZ, normalise_loudness
from gdr_model.types import Array
from training.builtin.prepare import Store, listed, listen
from training.builtin.teacher import Teacher

PIECE_S = 16
SPEEDS = (0.84, 0.89, 0.94, 1.0, 1.06, 1.12, 1.19)
"""Semitones and whole tones down and up, with the tempo: a new voice from an old one."""


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


def remix(
    number: int, sung: list[dict[str, Any]], others: list[dict[str, Any]]
) -> tuple[dict[str, Any], Array]:
    """One remix and its record: of ten, six sung over another track, two sung, two others."""
    rng = np.random.default_rng([11, number])
    role = number % 10
    speed = SPEEDS[int(rng.integers(len(SPEEDS)))]
    first = (others if role >= 8 else sung)[int(rng.integers(len(others if role >= 8 else sung)))]
    sound, parents = excerpt(first, rng, speed), [first["id"]]
    if role < 6:
        second = others[int(rng.integers(len(others)))]
        under = excerpt(second, rng, SPEEDS[int(rng.integers(len(SPEEDS)))])
        sound = sound + np.float32(10 ** (rng.uniform(-9, 3) / 20)) * under
        parents.append(second["id"])
    record = {
        "id": f"remix/{number:05d}",
        "kind": "remix",
        "source": "remix",
        "split": "train",
        "voice": None if role >= 8 else "sung",
        "genre": None,
        "parents": parents,
    }
    return record, sound


def is_sung(record: dict[str, Any]) -> bool:
    """Whether the list of sources says that a track is sung."""
    said = str(record.get("voice") or "").lower()
    return any(mark in said for mark in ("sung", "female", "vocaloid"))


def make(work: Path, count: int) -> None:
    """Make and prepare the remixes that are missing."""
    store, teacher = Store(work), Teacher()
    have = {r["id"] for r in store.records()}
    usable = [r for r in listed(work) if r["kind"] == "source" and r["split"] == "train"]
    sung = [r for r in usable if is_sung(r)]
    others = [r for r in usable if not is_sung(r)]
    if not sung or not others:
        raise SystemExit("the list of sources has no sung excerpts; set GDR_SHARED and list again")
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
    parser.add_argument("--count", type=int, default=900)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    make(arguments.work, arguments.count)


if __name__ == "__main__":
    main()
