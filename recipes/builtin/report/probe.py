"""Compare encoders by a linear probe of their features on held-out music.

    python -m recipes.builtin.report.probe --work DIR enc-both enc-first

Each name is a folder of `train_encoder` in `DIR`. Ridge regression is fitted on passages of
training tracks, and asked of held-out ones: for the genres and moods of `report.sets`, which the
teachers judge, among recordings; for instruments, which their scores state, among renders. Prints
Markdown: average precision, and that of the first encoder minus each other's.

Shapes: N passages, F features, C classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, AudioNet
from gdr_model.types import Array
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.corpus.latents import load_net
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack
from recipes.builtin.report.names import GENRES, MOODS
from recipes.builtin.report.sets import PASSAGE, SHARE, cuts
from recipes.builtin.steps import step_parser
from training import metrics
from training.evaluation.ridge import Ridge
from training.evaluation.tables import Table
from training.words.teacher import labels

HELD_OUT = 4
"""Passages of a held-out recording, at most; every other track gives one."""
ALPHA = 100.0
LEAST = 5
"""Held-out renders that an instrument must be in to be counted."""

Has = NDArray[np.bool_]


@dataclass(frozen=True)
class Probed:
    """Passages of one kind of track under several encoders, with what is asked of them."""

    features: dict[str, Array]  # encoder to (N, F)
    wanted: Array  # (N, C), what is fitted
    has: Has  # (N, C), what counts as correct
    held: Has  # (N,), True for passages of held-out tracks

    def precisions(self, encoder: str) -> NDArray[np.float64]:
        """The average precision of every class, in percent, on held-out passages (C,)."""
        x = self.features[encoder]
        x = (x - x[~self.held].mean(axis=0)) / (x[~self.held].std(axis=0) + 1e-6)
        shares = np.ones(int((~self.held).sum()))
        probe = Ridge.solve(x[~self.held], self.wanted[~self.held], shares, ALPHA)
        scores = probe(x[self.held])
        return 100 * metrics.average_precision(scores.T, self.has[self.held].T)


def passages(tracks: Sequence[PreparedTrack]) -> Iterator[tuple[PreparedTrack, int, int]]:
    """Track, begin and end of the passages that are used."""
    for track in tracks:
        every = cuts(track.seconds)
        several = track.kind == "source" and track.record["split"] == "test"
        step = max(1, len(every) // HELD_OUT)
        for start, end in every[::step][:HELD_OUT] if several else every[len(every) // 2 :][:1]:
            yield track, start, end


def features(net: AudioNet, track: PreparedTrack, start: int, end: int) -> Array:
    """The mean features (F,) of a passage."""
    mel = track.mel[start * FRAMES_PER_S : end * FRAMES_PER_S].astype(np.float32)
    with torch.inference_mode():
        rows: Array = net(torch.from_numpy(mel)[None])[0].numpy()
    return np.asarray(rows.mean(axis=0))


def probed(
    tracks: Sequence[PreparedTrack],
    nets: dict[str, AudioNet],
    wanted: Callable[[PreparedTrack, int, int], Array],
    correct: Callable[[Array, Has], Has],
) -> Probed:
    """Encode passages; `correct` turns what is wanted (N, C) of them into right and wrong."""
    some = list(passages(tracks))
    rows = np.stack([wanted(*one) for one in some])
    held = np.array([track.record["split"] == "test" for track, _, _ in some], np.bool_)
    heard = {name: np.stack([features(net, *one) for one in some]) for name, net in nets.items()}
    return Probed(heard, rows, correct(rows, held), held)


def by_name(store: PreparedFolder, nets: dict[str, AudioNet]) -> Probed:
    """Recordings; a class holds the tenth of the held-out passages with its highest scores."""
    tracks = [track for track in store.load("source") if track.seconds >= PASSAGE]
    learnt = [track for track in tracks if track.record["split"] == "train"]
    corpus = CorpusStatistics.fit(learnt, labels())
    names = {**GENRES, **MOODS}.values()
    columns = [corpus.classes.names.index(name) for name in names]

    def wanted(track: PreparedTrack, start: int, end: int) -> Array:
        return corpus.z(track, start, end - start)[columns]

    def tenth(rows: Array, held: Has) -> Has:
        return np.asarray(rows > np.quantile(rows[held], 1 - SHARE, axis=0), np.bool_)

    return probed(tracks, nets, wanted, tenth)


def by_score(store: PreparedFolder, nets: dict[str, AudioNet]) -> Probed:
    """Renders; an instrument is in those whose scores have it."""
    tracks = store.load("render")

    def played(record: dict[str, Any]) -> set[str]:
        return {*record["instruments"], *(["drums"] if record.get("drum_kit") else [])}

    held = [track for track in tracks if track.record["split"] == "test"]
    counts = Counter(name for track in held for name in played(track.record))
    names = sorted(name for name, count in counts.items() if count >= LEAST)

    def wanted(track: PreparedTrack, start: int, end: int) -> Array:
        own = played(track.record)
        return np.array([name in own for name in names], np.float32)

    return probed(tracks, nets, wanted, lambda rows, held: rows > 0)


def compared(encoders: Sequence[str], found: dict[str, Probed]) -> Table:
    """A row an encoder: mean average precision on every kind, and the first one's lead."""
    columns = [part for name in found for part in (f"{name}, mAP %", "first minus this")]
    table = Table(
        "A linear probe of the features",
        tuple(columns),
        note="95 % bootstrap intervals over the classes, paired for differences.",
    )
    precisions = [{e: own.precisions(e) for e in encoders} for own in found.values()]
    for encoder in encoders:
        cells = [
            cell
            for own in precisions
            for cell in (
                metrics.interval(own[encoder]),
                metrics.difference_interval(own[encoders[0]], own[encoder]),
            )
        ]
        table.add(encoder, *cells)
    return table


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("encoders", nargs="+", help="folders of train_encoder in DIR")
    given = parser.parse_args()
    torch.set_num_threads(1)
    nets = {name: load_net(Path(given.work) / name) for name in given.encoders}
    store = PreparedFolder(given.work)
    found = {}
    for title, probe in (("genres and moods", by_name), ("instruments of scores", by_score)):
        found[title] = probe(store, nets)
        print(
            f"{title}: {found[title].held.sum()} of {len(found[title].held)} held out", flush=True
        )
    print(compared(given.encoders, found).markdown())


if __name__ == "__main__":
    main()
