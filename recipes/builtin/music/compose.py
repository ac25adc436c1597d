"""Our own composer: a seed and a style go in, a score comes out, the same score every time.

    score = compose(7, "bossa nova")
    write_midi(score, Path("seven.mid"))

A style (styles.py) names the layers, chords, grooves and moods; parts.py writes each layer; here
they are arranged into sections in which instruments enter and leave, given dynamics and the small
errors of human hands, and written as MIDI. The style "diverse" is for teaching: it draws any of
the 128 programs, alone or in a group, in any mode, register and density; the seed counts through
the programs so that none is missed.
"""

from __future__ import annotations

from random import Random

from recipes.builtin.music import parts
from recipes.builtin.music.gm import DRUM_CHANNEL, KITS, PROGRAMS, SLOW, STRUCK
from recipes.builtin.music.rhythm import BASS, COMPS, GROOVES
from recipes.builtin.music.score import Score, ScoreNote, ScorePart, write_midi
from recipes.builtin.music.styles import BY_NAME, STYLES, TITLES, Style, StyleLayer
from recipes.builtin.music.theory import DARK, KEYS, MODES

__all__ = ["DIVERSE", "Score", "ScoreNote", "ScorePart", "compose", "write_midi"]

DIVERSE = "diverse"
METERS = {"4/4": 4.0, "3/4": 3.0, "6/8": 3.0, "7/8": 3.5}
PLUCKED = frozenset({15, 24, 25, 26, 27, 28, 46, 104, 105, 106, 107})
CENTRES = (64, 76, 62, 58, 38, 60, 62, 62, 66, 76, 72, 62, 62, 64, 62, 60)
"""Where each family of eight programs sounds at home."""
SUSTAINED = ("pad", "halves", "hymn", "dreamy")
PROGRESSIONS = (
    "1 5 6 4",
    "1 4 5 1",
    "1 6 3 7",
    "1 7 6 7",
    "1",
    "1 2",
    "1s 4s",
    "1 4 1 5",
    "6 4 1 5",
    "1add9 4M7",
    "1 6 2 5",
)


def _diverse(rng: Random, seed: int) -> Style:
    """A style nobody plays: some program as the lead, in a random setting."""
    first = seed // 2 % len(PROGRAMS)
    home = CENTRES[first // 8] if first not in {42, 43, 58, 70} else 46

    slow = first in SLOW

    def any_chords(program: int, level: float, enter: int) -> StyleLayer:
        centre = max(45, CENTRES[program // 8] + rng.randint(-5, 5))
        figure = rng.choice(SUSTAINED if program in SLOW else sorted(COMPS))
        return StyleLayer("chords", (program,), figure, centre, level, enter, rng.randint(3, 5))

    busy = rng.random() * (0.2 if slow else 1.0)
    centre, reach = home + rng.randint(-7, 9), rng.randint(7, 14)
    melody = StyleLayer("melody", (first,), "", centre, 0.9, 0, 1, busy, reach)
    low = StyleLayer(
        "bass",
        (rng.choice((32, 33, 34, 35, 36, 38, 39, 43, 58)),),
        rng.choice(sorted(BASS)),
        38,
        0.75,
    )
    other = any_chords(rng.randrange(112), 0.5, rng.randrange(2))
    groups: tuple[tuple[StyleLayer, ...], ...] = (
        (melody,),
        (any_chords(first, 0.85, 0),),
        (melody, any_chords(first, 0.6, 0)),
        (melody, low),
        (melody, other),
        (melody, other, low),
        (melody, other, low, any_chords(rng.choice((48, 50, 52, 89, 91, 95)), 0.4, 1)),
    )
    chosen = rng.choice(groups)
    drummed = rng.random() < (0.2 if len(chosen) == 1 else 0.6)
    tempo = round(50 * (1.8 if slow else 3.8) ** rng.random())
    mode = rng.choice(sorted(MODES))
    feeling = {
        (True, True): ("tense", "dramatic", "dark"),
        (True, False): ("sad", "melancholic", "mysterious"),
        (False, True): ("happy", "energetic", "cheerful"),
        (False, False): ("calm", "tender", "peaceful"),
    }[(mode in DARK, tempo > 105)]
    loose = rng.choice((0.0, 0.008, 0.018))
    return Style(
        DIVERSE, "", (tempo, tempo), (mode,), PROGRESSIONS, chosen, feeling,
        (rng.choice(sorted(GROOVES)),) if drummed else (), tuple(KITS),
        rng.choice(("4/4", "4/4", "4/4", "3/4", "6/8")), rng.choice((0.5, 0.5, 0.62)), 1.0,
        loose, rng.randrange(2),
    )  # fmt: skip


def _sections(bars: int) -> list[int]:
    """First bars of the sections: of four bars, or of two in a short piece, and never of one."""
    size = 2 if bars <= 8 else 4
    starts = list(range(0, bars, size))
    return starts[:-1] if len(starts) > 1 and bars - starts[-1] < 2 else starts


def _entries(rng: Random, layers: tuple[StyleLayer, ...], count: int) -> list[set[int]]:
    """Which layers play in each section: few at first, all at last, now and then one steps back."""
    present: list[set[int]] = []
    for section in range(count):
        playing = {k for k, layer in enumerate(layers) if layer.enter <= section}
        if 0 < section < count - 1 and len(playing) > 2 and rng.random() < 0.35:
            playing.discard(rng.choice(sorted(playing)))
        if section == 0 and len(playing) > 2 and rng.random() < 0.45:
            playing = set(rng.sample(sorted(playing), rng.randint(1, 2)))
        present.append(playing or {0})
    return present


def _tones(
    rng: Random, layer: StyleLayer, harmony: parts.Harmony, program: int
) -> list[parts.Tone]:
    """Let a layer be written by the function for its role."""
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
    """Move what lies between the beats towards the next one, as far as the style swings."""
    unit = style.swing_beats
    whole, within = divmod(beat / unit, 1.0)
    bent = (
        within * 2 * style.swing
        if within < 0.5
        else style.swing + (within - 0.5) * 2 * (1 - style.swing)
    )
    return (whole + bent) * unit


def _perform(
    rng: Random,
    tones: list[parts.Tone],
    part: int,
    style: Style,
    tempo: float,
    gains: list[tuple[float, float]],
) -> list[ScoreNote]:
    """Turn tones into notes: swing, dynamics of the sections, and the unevenness of a hand."""
    notes: list[ScoreNote] = []
    for tone in tones:
        gain = next(gain for start, gain in reversed(gains) if tone.start >= start - 1e-6)
        slip = rng.gauss(0.0, style.loose) * tempo / 60 if style.loose else 0.0
        start = max(0.0, _swung(tone.start, style) + slip)
        velocity = 84 * tone.strength * gain + rng.gauss(0.0, 5.0 if style.loose else 2.0)
        pitch = min(max(tone.pitch, 12), 115)
        notes.append(
            ScoreNote(
                round(start, 4),
                round(max(0.08, tone.length), 4),
                pitch,
                min(max(round(velocity), 20), 127),
                part,
            )
        )
    return notes


def compose(seed: int, style: str | None = None, seconds: float = 24.0) -> Score:
    """Write a piece of about `seconds`; without a style, the seed chooses one.

    >>> compose(3, "waltz")
    Traceback (most recent call last):
    ValueError: no style "waltz"; one of: ...
    """
    rng = Random(f"{seed}/{style}")
    name = style or rng.choice(STYLES).name
    if name != DIVERSE and name not in BY_NAME:
        raise ValueError(f'no style "{name}"; one of: {DIVERSE}, {", ".join(BY_NAME)}')
    kind = _diverse(rng, seed) if name == DIVERSE else BY_NAME[name]
    bar = METERS[kind.meter]
    wanted = rng.uniform(*kind.tempo)
    played = seconds - rng.uniform(0.8, 2.8)
    bars = max(4, round(played * wanted / 60 / bar))
    # Whole bars must fill the time, so the tempo gives way, by some parts in a hundred.
    tempo = round(bars * bar * 60 / played, 2)
    mode = rng.choice(kind.modes)
    tonic = rng.randrange(12)
    harmony = parts.harmonise(rng.choice(kind.chords), bars, bar, tonic, mode, close=kind.loose > 0)
    sections = _sections(bars)
    present = _entries(rng, kind.layers, len(sections))
    level = rng.uniform(0.85, 1.0)
    gains = [(s * bar, level * (0.88 + 0.2 * min(k, 2) / 2)) for k, s in enumerate(sections)]

    players: list[ScorePart] = []
    notes: list[ScoreNote] = []

    def play(tones: list[parts.Tone], player: ScorePart) -> None:
        if tones:
            notes.extend(_perform(rng, tones, len(players), kind, tempo, gains))
            players.append(player)

    def section_of(beat: float) -> int:
        return sum(beat >= start * bar - 1e-6 for start in sections) - 1

    for k, layer in enumerate(kind.layers):
        program = rng.choice(layer.programs)
        tones = [
            t for t in _tones(rng, layer, harmony, program) if k in present[section_of(t.start)]
        ]
        channel = k if k < DRUM_CHANNEL else k + 1
        pan = 0.0 if layer.role == "bass" or k == 0 else rng.uniform(-0.6, 0.6)
        play(
            tones,
            ScorePart(
                PROGRAMS[program],
                program,
                channel,
                layer.level,
                pan,
                program not in STRUCK and layer.role != "bass",
            ),
        )
    kit = groove = None
    if kind.grooves:
        kit, groove = rng.choice(kind.kits), rng.choice(kind.grooves)
        beats = parts.drums(rng, groove, bars, bar, sections, machine=kind.loose == 0)
        first = kind.drums_enter if len(sections) > 1 else 0
        play(
            [t for t in beats if section_of(t.start) >= first],
            ScorePart(kit, KITS[kit], DRUM_CHANNEL, 0.75, 0.0, False),
        )

    notes.sort(key=lambda n: (n.start, n.part, n.pitch))
    return Score(
        style=name,
        genre=kind.genre or None,
        title=f"{rng.choice(TITLES['first'])} {rng.choice(TITLES['second'])}",
        tempo_bpm=tempo,
        mode=mode,
        key=KEYS[tonic],
        meter=kind.meter,
        parts=tuple(players),
        drum_kit=kit,
        groove=groove,
        moods=tuple(rng.sample(kind.moods, 2)),
        density=round(len(notes) / (bars * bar * 60 / tempo), 2),
        duration_s=round(bars * bar * 60 / tempo, 3),
        notes=tuple(notes),
    )
