"""Train the diffusion model: from the words of a caption to the latents of its passage.

    python -m recipes.builtin.train_retriever --work DIR

The trainer is that of `gdr train` (`training.runs.train`); `retriever.yaml` is its configuration,
and `corpus.batches` its data: latents standardised and whitened along time, two thirds captions,
one third queries. An interrupted run resumes. Leaves `DIR/NAME` as `gdr train` leaves a run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gdr_model.diffusion import loss
from gdr_model.diffusion.denoisers import Network
from recipes.builtin.corpus.batches import PassageBatches, space_of
from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.pool import Pool
from recipes.builtin.steps import step_parser
from training.runs.config import RunConfig
from training.runs.run_input import RunInput, Validation
from training.runs.space import Space
from training.runs.state import CONFIG
from training.runs.train import TrainingProgress, network, train

RETRIEVER = Path(__file__).with_name("retriever.yaml")
CHECKED = 8
"""Batches of held-out passages that a validation reads."""
PRINTED = 100
"""Steps between two lines of progress."""


@dataclass(frozen=True)
class HeldOutLoss:
    """Validation: the denoising loss on fixed batches of held-out tracks, no words dropped."""

    batches: PassageBatches
    figures: tuple[str, ...] = ("held-out loss",)

    def __call__(self, net: Network) -> dict[str, float]:
        """Over times from all noise to none."""
        d = self.batches.config.diffusion
        values = []
        with torch.inference_mode():
            for number in range(CHECKED):
                batch = self.batches.batch(number)
                t = torch.linspace(0, d.schedule.times - 1, len(batch.x0)).long()
                generator = torch.Generator().manual_seed(number)
                eps = torch.randn(batch.x0.shape, generator=generator)
                context = net.read(batch.states, batch.mask, batch.pooled)
                output = net(d.schedule.add_noise(batch.x0, eps, t), t, context)
                values.append(
                    loss.denoising(
                        output, batch.x0, eps, t, d.schedule, d.prediction, None, d.mean_weight
                    ).item()
                )
        return {self.figures[0]: float(np.mean(values))}


class NoValidation:
    """For a work folder without a pool of held-out tracks."""

    figures: tuple[str, ...] = ()

    def __call__(self, net: Network) -> dict[str, float]:
        """Nothing."""
        return {}


def run_input(config: RunConfig, pool: Pool, latents: Latents, held_out: Pool | None) -> RunInput:
    """What the trainer is given."""
    space = space_of(pool, latents, config)
    counts = {"passages": len(pool.items), "captions": len(pool.captions)}
    return RunInput(
        PassageBatches.of(pool, latents, space, config),
        space,
        network(config, space.dim, pool.texts),
        "test",
        validation_of(config, latents, space, held_out),
        counts,
    )


def validation_of(
    config: RunConfig, latents: Latents, space: Space, held_out: Pool | None
) -> Validation:
    """The held-out loss, where there is a pool of held-out tracks."""
    if held_out is None:
        return NoValidation()
    worded = replace(
        config,
        captions=replace(config.captions, dropped=0.0),
        optimiser=replace(config.optimiser, seed=config.optimiser.seed + 1),
    )
    return HeldOutLoss(PassageBatches.of(held_out, latents, space, worded))


def show(at: TrainingProgress) -> None:
    """A line every `PRINTED` steps."""
    if at.step % PRINTED == 0 or at.step == at.steps:
        figures = "".join(f", {name} {value:.4f}" for name, value in at.scores.items())
        print(
            f"step {at.step}/{at.steps} {at.elapsed_s / 60:.1f} min loss {at.loss:.4f}{figures}",
            flush=True,
        )


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--name", default="retriever")
    parser.add_argument("--config", type=Path, default=RETRIEVER, metavar="YAML")
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--pool", default="pool")
    parser.add_argument("--held", default="pool-test", help="pool of held-out tracks to check on")
    parser.add_argument("--steps", type=int, default=0, help="other than the configuration has")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    work, folder = arguments.work, arguments.work / arguments.name
    config = RunConfig.read(arguments.config)
    if arguments.steps:
        config = replace(config, optimiser=replace(config.optimiser, steps=arguments.steps))
    pool, latents = Pool.load(work / arguments.pool), Latents.load(work / arguments.encoder)
    held = work / arguments.held
    given = run_input(config, pool, latents, Pool.load(held) if held.exists() else None)
    train(
        config,
        given,
        folder,
        resume=(folder / CONFIG).exists(),
        device=torch.device(arguments.device),
        on_progress=show,
    )


if __name__ == "__main__":
    main()
