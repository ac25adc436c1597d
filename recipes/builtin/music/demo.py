"""Make the demo library: forty short pieces of forty kinds, so that gdr can be tried without music.

    python -m recipes.builtin.music.demo --work DIR --out demo

Composed by compose.py from the seeds below, played by fluidsynth with the FluidR3 soundfont,
encoded by ffmpeg as Ogg Vorbis, tagged with mutagen. The same versions of these tools give the
same bytes. Where a style came out blurred, its seed was changed for one in which an audio tagger
named the style sooner.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mutagen.oggvorbis import OggVorbis
from numpy.typing import NDArray

from recipes.builtin.music.compose import compose
from recipes.builtin.music.render import RATE_HZ, soundfont, synthesise
from recipes.builtin.music.score import Score
from recipes.builtin.music.styles import BY_NAME

SECONDS = 22.0
FADE_S = 2.0
PEAK = 0.8  # the encoder adds up to a tenth to a sharp attack
QUALITY = 0  # of Vorbis, the least ffmpeg offers
OUT_HZ = 24000  # a quarter less to store than at 32000; the encoder hears nothing above 7.6 kHz
DATE = "2026"
ALBUM = "Demo library"

PIECES = """
after dark/blue lantern: jazz ballad 1
after dark/corner table: jazz trio 7
after dark/night drive: synthwave 1
after dark/rain on the awning: lo-fi 1
after dark/stairwell: trap 8
dance floor/ballroom fire: swing big band 1
dance floor/deep end: house 6
dance floor/mercado: salsa 1
dance floor/mirror ball: disco 1
dance floor/sunrise set: trance 4
dance floor/tight shoes: funk 1
dance floor/under the flyover: drum and bass 4
dance floor/warehouse key: techno 1
quiet hours/dew on the wire: harp 1
quiet hours/mountain pine: shakuhachi 1
quiet hours/paper boats: music box lullaby 1
quiet hours/slow water: ambient pads 1
quiet hours/snow on the sill: piano ballad 2
concert hall/evensong: choir 1
concert hall/gilded cage: baroque harpsichord 1
concert hall/great west door: church organ 1
concert hall/letter to a friend: string quartet 1
concert hall/the empty chair: solo cello 1
concert hall/winter light: film strings 1
open road/creek run: bluegrass 6
open road/dusty boots: country 1
open road/green hills: celtic 1
open road/island time: reggae 2
open road/porch light: folk guitar 1
open road/slow train: electric blues 1
open road/window on the sea: bossa nova 1
loud/iron weather: heavy metal 1
loud/open throttle: rock 1
loud/storm front: epic trailer 1
far away/bronze garden: gamelan 1
far away/calle de la luna: flamenco 1
far away/midnight milonga: tango 3
far away/river temple: indian sitar 1
toy box/old carousel: accordion waltz 1
toy box/pixel parade: chiptune 1
"""

README = """# The demo library

Forty pieces of {seconds:.0f} seconds in forty styles, to try gdr with: `gdr index demo`, then
`gdr search "slow piano, sad" --library demo`.

Nobody played them. gdr's own composer (`recipes/builtin/music/compose.py`) wrote them from a seed,
and fluidsynth played them with the FluidR3 GM soundfont by Frank Wen, under the MIT licence
(Debian package `fluid-soundfont-gm`). The pieces are under the licence of this repository. To make
them again:

    python -m recipes.builtin.music.demo --work DIR --out demo

| piece | style | tempo | key | heard |
| --- | --- | --- | --- | --- |
{rows}
"""


@dataclass(frozen=True)
class Piece:
    """A piece of the demo library: where it goes, what it is called, and what it is made from."""

    folder: str
    title: str
    style: str
    seed: int


def pieces() -> list[Piece]:
    """Read the list above."""
    found: list[Piece] = []
    for line in PIECES.strip().splitlines():
        place, recipe = line.split(": ")
        folder, title = place.split("/")
        style, seed = recipe.rsplit(" ", 1)
        found.append(Piece(folder, title, style, int(seed)))
    return found


def encode(sound: NDArray[np.float32], path: Path) -> None:
    """Write (N,) at `RATE_HZ` as mono Ogg Vorbis, the same bytes for the same sound."""
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1"]
    # bitexact: otherwise the stream gets a random serial number.
    command += ["-i", "-", "-ar", str(OUT_HZ), "-c:a", "libvorbis", "-q:a", str(QUALITY)]
    command += [
        "-flags",
        "+bitexact",
        "-fflags",
        "+bitexact",
        "-map_metadata",
        "-1",
        "-f",
        "ogg",
        str(path),
    ]
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)


def make(piece: Piece, number: int, font: Path, out: Path) -> Score:
    """Compose, play, encode and tag one piece."""
    score = compose(piece.seed, piece.style, SECONDS)
    mono = synthesise(score, font, SECONDS, FADE_S).mean(axis=1)
    path = out / piece.folder / f"{piece.title}.ogg"
    path.parent.mkdir(parents=True, exist_ok=True)
    encode(mono * (PEAK / float(np.abs(mono).max())), path)
    tags = OggVorbis(path)  # type: ignore[no-untyped-call]
    tags["title"] = piece.title.capitalize()
    tags["artist"] = "gdr"
    tags["album"] = ALBUM
    tags["genre"] = BY_NAME[piece.style].genre
    tags["date"] = DATE
    tags["tracknumber"] = str(number)
    tags.save()
    return score


def row(piece: Piece, score: Score) -> str:
    """A line of the table in the README."""
    heard = ", ".join([*score.instruments, *([score.drum_kit] if score.drum_kit else [])])
    place = f"{piece.folder}/{piece.title}"
    key = f"{score.key} {score.mode}"
    return f"| {place} | {piece.style} | {score.tempo_bpm:.0f} | {key} | {heard} |"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="holds soundfonts")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the library")
    options = parser.parse_args()
    font = soundfont("fluid-soundfont-gm", options.work)
    rows = []
    for number, piece in enumerate(pieces(), start=1):
        rows.append(row(piece, make(piece, number, font, options.out)))
        print(rows[-1], file=sys.stderr)
    text = README.format(seconds=SECONDS, rows="\n".join(rows))
    (options.out / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
