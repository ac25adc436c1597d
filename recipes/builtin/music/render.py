"""Render our own compositions with free soundfonts: training sound whose facts are known.

    python -m recipes.builtin.music.render --work DIR --count 1200 --seconds 24

Render number n depends on n alone: even numbers go through the styles in turn, odd ones through
the 128 programs ("diverse"), and the soundfonts alternate. A second run, or one with a larger
count, adds only what is missing. Writes the sound to `DIR/renders/NNNNN.flac` and one line of facts
per render to `DIR/renders.jsonl`. Both soundfonts, FluidR3 and MuseScore General, are under the MIT
licence and come from Debian packages. Needs the command `fluidsynth`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from gdr_model import atomic
from recipes.builtin.corpus.debian import fetch
from recipes.builtin.corpus.sources import split_of
from recipes.builtin.music.compose import compose
from recipes.builtin.music.diverse import DIVERSE
from recipes.builtin.music.gm import PROGRAMS
from recipes.builtin.music.score import Score, write_midi
from recipes.builtin.music.styles import STYLES
from recipes.builtin.steps import append_to_list, read_list, step_parser

SOUNDFONTS = ("fluid-soundfont-gm", "musescore-general-soundfont-lossless")
RATE_HZ = 32000
LEVEL = 0.1  # RMS, -20 dB
KNEE, CEILING = 0.7, 0.95
"""Of full scale: where soft clipping starts, and what it never exceeds."""


def soundfont(package: str, work: Path) -> Path:
    """Path of a soundfont in DIR/soundfonts; its Debian package is fetched the first time."""
    folder = work / "soundfonts"
    folder.mkdir(parents=True, exist_ok=True)
    kept = sorted(folder.glob(f"{package}.sf?"))
    if kept:
        return kept[0]
    unpacked = fetch(package, work)
    original = next(
        path for path in sorted(unpacked.rglob("*.sf?")) if path.is_file() and not path.is_symlink()
    )
    target = folder / f"{package}{original.suffix}"
    with atomic.replacing(target) as temporary:
        shutil.copyfile(original, temporary)
    return target


def plan(number: int) -> tuple[str, str]:
    """Style and soundfont of a render; the next time round, a style gets the other soundfont.

    >>> plan(1)
    ('diverse', 'fluid-soundfont-gm')
    """
    cycle, index = divmod(number // 2, len(PROGRAMS) if number % 2 else len(STYLES))
    return DIVERSE if number % 2 else STYLES[index].name, SOUNDFONTS[(index + cycle) % 2]


def synthesise(
    score: Score, font: Path, seconds: float, fade_s: float = 0.8
) -> NDArray[np.float32]:
    """Synthesise a score: (N, 2) at `RATE_HZ`, exactly `seconds` long, levelled and faded out.

    Raises:
        ValueError: if it is silent.
        subprocess.CalledProcessError: if fluidsynth fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        midi, wave = Path(scratch) / "score.mid", Path(scratch) / "score.wav"
        write_midi(score, midi)
        # No chorus (-C 0): fluidsynth's is in antiphase, and a synth loses 10 dB of it in mono.
        command = ["fluidsynth", "-ni", "-q", "-C", "0", "-r", str(RATE_HZ)]
        # Load only the samples that are played, not all 490 MB of the larger font.
        command += ["-o", "synth.dynamic-sample-loading=1"]
        # Float samples cannot clip: loud styles are turned down below, not distorted here.
        command += ["-O", "float", "-T", "wav", "-F", str(wave), str(font), str(midi)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sound, _ = soundfile.read(wave, dtype="float32", always_2d=True)
    length = round(seconds * RATE_HZ)
    sound = np.pad(sound[:length], ((0, max(0, length - len(sound))), (0, 0)))
    fade = round(fade_s * RATE_HZ)
    sound[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32))[:, None]
    return level(sound)


def level(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring a sound to RMS `LEVEL` and soft-clip what exceeds `KNEE` to stay below `CEILING`.

    By RMS, not by the peak, which in sparse music is a single drum hit.

    Raises:
        ValueError: if the sound is silent.
    """
    sound = sound - sound.mean(axis=0)
    rms = float(np.sqrt(np.mean(sound**2)))
    if rms < 1e-5:
        raise ValueError("the render is silent")
    sound *= LEVEL / rms
    room = CEILING - KNEE
    over = np.maximum(np.abs(sound) - KNEE, 0.0)
    bent = np.minimum(np.abs(sound), KNEE) + room * np.tanh(over / room)
    return np.asarray(np.sign(sound) * bent, dtype=np.float32)


def facts(score: Score) -> dict[str, Any]:
    """The facts about a score that its line in the list holds."""
    return {
        "style": score.style,
        "genre": score.genre,
        "title": score.title,
        "tempo_bpm": score.tempo_bpm,
        "mode": score.mode,
        "key": score.key,
        "meter": score.meter,
        "instruments": list(score.instruments),
        "drum_kit": score.drum_kit,
        "groove": score.groove,
        "moods": list(score.moods),
        "density": score.density,
    }


def render(number: int, work: Path, seconds: float) -> dict[str, Any]:
    """Compose, synthesise and store one render; return its line of facts."""
    style, font = plan(number)
    score = compose(number, style, seconds)
    sound = synthesise(score, soundfont(font, work), seconds)
    path = work / "renders" / f"{number:05d}.flac"
    path.parent.mkdir(exist_ok=True)
    with atomic.replacing(path) as temporary:
        soundfile.write(temporary, sound, RATE_HZ, format="FLAC", subtype="PCM_16")
    identity = f"render/{number:05d}"
    return {
        "id": identity,
        "path": str(path),
        "source": "render",
        "licence": "MIT",
        "soundfont": font,
        "duration_s": seconds,
        "split": split_of(identity),
        **facts(score),
    }


def render_all(work: Path, count: int, seconds: float) -> None:
    """Render the numbers below `count` that are not listed yet."""
    listing = work / "renders.jsonl"
    done = {record["id"] for record in read_list(listing)}
    for number in range(count):
        if f"render/{number:05d}" in done:
            continue
        append_to_list(listing, render(number, work, seconds))
        if number % 50 == 49:
            print(f"{number + 1} of {count} rendered", file=sys.stderr)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument(
        "--count", type=int, default=1200, help="how many renders in all (default %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=24.0, help="length of each (default %(default)s)"
    )
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    render_all(options.work, options.count, options.seconds)


if __name__ == "__main__":
    main()
