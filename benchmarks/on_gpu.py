"""What a GPU saves: `python benchmarks/on_gpu.py [cpu|cuda ...]` (default: what is available).

Four tables, in some minutes. Encoding: seconds of sound encoded per second, not counting decoding,
for a clip of half a minute and for a song of four; on a GPU also the cosine of its latents to the
processor's (CLAP computes in bfloat16 there). Drawing: the 8 draws of a prompt in 12 steps with
guidance, by the method's U-Nets and by the denoiser that ships, as it is and compiled
(`torch.compile`). Samplers: the same by the denoiser that ships, for some of them. Training: steps
of 64 passages per second, in single precision and, on a GPU, in bfloat16. Networks other than the
one that ships have their published sizes and random weights, which take as long as trained ones.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from encoder_speed import folders
from torch import Tensor

from gdr_model.diffusion.denoisers.context import Context, Denoiser
from gdr_model.diffusion.denoisers.unet import PRESETS, UnetDenoiser
from gdr_model.diffusion.guidance import Guided
from gdr_model.diffusion.sampling import ddim, noise
from gdr_model.diffusion.schedule import Schedule
from gdr_model.models import checkpoint
from gdr_model.search.drawing import Drawer
from gdr_model.search.whitening import unit
from gdr_model.steering import Sampler, Steering
from gdr_model.types import Array, TextEmbedding
from training.runs.config import OptimiserConfig, RunConfig
from training.runs.run_input import TrainingBatch
from training.runs.train import adamw, one_step

CLIP_S, SONG_S = 30, 240
SAMPLERS = (("ddim", 12), ("dpm++", 6), ("unipc", 6), ("heun", 6))
TOKENS = 20
PROMPT = Steering("warm piano", steps=12, sampler=Sampler.DDIM)
BATCH = 64


def timed(work: Callable[[], object], device: str) -> float:
    """Seconds taken by the better of two runs, after a warm-up run."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        if device != "cpu":
            torch.accelerator.synchronize()
        took.append(time.perf_counter() - began)
    return min(took[1:])


def encoding(device: str) -> Iterator[str]:
    """Speed of each encoder as a multiple of real time."""
    with tempfile.TemporaryDirectory() as root:
        for name, model in folders(Path(root)).items():
            encoder = checkpoint.load(model, device).encoder
            count = SONG_S * encoder.space.sample_rate_hz
            song = 0.1 * np.random.default_rng(0).standard_normal(count).astype(np.float32)
            clip = song[: CLIP_S * encoder.space.sample_rate_hz]
            fast = f"{CLIP_S / timed(partial(encoder.encode, clip), device):,.0f}"
            # A song of noise takes CLAP minutes on a processor.
            long, same = "", ""
            if device != "cpu":
                long = f"{SONG_S / timed(partial(encoder.encode, song), device):,.0f}"
                here = checkpoint.load(model, "cpu").encoder.encode(clip[: len(clip) // 2])
                there = encoder.encode(clip[: len(clip) // 2])
                same = f"{(unit(here) * unit(there)).sum(1).min():.5f}"
            yield f"| {name} | {device} | {fast} | {long} | {same} |"


def drawing(device: str, names: list[str]) -> Iterator[str]:
    """Time of the draws of one prompt."""
    model = checkpoint.load("builtin", device)
    text_width = model.denoiser.config.text_width
    yield drawn("builtin", model.velocity, model.space.dim, text_width, device)
    for name in names:
        shape = PRESETS[name]
        net = UnetDenoiser(shape).to(device).eval()
        yield drawn(f"unet {name}", net, shape.dim, shape.text_width, device)


def drawn(name: str, net: Denoiser, dim: int, text_width: int, device: str) -> str:
    """A row."""
    states = np.random.default_rng(0).normal(size=(2, TOKENS, text_width)).astype(np.float32)
    text = TextEmbedding(states, np.ones((2, TOKENS), np.bool_), states.mean(axis=1))
    guided, schedule = Guided.build(net, text, PROMPT.guidance), Schedule()
    start = noise(PROMPT.draws, 64, dim, 0).to(device)
    draw = partial(ddim, x=start, grid=schedule.grid(PROMPT.steps), schedule=schedule)
    took = timed(lambda: draw(guided), device)
    compiled = ""
    if device == "cuda":
        guided = replace(guided, net=Compiled(net))
        compiled = f"{1000 * timed(lambda: draw(guided), device):,.0f} ms"
    return f"| {name} | {device} | {1000 * took:,.0f} ms | {compiled} |"


class Compiled:
    """A denoiser whose evaluation is compiled for the shapes it sees."""

    def __init__(self, net: Denoiser) -> None:
        self.null, self.read = net.null, net.read
        self.evaluate = torch.compile(net)

    def __call__(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """Give v (B, T, D) at x (B, T, D) and times (B,)."""
        v: Tensor = self.evaluate(x, t, context)
        return v


def sampling(device: str) -> Iterator[str]:
    """Time of the draws of one prompt by sampler."""
    drawer = Drawer(checkpoint.load("builtin", device), no_file)
    for sampler, steps in SAMPLERS:
        steering = PROMPT.but(sampler=sampler, steps=steps)
        took = timed(lambda steering=steering: drawer.query(steering), device)
        yield f"| {sampler} | {steps} | {device} | {1000 * took:,.0f} ms |"


def no_file(path: str) -> Array:
    """Latents of a file, of which the prompt names none."""
    raise FileNotFoundError(path)


def training(device: str, names: list[str]) -> Iterator[str]:
    """Steps per second, by precision."""
    for name in names:
        for precision in ("fp32", "bf16") if device == "cuda" else ("fp32",):
            yield trained(name, precision, device)


def trained(name: str, precision: str, device: str) -> str:
    """A row."""
    optimising = OptimiserConfig(batch=BATCH, precision=precision)
    config = RunConfig("speed", network={"kind": "unet"}, optimiser=optimising)
    net = UnetDenoiser(PRESETS[name]).to(device)
    optimiser = adamw(net, config)
    states = torch.randn(BATCH, TOKENS, 768)
    mask = torch.ones(BATCH, TOKENS, dtype=torch.bool)
    x0 = torch.randn(BATCH, 64, PRESETS[name].dim)
    batch = TrainingBatch(x0, states, mask, states.mean(1)).to(torch.device(device))
    took = timed(lambda: one_step(net, batch, optimiser, config, 0), device)
    return f"| unet {name} | {precision} | {device} | {1 / took:,.2f} |"


def main(devices: list[str]) -> None:
    """Measure and print the tables."""
    torch.set_num_threads(1)
    for device in devices:
        where = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
        print(f"\n{device}: {where}, {torch.get_num_threads()} threads, torch {torch.__version__}")
        names = list(PRESETS) if device == "cuda" else ["tiny"]
        tables = {
            "| encoder | device | × real time, clip | song | cosine |": encoding(device),
            "| denoiser | device | 8 draws | compiled |": drawing(device, names),
            "| sampler | steps | device | 8 draws |": sampling(device),
            "| network | precision | device | steps / s |": training(device, names),
        }
        for head, rows in tables.items():
            print(f"\n{head}\n|{' --- |' * (head.count('|') - 1)}", flush=True)
            for row in rows:
                print(row, flush=True)


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "devices", nargs="*", metavar="cpu|cuda", help="default: those that are available"
    )
    return parser


if __name__ == "__main__":
    picked = checkpoint.pick_device("auto").type
    main(options().parse_args().devices or list(dict.fromkeys(["cpu", picked])))
