"""Train the diffusion model: from the words of a caption to the latents of its passage.

    python -m recipes.builtin.train_retriever --work DIR --minutes 25

v-prediction on latents that are standardised and whitened along time
(`gdr_model.diffusion.time_whitening`), the time-mean counting as much as all else together; the
caption dropped for one item in ten (the
learned null), an exponential average of the weights. Two thirds of a batch are passages with one
of their captions, a third are queries with a passage that answers them by the teacher's opinion. A
small contrast between time-means keeps passages apart that have much in common. The cosine schedule
runs over the clock. Resumes from `DIR/NAME/checkpoint.pt`; the answer is `DIR/NAME/denoiser.pt`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.loss import nt_xent
from gdr_model.diffusion.schedule import Schedule
from gdr_model.diffusion.time_whitening import deviations, evened
from gdr_model.types import Array
from recipes.builtin.corpus.crops import SHARES
from recipes.builtin.corpus.latents import DIM, Latents
from recipes.builtin.corpus.pool import Pool

BATCH = 64
RATE = 1e-3
ASKED = 24
"""Items of a batch that come from a query."""
CANDIDATES = 512
SHARPNESS = 2.5
"""A query's passage is drawn from `CANDIDATES` at random, likelier by e for each 1 / SHARPNESS
deviations of the teacher's score."""
CONTRAST = 0.02
DROPPED = 0.1
EMA = 0.999
MEAN_WEIGHT = 1.0
"""Weight of the error of the time-mean beside the mean error: at 1 it counts as much as the other
63 coefficients together. It is what a query is made of, and they can hardly be predicted."""
MEASURED = 1024
"""Passages from which the deviations along time are taken."""
CHECKPOINT_S = 180.0


@dataclass(frozen=True)
class Items:
    """Draws (passage, caption) pairs; the same seed and step give the same batch."""

    pool: Pool
    latents: Latents
    chance: np.ndarray[tuple[int], np.dtype[np.float64]]
    seed: int
    along: Array
    """(T, D) deviations along time."""

    @classmethod
    def of(cls, pool: Pool, latents: Latents, seed: int, along: Array | None = None) -> Items:
        """Kinds of track in the proportions in which the encoder has heard them.

        Without `along` it is measured on passages of the pool.
        """
        kinds = [item["kind"] for item in pool.items]
        counts = {kind: kinds.count(kind) for kind in set(kinds)}
        chance = np.array([SHARES[kind] / counts[kind] for kind in kinds])
        items = cls(pool, latents, chance / chance.sum(), seed, np.ones((1, 1), np.float32))
        return items.measured() if along is None else replace(items, along=along)

    def passages(self, items: Sequence[dict[str, Any]]) -> Array:
        """Standardised passages (B, T, D) of items."""
        rows = np.stack([self.latents.passage(i["id"], i["start_s"], i["seconds"]) for i in items])
        return np.asarray((rows - self.latents.mean) / self.latents.sd, np.float32)

    def measured(self) -> Items:
        """The same with deviations along time measured on `MEASURED` of its passages."""
        rng = np.random.default_rng(self.seed)
        drawn = rng.choice(len(self.pool.items), MEASURED, p=self.chance)
        return replace(self, along=deviations(self.passages([self.pool.items[i] for i in drawn])))

    def batch(self, step: int, size: int) -> tuple[Tensor, list[int]]:
        """Evened latents (B, T, D) and the numbers of their captions."""
        rng = np.random.default_rng([self.seed, step])
        asked = min(ASKED, size // 2)
        drawn = rng.choice(len(self.pool.items), size - asked, p=self.chance)
        items = [self.pool.items[i] for i in drawn]
        chosen = [int(i["captions"][int(rng.integers(len(i["captions"])))]) for i in items]
        numbers, classes = self.pool.ask(rng, asked)
        among = rng.choice(len(self.pool.items), CANDIDATES, p=self.chance)
        scores = SHARPNESS * self.pool.answers(classes, among)
        # Gumbel noise turns the best score into a draw in proportion to exp(score).
        best = among[(scores + rng.gumbel(size=scores.shape)).argmax(axis=1)]
        items += [self.pool.items[i] for i in best]
        x0 = evened(self.passages(items), self.along)
        return torch.from_numpy(x0), chosen + numbers


def loss(
    net: TransformerDenoiser,
    schedule: Schedule,
    x0: Tensor,
    text: tuple[Tensor, Tensor, Tensor],
    generator: torch.Generator,
) -> Tensor:
    """Squared error of v at random times, stratified over the batch, and the contrast."""
    batch = len(x0)
    states, mask, pooled = text
    kept = torch.rand(batch, generator=generator) >= DROPPED
    context = net.read(states, mask & kept[:, None], pooled)
    spread = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    # Captions come before queries in a batch; their times must not.
    spread = spread[torch.randperm(batch, generator=generator)]
    t = (spread * schedule.times).long().clamp(0, schedule.times - 1)
    eps = torch.randn(x0.shape, generator=generator)
    x = schedule.add_noise(x0, eps, t)
    v = net(x, t, context)
    error = squared(v - schedule.velocity(x0, eps, t))
    # Without words there is nothing to tell passages apart by but the noisy ones themselves.
    said = kept.nonzero()[:, 0]
    return error + CONTRAST * nt_xent(v[said], x[said], x0[said], t[said], schedule)


def squared(error: Tensor) -> Tensor:
    """Of errors (B, T, D): their mean square, and that of their time-mean for itself."""
    mean = error.mean(1).square().mean() * error.shape[1]
    return error.square().mean() + MEAN_WEIGHT * mean


def average(ema: dict[str, Tensor], net: TransformerDenoiser, step: int) -> None:
    """Move the running average towards the weights; early on it follows faster."""
    share = 1 - min(EMA, (step + 1) / (step + 10))
    with torch.no_grad():
        for name, value in net.state_dict().items():
            ema[name].lerp_(value, share)


def held_out(
    net: TransformerDenoiser, schedule: Schedule, items: Items, numbers: Sequence[int]
) -> float:
    """The loss with captions on fixed batches, nothing dropped."""
    values = []
    with torch.inference_mode():
        for number in numbers:
            x0, chosen = items.batch(number, BATCH)
            generator = torch.Generator().manual_seed(number)
            context = net.read(*items.pool.batch(chosen))
            t = torch.linspace(0, schedule.times - 1, BATCH).long()
            eps = torch.randn(x0.shape, generator=generator)
            v = net(schedule.add_noise(x0, eps, t), t, context)
            values.append(float(squared(v - schedule.velocity(x0, eps, t))))
    return float(np.mean(values))


def train(work: Path, arguments: argparse.Namespace) -> None:
    """Train until the time is up, however often interrupted."""
    folder = work / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    latents = Latents.load(work / arguments.encoder)
    items = Items.of(Pool.load(work / arguments.pool), latents, arguments.seed)
    check = Pool.load(work / arguments.held) if (work / arguments.held).exists() else None
    torch.manual_seed(arguments.seed)
    config = TransformerConfig(dim=DIM, width=arguments.width, layers=arguments.layers)
    net, schedule = TransformerDenoiser(config), Schedule()
    optimiser = torch.optim.AdamW(net.parameters(), RATE, (0.9, 0.98), weight_decay=0.02)
    ema = {name: value.clone() for name, value in net.state_dict().items()}
    state: dict[str, Any] = {"step": 0, "elapsed": 0.0}
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        ema, state = saved["ema"], {k: saved[k] for k in state}
    count = sum(p.numel() for p in net.parameters())
    print(f"{count / 1e6:.2f} M parameters, {len(items.pool.items)} passages", flush=True)
    budget, last_saved, running = 60 * arguments.minutes, time.monotonic(), 0.0
    while state["elapsed"] < budget:
        began, step = time.monotonic(), state["step"]
        rate = RATE * min(1.0, (step + 1) / 300)
        rate *= 0.5 * (1 + math.cos(math.pi * state["elapsed"] / budget))
        for group in optimiser.param_groups:
            group["lr"] = rate
        x0, chosen = items.batch(step, BATCH)
        generator = torch.Generator().manual_seed(arguments.seed * 1_000_003 + step)
        value = loss(net, schedule, x0, items.pool.batch(chosen), generator)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average(ema, net, step)
        now = float(value.detach())
        running = now if not running else 0.99 * running + 0.01 * now
        state["step"] += 1
        # A suspended process does not learn: a pause costs none of the time given.
        state["elapsed"] += min(2.0, time.monotonic() - began)
        if state["step"] % 200 == 0:
            print(
                f"step {state['step']} {state['elapsed'] / 60:.1f}/{arguments.minutes:g} min "
                f"loss {running:.4f}",
                flush=True,
            )
        if time.monotonic() - last_saved > CHECKPOINT_S or state["elapsed"] >= budget:
            saved = {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "ema": ema}
            torch.save({**saved, **state}, folder / "checkpoint.part")
            (folder / "checkpoint.part").replace(checkpoint)
            last_saved = time.monotonic()
            if check is not None:
                trained = {name: value.clone() for name, value in net.state_dict().items()}
                net.load_state_dict(ema)
                outside = held_out(
                    net, schedule, Items.of(check, latents, 1, items.along), range(8)
                )
                net.load_state_dict(trained)
                print(f"step {state['step']} held-out loss {outside:.4f}", flush=True)
    answer = {"config": asdict(config), "ema": ema, "along": torch.from_numpy(items.along)}
    torch.save({**answer, **state}, folder / "denoiser.pt")
    summary = {"passages": len(items.pool.items), "captions": len(items.pool.texts), **state}
    (folder / "summary.json").write_text(json.dumps({**summary, "batch": BATCH}) + "\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--name", default="retriever")
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--pool", default="pool")
    parser.add_argument("--held", default="pool-test", help="pool of held-out tracks to watch")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train(arguments.work, arguments)


if __name__ == "__main__":
    main()
