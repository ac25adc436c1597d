"""The captioned sets that the built-in model is measured on, as folders for `gdr eval --data`.

    python -m recipes.builtin.report.sets --work DIR [--model builtin]

- `held-out`: passages of held-out recordings under generated captions, one caption each.
- `noise2music`: generated clips (`$GDR_SHARED/data/noise2music_dev`) under human captions, several
  clips each.
- `genres`, `moods`: by name, as people ask for their own music, among held-out recordings and the
  generated clips. No set of real recordings with genres can be had freely, so the teachers say
  what a passage is: a class holds the tenth of the gallery whose score for it is highest. That
  measures how much of the teachers is left after the student, the words and the draws, and nothing
  of what the teachers miss.
- `spanish` and thirteen other languages: eleven of these genres and moods, asked for in them.

`DIR` needs what `sources` and `prepare` make. Writes `DIR/sets/NAME`, and the first teacher's mean
logits of the generated clips, `DIR/sets/noise2music-teacher.npy`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from gdr_model import atomic
from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.encoders.shared.prompts import array
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.corpus.latents import SECOND
from recipes.builtin.corpus.prepare import (
    PreparedFolder,
    PreparedTrack,
    decode,
    listen,
    teachers,
)
from recipes.builtin.report.names import ABROAD, GENRES, MOODS
from recipes.builtin.steps import step_parser
from recipes.builtin.train_encoder import features_of
from training.data.extracted import write_extracted
from training.data.texts import embed
from training.words.captions import captions
from training.words.teacher import labels, shared

PASSAGE = 24
PER_TRACK = 8
SHARE = 0.1
"""Of the gallery that holds a class."""


BY_NAME = ("genres", "moods", *ABROAD)
"""Sets whose captions name a class."""
SETS = ("held-out", "noise2music", *BY_NAME)


@dataclass(frozen=True)
class Passage:
    """A passage of the gallery."""

    name: str
    latents: Array  # (T, D)
    scores: Array  # (classes,), how unusual each class is in the teachers' opinion
    captions: tuple[str, ...] = ()


def recordings(work: Path) -> list[PreparedTrack]:
    """What `sources` and `prepare` give: nothing of our own making, so anyone can have it soon."""
    return PreparedFolder(work).load("source")


def latents_of(track: PreparedTrack, model: checkpoint.Model) -> Array:
    """Latents (T, D) of a prepared track by a model's audio encoder.

    Raises:
        UsageError: if the encoder reads something that is not prepared.
    """
    if model.space.encoder == SECOND:
        return track.tag_features.astype(np.float32)
    encoder = model.own_encoder
    if encoder is None:
        raise UsageError(f"{model.name} holds no encoder of its own to read log-mels with")
    # float16 mel and all: what the encoder reads in use differs by less than its rounding.
    return array(torch.from_numpy(features_of(encoder.net, track)) @ encoder.projection)


class Part(NamedTuple):
    """A part of a track."""

    track: PreparedTrack
    start: int
    seconds: int


def passages_of(
    tracks: Iterable[PreparedTrack], corpus: CorpusStatistics, model: checkpoint.Model
) -> Iterator[tuple[Passage, Part]]:
    """Passages of 24 s of every track without captions, named by the track and the second."""
    for track in tracks:
        latents = latents_of(track, model)
        for start, end in cuts(track.seconds):
            part = Part(track, start, end - start)
            name = f"{track.record['id']}@{start}"
            yield Passage(name, latents[start:end], corpus.z(*part)), part


def held_out(
    tracks: Sequence[PreparedTrack], corpus: CorpusStatistics, model: checkpoint.Model
) -> Iterator[Passage]:
    """Passages of 24 s of every held-out track, under a generated caption each."""
    rng = np.random.default_rng(5)
    tested = (track for track in tracks if track.record["split"] == "test")
    for passage, part in passages_of(tested, corpus, model):
        facts = corpus.facts(*part)
        # Whole phrases: nobody can tell a passage by one word.
        options = [c for c in captions(facts, rng, 12) if len(c.split()) >= 4]
        yield replace(passage, captions=(options[0] if options else facts.classes[0][0],))


def cuts(seconds: int) -> list[tuple[int, int]]:
    """Begin and end of up to `PER_TRACK` passages, spread over a track."""
    count = max(1, min(PER_TRACK, seconds // PASSAGE))
    starts = np.linspace(0, max(0, seconds - PASSAGE), count).astype(int)
    return [(int(start), min(int(start) + PASSAGE, seconds)) for start in starts]


def clips() -> Iterator[tuple[PreparedTrack, str]]:
    """The 195 generated clips, and the 64 human captions they were generated from."""
    folder, listener = shared() / "data" / "noise2music_dev", teachers()
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows = listen(decode(folder / row["file"])[: PASSAGE_S * SAMPLE_RATE_HZ], listener)
            yield PreparedTrack({"id": row["file"]}, **rows), row["caption"].strip()


def generated(
    tracks: Sequence[tuple[PreparedTrack, str]], corpus: CorpusStatistics, model: checkpoint.Model
) -> Iterator[Passage]:
    """The clips as passages."""
    for track, caption in tracks:
        scores = corpus.z(track, 0, track.seconds)
        yield Passage(str(track.record["id"]), latents_of(track, model), scores, (caption,))


def by_class(
    passages: Sequence[Passage], classes: dict[str, str], names: Sequence[str]
) -> list[Passage]:
    """The same passages, each under the queries for the classes that it is among the tenth of."""
    rows = np.stack([passage.scores for passage in passages])
    columns = rows[:, [names.index(c) for c in classes.values()]]  # (N, classes)
    holds = columns > np.quantile(columns, 1 - SHARE, axis=0)
    return [
        replace(
            passage,
            captions=tuple(query for query, held in zip(classes, own, strict=True) if held),
        )
        for passage, own in zip(passages, holds, strict=True)
    ]


def save(folder: Path, passages: Sequence[Passage], model: checkpoint.Model, spelled: str) -> None:
    """Write a set; passages without a caption compete all the same."""
    numbers: dict[str, int] = {}
    pairs = [
        (clip, numbers.setdefault(caption, len(numbers)))
        for clip, passage in enumerate(passages)
        for caption in passage.captions
    ]
    write_extracted(
        folder,
        model=spelled,
        text_encoder=model.config.text.name,
        space=model.space,
        tracks=[passage.name for passage in passages],
        latents=[passage.latents for passage in passages],
        captions=list(numbers),
        texts=embed(list(numbers), model.text),
        pairs=pairs,
    )


def build(work: Path, spelled: str, to: str) -> None:
    """Write all sets."""
    model, folder = checkpoint.load(spelled, "cpu"), work / to
    tracks, made = recordings(work), list(clips())
    corpus = CorpusStatistics.fit([t for t in tracks if t.record["split"] == "train"], labels())
    own = list(generated(made, corpus, model))
    real = list(held_out(tracks, corpus, model))
    names = corpus.classes.names
    every = [*own, *real]
    sets = {"held-out": real, "noise2music": own}
    for name, classes in {"genres": GENRES, "moods": MOODS, **ABROAD}.items():
        sets[name] = by_class(every, classes, names)
    for name, passages in sets.items():
        save(folder / name, passages, model, spelled)
        asked = len({caption for passage in passages for caption in passage.captions})
        print(f"{folder / name}: {len(passages)} passages, {asked} captions", flush=True)
    with atomic.replacing(folder / "noise2music-teacher.npy") as temporary:
        np.save(temporary, np.stack([t.logits.astype(np.float32).mean(axis=0) for t, _ in made]))


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--to", default="sets", help="folder of the sets in DIR")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(arguments.work, arguments.model, arguments.to)


if __name__ == "__main__":
    main()
