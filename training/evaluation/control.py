"""`gdr eval control`: negatives, edits and sliders, compared with simpler ways to the same end.

Negatives   over pairs (wanted, negated) of attributes: the share of the top 20 that has each
            (of a small gallery, the top quarter).
            Rivals: score minus the negated words' own score, and prompt arithmetic.
Edits       over (source, target): the share of the target in the top 20, against the cosine of the
            query to the source, for every strength; compared at equal closeness. Rivals: noise that
            does not depend on the source (SDEdit), and re-prompting: the straight line from the
            source's vector to the answer for the words.
Sliders     the same along "more ...", from a prompt. Rival: prompt arithmetic.

Every query is drawn and ranked by the `Retriever` (`training.evaluation.steered`). Intervals are
bootstraps over pairs; differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from gdr_model.types import Array
from training import metrics
from training.evaluation.baselines import arithmetic
from training.evaluation.steered import Steered
from training.evaluation.tables import Table

TOP = 20
"""Tracks whose attributes are counted; fewer where the gallery is small (`top_of`)."""
OF_GALLERY = 4
"""The top is no more than one in so many tracks: otherwise no query could move its share far."""
LEAST = 12
"""Tracks below which nothing can be said."""
PAIRS = 24
STRENGTHS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
AMOUNTS = (0.25, 0.5, 0.75, 1.0)
WAYS = (0.25, 0.5, 0.75, 1.0)
SEPARABLE = 0.4
"""Largest share of the wanted tracks that may have the negated attribute, too."""
CLOSENESS = (0.8, 0.7, 0.5)
"""Cosines to the source at which gains of edits are compared."""
SLIDER_CLOSENESS = (0.9, 0.8, 0.7)
"""Cosines to the answer without a slider; a slider at its end has gone about as far as the last."""
RESAMPLES = 5000

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
    tables = []
    for name, protocol in (("negatives", negatives), ("edits", edits), ("sliders", sliders)):
        on_progress(name)
        tables.append(protocol(steered, pairs, seed, resamples))
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


def negatives(steered: Steered, pairs: int, seed: int, resamples: int) -> Table:
    """The share of wanted and negated attributes under every way of negating."""
    s, has = steered, steered.attributes
    plain = {name: s.query(name, seed=seed) for name in has}
    scores = {name: s.scores(query) for name, query in plain.items()}
    asked = [
        (want, negated)
        for want in has
        for negated in has
        if want != negated
        # A negative has something to do where many, but not all, of the answers have it.
        and 25 <= share(s, scores[want], negated) <= 90
        and share(s, scores[want], want) >= 25
        # What nearly always comes with the wanted cannot be left out without leaving it.
        and (has[want] & has[negated]).sum() <= SEPARABLE * has[want].sum()
    ]
    if not asked:
        raise UsageError("no prompt finds anything to negate; control needs a larger set")
    rng = np.random.default_rng(seed)
    chosen = [asked[i] for i in np.sort(rng.permutation(len(asked))[:pairs])]

    def negated(weight: float) -> Callable[[str, str], Array]:
        return lambda p, n: s.scores(s.query(p, negatives=((n, weight),), seed=seed))

    def subtracted(weight: float) -> Callable[[str, str], Array]:
        return lambda p, n: scores[p] - weight * scores[n]

    def arithmetically(weight: float) -> Callable[[str, str], Array]:
        def way(p: str, n: str) -> Array:
            others = [(s.retriever.centre(plain[n]), -weight)]
            return s.scores(s.at(arithmetic(s.retriever.centre(plain[p])[None], others)))

        return way

    ways: dict[str, Callable[[str, str], Array]] = {"no negative": lambda p, n: scores[p]}
    ways |= {f"negative, weight {w:g}": negated(w) for w in (0.5, 1, 2)}
    ways |= {f"score minus {w:g} × negated": subtracted(w) for w in (0.25, 0.5, 0.75)}
    ways |= {f"prompt arithmetic, {w:g}": arithmetically(w) for w in (0.5, 1)}
    table = Table(
        f"Negatives, {len(chosen)} pairs",
        ("negated %", "wanted %", "negated, of plain %", "wanted, of plain %"),
        note=f"Share of the top {top_of(len(s.gallery.tracks))}; 95 % bootstrap over pairs.",
    )
    before = None
    for name, way in ways.items():
        answers = [(way(p, n), p, n) for p, n in chosen]
        bad = np.array([share(s, each, n) for each, _, n in answers])
        good = np.array([share(s, each, p) for each, p, _ in answers])
        before = before or (bad.mean(), good.mean())
        table.add(
            name,
            metrics.interval(bad, resamples=resamples),
            metrics.interval(good, resamples=resamples),
            100 * float(bad.mean() / before[0]),
            100 * float(good.mean() / before[1]),
        )
    return table


def edits(steered: Steered, pairs: int, seed: int, resamples: int) -> Table:
    """Gain towards the target at equal closeness to the source."""
    s = steered
    rng = np.random.default_rng(seed)
    names = list(s.attributes)
    walks: dict[str, list[Walk]] = {}
    for _ in range(pairs):
        target = names[int(rng.integers(len(names)))]
        lacking = np.flatnonzero(~s.attributes[target])
        source = int(lacking[rng.integers(len(lacking))])
        here = s.sources[source]
        fresh = s.mixed(s.query(target, seed=seed))
        routes = {
            "edit, inverted": [s.edit(source, target, w, seed) for w in STRENGTHS],
            "edit, random noise": [s.from_noise(source, target, w, seed) for w in STRENGTHS],
            "re-prompting, mixed in": [s.at((1 - w) * here[None] + w * fresh) for w in WAYS],
        }
        for name, queries in routes.items():
            walk = [
                (float(s.retriever.centre(query) @ here), share(s, s.scores(query), target))
                for query in (s.at(here[None]), *queries)
            ]
            walks.setdefault(name, []).append(walk)
    title = f"Edits, {pairs} sources and targets"
    return _compared(title, walks, CLOSENESS, top_of(len(s.gallery.tracks)), resamples)


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
        routes = {
            "slider": [s.query(prompt, sliders=((towards, a),), seed=seed) for a in AMOUNTS],
            "prompt arithmetic": [
                s.at(arithmetic(centre[None], [(words, w)])) for w in (0.25, 0.5, 1, 2)
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
