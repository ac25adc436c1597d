"""The values that travel between the parts, and the one alphabet of their shapes.

B batch, T latents of a passage (one a second, at most `PASSAGE_S`), D latent width, L text
tokens, E text width, Q draws of a query, K results. Names carry their units: `_s`, `_hz`, `_db`.
Arrays are numpy float32 unless a docstring says otherwise.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError

Array = NDArray[np.float32]

PASSAGE_S = 64
"""A track is cut into passages of at most this many seconds (= latents)."""

MAX_PROMPT_CHARS = 2000
"""Longer prompts are refused: the text model reads about the first 200 words anyway."""


class Sampler(StrEnum):
    """How a draw walks from noise to data: three ways of our own, then those of diffusers."""

    DDIM = "ddim"
    DPM = "dpm++"
    CONSISTENCY = "consistency"
    """Needs a model that was distilled for it."""
    UNIPC = "unipc"
    DEIS = "deis"
    DPM_2M = "dpm++2m"
    DPM_3M = "dpm++3m"
    DPM_2M_SDE = "dpm++2m-sde"
    HEUN = "heun"
    LMS = "lms"
    PNDM = "pndm"
    EULER = "euler"
    EULER_A = "euler-a"


class Method(StrEnum):
    """How a prompt becomes points to search with."""

    GDR = "gdr"
    """Points drawn by the diffusion model, fused with the tower's where the model says so."""
    CONTRASTIVE = "contrastive"
    """The one point of the contrastive tower: the baseline."""


PULL = 0.2
"""How hard likes and dislikes act inside the sampler when the user turns that on. At .2 the
built-in model's draws come much nearer to a liked track and stay as near to the words; at .5 they
coincide with the track and the words are lost (`test_a_little_pull_keeps_the_words`)."""


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


@dataclass(frozen=True)
class Audio:
    """Decoded sound, mixed to mono and resampled."""

    samples: Array  # (N,)
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

    def encode(self, samples: Array, cancelled: Cancel = never) -> Array:
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
class WeightedText:
    """A negative prompt and how hard it pushes; 1 is the method's own strength."""

    text: str
    weight: float = 1.0

    @classmethod
    def parse(cls, typed: str) -> WeightedText:
        """Parse `drums:0.5` or `drums`; a colon without a number after it belongs to the words."""
        words, colon, weight = typed.rpartition(":")
        try:
            return cls(words.strip(), float(weight)) if colon else cls(typed.strip())
        except ValueError:
            return cls(typed.strip())


@dataclass(frozen=True)
class Slider:
    """Words to move along: 1 is as far towards them as a negative of weight 3 pushes away."""

    text: str
    amount: float
    """From -1, away from the words, to 1."""


@dataclass(frozen=True)
class Edit:
    """Draw from an inverted passage (DDIM) instead of noise, under other words."""

    path: str
    """The source file, inside the library or not."""
    start_s: float | None = None
    """Start of the source passage; None takes the passage nearest to the prompt."""
    strength: float = 0.6
    """Share of the noise schedule walked up and down again, in (0, 1]."""
    from_prompt: str = ""
    """Words to invert the source under; empty is the null prompt."""


@dataclass(frozen=True)
class Steering:
    """Everything that shapes a query. Same JSON, library and model: same results."""

    prompt: str
    negatives: tuple[WeightedText, ...] = ()
    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    guidance: float = 3.0
    steps: int = 12
    draws: int = 8
    seed: int = 0
    edit: Edit | None = None
    sliders: tuple[Slider, ...] = ()
    sampler: Sampler = Sampler.DDIM
    interval: tuple[float, float] = (0.0, 1.0)
    """Share of the noise schedule, from pure noise to clean data, in which anything but the
    prompt itself acts."""
    pull: float = 0.0
    """How hard likes and dislikes act inside the sampler, besides moving the draws."""

    def __post_init__(self) -> None:
        """Validate the fields.

        Raises:
            UsageError: naming the invalid value and its limits.
        """
        texts = [self.prompt, *(n.text for n in self.negatives), *(s.text for s in self.sliders)]
        if self.edit:
            texts.append(self.edit.from_prompt)
        for text in texts:
            if not text.isprintable() and any(0xD800 <= ord(c) <= 0xDFFF for c in text):
                raise UsageError("a prompt holds bytes that are not UTF-8 text; please retype it")
            if len(text) > MAX_PROMPT_CHARS:
                raise UsageError(
                    f"a prompt of {len(text):,} characters is too long; "
                    f"the limit is {MAX_PROMPT_CHARS:,}"
                )
        if not self.worded and (self.edit or not self.likes):
            raise UsageError("the prompt is empty; describe the music you want in a few words")
        if any(not n.text.strip() for n in self.negatives):
            raise UsageError("a negative prompt is empty; name what to push away from")
        if any(not 0 < n.weight <= 5 for n in self.negatives):
            raise UsageError("the weight of a negative prompt must be above 0 and at most 5")
        if any(not s.text.strip() for s in self.sliders):
            raise UsageError("a slider has no words; name what to move along")
        if any(not -1 <= s.amount <= 1 for s in self.sliders):
            raise UsageError("the amount of a slider must be from -1 to 1")
        if not 0 <= self.guidance <= 20:
            raise UsageError(f"guidance {self.guidance:g} is out of range; use 0 to 20")
        if not 1 <= self.steps <= 200:
            raise UsageError(f"{self.steps} steps are out of range; use 1 to 200")
        if not 1 <= self.draws <= 64:
            raise UsageError(f"{self.draws} draws are out of range; use 1 to 64")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"seed {self.seed} is out of range; use 0 to 2^63 - 1")
        start_s = self.edit.start_s if self.edit else None
        if start_s is not None and not 0 <= start_s < math.inf:
            raise UsageError(f"the passage cannot start at {start_s:g} s; use 0 or more")
        if self.edit and not 0 < self.edit.strength <= 1:
            raise UsageError(
                f"strength {self.edit.strength:g} is out of range; use above 0 and up to 1"
            )
        if self.sampler not in list(Sampler):
            raise UsageError(f"unknown sampler {self.sampler!r}; use {', '.join(Sampler)}")
        if self.edit and self.sampler != Sampler.DDIM:
            raise UsageError("an edit inverts the steps of ddim, so it can be drawn with ddim only")
        if len(self.interval) != 2 or not 0 <= self.interval[0] < self.interval[1] <= 1:
            raise UsageError("the interval of guidance needs a start below its end, from 0 to 1")
        if not 0 <= self.pull <= 1:
            raise UsageError(f"pull {self.pull:g} is out of range; use 0 to 1")

    @property
    def worded(self) -> bool:
        """Whether it has a prompt; without one the query is the mean of the liked files."""
        return bool(self.prompt.strip())

    def but(self, **changes: Any) -> Steering:
        """The same steering with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back to an equal value."""
        return json.dumps(asdict(self), ensure_ascii=True, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Steering:
        """Read what `to_json` wrote.

        Raises:
            UsageError: if it is not the JSON of a steering.
        """
        from gdr_model import decode

        return decode.from_json(cls, text, prefix="this steering cannot be read: ")


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
    anchor: Array | None = None
    """(1, D) the contrastive tower's point for the words, to be fused with the draws."""
    draws: tuple[int, ...] | None = None
    """Which of the steering's draws these are; None for all."""


@dataclass(frozen=True)
class Hit:
    """A track in the results, with its best passage."""

    track: Track
    start_s: float
    """Where the best passage begins; previews start here."""
    end_s: float
    score: float
    """Cosine to the query in the search space, fused by `nearest.fuse`, in [-1, 1]."""
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
