"""Measure what a model's text encoder understands, and how near it comes to prompts in a library.

    python benchmarks/understanding.py [--library DIR] [--captions FILE] [--model MODEL] [--write]
        [--close SCORE]

It prints the rates that docs/prompts.md quotes; with --library also how often nothing there is
close, and with --captions (a file, one prompt in a line) the rates on other prompts.

The prompts are in `benchmarks/prompts`: thresholds were chosen on `developed.txt`, nothing was on
`held_out.txt`. `--write` writes `understanding.safetensors` into the model's folder; `--close` is
the score below which nothing is close, which differs between models.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gdr_model.models.checkpoint import Model, load
from gdr_model.search.retriever import Retriever
from gdr_model.search.understanding import CLOSE, Doubt, Understanding
from gdr_model.steering import Steering
from gdr_model.store.library import Library

PROMPTS = Path(__file__).with_name("prompts")


def sections(path: Path) -> dict[str, list[str]]:
    """The prompts of a file by the section they are in; a file without sections is one."""
    found: dict[str, list[str]] = {}
    section = path.stem
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
        elif line.strip() and not line.startswith("# "):
            found.setdefault(section, []).append(line.strip())
    return found


def rates(model: Model, understanding: Understanding, prompts: list[str]) -> Iterator[str]:
    """The shares of prompts that are noted, by doubt."""
    doubts = [understanding.doubt(model.text, prompt) for prompt in prompts]
    for doubt in (Doubt.LANGUAGE, Doubt.SPELLING):
        yield f"{doubt.value} {doubts.count(doubt) / len(prompts):.3f}"


def far(retriever: Retriever, understanding: Understanding, prompts: list[str]) -> float:
    """The share of prompts to which nothing in a library is close."""
    close = 0
    for prompt in prompts:
        ranking = retriever.rank(retriever.query(Steering(prompt)), k=1)
        best = ranking.tracks[0].score
        close += understanding.has_close(retriever.model.text, prompt, best)
    return 1 - close / len(prompts)


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="builtin", help="a name or a folder")
    parser.add_argument("--library", type=Path, action="append", default=[],
                        help="an indexed folder, to search for each prompt")  # fmt: skip
    parser.add_argument("--captions", type=Path, action="append", default=[],
                        help="more prompts, one in a line")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write what was measured")
    parser.add_argument("--close", type=float, default=CLOSE, help="to be written")
    return parser


def main() -> None:
    """Print the table."""
    chosen = options().parse_args()
    model = load(chosen.model, "cpu")
    understanding = Understanding.measure(model.text) if chosen.write else model.understanding
    if understanding is None:
        raise SystemExit("this encoder's points do not show what it reads, so it gets no notes")
    if chosen.write:
        understanding = replace(understanding, close=chosen.close)
        understanding.save(model.config.folder)
    print("reads", ", ".join(understanding.languages))
    retrievers = [Retriever(model, [Library.open(folder)]) for folder in chosen.library]
    files = [PROMPTS / "developed.txt", PROMPTS / "held_out.txt", *chosen.captions]
    for path in files:
        print(path.name)
        for section, prompts in sections(path).items():
            shown = [f"{section:14} {len(prompts):5}", *rates(model, understanding, prompts)]
            shown += [f"far {far(one, understanding, prompts):.3f}" for one in retrievers]
            print("  ", *shown)


if __name__ == "__main__":
    main()
