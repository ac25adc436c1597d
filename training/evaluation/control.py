"""`gdr eval control`: negatives, edits and sliders, compared with simpler ways to the same end.

Negatives   `training.evaluation.negatives`
Edits       over (source, target): the share of the target in the top 20 (of a small gallery, the
            top quarter), against the cosine of the query to the source, for every strength;
            compared at equal closeness, and at equal gain; how near the tracks found are to the
            source is compared, too. Rivals: SDEdit, and the straight lines from the source's point
            to the answer for the words (re-prompting) and to the tower's point for them. The edit
            is also shown without the tower, and with draws from noise that does not depend on the
            source.
Sliders     the same along "more ...", from a prompt. Rivals: prompt arithmetic, with the answer for
            the words drawn, and with the tower's point for them.

Every query is drawn and ranked by the `Retriever` (`training.evaluation.steered`). Intervals are
bootstraps over pairs; differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import Array, Method
from training import metrics
from training.evaluation.baselines import arithmetic
from training.evaluation.negatives import negatives
from training.evaluation.steered import Steered
from training.evaluation.tables import Table

TOP = 20
"""Tracks whose attributes are counted; fewer where the gallery is small (`top_of`)."""
OF_GALLERY = 4
"""The top is no more than one in so many tracks: otherwise no query could move its share far."""
LEAST = 12
"""Tracks below which nothing can be said."""
PAIRS = 60
STRENGTHS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
AMOUNTS = (0.25, 0.5, 0.75, 1.0)
WAYS = (0.25, 0.5, 0.75, 1.0)
CLOSENESS = (0.8, 0.7, 0.5)
"""Cosines to the source at which gains of edits are compared."""
SLIDER_CLOSENESS = (0.9, 0.8, 0.7)
"""Cosines to the answer without a slider; a slider at its end has gone about as far as the last."""
RESAMPLES = 5000

GAINS = (15, 30)
"""Points by which the share of the target has grown where closeness of edits is compared."""

Doubles = NDArray[np.float64]
Walk = list[tuple[float, float]]
"""Closeness to the start and share of the target, step by step."""


def control(
    steered: Steered,
    *,
    pairs: int = PAIRS,
    seed: int = 0,
    resamples: int = RESAMPLES,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if there are too few attributes for a pair.
    """
    tracks = len(steered.gallery.tracks)
    if tracks < LEAST:
        raise UsageError(f"control needs at least {LEAST} tracks; there are {tracks}")
    if len(steered.attributes) < 2:
        raise UsageError("control needs tracks with at least two attributes")
    tables: list[Table] = []
    on_progress("negatives")
    tables += negatives(steered, top_of(tracks), pairs, seed, resamples)
    on_progress("edits")
    tables += edits(steered, pairs, seed, resamples)
    on_progress("sliders")
    tables.append(sliders(steered, pairs, seed, resamples))
    about = {
        "protocol": "control",
        "model": steered.retriever.model.name,
        "gallery": len(steered.gallery.tracks),
        "attributes": len(steered.attributes),
        "top": top_of(tracks),
        "draws": steered.how.draws,
        "steps": steered.how.steps,
        "guidance": steered.how.guidance,
        "seed": seed,
    }
    return tables, about


def top_of(tracks: int) -> int:
    """How many tracks the top of a list has: 20, but no more than a quarter of all."""
    return min(TOP, tracks // OF_GALLERY)


def share(steered: Steered, scores: Array, name: str) -> float:
    """Percent of the top of a list by scores (R,) that has an attribute."""
    top = np.argsort(-scores, kind="stable")[: top_of(len(scores))]
    return 100 * float(steered.attributes[name][top].mean())


def edits(steered: Steered, pairs: int, seed: int, resamples: int) -> list[Table]:
    """Gain towards the target at equal closeness to the source, and closeness at equal gain."""
    s = steered
    rng = np.random.default_rng(seed)
    names = list(s.attributes)
    top = top_of(len(s.gallery.tracks))
    walks: dict[str, list[Walk]] = {}
    found: dict[str, list[Walk]] = {}
    for _ in range(pairs):
        target = names[int(rng.integers(len(names)))]
        lacking = np.flatnonzero(~s.attributes[target])
        source = int(lacking[rng.integers(len(lacking))])
        here = s.sources[source]
        plain = s.query(target, seed=seed)
        words = s.mixed(plain)
        tower = s.retriever.query(Steering(target), Method.CONTRASTIVE).vectors
        edited = [s.edit(source, target, w, seed) for w in STRENGTHS]
        routes = {
            "edit": edited,
            "edit, its draws alone": [replace(query, anchor=None) for query in edited],
            "edit, other noise": [
                replace(query, vectors=unit((1 - w) * here + w * plain.vectors))
                for query, w in zip(edited, STRENGTHS, strict=True)
            ],
            "SDEdit": [s.from_noise(source, target, w, seed) for w in STRENGTHS],
            "re-prompting, mixed in": [s.at((1 - w) * here + w * words) for w in WAYS],
            "the tower's point, mixed in": [s.at((1 - w) * here + w * tower) for w in WAYS],
        }
        others = np.delete(s.sources, source, axis=0) @ here
        for name, queries in routes.items():
            steps = [s.at(here[None]), *queries]
            every = [s.scores(query) for query in steps]
            shares = [share(s, scores, target) for scores in every]
            near = [float(s.retriever.centre(query) @ here) for query in steps]
            lists = [
                np.argsort(-np.delete(scores, source), kind="stable")[:top] for scores in every
            ]
            walks.setdefault(name, []).append(list(zip(near, shares, strict=True)))
            found.setdefault(name, []).append(
                [
                    (float(others[rows].mean()), grown)
                    for rows, grown in zip(lists, shares, strict=True)
                ]
            )
    asked = f"{pairs} sources and targets"
    return [
        _compared(f"Edits, {asked}", walks, CLOSENESS, top, resamples),
        _at_equal_gain(f"Edits at equal gain, {asked}", walks, "The query's", resamples),
        _at_equal_gain(
            f"What edits find at equal gain, {asked}", found, f"The top {top}'s", resamples
        ),
    ]


def sliders(steered: Steered, pairs: int, seed: int, resamples: int) -> Table:
    """Gain towards the words at equal closeness to the answer without them."""
    s = steered
    rng = np.random.default_rng(seed + 1)
    names = list(s.attributes)
    walks: dict[str, list[Walk]] = {}
    for _ in range(pairs):
        prompt, towards = (names[int(i)] for i in rng.permutation(len(names))[:2])
        plain = s.query(prompt, seed=seed)
        centre, words = s.retriever.centre(plain), s.retriever.centre(s.query(towards, seed=seed))
        tower = s.retriever.query(Steering(towards), Method.CONTRASTIVE).vectors[0]
        routes = {
            "slider": [s.query(prompt, sliders=((towards, a),), seed=seed) for a in AMOUNTS],
            "prompt arithmetic": [
                s.at(arithmetic(centre[None], [(words, w)])) for w in (0.25, 0.5, 1, 2)
            ],
            "prompt arithmetic, the tower's": [
                s.at(arithmetic(centre[None], [(tower, w)])) for w in (0.25, 0.5, 1, 2)
            ],
        }
        for name, queries in routes.items():
            walk = [
                (float(s.retriever.centre(query) @ centre), share(s, s.scores(query), towards))
                for query in (plain, *queries)
            ]
            walks.setdefault(name, []).append(walk)
    title = f"Sliders, {pairs} prompts and words"
    return _compared(title, walks, SLIDER_CLOSENESS, top_of(len(s.gallery.tracks)), resamples)


def _compared(
    title: str,
    walks: dict[str, list[Walk]],
    closeness: tuple[float, ...],
    top: int,
    resamples: int,
) -> Table:
    """Gain at each closeness with its interval, and the first minus every other, paired."""
    table = Table(
        title,
        (
            *(f"gain at {near:g}" for near in closeness),
            *(f"first minus this at {near:g}" for near in closeness),
            "gain at the end",
            "closeness",
        ),
        note=f"Gain: how much the share of the target in the top {top} has grown, in points; "
        "interpolated along the walk where the query's cosine to its start passes a closeness.",
    )

    def gains(name: str, near: float) -> Doubles:
        return np.array([gain_at(walk, near) for walk in walks[name]])

    first = next(iter(walks))
    for name, own in walks.items():
        table.add(
            name,
            *(metrics.interval(gains(name, near), resamples=resamples) for near in closeness),
            *(
                metrics.difference_interval(
                    gains(first, near), gains(name, near), resamples=resamples
                )
                for near in closeness
            ),
            float(np.mean([walk[-1][1] - walk[0][1] for walk in own])),
            float(np.mean([walk[-1][0] for walk in own])),
        )
    return table


def _at_equal_gain(title: str, walks: dict[str, list[Walk]], whose: str, resamples: int) -> Table:
    table = Table(
        title,
        (
            *(f"closeness at +{gain}" for gain in GAINS),
            *(f"first minus this at +{gain}" for gain in GAINS),
        ),
        note=f"{whose} mean cosine to the source where the share of the target has grown by so "
        "many points; interpolated along the mean walk, over the same resampled pairs.",
    )
    arrays = {name: np.array(own) for name, own in walks.items()}
    first = next(iter(arrays))

    def closeness(name: str, gain: float) -> Callable[[Doubles], float]:
        return lambda rows: closeness_at(arrays[name][rows.astype(np.int64)].mean(axis=0), gain)

    def minus(name: str, gain: float) -> Callable[[Doubles], float]:
        ours, theirs = closeness(first, gain), closeness(name, gain)
        return lambda rows: ours(rows) - theirs(rows)

    every = np.arange(len(arrays[first]))
    for name in arrays:
        statistics = [closeness(name, g) for g in GAINS] + [minus(name, g) for g in GAINS]
        table.add(
            name, *(metrics.interval(every, statistic=s, resamples=resamples) for s in statistics)
        )
    return table


def closeness_at(walk: Doubles, gain: float) -> float:
    """The closeness where the share along a walk (S, 2) has grown by so many points.

    A walk that never grows so much counts with its end.
    """
    grown = walk[:, 1] - walk[0, 1]
    reached = np.flatnonzero(grown >= gain)
    if not len(reached):
        return float(walk[-1, 0])
    step = reached[0]
    part = (gain - grown[step - 1]) / (grown[step] - grown[step - 1])
    return float(walk[step - 1, 0] + part * (walk[step, 0] - walk[step - 1, 0]))


def gain_at(walk: Sequence[tuple[float, float]], closeness: float) -> float:
    """Growth of the share where a walk of (closeness, share) first falls to a closeness.

    A walk that never falls so far counts with its end.
    """
    begin = walk[0][1]
    for (near, before), (nearer, after) in pairwise(walk):
        if nearer <= closeness:
            part = (near - closeness) / max(near - nearer, 1e-9)
            return before + min(1.0, max(0.0, part)) * (after - before) - begin
    return walk[-1][1] - begin
