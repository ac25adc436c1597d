"""What the model that ships is asked in its evaluation, and what answers it.

- `own_task`: passages of held-out recordings under generated captions, each right about one.
- `noise2music`: generated clips (`$GDR_SHARED/data/noise2music_dev`) under human captions.
- `by_class`: genres and moods by name, as people ask of their own music. No set of real
  recordings with genres can be had freely, so the teacher says what a passage is: a class holds
  the tenth of the gallery in which the teacher hears it most. The gallery is held-out recordings
  and the generated clips. It tells how much of the teacher is left after the student, the words
  and the draws, and nothing of what the teacher does not hear.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gdr_model.encoders.builtin.audio import normalise_loudness
from gdr_model.models import checkpoint
from gdr_model.search.whitening import Whitening
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack, decode
from recipes.builtin.report.scores import Bools
from training.words.captions import captions
from training.words.teacher import Teacher, labels, shared

PASSAGE = 24
PER_TRACK = 8
QUERIES = 200
GENRES: dict[str, str] = {
    "classical music": "Classical music",
    "rock music": "Rock music",
    "electronic music": "Electronic music",
    "pop music": "Pop music",
    "jazz": "Jazz",
    "rap": "Hip hop music",
    "country music": "Country",
    "reggae music": "Reggae",
    "blues": "Blues",
    "R&B": "Rhythm and blues",
    "latin music": "Music of Latin America",
    "new age music": "New-age music",
    "heavy metal": "Heavy metal",
    "folk music": "Folk music",
}
"""Queries and the teacher's class for each."""
MOODS: dict[str, str] = {
    "happy, cheerful music": "Happy music",
    "angry, aggressive music": "Angry music",
    "sad, melancholy music": "Sad music",
    "tender, gentle music": "Tender music",
    "exciting, energetic music": "Exciting music",
    "scary, eerie music": "Scary music",
}
SHARE = 0.1
"""Of the gallery that holds a class."""


@dataclass(frozen=True)
class Task:
    """Queries, a gallery of passages and which of them answer which query."""

    name: str
    queries: list[str]
    passages: list[Array]  # latents (T, D) each
    correct: Bools  # (Q, N)

    def gallery(self, whitening: Whitening) -> Array:
        """Search vectors (N, D)."""
        return whitening.apply(np.stack([p.mean(axis=0) for p in self.passages]))


def recordings(work: Path) -> list[PreparedTrack]:
    """What `sources` and `prepare` give: nothing of our own making, so anyone can have it soon."""
    return [track for track in PreparedFolder(work).load() if track.kind == "source"]


def held_out(
    tracks: Sequence[PreparedTrack], model: checkpoint.Model
) -> Iterator[tuple[PreparedTrack, int, int, Array]]:
    """Passages of 24 s of every held-out track: track, start and length in seconds, latents."""
    own = model.own_encoder
    assert own is not None  # noqa: S101 (only models of this recipe are evaluated here)
    for track in tracks:
        if track.record["split"] != "test":
            continue
        # float16 mel and all: what the encoder reads in use differs by less than its rounding.
        mel = torch.from_numpy(track.mel.astype(np.float32))[None]
        with torch.inference_mode():
            latents = (own.net(mel)[0] @ own.projection).numpy()
        count = max(1, min(PER_TRACK, track.seconds // PASSAGE))
        for start in np.linspace(0, max(0, track.seconds - PASSAGE), count).astype(int):
            length = min(PASSAGE, track.seconds - int(start))
            yield track, int(start), length, latents[start : start + length]


def own_task(tracks: Sequence[PreparedTrack], model: checkpoint.Model) -> Task:
    """Held-out passages of recordings, some of which are asked for."""
    corpus = CorpusStatistics.fit([t for t in tracks if t.record["split"] == "train"], labels())
    rng = np.random.default_rng(5)
    passages, written = [], []
    for track, start, length, latents in held_out(tracks, model):
        passages.append(latents)
        facts = corpus.facts(track, start, length)
        # Whole phrases: nobody can tell a passage by one word.
        options = [c for c in captions(facts, rng, 12) if len(c.split()) >= 4]
        written.append(options[0] if options else facts.classes[0][0])
    asked = np.sort(rng.permutation(len(passages))[:QUERIES])
    correct = np.arange(len(passages))[None] == asked[:, None]
    return Task("held-out tracks", [written[i] for i in asked], passages, correct)


def clips() -> list[tuple[Path, str]]:
    """The generated clips and their captions."""
    folder = shared() / "data" / "noise2music_dev"
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as file:
        return [(folder / row["file"], row["caption"].strip()) for row in csv.DictReader(file)]


def clips_heard() -> Array:
    """The teacher's mean logits (N, 521) of the generated clips."""
    teacher = Teacher()
    return np.stack([teacher(normalise_loudness(decode(f)))[0].mean(axis=0) for f, _ in clips()])


def noise2music(model: checkpoint.Model) -> Task:
    """195 generated clips under the 64 human captions they were generated from."""
    rows = clips()
    queries = sorted({caption for _, caption in rows})
    passages = [model.encoder.encode(decode(file))[:PASSAGE_S] for file, _ in rows]
    correct = np.array([[caption == query for _, caption in rows] for query in queries])
    return Task("Noise2Music", queries, passages, correct)


def by_class(
    tracks: Sequence[PreparedTrack], model: checkpoint.Model, generated: Task, heard: Array
) -> list[Task]:
    """Genres and moods by name, asked of held-out recordings and the generated clips."""
    passages, logits = list(generated.passages), list(heard)
    for track, start, length, latents in held_out(tracks, model):
        passages.append(latents)
        logits.append(track.logits[start : start + length].astype(np.float32).mean(axis=0))
    rows, names = np.stack(logits), labels()
    tasks = []
    for name, queries in (("genres by name", GENRES), ("moods by name", MOODS)):
        columns = rows[:, [names.index(c) for c in queries.values()]].T
        correct = columns > np.quantile(columns, 1 - SHARE, axis=1, keepdims=True)
        tasks.append(Task(name, list(queries), passages, correct))
    return tasks
