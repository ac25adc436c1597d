"""What a person asks for: prompt, negatives, sliders, likes, edit and how to draw, as one value."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from gdr_model.errors import UsageError
from gdr_model.evidence import Evidence

MAX_PROMPT_CHARS = 2000
"""Longer prompts are refused: the text model reads about the first 200 words anyway."""

MOST_EVIDENCE = 500


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


OF_EDITS = (Sampler.DPM, Sampler.DDIM)
"""The samplers that an edit can name. It is inverted and drawn by ddim with either."""
SLIDER_WEIGHT = 3.0
"""The weight of the negative that a slider at -1 is."""
PULL = 0.2
"""How hard likes and dislikes act inside the sampler when the user turns that on. At .2 the
built-in model's draws come much nearer to a liked track and stay as near to the words; at .5 they
coincide with the track and the words are lost (`test_a_little_pull_keeps_the_words`)."""


ROLLED = 0.5
"""The spread of a roll where none was chosen."""


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
    """Words to move along."""

    text: str
    amount: float
    """From -1 to 1. Below 0 it acts as a negative does, at -1 as one of weight 3."""


@dataclass(frozen=True)
class Edit:
    """Draw from an inverted passage (DDIM) instead of noise, under other words."""

    path: str
    """The source file, inside the library or not."""
    start_s: float | None = None
    """Start of the source passage; None takes the passage nearest to the prompt."""
    strength: float = 0.6
    """How far from the passage to what is drawn, in (0, 1]."""
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
    steps: int = 6
    """Of the sampler. An edit always takes those of ddim, which can be inverted."""
    draws: int = 8
    seed: int = 0
    edit: Edit | None = None
    sliders: tuple[Slider, ...] = ()
    sampler: Sampler = Sampler.DPM
    interval: tuple[float, float] = (0.0, 1.0)
    """Share of the noise schedule, from pure noise to clean data, in which anything but the
    prompt itself acts."""
    pull: float = 0.0
    """How hard likes and dislikes act inside the sampler, besides moving the draws."""
    spread: float = 0.0
    """How far lists lean towards one draw each and differ: from 0, the closest to the words."""
    roll: int = 1
    """Which draw a list leans to at a spread above 0; after the last, other seeds are drawn."""
    evidence: tuple[Evidence, ...] = ()
    """What was done with results of this session, oldest first (`gdr_model.search.session`)."""

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
        if self.edit and self.sampler not in OF_EDITS:
            raise UsageError(
                f"an edit inverts the steps of ddim, so it cannot be drawn with {self.sampler}"
            )
        if len(self.interval) != 2 or not 0 <= self.interval[0] < self.interval[1] <= 1:
            raise UsageError("the interval of guidance needs a start below its end, from 0 to 1")
        if not 0 <= self.pull <= 1:
            raise UsageError(f"pull {self.pull:g} is out of range; use 0 to 1")
        if not 0 <= self.spread <= 1:
            raise UsageError(f"spread {self.spread:g} is out of range; use 0 to 1")
        if not 1 <= self.roll <= 1_000_000:
            raise UsageError(f"roll {self.roll} is out of range; use 1 to 1,000,000")
        if len(self.evidence) > MOST_EVIDENCE:
            raise UsageError(f"more than {MOST_EVIDENCE} judgements are too many for a query")

    @property
    def worded(self) -> bool:
        """Whether it has a prompt; without one the query is the mean of the liked files."""
        return bool(self.prompt.strip())

    @property
    def raised(self) -> tuple[Slider, ...]:
        """The sliders above 0, which move the points."""
        return tuple(slider for slider in self.sliders if slider.amount > 0)

    @property
    def avoided(self) -> tuple[WeightedText, ...]:
        """The negatives, then the sliders below 0 as negatives."""
        lowered = (
            WeightedText(slider.text, SLIDER_WEIGHT * -slider.amount)
            for slider in self.sliders
            if slider.amount < 0
        )
        return (*self.negatives, *lowered)

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
