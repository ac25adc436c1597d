"""From a dataset to arrays: encode every track once, read every caption once.

Captions come first: missing text weights should be noticed before hours of decoding. Sound is
decoded ahead in threads and encoded in the calling thread; a shard is kept once it is complete. An
extraction that was interrupted, or whose dataset has grown, continues from what it has: a shard
is reused if its file is intact and it was made from the same files, or words, by the same
encoders. A file that cannot be decoded is recorded as a failure with a reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from gdr_model.errors import Cancelled, DecodeError, SpaceMismatch, UsageError
from gdr_model.types import Array, Audio, AudioEncoder, Cancel, TextEncoder, never
from training.data import MANIFEST, Dataset, DatasetError
from training.data.extracted import (
    Manifest,
    Shard,
    Tensors,
    key_of,
    read_shard,
    write_shard,
)
from training.data.sound import decoded_ahead, stretch
from training.data.texts import joined_masks

TRACKS_PER_SHARD = 128
"""An interruption loses at most this many; a higher number makes fewer, larger files."""
CAPTIONS_PER_SHARD = 512
CAPTIONS_AT_ONCE = 32


class Clip(NamedTuple):
    """A stretch of sound, encoded once however many captions it has."""

    track: str
    path: str
    start_s: float | None
    end_s: float | None


class _ShardJob(NamedTuple):
    file: str
    key: str
    numbers: range
    """Of clips, or of captions."""


class FailedClip(NamedTuple):
    """A clip without latents."""

    path: str
    reason: str


@dataclass(frozen=True)
class ExtractionProgress:
    """How far an extraction has got."""

    stage: str
    """`captions`, then `tracks`."""
    done: int
    total: int
    audio_s: float
    """Seconds of sound encoded so far."""
    elapsed_s: float


@dataclass(frozen=True)
class ExtractionSummary:
    """The result of an extraction."""

    tracks: int
    """Clips with latents, including reused ones."""
    encoded: int
    """Clips encoded by this run."""
    captions: int
    failed: list[FailedClip]
    audio_s: float
    elapsed_s: float


def extract(
    dataset: Dataset,
    encoder: AudioEncoder,
    text: TextEncoder,
    out: Path,
    *,
    model: str,
    text_encoder: str,
    jobs: int = 2,
    tracks_per_shard: int = TRACKS_PER_SHARD,
    on_progress: Callable[[ExtractionProgress], None] = lambda _: None,
    cancelled: Cancel = never,
) -> ExtractionSummary:
    """Bring the extraction in `out` up to date with a dataset.

    `model` and `text_encoder` are the names that the manifest gets: of the model that the encoders
    belong to, and of the text encoder.

    Raises:
        DatasetError: if the dataset has no sound, or another process is extracting to `out`.
        UsageError: if `out` holds something else.
        SpaceMismatch: if `out` holds latents of another encoder.
        Cancelled: when asked; complete shards are kept.
    """
    if dataset.arrays is not None:
        raise DatasetError(f"{dataset.name} is already arrays; there is nothing to extract")
    if not dataset.items or any(item.path is None for item in dataset.items):
        raise DatasetError(f"{dataset.name} holds no sound to encode; give its folder of audio")
    if tracks_per_shard < 1:
        raise UsageError(f"{tracks_per_shard} tracks a shard are too few; use 1 or more")
    before = _before(out, encoder)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / "extract.lock", timeout=0):
            run = _Extraction(
                dataset, encoder, text, out, model, text_encoder, before, on_progress, cancelled
            )
            return run.run(max(1, jobs), tracks_per_shard)
    except Timeout:
        raise DatasetError(f"another gdr is extracting to {out}; wait until it finishes") from None


def _before(out: Path, encoder: AudioEncoder) -> Manifest | None:
    """The manifest of an earlier run in the folder, if any."""
    if not out.exists():
        return None
    if not (out / MANIFEST).exists():
        if not out.is_dir() or any(out.iterdir()):
            raise UsageError(f"{out} is not an extraction and not an empty folder; give another")
        return None
    found = Manifest.read(out)
    if found.space != encoder.space:
        raise SpaceMismatch(
            f"{out} holds latents of {found.space}; the model makes {encoder.space}: give another "
            "folder"
        )
    return found


class _Extraction:
    """One extraction."""

    def __init__(
        self,
        dataset: Dataset,
        encoder: AudioEncoder,
        text: TextEncoder,
        out: Path,
        model: str,
        text_encoder: str,
        before: Manifest | None,
        on_progress: Callable[[ExtractionProgress], None],
        cancelled: Cancel,
    ) -> None:
        self._encoder, self._text, self._out = encoder, text, out
        self._on_progress, self._cancelled = on_progress, cancelled
        self._begun = time.monotonic()
        self._audio_s = 0.0
        self._encoded = 0
        clips: dict[Clip, int] = {}
        captions: dict[str, int] = {}
        items = []
        for item in dataset.items:
            clip = Clip(item.track, str(item.path), item.start_s, item.end_s)
            number = clips.setdefault(clip, len(clips))
            caption = captions.setdefault(item.caption, len(captions))
            items.append((number, caption, item.split))
        self._clips = list(clips)
        shards = (*before.latents, *before.text) if before else ()
        self._old = {(shard.file, shard.key): shard for shard in shards}
        self._manifest = Manifest(
            dataset=dataset.name,
            model=model,
            text_encoder=text_encoder,
            space=encoder.space,
            clips=[clip._asdict() for clip in self._clips],
            captions=list(captions),
            items=items,
            problems=[str(problem) for problem in dataset.problems],
        )

    def run(self, jobs: int, tracks_per_shard: int) -> ExtractionSummary:
        """Do what has not been done yet."""
        unread, unencoded = self._plan_captions(), self._plan_tracks(tracks_per_shard)
        self._manifest.save(self._out)
        self._read_captions(unread)
        self._encode_tracks(unencoded, jobs)
        self._manifest.complete = True
        self._manifest.save(self._out)
        self._sweep()
        failed = [
            FailedClip(self._clips[int(number)].path, reason)
            for shard in self._manifest.latents
            for number, reason in shard.failures.items()
        ]
        return ExtractionSummary(
            tracks=len(self._clips) - len(failed),
            encoded=self._encoded,
            captions=len(self._manifest.captions),
            failed=failed,
            audio_s=self._audio_s,
            elapsed_s=time.monotonic() - self._begun,
        )

    def _report(self, stage: str, done: int, total: int) -> None:
        if self._cancelled():
            raise Cancelled("stopped; finished shards are kept")
        elapsed_s = time.monotonic() - self._begun
        self._on_progress(ExtractionProgress(stage, done, total, self._audio_s, elapsed_s))

    # Planning: what is left to do

    def _plan_captions(self) -> list[_ShardJob]:
        captions = self._manifest.captions
        parts = _parts(len(captions), CAPTIONS_PER_SHARD)
        jobs = [
            _ShardJob(f"text-{i:05}.safetensors", key_of([captions[n] for n in part]), part)
            for i, part in enumerate(parts)
        ]
        return [job for job in jobs if not self._keep(job, self._manifest.text)]

    def _plan_tracks(self, per_shard: int) -> list[_ShardJob]:
        parts = _parts(len(self._clips), per_shard)
        jobs = [
            _ShardJob(f"latents-{i:05}.safetensors", self._key(part), part)
            for i, part in enumerate(parts)
        ]
        return [job for job in jobs if not self._keep(job, self._manifest.latents)]

    def _keep(self, job: _ShardJob, shards: list[Shard]) -> bool:
        """Reuse the shard of an earlier run if it was made from the same input and is intact."""
        shard = self._old.get((job.file, job.key))
        if shard is None:
            return False
        try:
            tensors = read_shard(self._out, shard)
        except DatasetError:
            return False
        if "pooled" in tensors and not self._reads_alike(job.numbers[0], tensors["pooled"][0]):
            return False
        shards.append(shard)
        return True

    def _reads_alike(self, number: int, there: Array) -> bool:
        """Whether a caption still gets the vector (E) of a shard; text encoders have no hash."""
        pooled = self._text.embed([self._manifest.captions[number]]).pooled[0]
        return pooled.shape == there.shape and np.allclose(pooled, there, rtol=1e-3, atol=1e-4)

    def _key(self, numbers: range) -> str:
        content: list[object] = [asdict(self._encoder.space), numbers.start]
        for number in numbers:
            clip = self._clips[number]
            try:
                facts = os.stat(clip.path)
                content.append([*clip, facts.st_size, facts.st_mtime_ns])
            except OSError:  # decoding will say why
                content.append([*clip])
        return key_of(content)

    # Working

    def _read_captions(self, jobs: list[_ShardJob]) -> None:
        captions = self._manifest.captions
        done = len(captions) - sum(len(job.numbers) for job in jobs)
        for job in jobs:
            # Not `texts.embed`: masks stay as wide as the encoder pads, as they are in a search.
            masks, states, pooled = [], [], []
            for part in _parts(len(job.numbers), CAPTIONS_AT_ONCE):
                self._report("captions", done, len(captions))
                found = self._text.embed([captions[job.numbers[n]] for n in part])
                masks.append(found.mask)
                states.append(found.states[found.mask].astype(np.float16))  # (M, E)
                pooled.append(found.pooled)
                done += len(part)
            tensors = {
                "mask": joined_masks(masks),
                "states": np.concatenate(states),
                "pooled": np.concatenate(pooled).astype(np.float32),
            }
            shard = write_shard(self._out, job.file, job.key, tensors)
            self._add(shard, self._manifest.text)
        self._report("captions", done, len(captions))

    def _encode_tracks(self, jobs: list[_ShardJob], threads: int) -> None:
        total = len(self._clips)
        done = total - sum(len(job.numbers) for job in jobs)
        self._report("tracks", done, total)
        paths = [Path(self._clips[number].path) for job in jobs for number in job.numbers]
        rate_hz = self._encoder.space.sample_rate_hz
        with closing(decoded_ahead(paths, rate_hz, threads, self._cancelled)) as sounds:
            for job in jobs:
                latents: Tensors = {}
                failures: dict[str, str] = {}
                for number in job.numbers:
                    try:
                        latents[str(number)] = self._encode(self._clips[number], next(sounds))
                    except DecodeError as error:
                        failures[str(number)] = str(error)
                    done += 1
                    self._report("tracks", done, total)
                shard = write_shard(self._out, job.file, job.key, latents)
                shard.failures = failures
                self._add(shard, self._manifest.latents)

    def _add(self, shard: Shard, shards: list[Shard]) -> None:
        shards.append(shard)
        shards.sort(key=lambda shard: shard.file)
        self._manifest.save(self._out)

    def _encode(self, clip: Clip, sound: Audio | DecodeError) -> Array:
        """The latents (T, D) of a clip, in half precision."""
        if isinstance(sound, DecodeError):
            raise sound
        samples = stretch(sound, clip.start_s, clip.end_s)
        latents = self._encoder.encode(samples, self._cancelled)
        if not (np.abs(latents) < np.finfo(np.float16).max).all():
            raise DecodeError("the encoder returned NaN or infinity")
        self._audio_s += len(samples) / sound.sample_rate_hz
        self._encoded += 1
        return latents.astype(np.float16)

    def _sweep(self) -> None:
        """Remove shards of earlier runs that the manifest no longer names."""
        named = {shard.file for shard in (*self._manifest.latents, *self._manifest.text)}
        for kind in ("latents-*.safetensors*", "text-*.safetensors*"):
            for path in self._out.glob(kind):
                if path.name not in named:
                    path.unlink()


def _parts(count: int, most: int) -> list[range]:
    """The numbers from 0 to `count` in ranges of at most `most`."""
    return [range(first, min(first + most, count)) for first in range(0, count, most)]
