"""What is known of a passage, gathered from the teacher, the score, the lists and the sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gdr_model.encoders.builtin.audio import FRAMES_PER_S
from gdr_model.types import Array
from recipes.builtin.corpus.prepare import HALF, PreparedTrack
from training.words import vocabulary as words
from training.words.captions import Facts

MAJOR = {"major", "lydian", "mixolydian", "major pentatonic"}
FAR = 1.1
"""Deviations from the mean beyond which a measurement is worth a word."""
MEASURES = ("brightness", "flux", "bass", "slope", "range")
SUNG = ("sung", "female", "vocaloid")
_SAID = {
    ("brightness", 1): "bright",
    ("brightness", -1): "dark",
    ("flux", 1): "busy",
    ("flux", -1): "sparse",
    ("bass", 1): "bassy",
    ("slope", 1): "building",
    ("slope", -1): "fading",
    ("range", 1): "dynamic",
    ("range", -1): "steady",
}


def measure(mel: Array | HALF) -> Array:
    """Brightness, flux, bass, slope of level and its range over a passage (F, MELS): (5,)."""
    mel = np.asarray(mel, np.float32)
    power = np.exp(mel).mean(axis=0)
    share = power / power.sum()
    brightness = float(share @ np.arange(mel.shape[1]))
    flux = float(np.maximum(0, np.diff(mel, axis=0)).mean())
    bass = float(np.log(share[:6].sum() + 1e-6))
    count = len(mel) // FRAMES_PER_S
    level = np.log(np.exp(mel).mean(axis=1)[: count * FRAMES_PER_S] + 1e-8)
    level = level.reshape(count, FRAMES_PER_S).mean(axis=1)  # a value a second
    slope = float(np.polyfit(np.linspace(-1, 1, count), level, 1)[0]) if count > 3 else 0.0
    spread = float(np.percentile(level, 90) - np.percentile(level, 10))
    return np.array([brightness, flux, bass, slope, spread], np.float32)


@dataclass(frozen=True)
class CorpusStatistics:
    """Means and deviations over the training tracks, which say what is remarkable."""

    names: tuple[str, ...]
    mean: Array  # (521,)
    sd: Array  # (521,)
    measure_mean: Array  # (5,)
    measure_sd: Array  # (5,)

    @classmethod
    def fit(
        cls, tracks: Sequence[PreparedTrack], names: Sequence[str], seed: int = 0
    ) -> CorpusStatistics:
        """From a passage of at most 24 s of each track."""
        rng = np.random.default_rng(seed)
        logits, measured = [], []
        for track in tracks:
            count = min(24, track.seconds)
            start = int(rng.integers(track.seconds - count + 1))
            logits.append(track.logits[start : start + count].astype(np.float32).mean(axis=0))
            frames = slice(start * FRAMES_PER_S, (start + count) * FRAMES_PER_S)
            measured.append(measure(track.mel[frames]))
        rows, values = np.stack(logits), np.stack(measured)
        return cls(
            tuple(names), rows.mean(0), rows.std(0) + 1e-3, values.mean(0), values.std(0) + 1e-6
        )

    def facts(self, track: PreparedTrack, start: int, seconds: int) -> Facts:
        """Everything known of `seconds` of a track from `start`."""
        record = track.record
        logits = track.logits[start : start + seconds].astype(np.float32).mean(axis=0)
        z = (logits - self.mean) / self.sd
        # z says what is special here, ln p what is there at all.
        scores = z - 0.5 * np.log1p(np.exp(-logits)) + 2.0
        order = np.argsort(-scores)[:40]
        classes = tuple((self.names[i], float(scores[i])) for i in order)
        frames = slice(start * FRAMES_PER_S, (start + seconds) * FRAMES_PER_S)
        deviation = (measure(track.mel[frames]) - self.measure_mean) / self.measure_sd
        measured = [
            _SAID[name, int(np.sign(value))]
            for name, value in zip(MEASURES, deviation, strict=True)
            if abs(value) > FAR and (name, int(np.sign(value))) in _SAID
        ]
        if track.kind == "render":
            return self._of_score(track, classes, measured)
        said = str(record.get("voice") or "").lower()
        singing = self.names.index("Singing")
        sung: bool | None = None
        if any(mark in said for mark in SUNG):
            sung = True
        elif track.kind == "source" and logits[singing] < -4 and z[singing] < 0:
            sung = False
        genre = words.SOURCE_GENRES.get(str(record.get("genre")), "")
        return Facts(
            classes=classes,
            genres=tuple(genre.split("|")) if genre else (),
            measured=tuple(measured),
            sung=sung,
            female="female" in said,
        )

    def _of_score(
        self, track: PreparedTrack, classes: tuple[tuple[str, float], ...], measured: list[str]
    ) -> Facts:
        """A render: its score knows instruments, style, tempo and mode for certain."""
        record = track.record
        bpm = float(record["tempo_bpm"])
        measured.insert(0, "slow" if bpm < 85 else "medium" if bpm < 120 else "fast")
        measured.append("major" if record["mode"] in MAJOR else "minor")
        programs = [words.spoken(p) for p in record["instruments"]]
        heard = [p for p in dict.fromkeys(programs) if p != "sound effects"]
        if record.get("drum_kit"):
            heard.append("drums")
        style = "" if record["style"] == "diverse" else str(record["style"])
        genres = [g for g in (style, str(record.get("genre") or "").lower()) if g]
        # Choirs sing "aah" in a render: neither a song nor an instrumental.
        sung = None if any("choir" in p for p in programs) else False
        return Facts(
            classes=tuple(c for c in classes if c[0] not in words.VOICES),
            instruments=tuple(heard),
            genres=tuple(dict.fromkeys(genres)),
            moods=tuple(record["moods"]),
            measured=tuple(measured),
            sung=sung,
        )
