"""Write the card of the model that ships, from the lists of the data and the last report.

    python -m recipes.builtin.report.card --work DIR [--report NAME] [--to FOLDER]

No figure is typed in by hand.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from math import prod
from pathlib import Path
from typing import Any

from safetensors import safe_open

from gdr_model import atomic
from gdr_model.models.config import SHIPPED
from recipes.builtin.corpus.crops import CROP_S
from recipes.builtin.corpus.prepare import PreparedFolder
from recipes.builtin.report.evaluate import CUTS
from recipes.builtin.report.names import ABROAD, GENRES, MOODS
from recipes.builtin.report.sets import BY_NAME
from recipes.builtin.steps import step_parser
from training.evaluation.retrieval import ALONE, GDR, TOWER

HEAD = """# Model card: builtin

The model that ships with gdr: an audio encoder, a diffusion model that draws points in the
encoder's latent space from a sentence, and a contrastive tower, the mean of eight, that maps the
same sentence to one more point. It is small and was trained on less than three days of sound. This
page is written by `python -m recipes.builtin.report.card` from the lists of the data and the last
report.
"""

USE = """## Intended use

Finding music in your own library by a description: instruments, broad genres, moods, singing or
not, roughly how fast or dense. It generates no music and knows no artists, titles or lyrics. Input
is mono sound at 16 kHz; output is one latent of 128 numbers per second, from the four seconds
around it. Text of fifteen languages is read by Google's Universal Sentence Encoder, multilingual v3
(Apache-2.0; its weights are not included).
"""

BROUGHT = """## What each source brought

- **The second teacher.** A linear probe of two encoders, trained from nothing in 5,000 steps each:
  66.9 mAP for genres and moods with it, 62.2 without (difference 4.7 [1.8, 7.7]); instruments of
  scores 47.0 and 39.4 (7.6 [2.2, 13.5]). With its vocabulary in the captions, one tower and 4,500
  steps: genres by name 75.3 mAP, without 64.8 (10.6 [4.9, 17.4]); moods are level.
- **The texts of MusicCaps.** AudioSet's labels from captions that nothing was trained on: 24.1 mAP
  with them, 18.4 without, before the other languages and the eight towers.
- **Words in other languages** and **eight towers in place of one**: `recipes/builtin/README.md`,
  which also has the commands of these figures.
"""

WEAK = """## Known weaknesses

- **Voices.** The training data have a few dozen sung recordings; all other voices are speech
  synthesisers that sing, rap and speak over music. Expect the model to find singing and rap, but
  not to tell one kind of voice from another.
- **Styles defined by singing or by commercial production** (R&B, reggae, country, blues, pop of
  a decade): the data have almost none, and most of that comes from synthesisers.
- **Tempo, key and metre** are known for rendered music only; "slow" and "fast" have little effect.
- **Rare instruments** are known from General MIDI sounds only.
- **The teachers are the limit.** They are audio taggers with windows of one and three seconds, and
  their opinion of music also wrote most captions. Held-out figures on such captions show how well
  the parts fit together; figures on human captions say more about use.
- **Words**: most captions are generated from tables. Irony, names and stories are not understood.
  A text is read as one vector, so that of long descriptions much is lost.
- Stereo and everything above 8 kHz are ignored.
"""


TITLES = {
    "held-out": "Held-out recordings, generated captions",
    "noise2music": "Noise2Music, human captions",
    "genres": "Genres by name",
    "moods": "Moods by name",
}
ABOUT = {
    "held-out": """A caption describes one passage of 24 s; neighbouring passages of the same track
count as wrong.""",
    "noise2music": """Generated clips with the captions they were made from (Apache-2.0). The model
was not trained on them, but the whitening and the tower's share were chosen on them, so these are
development figures. The first teacher itself, asked by the cosine between the sentence encoder's
vectors of caption and class names, reaches {teacher} (R@1 / 5 / 10).""",
    "genres": """Asked of held-out recordings and the generated clips. The teachers decide what is
correct: the tenth of the gallery with their highest scores for the class. So this shows how much of
the teachers is left, not how right they are.""",
    "moods": "Judged in the same way.",
}

IN_LANGUAGES = """### In other languages

Eleven of the genres and moods by their names in other languages, judged in the same way: mAP in
percent, and gdr's as a share of that of the same names in English. The names are among the queries
that the model was trained on, as the English ones are. `recipes/builtin/README.md` has the figures
of a tower that was trained without them."""
BY_LANGUAGE = (GDR, ALONE, TOWER)
"""The systems in that table."""


def data_table(records: list[dict[str, Any]]) -> str:
    """Counts, hours and licences of every source."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        rows[str(record["source"])].append(record)
    lines = ["| source | train | held out | hours | licences |", "| --- | --- | --- | --- | --- |"]
    for source, tracks in sorted(rows.items(), key=lambda item: -len(item[1])):
        split = Counter(r["split"] for r in tracks)
        hours = sum(r["seconds"] for r in tracks) / 3600
        licences = Counter(str(r.get("licence") or "those of its parents") for r in tracks)
        named = ", ".join(f"{name} ({count})" for name, count in licences.most_common())
        lines.append(f"| {source} | {split['train']} | {split['test']} | {hours:.2f} | {named} |")
    seconds = {s: sum(r["seconds"] for r in records if r["split"] == s) for s in ("train", "test")}
    lines.append(
        f"\nIn total {seconds['train'] / 3600:.1f} h for training and "
        f"{seconds['test'] / 3600:.1f} h held out, split by track."
    )
    return "\n".join(lines)


def attribution(work: Path) -> str:
    """Artists, titles and licences of the excerpts, as their licences require."""
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
            counts[part] += prod(file.get_slice(name).get_shape())
    size = (folder / "model.safetensors").stat().st_size / 1e6
    parts = ", ".join(f"{part} {count / 1e6:.2f} M" for part, count in counts.most_common())
    return f"{size:.1f} MB in half precision; parameters: {parts}."


def results(report: dict[str, Any], name: str) -> str:
    """The tables of one set, under a heading and with what there is to say about it."""
    result = report[name]
    teacher = " / ".join(f"{report['teacher'][f'R@{k}']:.1f}" for k in CUTS)
    parts = [f"### {TITLES[name]}", ABOUT[name].format(teacher=teacher)]
    parts += [table.strip().replace("### ", "#### ", 1) for table in result["markdown"]]
    if name in BY_NAME:
        queries = ", ".join(f"{query} {value:.2f}" for query, value in result["each"].items())
        parts.append(f"Average precision of each query, as gdr ships: {queries}.")
    return "\n\n".join(parts)


def languages(report: dict[str, Any]) -> str:
    """A row for each language: what names find, and the share of what the English ones find."""
    each = report["genres"]["each"] | report["moods"]["each"]
    english = {kind: each[name] for name, kind in (GENRES | MOODS).items() if name in each}
    lines = [f"| | {' | '.join(BY_LANGUAGE)} | of the English |", "| --- " * 5 + "|"]
    for language, names in ABROAD.items():
        if language not in report:
            continue
        rows = report[language]["tables"][0]["rows"]
        cells = [f"{rows[system]['mAP %']['value']:.1f}" for system in BY_LANGUAGE]
        found = sum(report[language]["each"].values())
        share = found / sum(english[names[name]] for name in report[language]["each"])
        lines.append(f"| {language.title()} | {' | '.join(cells)} | {share:.2f} |")
    return f"{IN_LANGUAGES}\n\n" + "\n".join(lines)


def training(work: Path, name: str) -> str:
    """How long everything took and where it ended."""
    run = json.loads((work / name / "metrics.json").read_text())
    return (
        f"{encoder_training(work)}\n"
        f"- Diffusion model: {run['steps']:,} steps of {run['batch']} in "
        f"{run['seconds'] / 60:.0f} minutes on one processor thread; {run['passages']:,} passages, "
        f"{run['captions']:,} distinct captions and queries.\n"
        "- Every command and its time: `recipes/builtin/README.md`."
    )


def encoder_training(work: Path) -> str:
    """The last line of the encoder's log, if this work folder has one."""
    log = work / "encoder" / "log.jsonl"
    if not log.exists():
        return "- Encoder: taken from a finished model."
    last = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    begun = ", beginning with the encoder of an earlier model" if last.get("start") else ""
    return (
        f"- Encoder: {last['step']:,} steps of {last['batch']} crops of {CROP_S} s in "
        f"{last['elapsed'] / 60:.1f} minutes on {last['device']}{begun}. Correlation with the "
        "first teacher's logits on held-out recordings, mean over 144 classes of music: "
        f"{last['music']:.3f} (singing and other voices: {last['voice']:.3f}); with those of the "
        f"second teacher's 50 tags: {last['tags']:.3f}. The held-out recordings were watched "
        "during training."
    )


def text(work: Path, report: dict[str, Any], name: str, to: Path) -> str:
    """The whole card."""
    used, inversion, speed = report["settings"], report["inversion"], report["speed"]
    sets = "\n\n".join(results(report, name) for name in TITLES if name in report)
    return f"""{HEAD}
{USE}
## Size and speed

{sizes(to)} Reading a prompt and drawing {used["draws"]} points in {used["steps"]} steps of
{used["sampler"]} takes {speed["draw_s"]:.2f} s of one core. `gdr bench` measures how fast it
encodes; docs/encoders.md compares that with other encoders.

## Data

{data_table(PreparedFolder(work).records())}

Packages are Debian's, their music only; `free-music` and `free-music-2` are excerpts of freely
licensed recordings;
`render` are pieces by our own composer, played with FluidR3 and MuseScore General (MIT);
`remix` are pieces of training tracks at other speeds, on top of one another (mostly voices over
music), in other rooms and through bad copies; `voice` are songs, raps and talk by espeak-ng and
flite (and speech of the game Fish Fillets, GPL-2+) over training tracks, with words of our own. At
most the first five minutes of a track were used.
None of their sound is in the weights' file.

The labels come from two taggers, YAMNet (Apache-2.0) and MSD_musicnn (the wheel musicnn 0.1.0, ISC;
Pons and Serra 2019), applied once a second, and, for renders, from their scores. No weight of
theirs is in the file. Captions are generated from all of these by `training/words/captions.py`.
The texts of MusicCaps (CC BY-SA 4.0; Agostinelli et al. 2023), without its sound and without the
rows of AudioSet's evaluation part, are queries whose answers the teachers choose.

## Training

{training(work, name)}

## Results

`make builtin-report GDR_SHARED=DIR` reproduces them from the shipped weights; model
`{report["model"]}`, seed {used["seed"]}, {used["draws"]} draws of {used["steps"]} steps of
{used["sampler"]} at guidance {used["guidance"]:g}, whitening power {report["whitening_power"]:g}.
Every system is ranked by the `Retriever` that `gdr search` uses.

{sets}

{languages(report)}

### Inversion

Inverting without words and drawing back ({inversion["passages"]} held-out passages): cosine
{inversion["round_trip_cosine"]:.4f} (lowest {inversion["round_trip_cosine_least"]:.4f}). The noise
found has deviation {inversion["inverted_noise_sd"]:.2f}; the sampler starts from 1.

{BROUGHT}
{WEAK}
## Attribution of the excerpts

{attribution(work)}
"""


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--report", default="report")
    parser.add_argument("--name", default="retriever", help="the folder of the training run")
    parser.add_argument("--to", type=Path, default=SHIPPED, metavar="FOLDER")
    arguments = parser.parse_args()
    work, to = arguments.work, arguments.to
    report = json.loads((work / f"{arguments.report}.json").read_text(encoding="utf-8"))
    atomic.write_text(to / "MODEL_CARD.md", text(work, report, arguments.name, to))


if __name__ == "__main__":
    main()
