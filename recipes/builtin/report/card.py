"""Write the card of the model that ships, from the lists and the last report: no figure by hand.

python -m recipes.builtin.report.card --work DIR [--to FOLDER]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from safetensors import safe_open

from gdr_model.models.config import SHIPPED
from recipes.builtin.corpus.crops import CROP_S
from recipes.builtin.corpus.prepare import PreparedFolder
from recipes.builtin.report.scores import CUTS, DRAWS_ROW, SHIPPED_ROW

HEAD = """# Model card: builtin

The model that ships with gdr: an audio encoder, a diffusion model that draws in its latent space
from a sentence, and a contrastive tower that is one reading more of the words. It is small, and
learnt from less than two days of sound. This page is written by
`python -m recipes.builtin.report.card` from the lists of the data and the last report.
"""

USE = """## What it is for

Finding music in one's own library by a description: instruments, broad genres, moods, singing or
not, roughly how fast or dense. It writes no music and knows no artists, titles or lyrics. Mono
sound at 16 kHz goes in; one latent of 128 numbers a second comes out, from the four seconds
around it. English text is read by all-MiniLM-L6-v2 (Apache-2.0; its weights are not in here).
"""

WEAK = """## What it does badly

- **Voices.** There are a few dozen sung recordings in the training data; all other voices are
  speech synthesisers that sing, rap and speak over music. Expect singing and rap to be found, and
  no telling of one kind of voice from another.
- **Styles defined by singing or by commercial production** (R&B, reggae, country, blues, pop of
  a decade): the data hold almost none, and what there is comes from synthesisers.
- **Tempo, key and metre**: known for rendered music only; "slow" and "fast" act weakly.
- **Rare instruments** are known from General MIDI sounds alone.
- **It can only be as good as its teacher**, an audio tagger with a window of one second, whose
  opinion of music also wrote most captions. Held-out figures on such captions say how well the
  parts fit together; the figures on human captions say more about use.
- **Words**: captions are generated from tables. Irony, negation inside a sentence ("no drums"),
  names and stories are not understood; use `--not` for what you do not want.
- Above 8 kHz and in stereo it hears nothing.
"""


def data_table(records: list[dict[str, Any]]) -> str:
    """Counts, hours and licences of every source."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        rows[str(record["source"])].append(record)
    lines = ["| source | train | held out | hours | licences |", "| --- | --- | --- | --- | --- |"]
    for source, own in sorted(rows.items(), key=lambda item: -len(item[1])):
        split = Counter(r["split"] for r in own)
        hours = sum(r["seconds"] for r in own) / 3600
        licences = Counter(str(r.get("licence") or "those of its parents") for r in own)
        named = ", ".join(f"{name} ({count})" for name, count in licences.most_common())
        lines.append(f"| {source} | {split['train']} | {split['test']} | {hours:.2f} | {named} |")
    seconds = {s: sum(r["seconds"] for r in records if r["split"] == s) for s in ("train", "test")}
    lines.append(
        f"\nIn all {seconds['train'] / 3600:.1f} h to learn from, {seconds['test'] / 3600:.1f} h "
        "held out, split by track."
    )
    return "\n".join(lines)


def attribution(work: Path) -> str:
    """Artists, titles and licences of the excerpts, as their licences ask."""
    credits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in (work / "sources.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record.get("artist"):
            credits[record["artist"], record["licence"]].add(str(record["title"]))
    return "\n".join(
        f"- {artist}: {'; '.join(sorted(titles))}. {licence}."
        for (artist, licence), titles in sorted(credits.items())
    )


def sizes(folder: Path) -> str:
    """Parameters of each part, and the size of the file."""
    counts: Counter[str] = Counter()
    with safe_open(folder / "model.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118
            part = name.split(".")[0] if "." in name else "projection and statistics"
            shape = file.get_slice(name).get_shape()
            count = 1
            for side in shape:
                count *= side
            counts[part] += count
    size = (folder / "model.safetensors").stat().st_size / 1e6
    parts = ", ".join(f"{part} {count / 1e6:.2f} M" for part, count in counts.most_common())
    return f"{size:.1f} MB in half precision; parameters: {parts}."


def results(name: str, result: dict[str, Any]) -> str:
    """One task as a table."""
    chance = " | ".join(f"{result['chance'][str(k)]:.1f}" for k in CUTS)
    return "\n".join(
        [
            f"### {name}: {result['queries']} queries, {result['gallery']} passages\n",
            "| method | R@1 | R@5 | R@10 | median rank |",
            "| --- | --- | --- | --- | --- |",
            *result["table"],
            f"| chance | {chance} | |",
            f"\nMean cosine between the draws of a query: {result['cosine_between_draws']:.3f}.",
        ]
    )


def differences(result: dict[str, Any], figure: str) -> str:
    """What the two baselines are behind or ahead, with paired intervals."""
    lines = [f"{figure} of a row minus that of a baseline, with paired 95 % intervals:\n"]
    lines += [f"| | {' | '.join(result['minus'])} |", "| --- |" + " --- |" * len(result["minus"])]
    for row, part in ((SHIPPED_ROW, "minus"), (DRAWS_ROW, "draws_minus")):
        lines.append(f"| {row} | {' | '.join(result[part].values())} |")
    return "\n".join(lines)


def named(name: str, result: dict[str, Any]) -> str:
    """Queries that name a class, as a table of mean average precision."""
    lines = [f"### {name}: {result['queries']} queries, {result['gallery']} passages\n"]
    lines += ["| method | mAP |", "| --- | --- |"]
    lines += [f"| {method} | {value} |" for method, value in result["map"].items()]
    each = ", ".join(f"{query} {value:.2f}" for query, value in result["each"].items())
    return "\n".join([*lines, f"\nEach query, as gdr ships: {each}.\n", differences(result, "mAP")])


def training(work: Path) -> str:
    """How long everything took and where it ended."""
    log = [json.loads(x) for x in (work / "encoder" / "log.jsonl").read_text().splitlines()]
    last = log[-1]
    retriever = json.loads((work / "retriever" / "summary.json").read_text())
    return (
        f"- Encoder: {last['step']:,} steps of {last['batch']} crops of {CROP_S} s in "
        f"{last['elapsed'] / 60:.1f} minutes on {last['device']}. Correlation with the teacher's "
        "logits on held-out recordings, mean over 144 classes "
        f"of music: {last['music']:.3f} (singing and other voices: {last['voice']:.3f}). The "
        "held-out recordings were watched during training.\n"
        f"- Diffusion model: {retriever['step']:,} steps of {retriever['batch']} in "
        f"{retriever['elapsed'] / 60:.0f} minutes; {retriever['passages']:,} passages, "
        f"{retriever['captions']:,} distinct captions and queries.\n"
        "- Every command and its time: `recipes/builtin/README.md`."
    )


def write(work: Path, to: Path) -> None:
    """Put the card together."""
    report = json.loads((work / "report.json").read_text())
    records = PreparedFolder(work).records()
    used = report["settings"]
    inversion = report["inversion"]
    speed = report["speed"]
    teacher = " / ".join(f"{report['teacher'][f'R@{k}']:.1f}" for k in CUTS)
    text = f"""{HEAD}
{USE}
## Sizes and speed

{sizes(to)} On one core, in processor time: {speed["encode_x"]:,.0f} times real time to encode
decoded sound; {speed["draw_s"]:.2f} s to read a prompt and draw {used["draws"]} points in
{used["steps"]} steps.

## Data

{data_table(records)}

Packages are Debian's, their music only; `free-music` are excerpts of freely licensed recordings;
`render` are pieces of our own composer, played with FluidR3 and MuseScore General (MIT);
`remix` are pieces of training tracks at other speeds, over one another (voices over music most of
all), in other rooms and through bad copies; `voice` are songs, raps and talk of espeak-ng and flite
(and speech of the game Fish Fillets, GPL-2+) over training tracks, with words of our own. At most
the first five minutes of a track were used.
No sound of any of them is in the weights' file.

The labels come from YAMNet (Apache-2.0), heard once a second, and, for renders, from their
scores. Captions are generated from both by `training/words/captions.py`. Nothing else was
learnt from: no human captions, no other dataset.

## Training

{training(work)}

## Results

`make builtin-report GDR_SHARED=DIR` prints them from the shipped weights; model
`{report["model"]}`, seed {used["seed"]}, {used["draws"]} draws of {used["steps"]} steps at guidance
{used["guidance"]:g}, whitening power {report["whitening_power"]:g}; percent, with 95 % bootstrap
intervals over the queries.

{results("Held-out recordings, generated captions", report["held-out tracks"])}

A caption is right about one passage of 24 s; passages beside it in the same track count as wrong.

{differences(report["held-out tracks"], "R@10")}

{results("Noise2Music, human captions", report["Noise2Music"])}

{differences(report["Noise2Music"], "R@10")}

Generated clips with the captions they were made from (Apache-2.0). Nothing was trained on them,
but the whitening and the tower's share were chosen on them, so these are development figures. The
teacher itself, asked by the cosine of MiniLM between caption and class names, reaches
{teacher} (R@1 / 5 / 10) there.

{named("Genres by name", report["genres by name"])}

{named("Moods by name", report["moods by name"])}

Asked of held-out recordings and the generated clips. What is correct is the teacher's opinion: the
tenth of the gallery in which it hears the class most (chance is .1). So this tells how much of
the teacher is left, not how right the teacher is.

Inversion without words and drawing back ({inversion["passages"]} held-out passages): cosine
{inversion["round_trip_cosine"]:.4f} (least {inversion["round_trip_cosine_least"]:.4f}). The noise
found has deviation {inversion["inverted_noise_sd"]:.2f}, where 1 is what the sampler starts from.

{WEAK}
## Attribution of the excerpts

{attribution(work)}
"""
    part = to / "MODEL_CARD.md.part"
    part.write_text(text, encoding="utf-8")
    part.replace(to / "MODEL_CARD.md")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--to", type=Path, default=SHIPPED, metavar="FOLDER")
    arguments = parser.parse_args()
    write(arguments.work, arguments.to)


if __name__ == "__main__":
    main()
