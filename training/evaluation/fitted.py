"""The baselines of a run: fitted once, on what the run was trained on, and kept in its folder.

    RUN/baselines/ridge.safetensors       ridge regressions
    RUN/baselines/regression.safetensors  networks that answer in one step

Shapes: P captions, D latent width.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor

from gdr_model.diffusion.denoisers import Network, build, describe
from gdr_model.errors import UsageError
from gdr_model.types import Array, TextEmbedding
from training.evaluation import baselines
from training.evaluation.baselines import CONTRAST, REGRESSION, RIDGE, RIDGE_WRITTEN
from training.evaluation.ridge import Ridge
from training.evaluation.subjects import TrainedRun
from training.runs.batches import Pairs
from training.runs.state import RunError, read_tensors, save_tensors

NAMES = ("teacher", "tower", "ridge", "regression", "classes")
"""What `--baselines` takes: the encoders' own comparison of words and sound, the contrastive tower,
and those of `baselines`."""
FOLDER = "baselines"


def chosen(text: str) -> tuple[str, ...]:
    """The names in a list, separated by commas: `all`, `none`, or some of `NAMES`.

    Raises:
        UsageError: naming one that there is not.
    """
    if text in ("all", "none"):
        return NAMES if text == "all" else ()
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f"there is no baseline {name!r}; use all, none, or some of {', '.join(NAMES)}"
            )
    return tuple(name for name in NAMES if name in names)


def points(trained: TrainedRun, text: TextEmbedding, names: Collection[str]) -> dict[str, Array]:
    """Unit points (P, D) for embedded captions, by each fitted baseline that is asked for."""
    found: dict[str, Array] = {}
    if "ridge" in names:
        found |= {name: ridge(text.pooled) for name, ridge in _ridges(trained).items()}
    if "regression" in names:
        schedule = trained.run.config.diffusion.schedule
        for name, net in _regressions(trained).items():
            found[name] = baselines.regress(net, text, schedule)
    return {name: trained.run.space.search(answers) for name, answers in found.items()}


def _pairs(trained: TrainedRun) -> Pairs:
    run = trained.run
    return Pairs(trained.corpus, run.part, run.space, run.config, run.net.config.frames)


def _ridges(trained: TrainedRun) -> dict[str, Ridge]:
    path = trained.folder / FOLDER / "ridge.safetensors"
    if not path.is_file():
        pairs, space = _pairs(trained), trained.run.space
        made = {RIDGE: baselines.ridge(pairs, space, written=False)}
        if len(pairs.written_caption):
            made[RIDGE_WRITTEN] = baselines.ridge(pairs, space, written=True)
        parts = {
            f"{name}/{part}": torch.from_numpy(getattr(ridge, part))
            for name, ridge in made.items()
            for part in ("weight", "centre", "middle")
        }
        _keep(path, parts, {"alphas": {name: ridge.alpha for name, ridge in made.items()}})
    tensors, about = read_tensors(path)
    try:
        return {
            name: Ridge(
                tensors[f"{name}/weight"].numpy(),
                tensors[f"{name}/centre"].numpy(),
                tensors[f"{name}/middle"].numpy(),
                float(alpha),
            )
            for name, alpha in about["alphas"].items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _regressions(trained: TrainedRun) -> dict[str, Network]:
    config, space, device = trained.run.config, trained.run.space, trained.device
    path = trained.folder / FOLDER / "regression.safetensors"
    weights = {REGRESSION: 0.0, CONTRAST: config.diffusion.nt_xent}
    wanted = {name: w for name, w in weights.items() if w or name == REGRESSION}
    if not path.is_file():
        pairs = _pairs(trained)
        parts: dict[str, Tensor] = {}
        for name, contrast in wanted.items():
            net = baselines.regression(pairs, space, trained.corpus, config, contrast, device)
            parts |= {f"{name}/{key}": value for key, value in net.state_dict().items()}
        _keep(path, parts, {"steps": baselines.regression_steps(config)})
    tensors, _ = read_tensors(path)
    nets = {}
    for name in wanted:
        net = build(describe(trained.run.net))
        own = {
            key.removeprefix(f"{name}/"): value
            for key, value in tensors.items()
            if key.startswith(f"{name}/")
        }
        try:
            net.load_state_dict(own)
        except RuntimeError as error:
            raise _damaged(path) from error
        nets[name] = net.eval().requires_grad_(False).to(device)
    return nets


def _keep(path: Path, tensors: dict[str, Tensor], about: dict[str, object]) -> None:
    path.parent.mkdir(exist_ok=True)
    save_tensors(path, tensors, about)


def _damaged(path: Path) -> RunError:
    return RunError(f"{path} is damaged; delete it, and it is made again")
