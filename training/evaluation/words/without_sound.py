"""What captions without their sound add to a linear retriever, on the folds of a captioned set.

    python -m training.evaluation.words.without_sound CONFIG --words TABLE [--out DIR]

CONFIG names a set whose dimensions are classes, as for `gdr train`; TABLE has captions with labels
(`training.words.borrowed`). Every fold is held out once. Two uses of the captions are measured:

borrowed    ridge regression is fitted on them, too, with the training tracks that they fit
corrected   a track's score loses how near it is to any of them, T ln mean_b exp(s_b / T) over the
            scores s_b of the captions: an inverted softmax (Smith et al., 2017) over a bank of
            captions, as in querybank normalisation (Bogolin et al., 2022)

Texts have unit length, and those of each source the mean of the set's own: people, tables and lists
of classes have styles of their own, and a style says nothing about a track. Without this, neither
use helps.

Shapes: I items, P captions asked, R tracks, C captions of the table, E text width, D latent width.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gdr_model.errors import GdrError
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.config import need, resolved
from training.data.corpus import Corpus, read_corpus
from training.data.division import Mask
from training.data.texts import Texts, embed
from training.evaluation import baselines
from training.evaluation.retrieval import Answers, tables
from training.evaluation.ridge import Ridge
from training.evaluation.tables import Table, save
from training.runs.config import RunConfig
from training.runs.space import Space
from training.words.borrowed import borrow, read_labelled

ALPHA = 3.0
TRACKS, WEIGHT = 4, 0.05
"""How many tracks a caption of the table is given to, and the weight of each; a person's has 1."""
TEMPERATURE = 0.1
BANK = 5
"""Every so many captions of the table are in the bank."""
BOTH = "ridge, borrowed and corrected"
ROWS = (BOTH, "ridge, borrowed", "ridge, corrected", "ridge", baselines.HALF_NAMES)


@dataclass(frozen=True)
class Words:
    """Everything that is read: unit texts of the set, of the table and of the class names."""

    corpus: Corpus
    people: Array  # (captions of the set, E)
    table: Mapping[str, Array]
    names: Texts

    @classmethod
    def read(cls, config: RunConfig, table: Path) -> Words:
        """The set of a configuration, and a table.

        Raises:
            UsageError, DatasetError: if one of them is not there, or not what it says.
        """
        need(config.data.labels != "", "captions can be borrowed where data.labels names classes")
        corpus = read_corpus(config.data)
        captions = list(dict.fromkeys(row.caption for row in read_labelled(table)))
        rows = unit(embed(captions, corpus.reader).pooled)
        names = embed(corpus.labels, corpus.reader)
        return cls(corpus, unit(corpus.texts.pooled), dict(zip(captions, rows, strict=True)), names)


def answer(
    words: Words, config: RunConfig, table: Path, part: str
) -> tuple[dict[str, Array], Mask]:
    """Scores (P, R) of every row for the captions of a part that is held out, and who was asked.

    Nothing is validated: all other tracks are trained on.

    Raises:
        UsageError: if no track could have a caption of the table.
    """
    corpus = words.corpus
    division = corpus.divided(part, 0.0)
    trained = np.flatnonzero(division.trained)
    space = Space.fit(config.data, [corpus.latents[row] for row in trained])
    points = space.standard(corpus.means)  # (R, D)
    known = space.search(points)
    column = np.cumsum(division.trained) - 1
    own = words.people[corpus.caption_of[division.items]]
    owner = trained[column[corpus.track_of[division.items]]]
    asked = words.people[corpus.caption_of[division.asked]]
    mean = own.mean(0)
    bank = np.stack(list(words.table.values()))
    bank = (bank - bank.mean(0) + mean)[::BANK]

    rows = read_labelled(table)
    pairs = borrow(rows, corpus.labels, corpus.means[trained], TRACKS, config.optimiser.seed)
    need(bool(pairs), f"no caption of {table} has a class of {config.data.labels}")
    of_name = dict(zip(corpus.labels, unit(words.names.pooled), strict=True))
    lent = np.stack([words.table.get(text, of_name.get(text, mean)) for _, text in pairs])
    by_name = np.array([text not in words.table for _, text in pairs])
    for source in (by_name, ~by_name):
        lent[source] += mean - lent[source].mean(0)
    lent_to = trained[[track for track, _ in pairs]]
    shares = np.concatenate([np.ones(len(own)), np.full(len(lent), WEIGHT)])

    def scores(text: Array, targets: Array, weights: Any) -> tuple[Array, Array]:
        ridge = Ridge.solve(text, targets, weights, ALPHA)
        found, common = (space.search(ridge(each)) @ known.T for each in (asked, bank))
        return found, found - TEMPERATURE * np.log(np.exp(common / TEMPERATURE).mean(0))

    plain, corrected = scores(own, points[owner], np.ones(len(own)))
    both = np.concatenate([own, lent]), np.concatenate([points[owner], points[lent_to]])
    borrowed, best = scores(*both, shares)
    logs = np.log(corpus.means + (config.data.floor or baselines.FLOOR))
    by_names = baselines.class_names(asked, words.names, own, logs, division.trained)
    half = baselines.mixed(plain, by_names)
    return dict(zip(ROWS, (best, borrowed, corrected, plain, half), strict=True)), division.asked


def measured(words: Words, config: RunConfig, table: Path) -> tuple[Answers, Answers]:
    """The ranks of every row over all folds: among all tracks, and among those held out."""
    every, new, corpus = Answers(), Answers(), words.corpus
    for part in map(str, range(config.data.folds)):
        found, asked = answer(words, config, table, part)
        right, trained = corpus.correct(asked), corpus.divided(part, 0.0).trained
        for row, answers_it in enumerate(right):
            for system, scores in found.items():
                every.put(system, scores[row], answers_it & ~trained, answers_it & trained)
                new.put(system, scores[row], answers_it & ~trained, trained)
        for answers in (every, new):
            answers.groups += [corpus.tracks[track] for track in corpus.track_of[asked]]
    return every, new


def words_study(config: RunConfig, table: Path, resamples: int = 5000) -> list[Table]:
    """Tables among all tracks, and among those that were not trained on."""
    every, new = measured(Words.read(config, table), config, table)
    found = []
    for answers, among in ((every, "all tracks"), (new, "tracks that were not trained on")):
        for each in tables(answers, resamples):
            title = f"{each.title}: {among}"
            found.append(Table(title, each.columns, each.rows, each.note))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluation.words.without_sound")
    parser.add_argument("config", help="a configuration of gdr train, by name or file")
    parser.add_argument("--words", required=True, help="captions with labels")
    parser.add_argument("--out", type=Path, default=Path("words"), help="folder of the report")
    options = parser.parse_args(arguments)
    try:
        found = words_study(RunConfig.read(options.config), resolved(options.words))
    except GdrError as error:
        parser.exit(1, f"{error}\n")
    about = {"protocol": "words", "config": options.config, "words": options.words}
    sys.stdout.write(save(options.out, "words", found, about))


if __name__ == "__main__":
    main()
