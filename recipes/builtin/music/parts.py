"""Write one line of the score at a time: melody, bass, chords, inner voice, drone, drums.

Every function takes a random generator and the harmony, and returns tones timed in beats (quarter
notes).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from recipes.builtin.music.gm import DRUMS
from recipes.builtin.music.rhythm import BASS, CELLS, COMPS, GROOVES, events, fit
from recipes.builtin.music.styles import StyleLayer
from recipes.builtin.music.theory import Chord, chord, ladder, lead, nearest

STEP = 0.25
FORMS = ("AABC", "ABAC", "ABCD", "AAAC", "ABBC")
PHRASES = "PPQPQPRP"
SIX_EIGHT = (
    ("x-----", 0.1),
    ("x---x-", 0.4),
    ("x-x-x-", 0.7),
    ("x-xxx-", 0.9),
    ("x--xx-", 0.5),
    ("..x-x-", 0.4),
)


@dataclass(frozen=True)
class Tone:
    """A note not yet given to a player; strength 1 is normal, above 1 an accent."""

    start: float
    length: float
    pitch: int
    strength: float = 1.0


@dataclass(frozen=True)
class Harmony:
    """The chords of a piece, with the beat on which each starts, and its key."""

    starts: tuple[float, ...]
    chords: tuple[Chord, ...]
    end: float
    tonic: int
    mode: str
    bar: float  # beats in a bar

    @property
    def bars(self) -> int:
        """Bars in the piece."""
        return round(self.end / self.bar)

    @property
    def steps(self) -> int:
        """Sixteenths in a bar."""
        return round(self.bar / STEP)

    def index(self, beat: float) -> int:
        """Index of the chord that sounds at a beat."""
        return bisect_right(self.starts, beat + 1e-6) - 1

    def until(self, index: int) -> float:
        """The beat on which a chord ends."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.end


def harmonise(
    progression: str, bars: int, bar: float, tonic: int, mode: str, close: bool
) -> Harmony:
    """Repeat a progression over the bars; with `close` the last bar returns to its first chord."""
    symbols = progression.split()
    starts: list[float] = []
    chords: list[Chord] = []
    for n in range(bars):
        in_bar = (symbols[0] if close and n == bars - 1 else symbols[n % len(symbols)]).split(",")
        for k, symbol in enumerate(in_bar):
            starts.append(n * bar + round(k * bar / len(in_bar) / STEP) * STEP)
            chords.append(chord(symbol, tonic, mode))
    return Harmony(tuple(starts), tuple(chords), bars * bar, tonic, mode, bar)


def _bar_rhythm(rng: Random, steps: int, busy: float) -> str:
    """A rhythm for one bar of melody, built from cells about as busy as `busy`."""
    cells, size = (SIX_EIGHT, 6) if steps == 12 and busy > 0.6 else (CELLS, 4)
    figure = ""
    while len(figure) < steps:
        weights = [math.exp(-(((level - busy) / 0.25) ** 2)) for _, level in cells]
        figure += rng.choices([cell for cell, _ in cells], weights)[0]
    figure = fit(figure[: steps - steps % size] + "x-x-x-", steps) if steps % size else figure
    return figure if "x" in figure else "x" + "-" * (steps - 1)


def _contour(rng: Random, count: int) -> list[int]:
    """Moves in scale steps: mostly by one step; a leap is followed by a step back."""
    moves: list[int] = []
    for _ in range(count):
        if moves and abs(moves[-1]) > 2:
            moves.append(-1 if moves[-1] > 0 else 1)
        else:
            moves.append(
                rng.choices((-4, -3, -2, -1, 0, 1, 2, 3, 4), (1, 1, 4, 9, 3, 9, 4, 1, 1))[0]
            )
    return moves


def melody(rng: Random, harmony: Harmony, layer: StyleLayer) -> list[Tone]:
    """A melody in four-bar phrases whose motifs return, adapted to the chord under them."""
    rungs = ladder(
        harmony.tonic, harmony.mode, layer.centre - layer.scale, layer.centre + layer.scale
    )
    motifs: dict[tuple[str, str], tuple[str, list[int]]] = {}
    form = rng.choice(FORMS)
    place = len(rungs) // 2
    tones: list[Tone] = []
    for n in range(harmony.bars):
        name = (PHRASES[n // 4 % len(PHRASES)], form[n % 4])
        if name not in motifs:
            figure = _bar_rhythm(rng, harmony.steps, layer.busy)
            motifs[name] = figure, _contour(rng, len(events(figure)))
        figure, moves = motifs[name]
        if n % 4 == 3 or n == harmony.bars - 1:
            # The phrase breathes: its last note is held, then two sixteenths rest.
            half = max(4, harmony.steps // 8 * 4)
            figure = figure[:half] + ("x" + "-" * harmony.steps)[: harmony.steps - half - 2] + ".."
        for move, (step, length, _) in zip([*moves, 1, -1], events(figure), strict=False):
            beat = n * harmony.bar + step * STEP
            place = min(max(place + move, 0), len(rungs) - 1)
            if step % 4 == 0 or length >= 4:
                target = nearest(harmony.chords[harmony.index(beat)].classes, rungs[place])
                place = min(range(len(rungs)), key=lambda k: abs(rungs[k] - target))
            strength = 1.1 if step == 0 else 1.0 if step % 4 == 0 else 0.88
            tones.append(Tone(beat, length * STEP * rng.uniform(0.85, 1.0), rungs[place], strength))
        # Drift towards the middle between bars; otherwise the line sticks to the edge of its range.
        place += (place < len(rungs) // 3) - (place > 2 * len(rungs) // 3)
    return tones


def bass(rng: Random, harmony: Harmony, layer: StyleLayer) -> list[Tone]:
    """A bass line: one figure of the layer's kind most of the time, now and then another."""
    figures = BASS[layer.figure]
    usual = rng.choice(figures)
    tones: list[Tone] = []
    for n in range(harmony.bars):
        figure = fit(usual if rng.random() < 0.6 else rng.choice(figures), harmony.steps)
        for step, length, symbol in events(figure):
            beat = n * harmony.bar + step * STEP
            index = harmony.index(beat)
            intervals = harmony.chords[index].intervals
            root = nearest((harmony.chords[index].root,), layer.centre)
            following = harmony.chords[min(harmony.index(beat + 1), len(harmony.chords) - 1)].root
            pitch = {
                "r": root,
                "3": root + intervals[1] % 12,
                "5": root + (7 if len(intervals) < 3 else intervals[2]),
                "6": root + 9,
                "7": root + (intervals[3] % 12 if len(intervals) > 3 else 12),
                "8": root + 12,
                "a": nearest((following,), root) + rng.choice((-1, 1, 2)),
            }[symbol]
            strength = 1.08 if step == 0 else 0.95
            tones.append(Tone(beat, length * STEP * 0.92, pitch, strength))
    return tones


def voicings(harmony: Harmony, centre: int, size: int) -> list[tuple[int, ...]]:
    """Every chord of the piece in `size` voices, each led from the one before."""
    led: list[tuple[int, ...]] = []
    for sounding in harmony.chords:
        led.append(lead(sounding, led[-1] if led else None, centre, size))
    return led


def _split(harmony: Harmony, beat: float, length: float) -> list[tuple[float, float, int]]:
    """Cut a held chord where the harmony changes: (beat, length, index of the chord)."""
    pieces: list[tuple[float, float, int]] = []
    end = min(beat + length, harmony.end)
    while beat < end - 1e-6:
        index = harmony.index(beat)
        stop = min(end, harmony.until(index))
        pieces.append((beat, stop - beat, index))
        beat = stop
    return pieces


def chords(rng: Random, harmony: Harmony, layer: StyleLayer, plucked: bool) -> list[Tone]:
    """Accompaniment: each chord in a figure; plucked chords are strummed string by string."""
    led = voicings(harmony, layer.centre, layer.size)
    figures = COMPS[layer.figure]
    usual = rng.choice(figures)
    tones: list[Tone] = []
    for n in range(harmony.bars):
        figure = fit(usual if rng.random() < 0.8 else rng.choice(figures), harmony.steps)
        for step, length, symbol in events(figure):
            for beat, held, index in _split(harmony, n * harmony.bar + step * STEP, length * STEP):
                voices = led[index]
                if symbol.isdigit():
                    octave, voice = divmod(int(symbol), len(voices))
                    picked = [voices[voice] + 12 * octave]
                else:
                    picked = list({"b": voices[:1], "t": voices[1:]}.get(symbol, voices))
                strength = {"X": 1.12, "x": 0.95}.get(symbol, 1.02 if step % 4 == 0 else 0.9)
                lag = 0.035 if plucked and len(picked) > 1 else 0.0
                order = picked if step % 4 == 0 else picked[::-1]
                tones += [
                    Tone(beat + k * lag, held * 0.95, p, strength) for k, p in enumerate(order)
                ]
    return tones


def voice(rng: Random, harmony: Harmony, layer: StyleLayer) -> list[Tone]:
    """One of four led voices, in its player's octave; long notes sometimes move by step."""
    led = voicings(harmony, 62, 4)
    rungs = ladder(harmony.tonic, harmony.mode, 24, 100)
    figure = fit(COMPS[layer.figure][0], harmony.steps)
    tones: list[Tone] = []
    for n in range(harmony.bars):
        for step, length, symbol in events(figure):
            for beat, held, index in _split(harmony, n * harmony.bar + step * STEP, length * STEP):
                pitch = nearest((led[index][layer.size] % 12,), layer.centre)
                strength = 1.1 if symbol == "X" else 0.98
                if held >= 1.0 and rng.random() < 0.35:
                    aim = pitch + rng.choice((-2, 2))
                    passing = min((p for p in rungs if p != pitch), key=lambda p: abs(p - aim))
                    tones.append(Tone(beat, held / 2, pitch, strength))
                    tones.append(Tone(beat + held / 2, held / 2 * 0.96, passing, 0.9))
                else:
                    tones.append(Tone(beat, held * 0.97, pitch, strength))
    return tones


def drone(harmony: Harmony, layer: StyleLayer, struck: bool) -> list[Tone]:
    """Tonic and fifth, held for four bars; sounds that decay are struck again in every bar."""
    every = 1 if struck else 4
    root = nearest((harmony.tonic,), layer.centre)
    return [
        Tone(n * harmony.bar, min(every, harmony.bars - n) * harmony.bar, pitch, 0.85)
        for n in range(0, harmony.bars, every)
        for pitch in (root, root + 7)
    ]


def drums(
    rng: Random, name: str, bars: int, bar: float, sections: list[int], machine: bool
) -> list[Tone]:
    """A groove: each section has its variant, starts with a crash and may end with a fill."""
    steps = round(bar / STEP)
    ends = {start - 1 for start in sections[1:]} | {bars - 1}
    variants = GROOVES[name]
    variant = rng.choice(variants)
    tones: list[Tone] = []
    for n in range(bars):
        if n in sections:
            variant = variants[(sections.index(n) + rng.randrange(2)) % len(variants)]
            if n and "snare" in variant:
                tones.append(Tone(n * bar, 1.0, DRUMS["crash"], 0.95))
        filled = n in ends and rng.random() < 0.75
        before_fill = steps // 2 if filled and not machine else steps
        for drum, figure in variant.items():
            for step, _, symbol in events(fit(figure, steps)):
                if step >= before_fill or rng.random() < (
                    0.0 if machine or symbol == "X" else 0.04
                ):
                    continue
                strength = {"X": 1.12, "x": 0.9, "o": 0.5}[symbol]
                tones.append(Tone(n * bar + step * STEP, STEP, DRUMS[drum], strength))
        if filled:
            tones += _fill(rng, n * bar + steps // 2 * STEP, steps - steps // 2, machine)
    return tones


def _fill(rng: Random, start: float, steps: int, machine: bool) -> list[Tone]:
    """A fill that gets louder: down the toms if played by hand, a snare roll by machine."""
    kit = [DRUMS[name] for name in ("snare", "high tom", "tom", "floor")]
    tones: list[Tone] = []
    for step in range(steps):
        if machine or rng.random() < 0.8:
            drum = DRUMS["snare"] if machine else kit[min(3, step * 4 // steps)]
            tones.append(Tone(start + step * STEP, STEP, drum, 0.55 + 0.5 * step / steps))
    return tones
