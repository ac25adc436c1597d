"""What gdr makes of a person's moves: a steering, ranked as `gdr search` ranks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gdr_model.evidence import Evidence, Judgement
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_model.types import Array, Method
from training.evaluation.session.person import Look, Move, Person
from training.evaluation.session.world import World
from training.runs.config import DrawConfig

AMOUNT = 0.5
"""Of a slider along the newest word."""
SPREAD = 0.5
"""Of a roll."""
STRENGTH = 0.6
"""Of an edit."""


class Tool(Protocol):
    """Ranks the tracks of a world after what a person has done."""

    def scores(self, person: Person) -> Array:
        """The score (R,) of every track."""


@dataclass(frozen=True)
class Gdr:
    """gdr, by one of its methods."""

    world: World
    method: Method = Method.GDR
    how: DrawConfig = field(default_factory=DrawConfig)

    def scores(self, person: Person) -> Array:
        """The score (R,) of every track, by the product's own query and evidence."""
        retriever = self.world.retriever
        query = retriever.after_lists(retriever.query(self.steering(person), self.method))
        return self.world.gallery.scores(retriever, query)

    def steering(self, person: Person) -> Steering:
        """A person's moves as a query."""
        moves, path, looks = person.moves, self._path, person.looks
        steering = self.how.steering(", ".join(person.typed), 0)
        if not looks or person.nearest is None:
            return steering
        if Move.LIKE in moves:
            steering = steering.but(likes=tuple(path(look.order[0]) for look in looks))
        if Move.BAN in moves:
            steering = steering.but(dislikes=tuple(path(look.order[-1]) for look in looks))
        if Move.NEGATIVE in moves:
            steering = steering.but(negatives=tuple(map(WeightedText, person.negatives)))
        if Move.SLIDER in moves:
            steering = steering.but(sliders=(Slider(person.typed[-1], AMOUNT),))
        if Move.REROLL in moves:
            steering = steering.but(spread=SPREAD, roll=len(looks) + 1)
        if Move.EDIT in moves:
            steering = steering.but(edit=Edit(path(person.nearest), None, STRENGTH))
        evidence = tuple(one for look in looks for one in self._evidence(look, moves))
        return steering.but(evidence=evidence)

    def _evidence(self, look: Look, moves: frozenset[Move]) -> list[Evidence]:
        """What was done with the results of one look."""
        path, order = self._path, look.order
        done = []
        for place, move in enumerate((Move.NEAREST, Move.SECOND, Move.THIRD)):
            over = tuple(path(one) for one in order[place + 1 :])
            if move in moves and over:
                done.append(Evidence(Judgement.PREFERRED, path(order[place]), over))
        if Move.FINISHED in moves:
            done.append(Evidence(Judgement.HEARD, path(order[0])))
        if Move.PASSED in moves:
            done.append(Evidence(Judgement.PASSED, path(order[-1])))
        return done

    def _path(self, column: int) -> str:
        return str(self.world.gallery.tracks[column].path)
