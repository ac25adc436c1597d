"""The query being put together on the screen, before it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gdr_model.types import Edit, Steering, WeightedText
from gdr_tui.literal import literal
from gdr_tui.settings import Settings
from gdr_tui.trail import Ask, source_of

GUIDANCE_STEP = 0.5


@dataclass(frozen=True)
class Chip:
    """One thing that steers besides the prompt, as it is shown and taken away."""

    kind: str
    """filter, edit, like, ban or negative."""
    text: str
    key: str = ""
    """What of this kind it is: a negative's text, a liked or banned path."""


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

    @classmethod
    def fresh(cls, settings: Settings) -> Draft:
        """An empty draft with the user's defaults."""
        return cls(settings.guidance, settings.steps, settings.draws)

    def ask(self) -> Ask:
        """The query as it stands.

        Raises:
            UsageError: if it cannot be meant; no prompt, too long a prompt.
        """
        return Ask(
            Steering(
                prompt=self.prompt.strip(),
                negatives=self.negatives,
                likes=self.likes,
                dislikes=self.bans,
                guidance=self.guidance,
                steps=self.steps,
                draws=self.draws,
                seed=self.seed,
                edit=self.edit,
            ),
            self.where,
        )

    def become(self, ask: Ask) -> None:
        """Take over a query of the trail."""
        steering = ask.steering
        self.prompt, self.negatives = steering.prompt, steering.negatives
        self.likes, self.bans = steering.likes, steering.dislikes
        self.guidance, self.steps, self.draws = steering.guidance, steering.steps, steering.draws
        self.seed, self.edit, self.where = steering.seed, steering.edit, ask.where

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

    def ban(self, path: Path) -> None:
        """Ban a track, or no more; a banned track is not liked."""
        name = str(path)
        self.likes = tuple(p for p in self.likes if p != name)
        banned = name in self.bans
        self.bans = tuple(p for p in self.bans if p != name) + (() if banned else (name,))

    def push_away(self, typed: str) -> None:
        """Add a negative typed as `text` or `text:1.5`; the same text again changes its weight.

        Raises:
            UsageError: if it is empty or its weight is out of range.
        """
        negative = WeightedText.parse(typed)
        kept = tuple(n for n in self.negatives if n.text != negative.text)
        Steering(prompt="-", negatives=(negative,))
        self.negatives = (*kept, negative)

    def chips(self) -> list[Chip]:
        """What steers besides the prompt, in the order shown."""
        chips = [Chip("filter", f"where {literal(self.where)}")] if self.where else []
        if self.edit:
            source = literal(source_of(self.edit))
            chips.append(Chip("edit", f"edit {self.edit.strength:g} of {source}"))
        chips += [Chip("like", f"♥ {literal(Path(p).stem)}", p) for p in self.likes]
        chips += [Chip("ban", f"⊘ {literal(Path(p).stem)}", p) for p in self.bans]
        return chips + [
            Chip("negative", f"− {literal(n.text)}" + f" {n.weight:g}" * (n.weight != 1), n.text)
            for n in self.negatives
        ]

    def remove(self, chip: Chip) -> None:
        """Take one of the chips away."""
        if chip.kind == "filter":
            self.where = ""
        elif chip.kind == "edit":
            self.edit = None
        elif chip.kind == "like":
            self.likes = tuple(p for p in self.likes if p != chip.key)
        elif chip.kind == "ban":
            self.bans = tuple(p for p in self.bans if p != chip.key)
        else:
            self.negatives = tuple(n for n in self.negatives if n.text != chip.key)
