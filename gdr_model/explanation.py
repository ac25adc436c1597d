"""What explains results: the parts of a score, and the interpretations of a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.types import Results

Near = tuple[tuple[str, float], ...]
"""Words with their cosines to a point, nearest first."""


@dataclass(frozen=True)
class Push:
    """What one term adds to a score."""

    kind: str
    """start, prompt, negative, slider, like or dislike; preferred, heard or passed; shown: by the
    lists before a roll; or common: near to words in general."""
    text: str
    """Its words, or its file."""
    drawn: float
    """Through the draws, already multiplied by their share of the score."""
    tower: float
    """Through the point that is not drawn, already multiplied by its share: the tower's, or
    without words that of the likes. What a negative takes, too: the tower says where it is."""
    done: float = 0.0
    """Because of what was done in the session."""
    over: int = 0
    """How many other files a preferred one was preferred to."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.drawn + self.tower + self.done


@dataclass(frozen=True)
class Why:
    """A score broken down into its parts (see `gdr_model.search.why`)."""

    score: float
    pushes: tuple[Push, ...]
    """They add up to the score."""
    track_words: Near = ()
    query_words: Near = ()


@dataclass(frozen=True)
class Interpretation:
    """A cluster of the draws, where the draws disagree (`gdr_model.search.interpretations`)."""

    names: tuple[str, ...]
    """Tags and words that distinguish it from the other interpretations, best first."""
    results: Results
    """What its draws find without the others; `results.query.draws` names them."""
