"""The sets that sessions are measured on (`gdr eval session`), and the ears of their person.

    python -m recipes.builtin.report.sessions --work DIR [--tracks 900] [--to sets/session]

A library of real recordings, held-out ones first. Their captions are words for the classes that
both teachers hear in them more than in most of the others. With more tracks than there are real
ones, passages of everything else that was prepared are laid between them, without captions.
Writes `DIR/TO`, and as the ears `DIR/TO-musicnn` and `DIR/TO-yamnet`: the features of both
teachers, from which the built-in model computes nothing when it searches.

`DIR` needs what `prepare`, `remix`, `voices` and `latents` make.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from gdr_model.models import checkpoint
from gdr_model.types import Array, LatentSpace
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack
from recipes.builtin.report.sets import Passage
from recipes.builtin.steps import step_parser
from training.data.extracted import write_extracted
from training.data.texts import embed
from training.words.generated_captions import TABLES
from training.words.teacher import labels

REAL = 900
SHARE = 0.12
"""Of the real recordings that a word fits."""
BETWEEN_S = 16
"""Length of a passage that is laid between them."""
EARS = {"musicnn": 200, "yamnet": 1024}


def words_of(scores: Array, names: Sequence[str]) -> list[tuple[str, ...]]:
    """The words for the classes that each of the rows (R, classes) has most of."""
    words = {name: ways.split("|")[0] for table in TABLES[:3] for name, ways in table.items()}
    columns = [column for column, name in enumerate(names) if name in words]
    holds = scores[:, columns] > np.quantile(scores[:, columns], 1 - SHARE, axis=0)
    return [
        tuple(dict.fromkeys(words[names[column]] for column, held in zip(columns, row, strict=True)
                            if held))
        for row in holds
    ]  # fmt: skip


def real(tracks: Sequence[PreparedTrack]) -> list[PreparedTrack]:
    """Up to `REAL` real recordings: those held out, then others in a random order."""
    held = [track for track in tracks if track.record["split"] == "test"]
    others = [track for track in tracks if track.record["split"] != "test"]
    order = np.random.default_rng(0).permutation(len(others))
    return [*held, *(others[one] for one in order)][:REAL]


def between(tracks: Sequence[PreparedTrack], count: int) -> Iterator[tuple[PreparedTrack, int]]:
    """As many passages of other tracks, spread evenly over them: the track and where one starts."""
    starts = [(track, start) for track in tracks for start in range(max(1, track.seconds - 8))]
    for place in np.linspace(0, len(starts) - 1, count).astype(int):
        yield starts[place]


def ears(track: PreparedTrack, start: int, seconds: int) -> dict[str, Array]:
    """What both teachers hear in a passage, (1, features) each."""
    rows = {"musicnn": track.tag_features, "yamnet": track.embedding}
    return {
        name: own[start : start + seconds].astype(np.float32).mean(0, keepdims=True)
        for name, own in rows.items()
    }


def build(work: Path, spelled: str, encoder: str, count: int, to: str) -> None:
    """Write the set and its ears."""
    model, latents = checkpoint.load(spelled, "cpu"), Latents.load(work / encoder).rows
    every = PreparedFolder(work).load()
    sources = [track for track in every if track.kind == "source"]
    learnt = [track for track in sources if track.record["split"] == "train"]
    corpus, chosen = CorpusStatistics.fit(learnt, labels()), real(sources)
    scores = np.stack([corpus.z(track, 0, track.seconds) for track in chosen])
    passages, heard = [], []
    for track, row, own in zip(chosen, scores, words_of(scores, corpus.classes.names), strict=True):
        passages.append(Passage(name := str(track.record["id"]), latents[name], row, own))
        heard.append(ears(track, 0, track.seconds))
    ids = {track.record["id"] for track in chosen}
    others = [track for track in every if track.record["id"] not in ids]
    for track, start in between(others, max(0, count - len(chosen))):
        name = str(track.record["id"])
        rows = latents[name][start : start + BETWEEN_S]
        passages.append(Passage(f"{name}@{start}", rows, scores[0]))
        heard.append(ears(track, start, BETWEEN_S))
    _write(work / to, spelled, model, passages, {"": [one.latents for one in passages]})
    _write(work / to, spelled, model, passages, {e: [own[e] for own in heard] for e in EARS})


def _write(
    folder: Path,
    spelled: str,
    model: checkpoint.Model,
    passages: Sequence[Passage],
    rows: dict[str, list[Array]],
) -> None:
    """Write extractions of the same tracks; the model's own has no name."""
    numbers: dict[str, int] = {}
    pairs = [
        (clip, numbers.setdefault(word, len(numbers)))
        for clip, passage in enumerate(passages)
        for word in passage.captions
    ]
    texts = embed(list(numbers), model.text)
    for name, latents in rows.items():
        ear = LatentSpace(name, EARS.get(name, 0), 16000, 1.0, 1.0, "0" * 16)
        write_extracted(
            folder.with_name(f"{folder.name}-{name}") if name else folder,
            model=spelled,
            text_encoder=model.config.text.name,
            space=ear if name else model.space,
            tracks=[passage.name for passage in passages],
            latents=latents,
            captions=list(numbers),
            texts=texts,
            pairs=pairs,
        )
    print(f"{folder} {' '.join(rows)}: {len(passages)} tracks, {len(numbers)} words", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--encoder", default="encoder", help="whose latents of DIR they are")
    parser.add_argument("--tracks", type=int, default=REAL)
    parser.add_argument("--to", default="sets/session", help="folder of the set in DIR")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(arguments.work, arguments.model, arguments.encoder, arguments.tracks, arguments.to)


if __name__ == "__main__":
    main()
