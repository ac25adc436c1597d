"""The trail: every query of this and earlier sessions, as a tree to go back in and branch from.

A query is a child of the one it changed. Undo goes to the parent and redo to the child visited
last, so nothing is ever lost; a query made after an undo starts a new branch. A session starts
with no current query: its first query becomes a new root, and redo returns to where the last
session ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.notebook.trails import KeptQuery, KeptTrail
from gdr_model.steering import Steering
from gdr_model.types import Hit, Query, Results
from gdr_tui import labels


@dataclass(frozen=True)
class Ask:
    """What a query asks: how to draw, and which tracks compete."""

    steering: Steering
    where: str = ""
    limits: Limits = NO_LIMITS


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
    name: str = ""
    """Given by the user."""
    folded: bool = False
    """Its children are not shown."""
    away: bool = False
    """Not shown, nor is anything below it, until `Trail.unhide`."""
    asked_at: float = field(default_factory=time.time)
    """Seconds since 1970."""
    stale: bool = False
    """Its results are from an earlier session or model; it is run again on return to it."""
    earlier: bool = False
    """Asked in an earlier session."""
    id: int | None = None
    """Its number in the notebook, once it is stored there."""

    @property
    def title(self) -> str:
        """Its name, or what changed if it has none."""
        return self.name or self.label

    def line(self) -> Iterator[Node]:
        """The query itself, the one it came from, and so on."""
        step: Node | None = self
        while step:
            yield step
            step = step.parent


class Writer(Protocol):
    """Stores a trail beyond this session."""

    def save_answer(self, node: Node) -> None:
        """A query was answered, for the first time or again."""

    def save_current(self, node: Node) -> None:
        """A query became the current one."""

    def save_name(self, node: Node) -> None:
        """A query was named, hidden or shown again."""


class Trail:
    """The tree and its current query."""

    def __init__(self, writer: Writer | None = None) -> None:
        self.writer = writer
        self.current: Node | None = None
        self.other: Node | None = None
        """The query that the current one is compared with."""
        self._left: Node | None = None
        """Where the last session ended."""
        self._roots: list[Node] = []
        self._made = 0

    def __len__(self) -> int:
        return self._made

    def answer(self, ask: Ask, results: Results) -> Node:
        """Store an answer and make its query current: this one, an equal child, or a new child."""
        here = self.current
        siblings = here.children if here else self._roots
        equal = [n for n in ([here] if here else []) + siblings if n.ask == ask]
        if equal:
            node = equal[0]
            node.results, node.stale, node.away = results, False, False
        else:
            self._made += 1
            label = what_changed(here.ask if here else None, ask)
            node = Node(self._made, ask, results, here, label)
            siblings.append(node)
        if self.writer:
            self.writer.save_answer(node)
        return self.go(node)

    def restore(self, kept: KeptTrail, writer: Writer | None = None) -> None:
        """Insert the queries of earlier sessions before this one's; all are stored from now on."""
        nodes: dict[int, Node] = {}
        roots: list[Node] = []
        for number, query in enumerate(kept.queries, 1):
            parent = nodes.get(query.parent) if query.parent is not None else None
            nodes[query.id] = node = _restored(number, query, parent)
            (parent.children if parent else roots).append(node)
        asked_since = sorted(self.nodes(), key=lambda node: node.number)
        for node in asked_since:
            node.number += len(nodes)
        self._roots[:0] = roots
        self._made += len(nodes)
        self._left = nodes.get(kept.current) if kept.current is not None else None
        for step in self._left.line() if self._left else ():
            if step.parent:
                step.parent.visited = step
        self.writer = writer
        if writer:
            for node in asked_since:
                writer.save_answer(node)
                writer.save_name(node)
            if self.current:
                writer.save_current(self.current)

    def go(self, node: Node) -> Node:
        """Make `node` current; redo will lead along the path to it."""
        for step in node.line():
            if step.parent:
                step.parent.visited = step
                step.parent.folded = False
        return self._make_current(node)

    def outdate(self) -> None:
        """Forget what was drawn for every query; what it found stays until it is run again."""
        for node in self.nodes():
            node.results, node.stale = replace(node.results, query=_undrawn(node.ask)), True

    def undo(self) -> Node | None:
        """Go to the parent, if there is one."""
        if not self.current or not self.current.parent:
            return None
        return self._make_current(self.current.parent)

    def redo(self) -> Node | None:
        """Go to the child visited last, or to where the last session ended, if there is one."""
        target = self.current.visited if self.current else self._left
        return self._make_current(target) if target else None

    def rename(self, node: Node, name: str) -> None:
        """Name a query; with "" it is titled by what changed."""
        node.name = name.strip()
        self._save_name(node)

    def hide(self, node: Node) -> bool:
        """Hide a query and all below it; False if the current query is among them."""
        if self.current and node in self.current.line():
            return False
        node.away = True
        if self.other and node in self.other.line():
            self.other = None
        self._save_name(node)
        return True

    def unhide(self) -> Node | None:
        """Show the latest hidden query again, with all below it; None if none is hidden."""
        away = [node for node in self.nodes() if node.away]
        if not away:
            return None
        node = max(away, key=lambda n: n.number)
        node.away = False
        self._save_name(node)
        return node

    def _make_current(self, node: Node) -> Node:
        self.current = node
        if self.writer:
            self.writer.save_current(node)
        return node

    def _save_name(self, node: Node) -> None:
        if self.writer:
            self.writer.save_name(node)

    def nodes(self) -> Iterator[Node]:
        """Every query, including hidden ones."""
        stack = self._roots[::-1]
        while stack:
            node = stack.pop()
            yield node
            stack += node.children[::-1]

    def unused_roll(self, prompt: str) -> int:
        """The smallest roll above all that the trail has of a prompt."""
        asked = (node.ask.steering for node in self.nodes())
        return 1 + max((s.roll for s in asked if s.spread and s.prompt == prompt), default=0)

    def rows(self) -> Iterator[tuple[Node, str]]:
        """Every query that is shown, oldest branch first, with the tree lines in front of it.

        The newest child continues its parent's column and older ones branch off it, so that a
        long session without branches stays at the left edge.
        """
        stack = [(root, "", "") for root in reversed(self._roots) if not root.away]
        while stack:
            node, before, joint = stack.pop()
            yield node, before + joint
            below = before + ("│ " if joint else "")
            children = [] if node.folded else [c for c in node.children if not c.away]
            if children:
                *older, newest = children
                stack.append((newest, below, ""))
                stack += [(child, below, "├─") for child in reversed(older)]


def hidden(node: Node) -> int:
    """How many queries a folded one hides."""
    below, stack = 0, node.children[:] if node.folded else []
    while stack:
        step = stack.pop()
        if not step.away:
            below += 1
            stack += step.children
    return below


def _restored(number: int, query: KeptQuery, parent: Node | None) -> Node:
    """A query of an earlier session, with the part of its results that was stored."""
    ask = Ask(query.steering, query.where, query.limits)
    results = Results(query.hits, _undrawn(ask), query.tracks_searched, query.agreement, 0.0, 0.0)
    return Node(
        number,
        ask,
        results,
        parent,
        what_changed(parent.ask if parent else None, ask),
        name=query.name,
        away=query.hidden,
        asked_at=query.asked_at,
        stale=True,
        earlier=True,
        id=query.id,
    )


def _undrawn(ask: Ask) -> Query:
    return Query(np.zeros((0, 1), np.float32), ask.steering)


def what_changed(before: Ask | None, after: Ask) -> str:
    """What makes `after` a different query from `before`, in a few words."""
    parts = labels.changes(before.steering if before else None, after.steering)
    if after.where != (before.where if before else ""):
        parts.append(f"where {after.where}" if after.where else "no filter")
    was = before.limits if before else NO_LIMITS
    for what, old, new in (
        ("artist", was.per_artist, after.limits.per_artist),
        ("album", was.per_album, after.limits.per_album),
    ):
        if new != old:
            parts.append(f"{new or 'any number'} per {what}")
    return (", " if before else " ").join(parts) or "again"


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
    """Number of tracks with the same rank in both."""


def place(hit: Hit) -> tuple[Path, str]:
    """What a hit is followed by from list to list: its file, and the section of it."""
    return hit.track.path, hit.section.title if hit.section else ""


def ranks(results: Results) -> dict[tuple[Path, str], int]:
    """The rank of every hit, from 1, by its `place`."""
    return {place(hit): rank for rank, hit in enumerate(results.hits, 1)}


def compare(before: Results, after: Results) -> Comparison:
    """What came, went and moved between two lists."""
    old, new = ranks(before), ranks(after)
    both = [(old[place(h)], r, h) for r, h in enumerate(after.hits, 1) if place(h) in old]
    return Comparison(
        came=tuple((r, h) for r, h in enumerate(after.hits, 1) if place(h) not in old),
        went=tuple((r, h) for r, h in enumerate(before.hits, 1) if place(h) not in new),
        moved=tuple(move for move in both if move[0] != move[1]),
        stayed=sum(was == now for was, now, _ in both),
    )
