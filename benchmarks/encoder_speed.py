"""Speed of each audio encoder: `python benchmarks/encoder_speed.py [SECONDS]`.

On one thread, by its processor time, and on all cores, by the clock: noise of that length (default
60), not counting decoding; the best of some rounds, because other programs slow both down. The
networks have their published sizes and random weights, which take as long as trained ones.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from coarser_hop import untrained

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule import port_net as mule_port
from gdr_model.encoders.mule import published_net as mule
from gdr_model.encoders.muscall import encoder as muscall
from gdr_model.encoders.muscall.net import Muscall, MuscallConfig, learned
from gdr_model.encoders.musicnn import net as musicnn
from gdr_model.models import checkpoint
from gdr_model.types import Array, AudioEncoder


def folders(root: Path) -> dict[str, str]:
    """Write each encoder to a folder; returns what `--model` accepts, by encoder name."""
    made = {"builtin": "builtin", "clap": str(untrained(root / "clap"))}
    nets = {
        musicnn.MODEL_TYPE: musicnn.Musicnn(musicnn.MusicnnConfig()),
        mule.MODEL_TYPE: mule.Mule(mule.MuleConfig()),
        mule_port.MODEL_TYPE: mule_port.MulePort(mule_port.MulePortConfig()),
    }
    for name, net in nets.items():
        gdr_folder.write(root / name, name, net.config, net.state_dict())
        made[name] = str(root / name)
    both = Muscall(MuscallConfig())
    gdr_folder.write(root / "muscall", muscall.MODEL_TYPE, both.config, learned(both.state_dict()))
    return made | {"muscall": str(root / "muscall")}


def main(seconds: int, rounds: int, only: list[str]) -> None:
    """Measure and print a table."""
    counts = sorted({1, os.cpu_count() or 1})
    columns = "".join(f" on {count} threads |" for count in counts[1:])
    print(f"| encoder | width | × real time |{columns} of builtin's time |")
    print(f"|---|---|{'---|' * len(counts)}---|")
    fastest = 0.0
    with tempfile.TemporaryDirectory() as root:
        for name, model in folders(Path(root)).items():
            if only and name not in only:
                continue
            encoder = checkpoint.load(model, "cpu").encoder
            count = seconds * encoder.space.sample_rate_hz
            samples = 0.1 * np.random.default_rng(0).standard_normal(count).astype(np.float32)
            took = best(encoder, samples, counts, rounds)
            fastest = fastest or took[0]
            speeds = " | ".join(f"{seconds / one:,.1f}" for one in took)
            figures = f"{encoder.space.dim} | {speeds} | {took[0] / fastest:,.0f}"
            print(f"| {name} | {figures} |", flush=True)


def best(encoder: AudioEncoder, samples: Array, counts: list[int], rounds: int) -> list[float]:
    """The least seconds that encoding takes on each number of threads."""
    took: list[list[float]] = [[] for _ in counts]
    for _ in range(rounds):
        for threads, seconds in zip(counts, took, strict=True):
            torch.set_num_threads(threads)
            encoder.encode(samples[: len(samples) // 4])  # the first run allocates
            clock = time.process_time if threads == 1 else time.perf_counter
            began = clock()
            encoder.encode(samples)
            seconds.append(clock() - began)
    return [min(each) for each in took]


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "seconds", nargs="?", type=int, default=60, help="length of the sound (default: 60)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="runs to take the best of (default: 3)"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="an encoder; can be repeated"
    )
    return parser


if __name__ == "__main__":
    arguments = options().parse_args()
    main(arguments.seconds, arguments.rounds, arguments.only)
