"""The parts of a score, as `gdr_model.search.why` breaks it down."""

from __future__ import annotations

from dataclasses import dataclass

Near = tuple[tuple[str, float], ...]
"""Words with their cosines to a point, nearest first."""


@dataclass(frozen=True)
class Push:
    """What one term adds to a score."""

    kind: str
    """start, prompt, negative, slider, like or dislike."""
    text: str
    """Its words, or its file."""
    drawn: float
    """Through the draws, already multiplied by their share of the score."""
    tower: float
    """Through the tower's point, already multiplied by its share."""

    @property
    def total(self) -> float:
        """Both."""
        return self.drawn + self.tower


@dataclass(frozen=True)
class Why:
    """A score broken down into its parts (see `gdr_model.search.why`)."""

    score: float
    pushes: tuple[Push, ...]
    """They add up to the score."""
    track_words: Near = ()
    query_words: Near = ()
