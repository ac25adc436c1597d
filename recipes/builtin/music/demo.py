"""Make the demo library: forty short pieces in forty styles, to try gdr without music of your own.

    python -m recipes.builtin.music.demo --work DIR --out demo

Each piece is composed from the seed below, synthesised by fluidsynth with the FluidR3 soundfont,
encoded by ffmpeg as Ogg Vorbis and tagged with mutagen. The same versions of these tools give the
same bytes. Where a piece did not sound like its style, the seed was replaced by one that an audio
tagger recognised. Writes `README.md` with a table of the pieces, too. Needs the commands
`fluidsynth` and `ffmpeg`.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mutagen.oggvorbis import OggVorbis
from numpy.typing import NDArray

from gdr_model import atomic
from recipes.builtin.music.compose import compose
from recipes.builtin.music.render import RATE_HZ, soundfont, synthesise
from recipes.builtin.music.score import Score
from recipes.builtin.music.styles import BY_NAME
from recipes.builtin.steps import step_parser

SECONDS = 22.0
FADE_S = 2.0
PEAK = 0.8  # the encoder adds up to a tenth to a sharp attack
QUALITY = 0  # of Vorbis, the lowest that ffmpeg offers
OUT_HZ = 24000  # a quarter smaller than 32000 Hz; gdr's encoder uses nothing above 7.6 kHz
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

No musicians were involved. gdr's own composer (`recipes/builtin/music/compose.py`) wrote each piece
from a seed, and fluidsynth played it with the FluidR3 GM soundfont by Frank Wen, which is under the
MIT licence (Debian package `fluid-soundfont-gm`). The pieces are under the licence of this
repository. To make them again:

    python -m recipes.builtin.music.demo --work DIR --out demo

| piece | style | tempo | key | instruments |
| --- | --- | --- | --- | --- |
{rows}
"""


@dataclass(frozen=True)
class DemoPiece:
    """A piece of the demo library: its folder and title, and the style and seed that make it."""

    folder: str
    title: str
    style: str
    seed: int

    @property
    def path(self) -> Path:
        """Its file, relative to the library."""
        return Path(self.folder, f"{self.title}.ogg")

    def compose(self) -> Score:
        """Its score."""
        return compose(self.seed, self.style, SECONDS)


def pieces() -> list[DemoPiece]:
    """The pieces listed above, in order."""
    listed: list[DemoPiece] = []
    for line in PIECES.strip().splitlines():
        place, recipe = line.split(": ")
        folder, title = place.split("/")
        style, seed = recipe.rsplit(" ", 1)
        listed.append(DemoPiece(folder, title, style, int(seed)))
    return listed


def encode(sound: NDArray[np.float32], path: Path) -> None:
    """Write (N,) at `RATE_HZ` as mono Ogg Vorbis, the same bytes for the same sound.

    Raises:
        subprocess.CalledProcessError: if ffmpeg fails.
    """
    pcm = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-"]
    vorbis = ["-ar", str(OUT_HZ), "-c:a", "libvorbis", "-q:a", str(QUALITY), "-f", "ogg"]
    # Without bitexact the stream gets a random serial number.
    same_bytes = ["-flags", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1"]
    command = ["ffmpeg", "-y", "-loglevel", "error", *pcm, *vorbis, *same_bytes, str(path)]
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)


def make(piece: DemoPiece, number: int, font: Path, out: Path) -> None:
    """Compose, synthesise, encode and tag one piece."""
    mono = synthesise(piece.compose(), font, SECONDS, FADE_S).mean(axis=1)
    path = out / piece.path
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


def row(piece: DemoPiece) -> str:
    """A line of the table in the README."""
    score = piece.compose()
    instruments = ", ".join([*score.instruments, *([score.drum_kit] if score.drum_kit else [])])
    place = f"{piece.folder}/{piece.title}"
    key = f"{score.key} {score.mode}"
    return f"| {place} | {piece.style} | {score.tempo_bpm:.0f} | {key} | {instruments} |"


def readme() -> str:
    """The text of the library's README.md."""
    return README.format(seconds=SECONDS, rows="\n".join(map(row, pieces())))


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the demo library"
    )
    options = parser.parse_args()
    font = soundfont("fluid-soundfont-gm", options.work)
    for number, piece in enumerate(pieces(), start=1):
        make(piece, number, font, options.out)
        print(row(piece), file=sys.stderr)
    atomic.write_text(options.out / "README.md", readme())


if __name__ == "__main__":
    main()
