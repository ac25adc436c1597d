"""Cost and savings of a coarser hop: `python benchmarks/coarser_hop.py FOLDER [MODEL]`.

MODEL is what `--model` accepts for a pair (default `clap`). Up to twenty files of FOLDER are
encoded every second, then every 2, 5 and 10 s with interpolated latents in between, and compared:
cosine of the same second's latents, cosine of whole passages, how many of a passage's five nearest
neighbours stay the same, and the time. `--untrained` uses CLAP's published size (HTSAT-base) with
random weights instead: its times equal those of the real one, its accuracy is meaningless.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from gdr_model import audio
from gdr_model.models import checkpoint
from gdr_model.search.whitening import unit
from gdr_model.store.records import passage_bounds
from gdr_model.types import Array

FILES = 20
NEAREST = 5
HOPS = (1, 2, 5, 10)


def untrained(folder: Path) -> Path:
    """Write CLAP with random weights, at the size of laion/larger_clap_music_and_speech."""
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    sound = {"patch_embeds_hidden_size": 128, "hidden_size": 1024, "depths": [2, 2, 12, 2]}
    words = {"num_hidden_layers": 1}
    ClapModel(ClapConfig(audio_config=sound, text_config=words)).save_pretrained(folder)
    ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc").save_pretrained(folder)
    return folder


def neighbours(latents: list[Array]) -> list[set[int]]:
    """Nearest passages of each passage, by their centred mean latents."""
    means = np.stack([one[a:b].mean(0) for one in latents for a, b in passage_bounds(len(one))])
    rows = unit(means - means.mean(0))
    scores = rows @ rows.T
    np.fill_diagonal(scores, -2)
    return [set(row[:NEAREST]) for row in np.argsort(-scores, axis=1)]


def main(folder: Path, model: str) -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in audio.SUFFIXES][:FILES]
    fine: list[Array] = []
    seconds = took_fine = 0.0
    print("| hop | same second | passages | same neighbours | time | × real time |")
    print("|---|---|---|---|---|---|")
    for hop in HOPS:
        encoder = checkpoint.load(f"{model}@{hop}").encoder
        took, found = 0.0, []
        for path in files:
            samples = audio.decode(path, encoder.space.sample_rate_hz).samples
            began = time.perf_counter()
            found.append(encoder.encode(samples))
            took += time.perf_counter() - began
            seconds += len(samples) / encoder.space.sample_rate_hz if hop == 1 else 0
        if hop == 1:
            fine, took_fine = found, took
        both = list(zip(fine, found, strict=True))
        same = np.concatenate([(a * b).sum(1) for a, b in both]).mean()
        means = np.mean([unit(a.mean(0)) @ unit(b.mean(0)) for a, b in both])
        kept = [a & b for a, b in zip(neighbours(fine), neighbours(found), strict=True)]
        share = np.mean([len(one) for one in kept]) / NEAREST
        print(
            f"| {hop} s | {same:.4f} | {means:.4f} | {share:.2f} | {took / took_fine:.2f} | "
            f"{seconds / took:,.1f} |",
            flush=True,
        )


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of music")
    parser.add_argument("model", nargs="?", default="clap", help="as for --model (default: clap)")
    parser.add_argument(
        "--untrained", action="store_true", help="CLAP with random weights: for the times alone"
    )
    return parser


if __name__ == "__main__":
    args = options().parse_args()
    with ExitStack() as stack:
        model = args.model
        if args.untrained:
            model = str(untrained(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        main(args.folder, model)
