"""What generation is measured by: the contrastive tower that ships, and ridge regression.

    python -m recipes.builtin.baselines --work DIR [--power 1]

Both map MiniLM's pooled vector to one point of the search space. The tower is trained with
InfoNCE against the search vectors of passages, and to rank passages under a query as the teacher
does; ridge has a closed form. Writes `DIR/NAME/contrastive.pt` and `DIR/NAME/ridge.npz`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from gdr_model.encoders.builtin.minilm import WIDTH
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.search.whitening import Whitening
from gdr_model.types import Array
from recipes.builtin.corpus.latents import DIM, Latents
from recipes.builtin.corpus.pool import Pool
from recipes.builtin.train_retriever import Items

BATCH = 512
TEMPERATURE = 0.07
SHARPNESS = 2.0
"""Of the teacher's order: deviations of its score to powers of e."""
RIDGE = 300.0


def targets(items: Items, power: float) -> Array:
    """Search vectors of all passages of a pool (N, D)."""
    whitening = Whitening(items.latents.mean, items.latents.sd, power)
    means = [
        items.latents.passage(i["id"], i["start_s"], i["seconds"]).mean(axis=0)
        for i in items.pool.items
    ]
    return whitening.apply(np.stack(means))


def train_tower(items: Items, power: float, steps: int, seed: int) -> ContrastiveTower:
    """InfoNCE, symmetric, one caption of each passage at a time."""
    torch.manual_seed(seed)
    tower = ContrastiveTower(WIDTH, DIM)
    vectors = torch.from_numpy(targets(items, power))
    optimiser = torch.optim.AdamW(tower.parameters(), 1e-3, weight_decay=0.05)
    rng = np.random.default_rng(seed)
    known = [np.array(item["captions"]) for item in items.pool.items]
    running = 0.0
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
        drawn = rng.choice(len(known), min(BATCH, len(known)), replace=False, p=items.chance)
        captions = [int(known[i][int(rng.integers(len(known[i])))]) for i in drawn]
        numbers, classes = items.pool.ask(rng, BATCH // 2)
        texts = tower(torch.from_numpy(items.pool.pooled[captions + numbers]))
        scores = texts @ vectors[drawn].T / TEMPERATURE  # (B + B / 2, B)
        own = torch.arange(len(drawn))
        said, asked = scores[: len(own)], scores[len(own) :]
        value = (F.cross_entropy(said, own) + F.cross_entropy(said.T, own)) / 2
        wanted = torch.from_numpy(SHARPNESS * items.pool.answers(classes, drawn)).softmax(dim=1)
        value = value + F.cross_entropy(asked, wanted)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        running = 0.99 * running + 0.01 * float(value.detach())
        if (step + 1) % 500 == 0:
            print(f"step {step + 1}/{steps} InfoNCE {running:.3f}", flush=True)
    return tower.eval()


def fit_ridge(items: Items, power: float) -> tuple[Array, Array]:
    """Weight (E, D) and bias (D,) from pooled text to search vectors, over every caption."""
    rows = [n for item in items.pool.items for n in item["captions"]]
    owner = [i for i, item in enumerate(items.pool.items) for _ in item["captions"]]
    pooled = items.pool.pooled[rows].astype(np.float64)
    wanted = targets(items, power)[owner].astype(np.float64)
    share = items.chance[owner] / items.chance[owner].sum() * len(owner)
    centre, middle = np.average(pooled, 0, share), np.average(wanted, 0, share)
    x, y = pooled - centre, wanted - middle
    gram = (x * share[:, None]).T @ x + RIDGE * np.eye(WIDTH)
    weight = np.linalg.solve(gram, (x * share[:, None]).T @ y)
    return weight.astype(np.float32), (middle - centre @ weight).astype(np.float32)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--name", default="retriever")
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--pool", default="pool")
    parser.add_argument("--power", type=float, default=1.0, help="whitening: divide by sd^power")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work: Path = arguments.work
    latents = Latents.load(work / arguments.encoder)
    items = Items.of(Pool.load(work / arguments.pool), latents, arguments.seed)
    tower = train_tower(items, arguments.power, arguments.steps, arguments.seed)
    weight, bias = fit_ridge(items, arguments.power)
    folder = work / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"tower": tower.state_dict(), "power": arguments.power}, folder / "contrastive.pt")
    np.savez(folder / "ridge.npz", weight=weight, bias=bias)


if __name__ == "__main__":
    main()
