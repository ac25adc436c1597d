"""`gdr eval control`: negatives, edits and sliders, beside the plain ways to the same end.

Negatives   over pairs (wanted, negated) of attributes: the share of the top 20 that has the one and
            the other. Rivals: score minus the negated words' own score, and prompt arithmetic.
Edits       over (source, target): the share of the target in the top 20, against the cosine of the
            query to the source, for every strength; compared at equal closeness. Rivals: noise that
            knows nothing of the source (SDEdit), and re-prompting: the way from the source's vector
            straight to the answer for the words.
Sliders     the same along "more ...", from a prompt. Rival: prompt arithmetic.

Intervals are bootstraps over pairs; differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training import metrics
from training.evaluation import baselines
from training.evaluation.control_models import Steerable
from training.evaluation.tables import Table

TOP = 20
PAIRS = 24
STRENGTHS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
AMOUNTS = (0.25, 0.5, 0.75, 1.0)
WAYS = (0.25, 0.5, 0.75, 1.0)
SEPARABLE = 0.4
"""Share of the wanted tracks that may have the negated attribute, too, for a pair to be asked."""
CLOSENESS = (0.8, 0.7, 0.5)
"""Cosines to the source at which gains of edits are compared."""
SLIDER_CLOSENESS = (0.9, 0.8, 0.7)
"""Cosines to the answer without a slider; a slider at its end has gone about as far as the last."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """How many of the top 20 have an attribute."""

    steered: Steerable
    gallery: Array  # (R, D)

    def of(self, scores: Array, name: str) -> float:
        """In percent, from scores (R,)."""
        top = np.argsort(-scores, kind="stable")[:TOP]
        return 100 * float(self.steered.attributes[name][top].mean())

    def scores(self, draws: Array) -> Array:
        """(R,) of unit draws (Q, D): the mean cosine, as the app ranks."""
        return np.asarray((draws @ self.gallery.T).mean(0))


def control(
    steered: Steerable,
    *,
    pairs: int = PAIRS,
    seed: int = 0,
    resamples: int = 5000,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if there are too few attributes for a pair.
    """
    share = Share(steered, steered.gallery)
    if len(steered.attributes) < 2:
        raise UsageError("control needs tracks with at least two attributes")
    on_progress("negatives")
    first = negatives(share, pairs, seed, resamples)
    on_progress("edits")
    second = edits(share, pairs, seed, resamples)
    on_progress("sliders")
    third = sliders(share, pairs, seed, resamples)
    about = {
        "protocol": "control",
        "gallery": len(share.gallery),
        "attributes": len(steered.attributes),
        "draws": steered.draws,
        "steps": steered.steps,
        "guidance": steered.guidance,
        "seed": seed,
    }
    return [first, second, third], about


def middle(draws: Array) -> Array:
    """The unit point (D,) towards which draws (Q, D) rank together."""
    return unit(draws.mean(0))


def negatives(share: Share, pairs: int, seed: int, resamples: int) -> Table:
    """The share of wanted and negated attributes under every way of negating."""
    s = share.steered
    plain = {name: s.query(name, seed=seed) for name in s.attributes}
    scores = {name: s.answer(name, seed=seed) for name in s.attributes}
    has = s.attributes
    asked = [
        (want, negated)
        for want in s.attributes
        for negated in s.attributes
        if want != negated
        # A negative has something to do where many, but not all, of the answers have it.
        and 25 <= share.of(scores[want], negated) <= 90
        and share.of(scores[want], want) >= 25
        # What nearly always comes along cannot be left out without leaving the wanted.
        and (has[want] & has[negated]).sum() <= SEPARABLE * has[want].sum()
    ]
    if not asked:
        raise UsageError("no prompt finds what could be negated; control needs a larger set")
    rng = np.random.default_rng(seed)
    chosen = [asked[i] for i in np.sort(rng.permutation(len(asked))[:pairs])]
    ways: dict[str, Callable[[str, str], Array]] = {
        "no negative": lambda p, n: scores[p],
        "negative, weight 0.5": lambda p, n: s.answer(p, ((n, 0.5),), seed),
        "negative, weight 1": lambda p, n: s.answer(p, ((n, 1.0),), seed),
        "negative, weight 2": lambda p, n: s.answer(p, ((n, 2.0),), seed),
    }
    for w in (0.25, 0.5, 0.75):
        ways[f"score minus {w:g} × negated"] = lambda p, n, w=w: scores[p] - w * scores[n]  # type: ignore[misc]
    for w in (0.5, 1.0):
        ways[f"prompt arithmetic, {w:g}"] = lambda p, n, w=w: share.scores(  # type: ignore[misc]
            baselines.arithmetic(plain[p].mean(0)[None], [(plain[n].mean(0), -w)])
        )
    table = Table(
        f"Negatives, {len(chosen)} pairs",
        ("negated %", "wanted %", "negated, of plain %", "wanted, of plain %"),
        note=f"Share of the top {TOP}; 95 % bootstrap over pairs.",
    )
    before = None
    for name, way in ways.items():
        found = [(way(p, n), p, n) for p, n in chosen]
        bad = np.array([share.of(each, n) for each, _, n in found])
        good = np.array([share.of(each, p) for each, p, _ in found])
        before = before or (bad.mean(), good.mean())
        table.add(
            name,
            metrics.interval(bad, resamples=resamples),
            metrics.interval(good, resamples=resamples),
            100 * float(bad.mean() / before[0]),
            100 * float(good.mean() / before[1]),
        )
    return table


def edits(share: Share, pairs: int, seed: int, resamples: int) -> Table:
    """Gain towards the target at equal closeness to the source."""
    s = share.steered
    rng = np.random.default_rng(seed)
    names = list(s.attributes)
    walks: dict[str, list[list[tuple[float, float]]]] = {}
    for _ in range(pairs):
        target = names[int(rng.integers(len(names)))]
        lacking = np.flatnonzero(~s.attributes[target])
        source = int(lacking[rng.integers(len(lacking))])
        here = share.gallery[source]
        fresh = s.query(target, seed=seed)

        def at(draws: Array, here: Array = here, target: str = target) -> tuple[float, float]:
            return float(middle(draws) @ here), share.of(share.scores(draws), target)

        start = at(here[None])
        for how, title in (("inverted", "edit, inverted"), ("noise", "edit, random noise")):
            walk = [at(s.edit(source, target, strength, how, seed)) for strength in STRENGTHS]
            walks.setdefault(title, []).append([start, *walk])
        straight = [at(baselines.arithmetic((1 - w) * here[None] + w * fresh, [])) for w in WAYS]
        walks.setdefault("re-prompting, mixed in", []).append([start, *straight])
    return _compared(f"Edits, {pairs} sources and targets", walks, CLOSENESS, resamples)


def sliders(share: Share, pairs: int, seed: int, resamples: int) -> Table:
    """Gain towards the words at equal closeness to the answer without them."""
    s = share.steered
    rng = np.random.default_rng(seed + 1)
    names = list(s.attributes)
    walks: dict[str, list[list[tuple[float, float]]]] = {}
    for _ in range(pairs):
        prompt, towards = (names[int(i)] for i in rng.permutation(len(names))[:2])
        plain, words = s.query(prompt, seed=seed), s.query(towards, seed=seed)
        centre = middle(plain)

        def at(draws: Array, to: Array = centre, name: str = towards) -> tuple[float, float]:
            return float(middle(draws) @ to), share.of(share.scores(draws), name)

        start = at(plain)
        slid = [at(s.query(prompt, sliders=((towards, a),), seed=seed)) for a in AMOUNTS]
        walks.setdefault("slider", []).append([start, *slid])
        added = [
            at(baselines.arithmetic(centre[None], [(middle(words), w)])) for w in (0.25, 0.5, 1, 2)
        ]
        walks.setdefault("prompt arithmetic", []).append([start, *added])
    return _compared(f"Sliders, {pairs} prompts and words", walks, SLIDER_CLOSENESS, resamples)


def _compared(
    title: str,
    walks: dict[str, list[list[tuple[float, float]]]],
    closeness: tuple[float, ...],
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
        note=f"Gain: how much the share of the target in the top {TOP} has grown, in points; "
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


def gain_at(walk: Sequence[tuple[float, float]], closeness: float) -> float:
    """Growth of the share where a walk of (closeness, share) first falls to a closeness.

    A walk that never falls so far counts with its end.
    """
    begin = walk[0][1]
    for (near, share), (nearer, more) in pairwise(walk):
        if nearer <= closeness:
            part = (near - closeness) / max(near - nearer, 1e-9)
            return share + min(1.0, max(0.0, part)) * (more - share) - begin
    return walk[-1][1] - begin
