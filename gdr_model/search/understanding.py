"""What a text encoder understands: whether a prompt is in a language it reads, correctly spelt.

A text encoder gives every text a point, also one that it cannot read. But texts that it cannot
read have points of their own: one linear function separates prompts of other languages from English
ones, another misspelt prompts from right ones. Both are fitted to the encoder's points of known
prompts (`references`), and nothing is fitted where they would not separate them on prompts
held back. An encoder of many languages puts a translation where its English is; languages that
it reads in this sense count with English.

Misspelt words and rare names look alike to an encoder. So misspelling is only reported where the
tokenizer, too, breaks the prompt into short pieces. A third function separates texts about anything
else from prompts for music: the less a prompt is about sound, the closer its best result has to
be, or else nothing in the libraries is close to it.

    MODEL/understanding.safetensors    the measured functions, in a model's folder

Shapes: N prompts, P width of a prompt's pooled vector.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from gdr_model import atomic, plain
from gdr_model.errors import ModelError
from gdr_model.search import references, vocabulary
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Method, Results, TextEncoder

FILE = "understanding.safetensors"
UNREAD_ABOVE = 0.05
"""The function of languages is -1 for English prompts on average, 1 for others."""
MISSPELT_ABOVE = 0.3
SHORT_PIECES = 0.73
"""Letters a token, as a share of those in English prompts, below which pieces are short."""
CLOSE = 0.13
"""Score of the best result below which nothing is close to a prompt for music, for the built-in
model and where a measurement states no other."""
CLOSER = 0.3
"""By how much more that score has to be for a text at 1 of the function of sound."""
RIDGE = 1.0
_SEPARATED = 0.8
"""Share of prompts held back, of either kind, that functions have to put on their right side."""
_FUNCTIONS = ("language", "spelling", "elsewhere")
_READS = 0.5
"""Share of translations that have to be nearest to their English for a language to be read."""


class Doubt(Enum):
    """Why an encoder may not understand a text."""

    LANGUAGE = "language"
    SPELLING = "spelling"
    FAR = "far"
    """Nothing in the libraries is close."""


@dataclass(frozen=True)
class Note:
    """What a user should know about an answer."""

    doubt: Doubt
    text: str
    languages: tuple[str, ...] = ()
    """Those that the encoder reads."""


@runtime_checkable
class Tokenizing(Protocol):
    """A text encoder that shows its tokens."""

    @property
    def tokenize(self) -> Callable[[str], list[int]]:
        """A text to token ids."""


@dataclass(frozen=True)
class Linear:
    """A linear function of a prompt's unit pooled vector, above 0 on one side of a boundary."""

    centre: Array  # (P,)
    weights: Array  # (P,)

    @classmethod
    def between(cls, below: Array, above: Array) -> Linear:
        """The ridge regression that is -1 at some unit rows (N, P) and 1 at others, on average."""
        rows = np.concatenate([below, above]).astype(np.float64)
        signs = np.repeat([-1.0, 1.0], [len(below), len(above)])
        each = np.repeat([0.5 / len(below), 0.5 / len(above)], [len(below), len(above)])
        centre = each @ rows
        apart = rows - centre
        moments = apart.T @ (apart * each[:, None])
        ridge = RIDGE / len(rows) * np.eye(rows.shape[1])
        weights = np.linalg.solve(moments + ridge, apart.T @ (each * signs))
        return cls(centre.astype(np.float32), weights.astype(np.float32))

    def __call__(self, rows: Array) -> Array:
        """Rows (N, P) to values (N,)."""
        return np.asarray((rows - self.centre) @ self.weights, np.float32)


@dataclass(frozen=True)
class Understanding:
    """What one text encoder reads."""

    language: Linear
    spelling: Linear | None
    """None where the encoder shows no tokens, or its points do not separate misspelt prompts."""
    elsewhere: Linear | None
    """Above 0 for texts that are not about sound."""
    letters: float
    """Letters a token in English prompts."""
    languages: tuple[str, ...] = ("English",)
    """Those it reads."""
    close: float = CLOSE
    """Score of the best result below which nothing is close to a prompt for music."""

    @classmethod
    def of(cls, folder: Path) -> Understanding | None:
        """Read what was measured for the model in a folder; None if nothing was.

        Raises:
            ModelError: if the file is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, "numpy") as file:
                facts = plain.from_json(file.metadata()["facts"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            functions = {
                name: Linear(tensors[f"{name}.centre"], tensors[f"{name}.weights"])
                for name in _FUNCTIONS
                if f"{name}.centre" in tensors
            }
            return cls(
                functions["language"],
                functions.get("spelling"),
                functions.get("elsewhere"),
                float(facts["letters"]),
                tuple(facts["languages"]),
                float(facts.get("close", CLOSE)),
            )
        except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path} cannot be read; remove it, or install the model again"
            ) from error

    def save(self, folder: Path) -> None:
        """Write it to a model's folder."""
        tensors = {}
        for name in _FUNCTIONS:
            if (function := getattr(self, name)) is not None:
                tensors[f"{name}.centre"] = function.centre
                tensors[f"{name}.weights"] = function.weights
        facts = json.dumps(
            {
                "letters": round(self.letters, 4),
                "languages": self.languages,
                "close": self.close,
            }
        )
        with atomic.replacing(folder / FILE) as part:
            save_file(tensors, part, {"facts": facts})

    @classmethod
    def measure(cls, text: TextEncoder) -> Understanding | None:
        """Ask an encoder; None if its points do not separate languages."""
        known = embedded(text, [*references.ENGLISH, *vocabulary.WORDS])
        english, own = known, np.arange(len(references.PLAIN))
        read, other = ["English"], []
        for language, prompts in references.TRANSLATED.items():
            points = embedded(text, prompts)
            if ((points @ english.T).argmax(axis=1) == own).mean() >= _READS:
                read.append(language)
                known = np.concatenate([known, points])
            else:
                other.append(points)
        if not other or (language_of := _separating(known, np.concatenate(other))) is None:
            return None
        letters, spelling = 0.0, None
        if isinstance(text, Tokenizing):
            letters = float(np.mean([letters_per_token(text, p) for p in references.ENGLISH]))
            wrong = [
                misspelt(prompt, turn, drop=drop)
                for drop in (False, True)
                for turn, prompt in enumerate(references.ENGLISH)
            ]
            spelling = _separating(known, embedded(text, wrong))
        elsewhere = _separating(known, embedded(text, references.ELSEWHERE))
        return cls(language_of, spelling, elsewhere, letters, tuple(read))

    def doubt(self, text: TextEncoder, prompt: str) -> Doubt | None:
        """Why the encoder may not understand a prompt; None if it seems to."""
        point = unit(text.embed([prompt]).pooled)
        if self.language(point)[0] > UNREAD_ABOVE:
            return Doubt.LANGUAGE
        if self.spelling is None or not isinstance(text, Tokenizing):
            return None
        short = letters_per_token(text, prompt) <= SHORT_PIECES * self.letters
        return Doubt.SPELLING if short and self.spelling(point)[0] > MISSPELT_ABOVE else None

    def has_close(self, text: TextEncoder, prompt: str, best: float) -> bool:
        """Whether a best result of this score is close to a prompt."""
        point = unit(text.embed([prompt]).pooled)
        apart = 0.0 if self.elsewhere is None else max(0.0, float(self.elsewhere(point)[0]))
        return best >= self.close + CLOSER * apart


def notes(
    understanding: Understanding | None, text: TextEncoder, results: Results
) -> tuple[Note, ...]:
    """What a user should know of an answer: texts not understood, or nothing close to the prompt.

    Nothing where the model has not been measured. Likes, edits and evidence are sound, so there the
    words do not say alone what is close.
    """
    if understanding is None:
        return ()
    steering = results.query.steering
    texts = (steering.prompt, *(n.text for n in steering.negatives))
    texts = (*texts, *(slider.text for slider in steering.sliders))
    found = tuple(
        Note(doubt, one, understanding.languages)
        for one in dict.fromkeys(text for text in texts if text.strip())
        if (doubt := understanding.doubt(text, one)) is not None
    )
    # Scores that anything but the words has a part in say nothing of how close the words come.
    others = steering.likes or steering.edit or steering.evidence or steering.avoided
    drawn = results.query.method == Method.GDR and not others and not steering.spread
    if not found and drawn and results.hits:
        best = results.hits[0].score
        if not understanding.has_close(text, steering.prompt, best):
            return (Note(Doubt.FAR, steering.prompt),)
    return found


def embedded(text: TextEncoder, prompts: Sequence[str]) -> Array:
    """The unit pooled vectors (N, P) of prompts."""
    pooled = {row: vector for row, (_, vector) in text.read_all(prompts)}
    return unit(np.stack([pooled[row] for row in range(len(prompts))]))


def letters_per_token(text: Tokenizing, prompt: str) -> float:
    """How many letters of a prompt a token has, on average."""
    tokens = len(text.tokenize(prompt)) - len(text.tokenize(""))
    return sum(map(str.isalpha, prompt)) / max(1, tokens)


def misspelt(prompt: str, turn: int, *, drop: bool = False) -> str:
    """A prompt with two letters of each word of four or more exchanged, or one dropped."""

    def wrong(match: re.Match[str]) -> str:
        word = match[0]
        if drop:
            at = 1 + (turn + len(word)) % (len(word) - 1)
            return word[:at] + word[at + 1 :]
        at = 1 + (turn + len(word)) % (len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return re.sub(r"[^\W\d_]{4,}", wrong, prompt)


def _separating(below: Array, above: Array) -> Linear | None:
    """A function that is above 0 for one kind of prompt.

    None if functions that are fitted to half of the prompts do not separate the other half.
    """
    shares = []
    for fitted, held_back in ((0, 1), (1, 0)):
        half = Linear.between(below[fitted::2], above[fitted::2])
        under, over = half(below[held_back::2]) <= 0, half(above[held_back::2]) > 0
        shares.append((under.mean(), over.mean()))
    separated = min(np.mean(shares, axis=0)) >= _SEPARATED
    return Linear.between(below, above) if separated else None
