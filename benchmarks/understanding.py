"""Measure what a model's text encoder understands, and how near it comes to prompts in a library.

    python benchmarks/understanding.py                         the rates that docs/prompts.md quotes
    python benchmarks/understanding.py --library ~/music       and how often nothing is close
    python benchmarks/understanding.py --captions captions.txt a false-note rate on other prompts
    python benchmarks/understanding.py --model DIR --write     measure a model, for its notes

The prompts are in `benchmarks/prompts`: thresholds were chosen on `developed.txt`, nothing was on
`held_out.txt`. `--write` writes `understanding.safetensors` into the model's folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from gdr_model.models.checkpoint import Model, load
from gdr_model.search.retriever import Retriever
from gdr_model.search.understanding import Doubt, Understanding
from gdr_model.store.library import Library
from gdr_model.types import Steering

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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--library", type=Path, action="append", default=[])
    parser.add_argument("--captions", type=Path, action="append", default=[])
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    model = load(chosen.model, "cpu")
    understanding = Understanding.measure(model.text) if chosen.write else model.understanding
    if understanding is None:
        raise SystemExit("the points of this encoder do not tell what it reads; it gets no notes")
    if chosen.write:
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
