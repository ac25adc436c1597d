"""Decode every track once: log-mel and the teacher's opinion, a file a track.

    python -m recipes.builtin.corpus.prepare --work DIR

Reads `DIR/sources.jsonl` and `DIR/renders.jsonl`, writes `DIR/prepared/<hash>.npz` (mel, logits,
embedding; float16) and a line a track in `DIR/prepared/index.jsonl`. Tracks already listed are
skipped; tracks that fail are listed in `failures.jsonl` and tried again by the next run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ, log_mel, normalise_loudness
from gdr_model.types import Array
from training.words.teacher import Teacher

MAX_S = 300
"""A long track repeats itself: five minutes of it are prepared."""
MIN_RMS = 1e-3
"""Quieter tracks are silence and teach nothing."""
HALF = NDArray[np.float16]


@dataclass(frozen=True)
class PreparedTrack:
    """One track as the training reads it."""

    record: dict[str, Any]
    mel: HALF  # (T * FRAMES_PER_S, MELS)
    logits: HALF  # (T, 521)
    embedding: HALF  # (T, 1024)

    @property
    def seconds(self) -> int:
        """Whole seconds, one row of the teacher's each."""
        return len(self.logits)

    @property
    def kind(self) -> str:
        """`source`, `render` or `remix`."""
        return str(self.record["kind"])


def decode(path: Path, max_s: int = MAX_S) -> Array:
    """The first `max_s` seconds of a file as mono 16 kHz, whole seconds (N,)."""
    with soundfile.SoundFile(str(path)) as file:
        rate = file.samplerate
        sound = file.read(int(max_s * rate), dtype="float32", always_2d=True).mean(axis=1)
    resampled = (
        soxr.resample(sound, rate, SAMPLE_RATE_HZ, quality="HQ") if rate != 16_000 else sound
    )
    count = min(len(resampled) // SAMPLE_RATE_HZ, max_s) * SAMPLE_RATE_HZ
    return np.asarray(resampled[:count], dtype=np.float32)


def listen(sound: Array, teacher: Teacher) -> dict[str, HALF]:
    """Mel and teacher's rows of a sound (N,), brought to the common loudness."""
    sound = normalise_loudness(sound)
    logits, embedding = teacher(sound)
    with torch.inference_mode():
        mel = log_mel(torch.from_numpy(sound)[None])[0].numpy()
    rows = {"mel": mel, "logits": logits, "embedding": embedding}
    return {name: value.astype(np.float16) for name, value in rows.items()}


class PreparedFolder:
    """The folder of prepared tracks."""

    def __init__(self, work: Path) -> None:
        self.folder = work / "prepared"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.index = self.folder / "index.jsonl"

    def records(self) -> list[dict[str, Any]]:
        """What is prepared so far; of a track prepared twice, the last."""
        if not self.index.exists():
            return []
        lines = self.index.read_text(encoding="utf-8").splitlines()
        return list({(r := json.loads(line))["id"]: r for line in lines}.values())

    def add(self, record: dict[str, Any], rows: dict[str, HALF]) -> None:
        """Write one track; the line in the index comes last."""
        name = hashlib.sha256(str(record["id"]).encode()).hexdigest()[:20] + ".npz"
        part = self.folder / f"{name}.part"
        with part.open("wb") as out:
            np.savez(out, **rows)  # type: ignore[arg-type]
        part.replace(self.folder / name)
        line = {**record, "file": name, "seconds": len(rows["logits"])}
        with self.index.open("a", encoding="utf-8") as out_text:
            out_text.write(json.dumps(line, ensure_ascii=False) + "\n")

    def logits(self, record: dict[str, Any]) -> Array:
        """Mean logits (521,) of one prepared track."""
        with np.load(self.folder / record["file"]) as rows:
            return np.asarray(rows["logits"].mean(axis=0, dtype=np.float32))

    def failed(self, record: dict[str, Any], reason: str) -> None:
        """Note a track that could not be prepared."""
        with (self.folder / "failures.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps({"id": record["id"], "reason": reason}) + "\n")

    def load(self) -> list[PreparedTrack]:
        """Every prepared track, in the order of their ids so that seeds mean the same."""
        tracks = []
        for record in sorted(self.records(), key=lambda r: str(r["id"])):
            with np.load(self.folder / record["file"]) as rows:
                tracks.append(PreparedTrack(record, rows["mel"], rows["logits"], rows["embedding"]))
        return tracks


def listed(work: Path) -> Iterator[dict[str, Any]]:
    """Tracks of the two lists, with their kind and an absolute path."""
    for name, kind in (("sources.jsonl", "source"), ("renders.jsonl", "render")):
        if not (work / name).exists():
            continue
        for line in (work / name).read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:  # the last line of a list that is still being written
                continue
            yield {**record, "kind": kind, "path": str(work / record["path"])}


def prepare(work: Path) -> None:
    """Prepare what the lists name and the store lacks."""
    store, teacher = PreparedFolder(work), Teacher()
    have = {r["id"]: r for r in store.records()}
    # A render made anew by another version of the composer has other facts and sounds otherwise.
    todo = [r for r in listed(work) if {**have.get(r["id"], {}), **r} != have.get(r["id"])]
    # Spread over sources, so that an early stop leaves a fair sample of everything.
    todo.sort(key=lambda r: hashlib.sha256(str(r["id"]).encode()).digest())
    began, seconds, failures = time.monotonic(), 0.0, 0
    for count, record in enumerate(todo, 1):
        try:
            sound = decode(Path(record["path"]))
            if not len(sound) or float(np.sqrt(np.mean(sound**2))) < MIN_RMS:
                raise ValueError("silent or shorter than a second")
            store.add(record, listen(sound, teacher))
            seconds += len(sound) / SAMPLE_RATE_HZ
        except (OSError, ValueError, RuntimeError) as error:
            failures += 1
            store.failed(record, str(error))
        if count % 50 == 0 or count == len(todo):
            speed = seconds / (time.monotonic() - began)
            print(f"{count}/{len(todo)} tracks, {seconds / 3600:.1f} h, {speed:.0f} x", flush=True)
    print(f"prepared {len(todo) - failures}, failed {failures}", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    torch.set_num_threads(1)
    prepare(parser.parse_args().work)


if __name__ == "__main__":
    main()
