"""The trail: every query of this sitting, as a tree to go back in and branch from.

A query is a child of the one it changed. Undo goes to the parent and redo to the child visited
last, so nothing is ever lost; a query made after an undo starts a new branch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gdr_model.types import Edit, Hit, Results, Steering


@dataclass(frozen=True)
class Ask:
    """What was asked: how to draw, and which tracks may answer."""

    steering: Steering
    where: str = ""


@dataclass(eq=False)
class Node:
    """A query of the trail with its answer."""

    number: int
    ask: Ask
    results: Results
    parent: Node | None
    label: str
    children: list[Node] = field(default_factory=list)
    visited: Node | None = None
    """The child that redo goes to."""


class Trail:
    """The tree, and the place in it."""

    def __init__(self) -> None:
        self.current: Node | None = None
        self._roots: list[Node] = []
        self._made = 0

    def __len__(self) -> int:
        return self._made

    def answer(self, ask: Ask, results: Results) -> Node:
        """Keep an answer and stand on it: here, on an equal child, or on a new child."""
        here = self.current
        siblings = here.children if here else self._roots
        known = [n for n in ([here] if here else []) + siblings if n.ask == ask]
        if known:
            known[0].results = results
            return self.go(known[0])
        self._made += 1
        label = what_changed(here.ask if here else None, ask)
        node = Node(self._made, ask, results, here, label)
        siblings.append(node)
        return self.go(node)

    def go(self, node: Node) -> Node:
        """Stand on `node`; redo will lead back along the way to it."""
        step = node
        while step.parent:
            step.parent.visited = step
            step = step.parent
        self.current = node
        return node

    def undo(self) -> Node | None:
        """Go to the parent, if there is one."""
        if not self.current or not self.current.parent:
            return None
        self.current = self.current.parent
        return self.current

    def redo(self) -> Node | None:
        """Go to the child visited last, if there is one."""
        if not self.current or not self.current.visited:
            return None
        self.current = self.current.visited
        return self.current

    def unused_seed(self) -> int:
        """The smallest seed above every seed of the trail."""
        return 1 + max((n.ask.steering.seed for n, _ in self.rows()), default=0)

    def rows(self) -> Iterator[tuple[Node, str]]:
        """Every query, oldest branch first, with the lines to draw before it.

        The newest child continues its parent's column and older ones hang off it, so that a long
        sitting without branches stays at the left edge.
        """
        stack = [(root, "", "") for root in reversed(self._roots)]
        while stack:
            node, before, joint = stack.pop()
            yield node, before + joint
            below = before + ("│ " if joint else "")
            if node.children:
                *older, newest = node.children
                stack.append((newest, below, ""))
                stack += [(child, below, "├─") for child in reversed(older)]


def what_changed(before: Ask | None, after: Ask) -> str:
    """In few words, what makes `after` another query than `before`."""
    now = after.steering
    if before is None:
        return " ".join([f"“{now.prompt}”", *_extras(after)])
    old = before.steering
    parts: list[str] = []
    if now.edit and now.edit != old.edit:
        parts.append(f"edit {now.edit.strength:g} of {Path(now.edit.path).stem}: {now.prompt}")
    else:
        parts += ["no edit"] if old.edit and not now.edit else []
        parts += [f"“{now.prompt}”"] if now.prompt != old.prompt else []
    parts += [f"− {n.text}:{n.weight:g}" for n in now.negatives if n not in old.negatives]
    gone = [n for n in old.negatives if n.text not in {m.text for m in now.negatives}]
    parts += [f"no more − {n.text}" for n in gone]
    for sign, was, has in (("♥", old.likes, now.likes), ("⊘", old.dislikes, now.dislikes)):
        parts += [f"{sign} {Path(p).stem}" for p in has if p not in was]
        parts += [f"no {sign} {Path(p).stem}" for p in was if p not in has]
    if now.guidance != old.guidance:
        parts.append(f"g {old.guidance:g}→{now.guidance:g}")
    parts += [f"{now.steps} steps"] if now.steps != old.steps else []
    parts += [f"{now.draws} draws"] if now.draws != old.draws else []
    parts += [f"re-roll seed {now.seed}"] if now.seed != old.seed else []
    if after.where != before.where:
        parts.append(f"where {after.where}" if after.where else "no filter")
    return ", ".join(parts) or "again"


def _extras(ask: Ask) -> list[str]:
    """What a first query already carries besides its prompt."""
    negatives = [f"− {n.text}:{n.weight:g}" for n in ask.steering.negatives]
    return negatives + ([f"where {ask.where}"] if ask.where else [])


@dataclass(frozen=True)
class Comparison:
    """How one list differs from another; ranks count from 1."""

    came: tuple[tuple[int, Hit], ...]
    """New rank and hit."""
    went: tuple[tuple[int, Hit], ...]
    """Old rank and hit."""
    moved: tuple[tuple[int, int, Hit], ...]
    """Old rank, new rank and hit."""
    stayed: int
    """How many kept their rank."""


def ranks(results: Results) -> dict[Path, int]:
    """Rank of every track, from 1."""
    return {hit.track.path: rank for rank, hit in enumerate(results.hits, 1)}


def compare(before: Results, after: Results) -> Comparison:
    """What came, went and moved between two lists."""
    old, new = ranks(before), ranks(after)
    both = [(old[h.track.path], r, h) for r, h in enumerate(after.hits, 1) if h.track.path in old]
    return Comparison(
        came=tuple((r, h) for r, h in enumerate(after.hits, 1) if h.track.path not in old),
        went=tuple((r, h) for r, h in enumerate(before.hits, 1) if h.track.path not in new),
        moved=tuple(move for move in both if move[0] != move[1]),
        stayed=sum(was == now for was, now, _ in both),
    )


def source_of(edit: Edit) -> str:
    """The name of the file an edit starts from."""
    return Path(edit.path).stem
