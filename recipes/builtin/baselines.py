"""Two maps from words to one point: the contrastive tower that ships, and ridge regression.

    python -m recipes.builtin.baselines --work DIR

Both are fitted in the space of the retriever in `DIR/NAME`, on the same passages, captions and
queries. Writes `DIR/NAME/tower.safetensors`, and `DIR/NAME/ridge.npz` for the comparison.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model import atomic
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.types import Array
from recipes.builtin.corpus.batches import TowerPassages, chances, search_points
from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.pool import Pool
from recipes.builtin.steps import step_parser
from training.evaluation.ridge import Ridge
from training.retrievers.tower import train_tower
from training.runs.state import load_model, read_tensors, save_tensors

TOWER, RIDGE = "tower.safetensors", "ridge.npz"
STEPS = 2500
MEMBERS = 8
"""Towers that are trained apart, from seeds and batches of their own, and ship as one."""
ALPHA = 300.0
"""Of ridge. Every passage has several captions that say much the same."""


def fit_ridge(pool: Pool, points: Array) -> Ridge:
    """From every caption of every passage, kinds of track in their shares."""
    captions = [n for item in pool.items for n in item["captions"]]
    owner = [i for i, item in enumerate(pool.items) for _ in item["captions"]]
    shares = chances(pool)[owner]
    shares = shares / shares.sum() * len(owner)
    return Ridge.solve(pool.texts.pooled[captions], points[owner], shares, ALPHA)


def save_ridge(ridge: Ridge, path: Path) -> None:
    """In half precision, as the model is stored."""
    bias = ridge.middle - ridge.centre @ ridge.weight
    with atomic.replacing(path) as temporary:
        np.savez(temporary, weight=ridge.weight.astype(np.float16), bias=bias.astype(np.float16))


def read_ridge(path: Path) -> Ridge:
    """What `save_ridge` wrote."""
    with np.load(path) as stored:
        weight: NDArray[np.float64] = stored["weight"].astype(np.float64)
        bias: NDArray[np.float64] = stored["bias"].astype(np.float64)
    return Ridge(weight, np.zeros(len(weight)), bias, ALPHA)


def save_tower(tower: ContrastiveTower, folder: Path) -> None:
    """Write a tower into the folder of a run."""
    save_tensors(folder / TOWER, tower.state_dict(), tower.shape)


def read_tower(folder: Path) -> ContrastiveTower:
    """What `save_tower` wrote.

    Raises:
        RunError: if it is missing or damaged.
    """
    tensors, shape = read_tensors(folder / TOWER)
    tower = ContrastiveTower(**shape)
    tower.load_state_dict(tensors)
    return tower.eval()


def member(pool: Pool, points: Array, seed: int) -> ContrastiveTower:
    """One of the towers."""

    def show(step: int, loss: float) -> None:
        if step % 500 == 0:
            print(f"tower {seed}, step {step}/{STEPS} InfoNCE {loss:.3f}", flush=True)

    return train_tower(TowerPassages(pool, points, chances(pool), seed), STEPS, seed, show)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--name", default="retriever")
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--pool", default="pool")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work, folder = arguments.work, arguments.work / arguments.name
    run = load_model(folder)
    pool, latents = Pool.load(work / arguments.pool), Latents.load(work / arguments.encoder)
    points, seed = search_points(pool, latents, run.space), run.config.optimiser.seed
    save_ridge(fit_ridge(pool, points), folder / RIDGE)
    towers = [member(pool, points, seed + one) for one in range(MEMBERS)]
    save_tower(ContrastiveTower.together(towers), folder)


if __name__ == "__main__":
    main()
