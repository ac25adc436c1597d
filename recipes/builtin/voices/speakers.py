"""Voices that say a given text: free speech synthesisers, and recordings of one game.

The commands espeak-ng (GPL-3+) and flite (BSD-like) come from Debian; their output is ours. The
recordings are the dialogues of a game whose music is used for training, too, under its licence.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array

COMMANDS = ("espeak-ng", "flite")
VARIANTS = {
    "male": "m1 m2 m3 m4 m5 m6 m7 m8 Andy Denis Gene Mario Michael adam benjamin david john paul "
    "robert travis victor max miguel pedro klatt klatt3",
    "female": "f1 f2 f3 f4 f5 Alicia Andrea Annie anika antonio aunty belinda linda shelby steph "
    "grandma",
}
LANGUAGES = [
    "en-us",
    "en-us",
    "en-us",
    "en-gb",
    "en-gb-scotland",
    "es-419",
    "it",
    "pt-br",
    "fr-fr",
    "de",
    "pl",
    "sw",
    "hi",
]
"""Languages whose sounds a voice uses; it reads English words by the rules of its language."""
FLITE = {"male": "kal16 awb rms", "female": "slt"}
RECORDED = "fillets-ng-data"


@dataclass(frozen=True)
class Speaker:
    """A voice of a synthesiser."""

    command: str
    voice: str
    female: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Speaker:
        """A random speaker, women as often as men."""
        sex = "female" if rng.random() < 0.5 else "male"
        if rng.random() < 0.35:
            names = FLITE[sex].split()
            return cls("flite", names[int(rng.integers(len(names)))], sex == "female")
        names = VARIANTS[sex].split()
        language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
        return cls(
            "espeak-ng", f"{language}+{names[int(rng.integers(len(names)))]}", sex == "female"
        )

    def say(self, text: str) -> Array:
        """Speak a text: mono samples (N,) at 16 kHz, without the silence at both ends.

        Raises:
            subprocess.CalledProcessError: if the command cannot say it.
        """
        return _said(self.command, self.voice, text).copy()


@lru_cache(maxsize=4096)
def _said(command: str, voice: str, text: str) -> Array:
    with tempfile.TemporaryDirectory() as scratch:
        wave = Path(scratch) / "said.wav"
        if command == "flite":
            call = ["flite", "-voice", voice, "-t", text, "-o", str(wave)]
        else:
            call = ["espeak-ng", "-v", voice, "-s", "150", "-w", str(wave), "--", text]
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sound, rate = soundfile.read(wave, dtype="float32", always_2d=True)
    return trimmed(soxr.resample(sound.mean(axis=1), rate, SAMPLE_RATE_HZ))


def trimmed(sound: Array) -> Array:
    """Cut off the silence at both ends; at least a tenth of a second remains."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * max(1e-6, float(np.abs(sound).max(initial=0))))
    speech = sound[loud[0] : loud[-1] + 1] if len(loud) else sound
    return np.pad(speech, (0, max(0, SAMPLE_RATE_HZ // 10 - len(speech)))).astype(np.float32)


def recordings(folder: Path) -> list[Path]:
    """Spoken English lines in the unpacked game, by name."""
    return sorted(p for p in folder.rglob("*.ogg") if "sound" in p.parts and p.parent.name == "en")
