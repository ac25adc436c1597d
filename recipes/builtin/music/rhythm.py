"""Rhythms on a grid of sixteenths: grooves for drums, figures for bass and chords.

One character is one sixteenth: `.` is a rest, `-` holds the previous note.
Drums (`grooves.toml`): `X` accent, `x` hit, `o` ghost note.
Bass: `r` root, `3`, `5`, `6`, `7` those degrees, `8` the octave, `a` an approach note a step or two
away from the next root.
Chords: `x` all voices (`X` accented), `b` the lowest, `t` all but the lowest; a digit is a single
voice, counted from the lowest and continuing into the next octave.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

GROOVES: dict[str, list[dict[str, str]]] = tomllib.loads(
    Path(__file__).with_name("grooves.toml").read_text(encoding="utf-8")
)
"""Each groove with its variants; the composer changes variant from section to section."""


BASS: dict[str, tuple[str, ...]] = {
    "root": ("r---------------",),
    "halves": ("r-------5-------", "r-------3-------"),
    "two": ("r--.....5--.....", "r--.....5--.a---"),
    "eighths": ("r-r-r-r-r-r-r-r-", "r-r-r-r-r-r-5-a-"),
    "gallop": ("r-rrr-rrr-rrr-rr", "r-rrr-rrr-rr5-rr"),
    "octaves": ("r-8-r-8-r-8-r-8-", "r-8-r-8-r-8-5-7-"),
    "walking": (
        "r---3---5---a---",
        "r---5---8---a---",
        "r---5---3---a---",
        "8---7---5---a---",
        "r---3---5-5-a---",
    ),
    "rockabilly": ("r---3---5---6---", "r---3---5---a---"),
    "bossa": ("r-----5-5-----r-", "r-----5-8-----5-"),
    "tumbao": ("......5-....r---", "r.....5-....8---"),
    "reggae": ("r-..r-5-..8-5-..", "..r-r-..5---3-r-", "r---..3-5-..r---"),
    "funk": ("r--r..8.r.7-8.5-", "r.r...8..r7.5.a.", "r...r.8.7.5.r.a."),
    "disco": ("r.8.r.8.r.8.r.8.", "r.8.r.8.5.8.7.8."),
    "offbeat": ("..r-..r-..r-..r-",),
    "rolling": (".rrr.rrr.rrr.rrr", ".rrr.rr8.rrr.r8r"),
    "acid": ("r.8rr.r8.rr.8.r5", "rr.8r.r.8r.rr8.7"),
    "sixteenths": ("rrrrrrrrrrrrrrrr", "rrrrrrrrrrrr5577"),
    "sub": ("r-------..r-....", "r-----..r-----..", "r---------....8-"),
    "reese": ("r---------r-5---", "r-----7---5-----"),
    "boom bap": ("r--...r-..5-....", "r-..r--...3-5-..", "r-----..r-8-..a-"),
    "habanera": ("r-----5-8---5---", "r-----5---a-8---"),
    "march": ("r-..5-..r-..5-..", "r-..5-..8-..5-.."),
    "waltz": ("r---........", "5---........"),
    "jig": ("r---..5---..", "r---..8---.."),
    "timpani": ("r...............", "r...........r.r.", "r.......5.r....."),
    "arco": ("r-------3---5---", "r---3---5-------", "8-------5---3---"),
    "baroque": ("r-3-5-3-r-5-8-a-", "r-8-7-5-3-5-r-a-", "r---5---8-7-5-a-"),
}

COMPS: dict[str, tuple[str, ...]] = {
    "pad": ("x---------------",),
    "halves": ("x-------x-------",),
    "quarters": ("x---x---x---x---", "x-..x-..x-..x-.."),
    "eighths": ("x-x-x-x-x-x-x-x-", "X.x.x.x.X.x.x.x."),
    "alberti": ("0-2-1-2-0-2-1-2-", "0-1-2-1-0-1-2-1-"),
    "nocturne": ("0-2-4-3-4-2-4-3-", "0---2-3-4---3-2-", "0-2-3-4-5-4-3-2-"),
    "arpeggio": ("0-1-2-3-4-3-2-1-", "0-2-1-3-2-4-3-5-", "4-3-2-1-0-1-2-3-"),
    "ripple": ("0123456543210123", "0246135724613572", "0123012301230123", "0213243542312010"),
    "pulse": ("0.1.2.1.0.1.2.3.", "0..1..2.0..1..3.", "0.01.02.0.01.03."),
    "sequence": ("0120120120120123", "0213021302130214", "0404131324241313"),
    "skank": ("....x.......x...", "....xx......xx.."),
    "upbeat": ("..x...x...x...x.",),
    "stab": ("x..x..x...x..x..", "..x..x....x..x..", "x.....x.....x..."),
    "house": ("x..x..x..x..x.x.", "x--x--x-..x-..x-"),
    "scratch": ("x.xx..xx.xx.x.x.", ".xx.xx.x.xx.x..x", "..x...xxx.x...x."),
    "charleston": ("x-----x-........", "......x-....x---", "..x---......x-..", "x-..........x-x-"),
    "four": ("x-..x-..x-..x-..",),
    "hits": ("x-......x-.x....", "..x.x---....x-..", "X-.x-...X-......"),
    "strum": ("X---x-xx..xxx-xx", "X---x-x-..x-x-x-", "X-x-x-xxx-x-x-xx"),
    "ballad strum": ("x-------x---x-x-", "x---x---x-x-x---"),
    "travis": ("0-2-1-3-0-2-1-3-", "0-3-1-2-0-3-1-2-", "0---2-1-3-2-1-2-"),
    "roll": ("0213021302130213", "0123102301230123", "2103210321032130"),
    "boom chuck": ("b-..t-..b-..t-..", "b-..t-t-b-..t-t-"),
    "oompah": ("b...t...t...", "b...t.t.t..."),
    "bossa": ("x-..x-..x-.x-...", "x-.x-..x-..x-...", "b-x..x..b-x..x.x"),
    "montuno": ("t.bt.tb.t.bt.tb.", "tb.tb.t.btb.t.bt", "x.tb.t.xtb.t.bt."),
    "chug": ("x.xxx.xxx.xxx.xx", "x-xxx-x-xxx-x-x-", "X---..xxX-..x.xx"),
    "power": ("X-x-x-x-X-x-x-x-", "X-----x-X---x-x-"),
    "gate": ("x.xxx.xxx.xxx.xx", "xx.xx.xxxx.xx.x."),
    "tremolo": ("xxxxxxxxxxxxxxxx",),
    "rasgueado": ("X--xxxx-X--xx.x-", "b.t.b.ttX-xxxx..", "b-t-t-b-t-t-b-t-"),
    "chop": ("X...x...x...x.x.", "X..x..x.X...x.xx"),
    "interlock": ("0.1.30.1.2.031.2", ".1.2.1.3.1.2.1.4", "02.02.02.02.0213"),
    "dreamy": ("0---2---4---3---", "0-----3-----5---", "4---2---3---1---"),
    "fanfare": ("X-..x.xxX---....", "X--xX-x-X-......", "x.xxX---x.xxX---"),
    "hymn": ("x---x---x---x---", "x-------x---x---"),
}

CELLS: tuple[tuple[str, float], ...] = (
    ("x---", 0.25),
    ("----", 0.0),
    ("x-x-", 0.5),
    ("..x-", 0.3),
    ("x--x", 0.5),
    ("x-xx", 0.75),
    ("xxx-", 0.75),
    ("xxxx", 1.0),
    ("x-..", 0.25),
)
"""One-beat rhythms for melodies, each with how busy it is (0 to 1)."""


def fit(figure: str, steps: int) -> str:
    """Cut or repeat a figure to exactly `steps` sixteenths."""
    return (figure * (steps // len(figure) + 1))[:steps]


def events(figure: str) -> list[tuple[int, int, str]]:
    """Parse a figure into (step, length in steps, symbol).

    >>> events("x--.o.")
    [(0, 3, 'x'), (4, 1, 'o')]
    """
    played: list[tuple[int, int, str]] = []
    for step, symbol in enumerate(figure):
        if symbol == "-" and played and sum(played[-1][:2]) == step:
            played[-1] = (played[-1][0], played[-1][1] + 1, played[-1][2])
        elif symbol not in ".-":
            played.append((step, 1, symbol))
    return played
