"""The values that travel between the parts, and the one alphabet of their shapes.

B batch, T latents of a passage (one a second, at most `PASSAGE_S`), D latent width, L text
tokens, E text width, Q draws of a query, K results. Names carry their units: `_s`, `_hz`, `_db`.
Arrays are numpy float32 unless a docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gdr_model.evidence import Evidence
from gdr_model.steering import Steering

Array = NDArray[np.float32]

PASSAGE_S = 64
"""A track is cut into passages of at most this many seconds (= latents)."""


class Method(StrEnum):
    """How a prompt becomes points to search with."""

    GDR = "gdr"
    """Points drawn by the diffusion model, fused with the tower's where the model says so."""
    CONTRASTIVE = "contrastive"
    """The one point of the contrastive tower: the baseline."""


def never() -> bool:
    """The default `cancelled` callback: never stop."""
    return False


Cancel = Callable[[], bool]
"""Polled inside long loops; True means stop by raising `errors.Cancelled`."""


@dataclass(frozen=True)
class LatentSpace:
    """The meaning of a latent. Latents are comparable only if their spaces are equal."""

    encoder: str
    dim: int
    sample_rate_hz: int
    window_s: float
    hop_s: float
    fingerprint: str
    """First 16 hex digits of the SHA-256 of the encoder's weights."""

    def __str__(self) -> str:
        every = "" if self.hop_s == 1 else f" every {self.hop_s:g} s"
        return f"{self.encoder}{every} ({self.dim} wide, {self.fingerprint[:8]})"


class LongSamples(Protocol):
    """Mono samples (N,) that are too many to hold; whoever reads them moves forwards."""

    def __len__(self) -> int:
        """N."""

    def __getitem__(self, part: slice, /) -> Array:
        """Some of them; a part before the last one costs all that is before it again."""

    def energy(self, count: int, /) -> float:
        """The sum of squares of the first `count`, which costs nothing."""


Samples = Array | LongSamples


@dataclass(frozen=True)
class Audio:
    """Decoded sound, mixed to mono and resampled."""

    samples: Samples  # (N,)
    sample_rate_hz: int
    content: str
    """Hash of the decoded sound: equal for copies, whatever their tags or container."""
    channels: int
    """Channels in the file, before mixing."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz


class AudioEncoder(Protocol):
    """Turns sound into latents."""

    @property
    def space(self) -> LatentSpace:
        """The space of the latents."""

    def encode(self, samples: Samples, cancelled: Cancel = never) -> Array:
        """Mono samples (N,) at `space.sample_rate_hz` to latents (T, D), T = max(1, round(s))."""


class TextEncoder(Protocol):
    """Turns prompts into embeddings."""

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        """Embed prompts (B), each independent of the others."""

    def read_all(self, texts: Sequence[str]) -> Iterator[tuple[int, tuple[Array, Array]]]:
        """Embed many prompts; yields row, states (L, E) and pooled vector (P,), in any order."""


@dataclass(frozen=True)
class TextEmbedding:
    """Embedded prompts; none depends on the others in its batch."""

    states: Array  # (B, L, E)
    mask: NDArray[np.bool_]  # (B, L), True where there is a token
    pooled: Array  # (B, P), P = E except for text towers with a projection


@dataclass(frozen=True)
class Section:
    """A titled part of a file: a track of its cue sheet, or a chapter."""

    start_s: float
    title: str
    artist: str = ""


@dataclass(frozen=True)
class Track:
    """One file of a library."""

    path: Path
    """Absolute; may hold surrogate escapes where the name is not valid UTF-8."""
    duration_s: float
    content: str
    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    loudness_db: float | None = None
    """RMS of the mono mix relative to full scale."""
    albumartist: str = ""
    bpm: float | None = None
    originalyear: int | None = None
    """Of the first release, where `year` is that of this one."""
    key: str = ""
    comment: str = ""
    codec: str = ""
    """Such as flac or mp3; "" if unknown."""
    size: int = 0
    """Bytes of the file."""
    sections: tuple[Section, ...] = ()
    """In the order of their starts; none for most files."""

    @property
    def name(self) -> str:
        """Title if it has one, else the file's name."""
        return self.title or self.path.name

    @property
    def bitrate_bps(self) -> float:
        """Bits of the file for each second of sound, tags and pictures included."""
        return 8 * self.size / self.duration_s if self.duration_s > 0 else 0.0

    def section(self, at_s: float) -> Section | None:
        """The section that a moment belongs to."""
        return next((s for s in reversed(self.sections) if s.start_s <= at_s), None)


@dataclass(frozen=True)
class Judged:
    """One thing that a person did, with the points of the files."""

    evidence: Evidence
    points: Array  # (S, D), whole files, centred: the file itself, then those it was preferred to


@dataclass(frozen=True)
class Query:
    """Points drawn in the search space, with the steering that made them."""

    vectors: Array  # (Q, D), unit rows in the search space
    steering: Steering
    method: Method = Method.GDR
    round_trip: float | None = None
    """For an edit: 1 - cosine between the source and its inversion drawn back unchanged."""
    source_start_s: float | None = None
    """For an edit: where the passage that was inverted begins."""
    source: Array | None = None
    """(1, D) for an edit: the point of that passage."""
    anchor: Array | None = None
    """(1, D) the contrastive tower's point for the words, to be fused with the draws."""
    draws: tuple[int, ...] | None = None
    """Which of the steering's draws these are; None for all."""
    weights: Array | None = None
    """(Q,) what each draw has of a score besides the anchor's share; None for equal parts."""
    shown: Mapping[str, float] = field(default_factory=dict)
    """What lists before a roll take from the scores of recordings they showed, by content."""
    negated: Array | None = None
    """(N, D) the contrastive tower's points for the steering's negatives; None without any."""
    judged: tuple[Judged, ...] = ()
    """The steering's evidence, as far as its files can still be read."""


@dataclass(frozen=True)
class Hit:
    """A track in the results, with its best passage."""

    track: Track
    start_s: float
    """Where the best passage begins; previews start here."""
    end_s: float
    score: float
    """Cosine to the query in the search space, fused by `nearest.fuse`, in [-1, 1], less what its
    negatives take, and what the evidence of a session adds."""
    votes: int
    """How many draws rank it among their own best K, or in their best quarter of all competing
    tracks if that is fewer."""
    profile: Array = field(repr=False, compare=False)
    """(T,) the query's cosine to every second of the track."""
    copies: tuple[Track, ...] = ()
    """The other files of the recording, best first."""

    @property
    def section(self) -> Section | None:
        """The part of the file that the passage belongs to: the one that holds its middle."""
        return self.track.section((self.start_s + self.end_s) / 2)

    @property
    def title(self) -> str:
        """Of the section if it has one, else the name of the track."""
        return (self.section.title if self.section else "") or self.track.name

    @property
    def name(self) -> str:
        """The title, and the name of the file where the title is that of a section."""
        in_file = self.section and self.section.title
        return f"{self.title} · {self.track.path.name}" if in_file else self.title

    @property
    def artist(self) -> str:
        """Of the section if it has one, else of the track."""
        return (self.section.artist if self.section else "") or self.track.artist


@dataclass(frozen=True)
class Results:
    """The answer to a query, best first."""

    hits: tuple[Hit, ...]
    query: Query
    tracks_searched: int
    agreement: float
    """Mean cosine between the draws: near 1 if the words were clear, low if they were ambiguous."""
    draw_s: float
    search_s: float
    filtered: int = 0
    """Tracks that the filter excluded."""
    banned: int = 0
    """Tracks that passed the filter and were left out: disliked, or what the query starts from."""
