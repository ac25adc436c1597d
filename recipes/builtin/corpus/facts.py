"""Gather the facts about a passage from the teachers, the score, the lists and the sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gdr_model.encoders.builtin.audio import FRAMES_PER_S
from gdr_model.types import Array
from recipes.builtin.corpus.prepare import HALF, PreparedTrack, is_sung
from training.words import vocabulary as words
from training.words.captions import Facts
from training.words.merged import Classes
from training.words.teacher import CLASSES

MAJOR = {"major", "lydian", "mixolydian", "major pentatonic"}
FAR = 1.1
"""Standard deviations from the mean beyond which a measurement is worth mentioning."""
MEASURES = ("brightness", "flux", "bass", "slope", "range")
WORDS = {
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
"""The word for a measurement far above (1) or below (-1) the mean, where there is one."""


def measure(mel: Array | HALF) -> Array:
    """Brightness, flux, bass, slope and range of the level of a log-mel passage (F, MELS): (5,)."""
    mel = np.asarray(mel, np.float32)
    power = np.exp(mel).mean(axis=0)
    share = power / power.sum()
    brightness = float(share @ np.arange(mel.shape[1]))
    flux = float(np.maximum(0, np.diff(mel, axis=0)).mean())
    bass = float(np.log(share[:6].sum() + 1e-6))
    count = len(mel) // FRAMES_PER_S
    level = np.log(np.exp(mel).mean(axis=1)[: count * FRAMES_PER_S] + 1e-8)
    level = level.reshape(count, FRAMES_PER_S).mean(axis=1)  # one value per second
    slope = float(np.polyfit(np.linspace(-1, 1, count), level, 1)[0]) if count > 3 else 0.0
    spread = float(np.percentile(level, 90) - np.percentile(level, 10))
    return np.array([brightness, flux, bass, slope, spread], np.float32)


def logits_of(track: PreparedTrack, start: int, seconds: int) -> Array:
    """Both teachers' mean logits of `seconds` of a track from second `start` (521 + 50,)."""
    rows = (track.logits[start : start + seconds], track.tag_logits[start : start + seconds])
    return np.concatenate([part.astype(np.float32).mean(axis=0) for part in rows])


@dataclass(frozen=True)
class CorpusStatistics:
    """Means and standard deviations over the training tracks, to measure what is unusual."""

    classes: Classes
    mean: Array  # (521 + 50,) of both teachers' logits
    sd: Array  # (521 + 50,)
    merged_sd: Array  # (classes,) of the merged z-scores: a mixture varies less than its parts
    measure_mean: Array  # (5,)
    measure_sd: Array  # (5,)

    @classmethod
    def fit(
        cls,
        tracks: Sequence[PreparedTrack],
        names: Sequence[str],
        seed: int = 0,
        *,
        tags: bool = True,
    ) -> CorpusStatistics:
        """Compute them from one passage of at most 24 s of each track.

        Without `tags`, the second teacher has no say.
        """
        rng = np.random.default_rng(seed)
        classes, logits, measured = Classes.of(names, tags=tags), [], []
        for track in tracks:
            count = min(24, track.seconds)
            start = int(rng.integers(track.seconds - count + 1))
            logits.append(logits_of(track, start, count))
            frames = slice(start * FRAMES_PER_S, (start + count) * FRAMES_PER_S)
            measured.append(measure(track.mel[frames]))
        rows, values = np.stack(logits), np.stack(measured)
        mean, sd = rows.mean(0), rows.std(0) + 1e-3
        z = (rows - mean) / sd
        merged = classes.merge(z[:, :CLASSES], z[:, CLASSES:])
        return cls(
            classes,
            mean,
            sd,
            merged.std(0) + 1e-3,
            values.mean(0),
            values.std(0) + 1e-6,
        )

    def z(self, track: PreparedTrack, start: int, seconds: int) -> Array:
        """How unusual each class is in `seconds` of a track from second `start` (classes,)."""
        own = (logits_of(track, start, seconds) - self.mean) / self.sd
        return np.asarray(self.merged(own[None])[0] / self.merged_sd)

    def merged(self, rows: Array) -> Array:
        """Rows (N, 521 + 50) of both teachers as rows of the merged classes (N, classes)."""
        return self.classes.merge(rows[:, :CLASSES], rows[:, CLASSES:])

    def facts(self, track: PreparedTrack, start: int, seconds: int) -> Facts:
        """All facts about `seconds` of a track from second `start`."""
        record, names = track.record, self.classes.names
        logits = logits_of(track, start, seconds)
        z = self.z(track, start, seconds)
        present = self.merged(-np.log1p(np.exp(-logits))[None])[0]
        # z measures how unusual a class is here, ln p how likely it is present at all.
        scores = z + 0.5 * present + 2.0
        order = np.argsort(-scores)[:40]
        classes = tuple((names[i], float(scores[i])) for i in order)
        frames = slice(start * FRAMES_PER_S, (start + seconds) * FRAMES_PER_S)
        deviation = (measure(track.mel[frames]) - self.measure_mean) / self.measure_sd
        measured = [
            WORDS[name, int(np.sign(value))]
            for name, value in zip(MEASURES, deviation, strict=True)
            if abs(value) > FAR and (name, int(np.sign(value))) in WORDS
        ]
        if track.kind == "render":
            return self._of_score(track, classes, measured)
        singing = names.index("Singing")
        sung: bool | None = None
        if is_sung(record):
            sung = True
        elif track.kind == "source" and logits[singing] < -4 and z[singing] < 0:
            sung = False
        genre = words.SOURCE_GENRES.get(str(record.get("genre")), "")
        return Facts(
            classes=classes,
            genres=tuple(genre.split("|")) if genre else (),
            measured=tuple(measured),
            sung=sung,
            female="female" in str(record.get("voice") or "").lower(),
        )

    def _of_score(
        self, track: PreparedTrack, classes: tuple[tuple[str, float], ...], measured: list[str]
    ) -> Facts:
        """Facts about a render: its score gives instruments, style, tempo and mode for certain."""
        record = track.record
        bpm = float(record["tempo_bpm"])
        measured.insert(0, "slow" if bpm < 85 else "medium" if bpm < 120 else "fast")
        measured.append("major" if record["mode"] in MAJOR else "minor")
        programs = [words.spoken(p) for p in record["instruments"]]
        instruments = [p for p in dict.fromkeys(programs) if p != "sound effects"]
        if record.get("drum_kit"):
            instruments.append("drums")
        style = "" if record["style"] == "diverse" else str(record["style"])
        genres = [g for g in (style, str(record.get("genre") or "").lower()) if g]
        # A choir in a render sings "aah": that is neither a song nor an instrumental.
        sung = None if any("choir" in p for p in programs) else False
        return Facts(
            classes=tuple(c for c in classes if c[0] not in words.VOICES),
            instruments=tuple(instruments),
            genres=tuple(dict.fromkeys(genres)),
            moods=tuple(record["moods"]),
            measured=tuple(measured),
            sung=sung,
        )
