"""The tables of `gdr eval cloud`.

Draws are those of `gdr search`, `DRAWS` a prompt, before any tower. As a reference, as many of the
tracks that fit are taken for draws: what a perfect cloud of this size measures. So are the tracks
that the tower lists first: from those a roll takes how vague the words are. A draw's list leans on
the tower by several shares.

Shapes: P prompts, Q draws, N tracks, D latent width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gdr_model.errors import UsageError
from gdr_model.search.spread import LOOK
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import Array
from training import metrics
from training.data.division import Mask
from training.evaluation.cloud.asked import Asked, asked
from training.evaluation.cloud.measured import (
    AXES,
    Cloud,
    Floats,
    listed,
    mean_axes,
    mean_of,
    measure,
)
from training.evaluation.cloud.settings import DRAWS, Setting
from training.evaluation.subjects import CPU, Subject, opened
from training.evaluation.tables import Table

SHOWN_AXES = 8
SHARES = (0.3, 0.5, 0.7)
"""The tower's part in the list of one draw."""
COLUMNS = (
    "spread",
    "axes off by",
    "energy distance",
    "nearest tracks",
    "precision",
    "recall",
    "density",
    "coverage",
)


@dataclass
class _Tables:
    calibration: Table
    axes: Table
    widths: Table
    lists: Table

    @property
    def all(self) -> list[Table]:
        return [self.calibration, self.axes, self.widths, self.lists]


def cloud(
    name: str,
    settings: Sequence[Setting],
    *,
    data: str = "",
    seed: int = 0,
    device: torch.device = CPU,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if no prompt of the set has enough right answers.
    """
    with opened(name, data, device=device) as subject:
        prompts = asked(subject.captions, subject.right)
        tracks = _points(subject)
        tables = _tables(prompts, len(tracks))
        tower = [unit(subject.retriever.drawer.rows(Steering(p.text))[0]) for p in prompts]
        axes = metrics.principal_axes(tracks, AXES)
        rng = np.random.default_rng(seed)
        real = [tracks[rng.choice(np.flatnonzero(p.right), DRAWS)] for p in prompts]
        _add(tables, "tracks that fit", prompts, real, tracks, tower, axes, rng)
        near = [tracks[np.argsort(-(tracks @ point), kind="stable")[:LOOK]] for point in tower]
        _add(tables, f"the tower's {LOOK} tracks", prompts, near, tracks, tower, axes, rng)
        for setting in settings:
            on_progress(setting.name)
            drawer = subject.retriever.drawer
            drawn = [drawer.drawn(setting.steering(p.text, seed)).vectors for p in prompts]
            _add(tables, setting.name, prompts, drawn, tracks, tower, axes, rng)
    about = {
        "protocol": "cloud",
        "subject": name,
        "data": data,
        "seed": seed,
        "draws": DRAWS,
        "settings": [setting.name for setting in settings],
        "prompts": {prompt.text: int(prompt.right.sum()) for prompt in prompts},
    }
    return tables.all, about


def _points(subject: Subject) -> Array:
    """The point (N, D) of every track: that of its mean over time."""
    space, library = subject.model.space, subject.gallery.library
    means = [library.latents(t.content, space).mean(0) for t in subject.gallery.tracks]
    if len(means) <= DRAWS:
        raise UsageError(f"{len(means)} tracks are too few for {DRAWS} draws")
    return subject.model.whitening.apply(np.stack(means))


def _tables(prompts: Sequence[Asked], tracks: int) -> _Tables:
    vague = sum(not prompt.narrow for prompt in prompts)
    said = f"{vague} prompts and {len(prompts) - vague} pairs of them, {tracks} tracks"
    return _Tables(
        Table(
            f"The cloud of {DRAWS} draws, {said}",
            COLUMNS,
            note="Spread: the draws' variance over that of the tracks that fit. Axes off by: the "
            "mean factor between the two along a principal axis of all tracks. Nearest tracks: how "
            "many different tracks are nearest to the draws, as a share of what the tracks that "
            "fit reach.",
        ),
        Table(
            "Variance of draws over that of the tracks that fit, principal axes of all tracks",
            tuple(f"axis {axis}" for axis in range(1, SHOWN_AXES + 1)),
        ),
        Table(
            "Width of the cloud: total variance of unit vectors",
            ("prompts", "pairs", "pairs / prompts", "rank correlation"),
            note="Rank correlation over all prompts with the width of the tracks that fit.",
        ),
        Table(
            "The list of one draw, 20 tracks",
            tuple(f"{what}, tower {share:g}" for share in SHARES for what in ("right %", "new %")),
            note="New: the share of the list that another draw's list has not.",
        ),
    )


def _add(
    tables: _Tables,
    name: str,
    prompts: Sequence[Asked],
    drawn: Sequence[Array],
    tracks: Array,
    tower: Sequence[Array],
    axes: Floats,
    rng: np.random.Generator,
) -> None:
    clouds: list[Cloud] = []
    lists: list[Floats] = []
    for prompt, draws, anchor in zip(prompts, drawn, tower, strict=True):
        clouds.append(measure(draws, tracks, prompt.right, axes, rng))
        found = [listed(draws, anchor, s, tracks, prompt.right) for s in SHARES]
        lists.append(100 * np.concatenate(found))
    tables.calibration.add(name, *mean_of(clouds))
    tables.axes.add(name, *map(float, mean_axes(clouds)[:SHOWN_AXES]))
    tables.widths.add(name, *_widths(prompts, drawn, tracks))
    tables.lists.add(name, *map(float, np.mean(lists, axis=0)))


def _widths(
    prompts: Sequence[Asked], drawn: Sequence[Array], tracks: Array
) -> tuple[float | str, ...]:
    """Of the vague prompts, the narrow ones, the second over the first; the correlation."""
    wide = np.array([draws.var(axis=0, ddof=1).sum() for draws in drawn], np.float64)
    real = np.array([tracks[p.right].var(axis=0, ddof=1).sum() for p in prompts], np.float64)
    narrow: Mask = np.array([prompt.narrow for prompt in prompts], np.bool_)
    vague_width = float(wide[~narrow].mean())
    alike = metrics.rank_correlation(wide, real)
    if not narrow.any():
        return vague_width, "—", "—", alike
    narrow_width = float(wide[narrow].mean())
    return vague_width, narrow_width, narrow_width / vague_width, alike
