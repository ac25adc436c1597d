"""`gdr eval session`: looks at ten new results until a simulated person sees the track in mind.

Every system is used by the same persons (`person`): the same targets, words and noise of the ear.
gdr answers with the product's own queries and evidence (`tools`), the rival with arithmetic
(`rivals`). Intervals are bootstraps over targets, whose seeds go together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gdr_model.types import Method
from training import metrics
from training.evaluation.session.person import MOST_WORDS, Move, Person
from training.evaluation.session.rivals import TwoTower
from training.evaluation.session.showing import Show, informative, most_probable, thompson
from training.evaluation.session.tools import Gdr, Tool
from training.evaluation.session.world import World
from training.evaluation.tables import Table

MOST_LOOKS = 40
"""A person gives up then, and the looks count as so many."""
SOON = 5
RESAMPLES = 5000
WORD = frozenset({Move.WORD})
SHIPPED = WORD | {Move.NEAREST, Move.SECOND, Move.THIRD}
"""The moves that gdr is measured with."""


@dataclass(frozen=True)
class System:
    """A tool, the moves that a person makes with it, and which results it shows."""

    tool: Tool
    moves: frozenset[Move]
    show: Show = most_probable


@dataclass(frozen=True)
class Found:
    """How many looks each person needed."""

    looks: tuple[int, ...]

    @property
    def soon(self) -> list[float]:
        """1 for each person who needed few looks, else 0."""
        return [float(one <= SOON) for one in self.looks]


def session(
    world: World,
    *,
    half: int = 2,
    targets: int = 300,
    seeds: int = 3,
    method: Method = Method.GDR,
    ablations: bool = True,
    resamples: int = RESAMPLES,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """The tables, and what they were made from.

    Raises:
        UsageError: if no track of this half can be asked for.
    """
    columns = world.targets(half, targets)
    groups = [str(target) for target in columns for _ in range(seeds)]
    known: dict[tuple[int, frozenset[Move], int], Found] = {}

    def found(name: str, system: System) -> Found:
        on_progress(name)
        key = id(system.tool), system.moves, id(system.show)
        if key not in known:
            known[key] = Found(
                tuple(
                    looks(world, system, target, seed)
                    for target in columns
                    for seed in range(seeds)
                )
            )
        return known[key]

    tabled = partial(_table, found, groups, resamples)
    about = f"{len(columns)} targets of half {half}, {seeds} seeds, among {len(world.names)} tracks"
    rival, gdr = TwoTower(world), Gdr(world, method)
    arithmetic = WORD | {Move.NEAREST, Move.PASSED, Move.NEGATIVE}
    shipped = System(gdr, SHIPPED)
    systems = {
        "two-tower, next page": System(rival, frozenset()),
        "two-tower, one more word": System(rival, WORD),
        "two-tower, word, Rocchio": System(rival, WORD | {Move.NEAREST}),
        "two-tower, and away from the farthest, negative": System(rival, arithmetic),
        "two-tower, word, Rocchio on three": System(rival, SHIPPED),
        "gdr, one more word": System(gdr, WORD),
        "gdr, word, nearest": System(gdr, WORD | {Move.NEAREST}),
        "gdr, word, nearest, second": System(gdr, WORD | {Move.NEAREST, Move.SECOND}),
        "gdr, word, nearest, second, third": shipped,
    }
    plain = systems["two-tower, word, Rocchio"]
    tables = [tabled(f"Looks until a track is found, {about}", systems, plain)]
    if ablations:
        tables.append(tabled("One move more than words", _more(gdr), systems["gdr, one more word"]))
        tables.append(tabled("One move less, and one more", _less(gdr), shipped))
        shows: dict[str, Show] = {"Thompson draws": thompson}
        shows["probable and informative"] = informative(world.sounds)
        others = {name: System(gdr, SHIPPED, show) for name, show in shows.items()}
        tables.append(tabled("What is shown", {"most probable": shipped, **others}, shipped))
    facts = {"protocol": "session", "half": half, "targets": len(columns), "seeds": seeds}
    return tables, facts | {"tracks": len(world.names), "method": str(method)}


def looks(world: World, system: System, target: int, seed: int) -> int:
    """How many looks one person needs, up to `MOST_LOOKS`."""
    rng = np.random.default_rng([seed, target])
    own = world.words[target]
    words = [own[at] for at in rng.permutation(len(own))[:MOST_WORDS]]
    alike = world.ear @ world.ear[target]
    person = Person(
        words, lambda one: float(alike[one]), lambda one: world.words[one], rng, system.moves
    )
    seen = np.zeros(len(alike), np.bool_)
    for look in range(1, MOST_LOOKS + 1):
        scores = np.where(seen, np.float32(-np.inf), system.tool.scores(person))
        shown = system.show(scores, rng)
        if target in shown or not shown:
            return look
        seen[shown] = True
        person.look(shown)
    return MOST_LOOKS


def _more(gdr: Gdr) -> Mapping[str, System]:
    """Words, and one more move."""
    systems = {"words alone": System(gdr, WORD)}
    for move in sorted(set(Move) - WORD - {Move.SECOND, Move.THIRD}):
        if gdr.method == Method.GDR or move not in (Move.REROLL, Move.EDIT):
            systems[f"and {move}"] = System(gdr, WORD | {move})
    return systems


def _less(gdr: Gdr) -> Mapping[str, System]:
    """All moves but some, and with one more."""
    systems = {"all": System(gdr, SHIPPED)}
    preferred = {Move.NEAREST, Move.SECOND, Move.THIRD}
    systems["without words"] = System(gdr, SHIPPED - WORD)
    systems["without the third"] = System(gdr, SHIPPED - {Move.THIRD})
    systems["without the second and third"] = System(gdr, SHIPPED - {Move.SECOND, Move.THIRD})
    systems["without the nearest of all"] = System(gdr, SHIPPED - preferred)
    for move in (Move.PASSED, Move.FINISHED, Move.LIKE, Move.BAN, Move.NEGATIVE):
        systems[f"with {move} too"] = System(gdr, SHIPPED | {move})
    return systems


def _table(
    found: Callable[[str, System], Found],
    groups: Sequence[str],
    resamples: int,
    title: str,
    systems: Mapping[str, System],
    rival: System,
) -> Table:
    """A row for each system, the last columns compared with the rival's looks."""
    table = Table(title, ("mean looks", f"within {SOON}", "fewer looks", "share of looks saved"))
    theirs = found("the rival", rival)
    for name, system in systems.items():
        ours = found(name, system)
        fewer = metrics.difference_interval(
            theirs.looks, ours.looks, groups=groups, resamples=resamples
        )
        table.add(
            name,
            metrics.interval(ours.looks, groups=groups, resamples=resamples),
            metrics.interval(ours.soon, groups=groups, resamples=resamples),
            fewer if system is not rival else "–",
            fewer.value / float(np.mean(theirs.looks)),
        )
    compared = next(name for name, system in systems.items() if system == rival)
    table.note = (
        f"Ten new results a look; {MOST_LOOKS} looks at most. The last two columns compare with "
        f"“{compared}”. 95 % bootstrap intervals over targets."
    )
    return table
