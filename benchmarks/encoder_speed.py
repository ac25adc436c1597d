"""Speed of each audio encoder: `python benchmarks/encoder_speed.py [SECONDS]`.

One thread, noise of that length (default 60), not counting decoding. The networks have their
published sizes and random weights, which take as long as trained ones.
"""

from __future__ import annotations

import argparse
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
from gdr_model.models import checkpoint


def folders(root: Path) -> dict[str, str]:
    """Write each encoder to a folder; returns what `--model` accepts, by encoder name."""
    made = {"builtin": "builtin", "clap": str(untrained(root / "clap"))}
    nets = {
        mule.MODEL_TYPE: mule.Mule(mule.MuleConfig()),
        mule_port.MODEL_TYPE: mule_port.MulePort(mule_port.MulePortConfig()),
    }
    for name, net in nets.items():
        gdr_folder.write(root / name, name, net.config, net.state_dict())
        made[name] = str(root / name)
    both = Muscall(MuscallConfig())
    gdr_folder.write(root / "muscall", muscall.MODEL_TYPE, both.config, learned(both.state_dict()))
    return made | {"muscall": str(root / "muscall")}


def main(seconds: int) -> None:
    """Measure and print a table."""
    torch.set_num_threads(1)
    print("| encoder | width | × real time | of builtin's time |")
    print("|---|---|---|---|")
    fastest = 0.0
    with tempfile.TemporaryDirectory() as root:
        for name, model in folders(Path(root)).items():
            encoder = checkpoint.load(model, "cpu").encoder
            count = seconds * encoder.space.sample_rate_hz
            samples = 0.1 * np.random.default_rng(0).standard_normal(count).astype(np.float32)
            encoder.encode(samples[: count // 2])  # the first run allocates
            began = time.perf_counter()
            encoder.encode(samples)
            took = time.perf_counter() - began
            fastest = fastest or took
            print(
                f"| {name} | {encoder.space.dim} | {seconds / took:,.1f} | {took / fastest:,.0f} |",
                flush=True,
            )


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "seconds", nargs="?", type=int, default=60, help="length of the sound (default: 60)"
    )
    return parser


if __name__ == "__main__":
    main(options().parse_args().seconds)
