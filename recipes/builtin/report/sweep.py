"""Compare settings of the sampler and of the search space on Noise2Music, the development set.

python -m recipes.builtin.report.sweep --work DIR [--model builtin]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import Whitening
from recipes.builtin.steps import step_parser
from training.evaluation.retrieval import ALONE, Answers, own_row, search_captions
from training.evaluation.subjects import Subject, opened
from training.metrics import recall_at
from training.runs.config import DrawConfig

SAMPLERS = ((2.0, 12), (3.0, 8), (3.0, 12), (3.0, 16), (5.0, 12))
"""Guidance and steps."""
POWERS = (0.0, 0.5, 0.75, 1.0)
CUTS = (1, 5, 10)


def whitened(subject: Subject, power: float) -> Subject:
    """The same subject, searched with another power of the whitening."""
    known = subject.model.whitening
    model = replace(subject.model, whitening=Whitening(known.mean, known.sd, power))
    return replace(subject, retriever=Retriever(model, [subject.gallery.library]))


def sweep(subject: Subject, seed: int) -> Iterator[str]:
    """A line a setting: recalls of the draws alone, since the tower knows one power only."""
    for power in POWERS:
        searched = whitened(subject, power)
        for guidance, steps in SAMPLERS:
            how = replace(subject.how, guidance=guidance, steps=steps)
            answers = Answers()
            search_captions(replace(searched, how=how), answers, seed)
            ranks = answers.ranks[ALONE if how == DrawConfig() else own_row(how)]
            recalls = " / ".join(f"{recall_at(ranks, k):.1f}" for k in CUTS)
            yield f"power {power:g} guidance {guidance:g} steps {steps}: R@1 / 5 / 10 {recalls}"


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with opened(arguments.model, str(arguments.work / "sets" / "noise2music")) as subject:
        for line in sweep(subject, arguments.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
