"""Sets under the teachers' labels, for `gdr eval spread`: what a list holds besides what was asked.

    python -m recipes.builtin.report.labels --work DIR [--model builtin]

Every class of the merged vocabulary that the teachers hear at all is a caption ("piano", "jazz
music", "happy music", "rapping"), and holds the tenth of the gallery whose score for it is highest.
That is no ground truth, but it says what a list has of many things that were not asked for.

- `labels-a`, `labels-b`: passages of held-out recordings, in two halves by recording. Settings are
  chosen on the first and reported on the second.
- `labels-clips`: the generated clips of `report.sets`.

`DIR` needs what `sources` and `prepare` make. Writes `DIR/sets/NAME`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gdr_model.models import checkpoint
from gdr_model.types import Array
from recipes.builtin.corpus.facts import CorpusStatistics, logits_of
from recipes.builtin.corpus.prepare import PreparedTrack
from recipes.builtin.report.sets import (
    SHARE,
    Passage,
    by_class,
    clips,
    passages_of,
    recordings,
    save,
)
from recipes.builtin.steps import step_parser
from training.words import vocabulary
from training.words.teacher import labels

LIKELY = -6.0
"""Mean log probability of the tenth that holds a class, below which nobody would hear it."""


@dataclass(frozen=True)
class Labelled:
    """Passages, and how likely each class is in each (N, classes), as a logarithm."""

    passages: list[Passage]
    likely: Array

    def captioned(self, names: Sequence[str]) -> list[Passage]:
        """The passages under the queries for the classes that can be heard in them."""
        scores = np.stack([passage.scores for passage in self.passages])
        heard = {}
        for query, name in queries(names).items():
            column = names.index(name)
            best = np.argsort(-scores[:, column])[: max(1, round(SHARE * len(scores)))]
            if self.likely[best, column].mean() > LIKELY:
                heard[query] = name
        return by_class(self.passages, heard, names)


def queries(names: Sequence[str]) -> dict[str, str]:
    """What people would type for each of the classes, in its first wording, and the class."""
    found: dict[str, str] = {}
    for table, kind in (
        (vocabulary.INSTRUMENTS, ""),
        (vocabulary.VOICES, ""),
        (vocabulary.GENRES, " music"),
        (vocabulary.MOODS, " music"),
    ):
        for name, words in table.items():
            if name in names and name not in found.values():
                found.setdefault(words.split("|")[0] + kind, name)
    return found


def labelled(
    tracks: Sequence[PreparedTrack], corpus: CorpusStatistics, model: checkpoint.Model
) -> Labelled:
    """Passages of tracks, named by the track and the second."""
    passages, likely = [], []
    for passage, part in passages_of(tracks, corpus, model):
        passages.append(passage)
        likely.append(-np.log1p(np.exp(-logits_of(*part))))
    return Labelled(passages, corpus.merged(np.stack(likely)))


def build(work: Path, spelled: str, to: str) -> None:
    """Write all sets."""
    model, folder = checkpoint.load(spelled, "cpu"), work / to
    tracks = recordings(work)
    corpus = CorpusStatistics.fit([t for t in tracks if t.record["split"] == "train"], labels())
    test = [track for track in tracks if track.record["split"] == "test"]
    sets = {
        "a": labelled(test[::2], corpus, model),
        "b": labelled(test[1::2], corpus, model),
        "clips": labelled([track for track, _ in clips()], corpus, model),
    }
    for name, found in sets.items():
        passages = found.captioned(corpus.classes.names)
        save(folder / f"labels-{name}", passages, model, spelled)
        asked = len({caption for passage in passages for caption in passage.captions})
        print(f"{folder / name}: {len(passages)} passages, {asked} captions", flush=True)


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
