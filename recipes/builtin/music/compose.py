"""Compose a score from a seed and a style; the same seed and style give the same score.

    score = compose(7, "bossa nova")
    write_midi(score, Path("seven.mid"))

A style (styles.py) names layers, chords, grooves and moods, and parts.py writes each layer. This
module arranges them into sections in which instruments enter and leave, and adds dynamics and
human timing. The style "diverse" (diverse.py) is for training: it puts any of the 128 programs in
a random setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from recipes.builtin.music import parts
from recipes.builtin.music.diverse import DIVERSE, diverse
from recipes.builtin.music.gm import DRUM_CHANNEL, KITS, PROGRAMS, STRUCK
from recipes.builtin.music.score import Score, ScoreNote, ScorePart
from recipes.builtin.music.styles import BY_NAME, STYLES, TITLES, Style, StyleLayer
from recipes.builtin.music.theory import KEYS

METERS = {"4/4": 4.0, "3/4": 3.0, "6/8": 3.0, "7/8": 3.5}
"""Beats (quarter notes) in a bar."""
PLUCKED = frozenset({15, 24, 25, 26, 27, 28, 46, 104, 105, 106, 107})
"""Programs whose chords are strummed."""


def _sections(bars: int) -> list[int]:
    """First bar of each section: four bars long, two in a short piece, never one."""
    size = 2 if bars <= 8 else 4
    starts = list(range(0, bars, size))
    return starts[:-1] if len(starts) > 1 and bars - starts[-1] < 2 else starts


def _entries(rng: Random, layers: tuple[StyleLayer, ...], count: int) -> list[set[int]]:
    """Which layers play in each section: few at first, all at the end, at times one fewer."""
    present: list[set[int]] = []
    for section in range(count):
        playing = {k for k, layer in enumerate(layers) if layer.enter <= section}
        if 0 < section < count - 1 and len(playing) > 2 and rng.random() < 0.35:
            playing.discard(rng.choice(sorted(playing)))
        if section == 0 and len(playing) > 2 and rng.random() < 0.45:
            playing = set(rng.sample(sorted(playing), rng.randint(1, 2)))
        present.append(playing)
    return present


def _tones(
    rng: Random, layer: StyleLayer, harmony: parts.Harmony, program: int
) -> list[parts.Tone]:
    """Write a layer with the function for its role."""
    if layer.role == "bass":
        return parts.bass(rng, harmony, layer)
    if layer.role == "chords":
        return parts.chords(rng, harmony, layer, program in PLUCKED)
    if layer.role == "voice":
        return parts.voice(rng, harmony, layer)
    if layer.role == "drone":
        return parts.drone(harmony, layer, program in STRUCK)
    return parts.melody(rng, harmony, layer)


def _swung(beat: float, style: Style) -> float:
    """Delay a position between two beats by the swing of the style."""
    unit = style.swing_beats
    whole, within = divmod(beat / unit, 1.0)
    bent = (
        within * 2 * style.swing
        if within < 0.5
        else style.swing + (within - 0.5) * 2 * (1 - style.swing)
    )
    return (whole + bent) * unit


@dataclass
class _Band:
    """The players of a piece and the notes they have played so far."""

    rng: Random
    style: Style
    tempo: float
    bar: float
    sections: list[int]
    level: float
    players: list[ScorePart] = field(default_factory=list)
    notes: list[ScoreNote] = field(default_factory=list)

    def section_of(self, beat: float) -> int:
        """Number of the section that a beat belongs to."""
        return sum(beat >= start * self.bar - 1e-6 for start in self.sections) - 1

    def play_layer(
        self, number: int, layer: StyleLayer, harmony: parts.Harmony, present: list[set[int]]
    ) -> None:
        """Add a layer in the sections in which it is present."""
        program = self.rng.choice(layer.programs)
        tones = [
            tone
            for tone in _tones(self.rng, layer, harmony, program)
            if number in present[self.section_of(tone.start)]
        ]
        channel = number if number < DRUM_CHANNEL else number + 1
        pan = 0.0 if layer.role == "bass" or number == 0 else self.rng.uniform(-0.6, 0.6)
        held = program not in STRUCK and layer.role != "bass"
        self._play(tones, ScorePart(PROGRAMS[program], program, channel, layer.level, pan, held))

    def play_drums(self, kit: str, groove: str, bars: int) -> None:
        """Add the drums from the section in which the style lets them enter."""
        machine = self.style.loose == 0
        tones = parts.drums(self.rng, groove, bars, self.bar, self.sections, machine)
        first = self.style.drums_enter if len(self.sections) > 1 else 0
        self._play(
            [tone for tone in tones if self.section_of(tone.start) >= first],
            ScorePart(kit, KITS[kit], DRUM_CHANNEL, 0.75, 0.0, False),
        )

    def _play(self, tones: list[parts.Tone], player: ScorePart) -> None:
        """Turn tones into notes: swing, the dynamics of the sections, human unevenness."""
        if not tones:
            return
        rng, loose = self.rng, self.style.loose
        for tone in tones:
            # Three steps of growing loudness over the first three sections.
            gain = self.level * (0.88 + 0.2 * min(self.section_of(tone.start), 2) / 2)
            slip = rng.gauss(0.0, loose) * self.tempo / 60 if loose else 0.0
            start = max(0.0, _swung(tone.start, self.style) + slip)
            velocity = 84 * tone.strength * gain + rng.gauss(0.0, 5.0 if loose else 2.0)
            self.notes.append(
                ScoreNote(
                    start=round(start, 4),
                    length=round(max(0.08, tone.length), 4),
                    pitch=min(max(tone.pitch, 12), 115),
                    velocity=min(max(round(velocity), 20), 127),
                    part=len(self.players),
                )
            )
        self.players.append(player)


def compose(seed: int, style: str | None = None, seconds: float = 24.0) -> Score:
    """Compose a piece of about `seconds`; without a style, the seed chooses one.

    Raises:
        ValueError: if there is no such style.

    >>> compose(3, "waltz")
    Traceback (most recent call last):
    ValueError: no style "waltz"; one of: ...
    """
    rng = Random(f"{seed}/{style}")
    name = style or rng.choice(STYLES).name
    if name != DIVERSE and name not in BY_NAME:
        raise ValueError(f'no style "{name}"; one of: {DIVERSE}, {", ".join(BY_NAME)}')
    kind = diverse(rng, seed) if name == DIVERSE else BY_NAME[name]
    bar = METERS[kind.meter]
    wanted_tempo = rng.uniform(*kind.tempo)
    played_s = seconds - rng.uniform(0.8, 2.8)
    bars = max(4, round(played_s * wanted_tempo / 60 / bar))
    # Whole bars must fill the time, so the tempo gives way by a few per cent.
    tempo = round(bars * bar * 60 / played_s, 2)
    mode = rng.choice(kind.modes)
    tonic = rng.randrange(12)
    harmony = parts.harmonise(rng.choice(kind.chords), bars, bar, tonic, mode, close=kind.loose > 0)
    sections = _sections(bars)
    present = _entries(rng, kind.layers, len(sections))
    band = _Band(rng, kind, tempo, bar, sections, rng.uniform(0.85, 1.0))
    for number, layer in enumerate(kind.layers):
        band.play_layer(number, layer, harmony, present)
    kit = groove = None
    if kind.grooves:
        kit, groove = rng.choice(kind.kits), rng.choice(kind.grooves)
        band.play_drums(kit, groove, bars)
    duration_s = bars * bar * 60 / tempo
    return Score(
        style=name,
        genre=kind.genre or None,
        title=f"{rng.choice(TITLES['first'])} {rng.choice(TITLES['second'])}",
        tempo_bpm=tempo,
        mode=mode,
        key=KEYS[tonic],
        meter=kind.meter,
        parts=tuple(band.players),
        drum_kit=kit,
        groove=groove,
        moods=tuple(rng.sample(kind.moods, 2)),
        density=round(len(band.notes) / duration_s, 2),
        duration_s=round(duration_s, 3),
        notes=tuple(sorted(band.notes, key=lambda n: (n.start, n.part, n.pitch))),
    )
