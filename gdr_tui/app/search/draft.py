"""The query being put together on the screen, before it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gdr_model.errors import UsageError
from gdr_model.store import filters
from gdr_model.types import Edit, Slider, Steering, WeightedText
from gdr_tui.app import labels
from gdr_tui.app.labels import Chip
from gdr_tui.app.search.syntax import Typed
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask
from gdr_tui.safe_text import literal

GUIDANCE_STEP = 0.5
WEIGHT_STEP = 0.25
"""Of a negative, up to 5."""
AMOUNT_STEP = 0.1
"""Of a slider, from -1 to 1."""
STRENGTH_STEP = 0.05
"""Of an edit, up to 1."""
PULL_STEP = 0.1
PULL = 0.2
"""How hard likes and bans act inside the sampler once they are drawn with. At .2 the built-in
model's draws come much nearer to a liked track and stay as near to the words; at .5 they lie on
the track and the words are lost (`test_a_little_pull_keeps_the_words`)."""


@dataclass
class Draft:
    """Everything of a query that can be changed on the screen."""

    guidance: float
    steps: int
    draws: int
    prompt: str = ""
    negatives: tuple[WeightedText, ...] = ()
    likes: tuple[str, ...] = ()
    bans: tuple[str, ...] = ()
    seed: int = 0
    edit: Edit | None = None
    where: str = ""
    sliders: tuple[Slider, ...] = ()
    sampler: str = "ddim"
    interval: tuple[float, float] = (0.0, 1.0)
    pull: float = 0.0

    @classmethod
    def fresh(cls, settings: Settings) -> Draft:
        """An empty draft with the user's defaults."""
        return cls(settings.guidance, settings.steps, settings.draws)

    def ask(self) -> Ask:
        """The query as it stands.

        Raises:
            UsageError: if it cannot be meant; no prompt, too long a prompt.
        """
        return Ask(self._steering(self.prompt.strip()), self.where)

    def _steering(self, prompt: str) -> Steering:
        return Steering(
            prompt=prompt,
            negatives=self.negatives,
            likes=self.likes,
            dislikes=self.bans,
            guidance=self.guidance,
            steps=self.steps,
            draws=self.draws,
            seed=self.seed,
            edit=self.edit,
            sliders=self.sliders,
            sampler=self.sampler,
            interval=self.interval,
            pull=self.pull,
        )

    def become(self, ask: Ask) -> None:
        """Take over a query of the trail."""
        steering = ask.steering
        self.prompt, self.negatives = steering.prompt, steering.negatives
        self.likes, self.bans = steering.likes, steering.dislikes
        self.guidance, self.steps, self.draws = steering.guidance, steering.steps, steering.draws
        self.seed, self.edit, self.where = steering.seed, steering.edit, ask.where
        self.sliders, self.sampler = steering.sliders, steering.sampler
        self.interval, self.pull = steering.interval, steering.pull

    def turn_guidance(self, by: float) -> bool:
        """Change the guidance within its limits; False at the end of them."""
        before = self.guidance
        self.guidance = max(0.0, min(20.0, before + by))
        return self.guidance != before

    def like(self, path: Path) -> None:
        """Like a track, or no more; a liked track is not banned."""
        name = str(path)
        self.bans = tuple(p for p in self.bans if p != name)
        liked = name in self.likes
        self.likes = tuple(p for p in self.likes if p != name) + (() if liked else (name,))
        self._settle_pull()

    def ban(self, path: Path) -> None:
        """Ban a track, or no more; a banned track is not liked."""
        name = str(path)
        self.likes = tuple(p for p in self.likes if p != name)
        banned = name in self.bans
        self.bans = tuple(p for p in self.bans if p != name) + (() if banned else (name,))
        self._settle_pull()

    def _settle_pull(self) -> None:
        """Without likes and bans there is nothing to be drawn with."""
        if not (self.likes or self.bans):
            self.pull = 0.0

    def push_away(self, typed: str) -> None:
        """Add a negative typed as `text` or `text:1.5`; the same text again changes its weight.

        Raises:
            UsageError: if it is empty or its weight is out of range.
        """
        negative = WeightedText.parse(typed)
        kept = tuple(n for n in self.negatives if n.text != negative.text)
        Steering(prompt="-", negatives=(negative,))
        self.negatives = (*kept, negative)

    def take(self, typed: Typed, track_at: Callable[[int], Path | None]) -> None:
        """Take over a line of the prompt; words only where it has any.

        `track_at` tells the track of a rank in the list shown, None where there is none.

        Raises:
            UsageError: if a rank is not in the list; nothing is taken over then.
        """
        named = {rank: track_at(rank) for rank in (*typed.likes, *typed.bans)}
        for rank, path in named.items():
            if path is None:
                raise UsageError(f"there is no result number {rank} to like or ban")
        if typed.words or not typed.steers:
            self.prompt = typed.words
        for negative in typed.negatives:
            self.negatives = (*(n for n in self.negatives if n.text != negative.text), negative)
        for slider in typed.sliders:
            self.sliders = (*(s for s in self.sliders if s.text != slider.text), slider)
        for ranks, opinion, held in (
            (typed.likes, self.like, "likes"),
            (typed.bans, self.ban, "bans"),
        ):
            for path in (named[rank] for rank in ranks):
                if path is not None and str(path) not in getattr(self, held):
                    opinion(path)
        if typed.where:
            kept = [part for part in conditions(self.where) if part not in typed.where]
            self.where = " and ".join([*kept, typed.where])

    def chips(self) -> list[Chip]:
        """What steers besides the prompt, in the order shown."""
        filters = [Chip("filter", literal(part), part) for part in conditions(self.where)]
        return filters + labels.chips(self._steering("-"))

    def answered_by(self, ask: Ask) -> bool:
        """Whether a query was asked exactly so."""
        try:
            return self.ask() == ask
        except UsageError:
            return False

    def weigh(self, chip: Chip, by: int) -> bool:
        """Turn a chip's weight one step up or down; False where it has none or is at its end."""
        before = (self.edit, self.negatives, self.sliders, self.pull)
        if chip.kind == "edit" and self.edit:
            strength = _turned(self.edit.strength, by * STRENGTH_STEP, STRENGTH_STEP, 1.0)
            self.edit = replace(self.edit, strength=strength)
        elif chip.kind == "negative":
            self.negatives = tuple(
                replace(n, weight=_turned(n.weight, by * WEIGHT_STEP, WEIGHT_STEP, 5.0))
                if n.text == chip.key
                else n
                for n in self.negatives
            )
        elif chip.kind == "slider":
            self.sliders = tuple(
                replace(s, amount=_turned(s.amount, by * AMOUNT_STEP, -1.0, 1.0))
                if s.text == chip.key
                else s
                for s in self.sliders
            )
        elif chip.kind == "pull":
            self.pull = _turned(self.pull, by * PULL_STEP, PULL_STEP, 1.0)
        return before != (self.edit, self.negatives, self.sliders, self.pull)

    def remove(self, chip: Chip) -> None:
        """Take one of the chips away."""
        if chip.kind == "filter":
            self.where = " and ".join(p for p in conditions(self.where) if p != chip.key)
        elif chip.kind == "edit":
            self.edit = None
        elif chip.kind == "like":
            self.likes = tuple(p for p in self.likes if p != chip.key)
        elif chip.kind == "ban":
            self.bans = tuple(p for p in self.bans if p != chip.key)
        elif chip.kind == "pull":
            self.pull = 0.0
        elif chip.kind == "slider":
            self.sliders = tuple(s for s in self.sliders if s.text != chip.key)
        else:
            self.negatives = tuple(n for n in self.negatives if n.text != chip.key)
        self._settle_pull()


def conditions(where: str) -> list[str]:
    """The conditions of a filter that must hold all together; the whole if it cannot be read."""
    try:
        return filters.parts(where) if where else []
    except UsageError:
        return [where]


def weighted(typed: str) -> tuple[WeightedText, ...]:
    """Negatives typed as `drums, vocals:0.5`; of the same words the last weight counts."""
    parts = [part for part in typed.split(",") if part.strip()]
    return tuple({n.text: n for n in map(WeightedText.parse, parts)}.values())


def _turned(value: float, by: float, low: float, high: float) -> float:
    """A value after one step, within its limits, without the crumbs of binary fractions."""
    return round(min(max(value + by, low), high), 3)
