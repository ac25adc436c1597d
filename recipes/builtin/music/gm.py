"""General MIDI by name: the 128 programs, the drum kits, and the drums used in grooves."""

from __future__ import annotations

_NAMES = """
acoustic grand piano, bright piano, electric grand piano, honky-tonk piano, electric piano, fm
electric piano, harpsichord, clavinet, celesta, glockenspiel, music box, vibraphone, marimba,
xylophone, tubular bells, dulcimer, drawbar organ, percussive organ, rock organ, church organ,
reed organ, accordion, harmonica, bandoneon, nylon guitar, steel guitar, jazz guitar, clean
electric guitar, muted electric guitar, overdriven guitar, distorted guitar, guitar harmonics,
double bass, fingered electric bass, picked electric bass, fretless bass, slap bass, pop bass,
synth bass, dark synth bass, violin, viola, cello, contrabass, tremolo strings, pizzicato
strings, harp, timpani, string ensemble, slow strings, synth strings, warm synth strings, choir
aahs, voice oohs, synth voice, orchestra hit, trumpet, trombone, tuba, muted trumpet, french
horn, brass section, synth brass, soft synth brass, soprano saxophone, alto saxophone, tenor
saxophone, baritone saxophone, oboe, english horn, bassoon, clarinet, piccolo, flute, recorder,
pan flute, bottle, shakuhachi, whistle, ocarina, square lead, sawtooth lead, calliope lead,
chiff lead, charang lead, voice lead, fifths lead, bass lead, new age pad, warm pad, polysynth
pad, choir pad, bowed glass pad, metallic pad, halo pad, sweep pad, rain, soundtrack, crystal,
atmosphere, brightness, goblins, echoes, sci-fi, sitar, banjo, shamisen, koto, kalimba, bagpipe,
fiddle, shanai, tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom, synth drum,
reverse cymbal, fret noise, breath noise, seashore, bird tweet, telephone, helicopter, applause,
gunshot
"""

PROGRAMS: tuple[str, ...] = tuple(name.strip() for name in _NAMES.replace("\n", " ").split(","))
"""Names of the programs 0-127."""

KITS: dict[str, int] = {
    "standard kit": 0,
    "room kit": 8,
    "power kit": 16,
    "electronic kit": 24,
    "808 kit": 25,
    "jazz kit": 32,
    "brush kit": 40,
    "orchestra kit": 48,
}
"""Programs of the drum channel."""

DRUM_CHANNEL = 9

DRUMS: dict[str, int] = {
    "kick": 36,
    "stick": 37,
    "snare": 38,
    "clap": 39,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "floor": 41,
    "tom": 45,
    "high tom": 48,
    "crash": 49,
    "ride": 51,
    "bell": 53,
    "tambourine": 54,
    "cowbell": 56,
    "bongo": 60,
    "low bongo": 61,
    "mute conga": 62,
    "conga": 63,
    "low conga": 64,
    "timbale": 65,
    "agogo": 67,
    "cabasa": 69,
    "shaker": 70,
    "guiro": 73,
    "claves": 75,
    "block": 76,
    "low block": 77,
    "triangle": 81,
}
"""Notes of the drum channel."""

STRUCK = frozenset(
    {*range(16), *range(24, 29), 31, *range(45, 48), *range(104, 109), *range(112, 120)}
)
"""Programs whose notes decay on their own; the others sustain a note as long as it is held."""


SLOW = frozenset({49, 51, *range(88, 96), 97, 99, 101, 102, 103})
"""Programs with an attack of about a second: of short notes only a click is audible."""
