"""Decode every track once: its log-mel spectrogram and what the teachers say, one file per track.

    python -m recipes.builtin.corpus.prepare --work DIR

Reads `DIR/sources.jsonl` and `DIR/renders.jsonl`; writes `DIR/prepared/<hash>.npz` (mel and the
rows of both teachers; float16) and one line per track in `DIR/prepared/index.jsonl`. Tracks that
are listed there are skipped; tracks that fail are listed in `failures.jsonl` and tried again by the
next run. `--part 1/2` and `--part 2/2` share the work between two processes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray

from gdr_model import atomic
from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ, log_mel, normalise_loudness
from gdr_model.types import Array
from recipes.builtin.steps import WHOLE, Part, append_to_list, read_list, step_parser
from training.words.tagger import Tagger
from training.words.teacher import Teacher

MAX_S = 300
"""Long tracks repeat themselves; five minutes of them are prepared."""
MIN_RMS = 1e-3
"""A quieter track is silence and teaches nothing."""
HALF = NDArray[np.float16]
Listener = Callable[[Array], dict[str, Array]]
"""Samples (N,) at 16 kHz to the rows of a `PreparedTrack` by name, one per second."""


@dataclass(frozen=True)
class PreparedTrack:
    """One track as the training reads it."""

    record: dict[str, Any]
    mel: HALF  # (T * FRAMES_PER_S, MELS)
    logits: HALF  # (T, 521)
    embedding: HALF  # (T, 1024)
    tag_logits: HALF  # (T, 50), of the second teacher
    tag_features: HALF  # (T, 200)

    @property
    def seconds(self) -> int:
        """Whole seconds; the teachers have one row for each."""
        return len(self.logits)

    @property
    def kind(self) -> str:
        """`source`, `render`, `remix` or `voice`."""
        return str(self.record["kind"])


ROWS = ("mel", "logits", "embedding", "tag_logits", "tag_features")
"""The arrays of a `PreparedTrack`."""


def is_sung(record: dict[str, Any]) -> bool:
    """True if the source says that a track is sung."""
    voice = str(record.get("voice") or "").lower()
    return any(mark in voice for mark in ("sung", "female", "vocaloid"))


def decode(path: Path, max_s: int = MAX_S) -> Array:
    """The first `max_s` seconds of a file as mono 16 kHz, in whole seconds (N,)."""
    with soundfile.SoundFile(str(path)) as file:
        rate = file.samplerate
        sound = file.read(int(max_s * rate), dtype="float32", always_2d=True).mean(axis=1)
    resampled = (
        soxr.resample(sound, rate, SAMPLE_RATE_HZ, quality="HQ") if rate != 16_000 else sound
    )
    count = min(len(resampled) // SAMPLE_RATE_HZ, max_s) * SAMPLE_RATE_HZ
    return np.asarray(resampled[:count], dtype=np.float32)


def teachers() -> Listener:
    """Both teachers, on one thread."""
    teacher, tagger = Teacher(), Tagger()

    def rows(sound: Array) -> dict[str, Array]:
        logits, embedding = teacher(sound)
        tag_logits, tag_features = tagger(sound)
        return {
            "logits": logits,
            "embedding": embedding,
            "tag_logits": tag_logits,
            "tag_features": tag_features,
        }

    return rows


def listen(sound: Array, listener: Listener) -> dict[str, HALF]:
    """Log-mel and the teachers' rows for a sound (N,), after bringing it to the common loudness."""
    sound = normalise_loudness(sound)
    with torch.inference_mode():
        mel = log_mel(torch.from_numpy(sound)[None])[0].numpy()
    rows = {"mel": mel, **listener(sound)}
    return {name: value.astype(np.float16) for name, value in rows.items()}


class PreparedFolder:
    """The folder of prepared tracks."""

    def __init__(self, work: Path) -> None:
        self.folder = work / "prepared"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.index = self.folder / "index.jsonl"

    def records(self) -> list[dict[str, Any]]:
        """What is prepared so far; for a track that was prepared twice, the later record."""
        return list({record["id"]: record for record in read_list(self.index)}.values())

    def add(self, record: dict[str, Any], rows: dict[str, HALF]) -> None:
        """Write one track; its line in the index is written last."""
        name = hashlib.sha256(str(record["id"]).encode()).hexdigest()[:20] + ".npz"
        with atomic.replacing(self.folder / name) as temporary:
            np.savez(temporary, **rows)  # type: ignore[arg-type]
        append_to_list(self.index, {**record, "file": name, "seconds": len(rows["logits"])})

    def logits(self, record: dict[str, Any]) -> Array:
        """Mean logits (521,) of one prepared track."""
        with np.load(self.folder / record["file"]) as rows:
            return np.asarray(rows["logits"].mean(axis=0, dtype=np.float32))

    def failed(self, record: dict[str, Any], reason: str) -> None:
        """List a track that could not be prepared."""
        append_to_list(self.folder / "failures.jsonl", {"id": record["id"], "reason": reason})

    def load(self, kind: str = "") -> list[PreparedTrack]:
        """Every prepared track, or those of one kind.

        They are ordered by id, so that a seed gives the same draws everywhere.
        """
        tracks = []
        for record in sorted(self.records(), key=lambda r: str(r["id"])):
            if kind and record["kind"] != kind:
                continue
            with np.load(self.folder / record["file"]) as rows:
                arrays = {name: rows[name] for name in ROWS}
            tracks.append(PreparedTrack(record, **arrays))
        return tracks


def listed(work: Path) -> Iterator[dict[str, Any]]:
    """Tracks of the two lists, each with its kind and an absolute path."""
    for name, kind in (("sources.jsonl", "source"), ("renders.jsonl", "render")):
        for record in read_list(work / name):
            yield {**record, "kind": kind, "path": str(work / record["path"])}


def same(record: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether a listed track is one that was prepared, wherever its file is by now.

    A render made by another version of the composer has other facts and another sound.
    """
    return all(name in known and known[name] == record[name] for name in record if name != "path")


def prepare(work: Path, listener: Listener, part: Part = WHOLE) -> None:
    """Prepare the tracks that are listed but not prepared."""
    store = PreparedFolder(work)
    prepared = {record["id"]: record for record in store.records()}
    todo = [r for r in listed(work) if not same(r, prepared.get(r["id"], {}))]
    # Spread over the sources, so that stopping early leaves a fair sample of everything.
    todo.sort(key=lambda r: hashlib.sha256(str(r["id"]).encode()).digest())
    todo = [r for number, r in enumerate(todo) if part.has(number)]
    began, seconds, failures = time.monotonic(), 0.0, 0
    for count, record in enumerate(todo, 1):
        try:
            sound = decode(Path(record["path"]))
            if not len(sound) or float(np.sqrt(np.mean(sound**2))) < MIN_RMS:
                raise ValueError("silent or shorter than a second")
            store.add(record, listen(sound, listener))
            seconds += len(sound) / SAMPLE_RATE_HZ
        except (OSError, ValueError, RuntimeError) as error:
            failures += 1
            store.failed(record, str(error))
        if count % 50 == 0 or count == len(todo):
            speed = seconds / (time.monotonic() - began)
            print(
                f"{count}/{len(todo)} tracks, {seconds / 3600:.1f} h, {speed:.0f} × real time",
                flush=True,
            )
    print(f"{len(todo) - failures} prepared, {failures} failed", flush=True)


def prepare_numbered(
    store: PreparedFolder,
    kind: str,
    count: int,
    make: Callable[[int], tuple[dict[str, Any], Array]],
    listener: Listener,
    part: Part = WHOLE,
) -> None:
    """Make and prepare the tracks `KIND/00000` to `count` that are missing.

    `make` turns a number into a record, whose id is `KIND/NUMBER`, and a sound (N,).
    """
    prepared = {record["id"] for record in store.records()}
    began = time.monotonic()
    for number in range(count):
        if f"{kind}/{number:05d}" in prepared or not part.has(number):
            continue
        record, sound = make(number)
        store.add(record, listen(sound, listener))
        if number % 100 == 99:
            elapsed_s = time.monotonic() - began
            print(f"{number + 1} of {count} ({kind}), {elapsed_s:.0f} s", flush=True)


def main() -> None:
    """Run from the command line."""
    options = step_parser(__doc__, parts=True).parse_args()
    torch.set_num_threads(1)
    prepare(options.work, teachers(), options.part)


if __name__ == "__main__":
    main()
