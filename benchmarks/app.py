"""Responsiveness of the app: `python benchmarks/app.py [--tracks 100000] [--home DIR]`.

Runs the real program in a real pseudo-terminal of 160 × 40, on a library of 300 tracks and on a
large one (both synthetic, written by `large_library.py`), and on the demo tracks for indexing. A
key counts as answered once the line it leads to has been written to the terminal. Prints a
Markdown table.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from large_library import fill

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tui"))

from terminal import PROGRAM, Terminal, run  # noqa: E402

SMALL = 300
PRESSES = 400
PROMPTS = (
    "warm piano",
    "angry guitars",
    "slow strings",
    "dub techno",
    "a choir sings",
    "jazz trio",
)
LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
"""Typed while draws run; none of them is anywhere else on the screen."""
TYPED = 10 * len(LETTERS)
PREVIEWED = "Enter keeps it"
"""Over the list of what a line would find."""
ANSWERED = " s · closest"
"""Follows the seconds a query took in the status line, and appears nowhere else."""
READY = "on cpu · g 3"
"""In the status line once the model and its text encoder are loaded."""


@contextmanager
def app(home: Path, folder: Path, settings: str = "") -> Iterator[tuple[Terminal, float]]:
    """Start the program on a folder; yields its terminal and the start time."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text(settings, encoding="utf-8")
    environment = {"GDR_HOME": str(home), "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    began = time.monotonic()
    with run([*PROGRAM, "tui", "--library", str(folder)], (160, 40), environment) as opened:
        yield opened, began


def ask(opened: Terminal, prompt: str) -> None:
    """Type a prompt over the previous one and press Enter."""
    opened.escape()
    opened.press("/")
    opened.forget()
    opened.press("\x15" + prompt)  # ctrl+u clears the line
    opened.forget()
    opened.press("\r")


def resident(opened: Terminal) -> str:
    """Resident memory of the program, where the system reports it (Linux)."""
    status = Path(f"/proc/{opened.pid}/status")
    if not status.exists():
        return "unknown"
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
    return f"{int(line.split()[1]) / 1024:,.0f} MB"


def answers(home: Path, folder: Path) -> dict[str, str]:
    """Measure start to first frame and results, and prompt to results."""
    with app(home, folder, "as_you_type = false\n") as (opened, began):
        opened.until("? help")
        frame = time.monotonic() - began
        opened.press("sad piano\r")  # typed before the model is there
        opened.until(ANSWERED)
        first = time.monotonic() - began
        took = []
        for number in range(4 * len(PROMPTS)):
            ask(opened, f"{PROMPTS[number % len(PROMPTS)]} {number}")
            took.append(opened.until(ANSWERED))
        time.sleep(2)
        memory = resident(opened)
        opened.escape()
        opened.press("q")
        opened.wait(10)
    return {
        "start to first frame": f"{frame:.2f} s",
        "start to first results": f"{first:.1f} s",
        "prompt to results, median of 24": f"{np.median(took):.2f} s",
        "prompt to results, longest": f"{max(took):.2f} s",
        "memory at rest": memory,
    }


def keys(home: Path, folder: Path) -> dict[str, str]:
    """Measure key to paint while endless draws run, and quitting in the middle of one."""
    with app(home, folder, "steps = 200\n") as (opened, _):
        opened.until(READY)
        ask(opened, "warm piano")
        opened.until("drawing")
        opened.escape()
        took, at = [], 0
        for number in range(PRESSES):
            if number % 10 == 0:
                opened.press("r")  # another draw before this one is answered
                opened.until("drawing")
            down = number % 40 < 20
            at += 1 if down else -1
            opened.forget()
            opened.press("j" if down else "k")
            took.append(opened.until(f"Track {at}"))
        opened.press("r")
        opened.until("drawing")
        opened.press("q")
        quitting, _ = opened.wait(10)
    middle, late = np.quantile(took, [0.5, 0.99])
    return {
        f"key to paint while a draw runs, p50 of {PRESSES}": f"{1000 * middle:.0f} ms",
        "key to paint while a draw runs, p99": f"{1000 * late:.0f} ms",
        "quit while a draw runs": f"{quitting:.2f} s",
    }


def previews(home: Path, folder: Path) -> dict[str, str]:
    """Measure the last key of a line to the list of what it would find."""
    with app(home, folder) as (opened, _):
        opened.until(READY)
        took = []
        for number in range(4 * len(PROMPTS)):
            opened.escape()
            opened.press("/")
            opened.forget()
            opened.press(f"\x15{PROMPTS[number % len(PROMPTS)]} {number} ")
            took.append(opened.until(PREVIEWED))
    return {"last key to preview, median of 24": f"{np.median(took):.2f} s"}


def typing(home: Path, folder: Path) -> dict[str, str]:
    """Measure key to paint of letters, each typed while the line before it is being drawn."""
    with app(home, folder, "steps = 200\n") as (opened, _):
        opened.until(READY)
        opened.escape()
        took = []
        for number in range(TYPED):
            if number % len(LETTERS) == 0:
                opened.press("/\x15warm piano ")
            time.sleep(0.25)  # the pause after which a line is drawn, and some more
            opened.forget()
            letter = LETTERS[number % len(LETTERS)]
            opened.press(letter)
            took.append(opened.until(letter))
    middle, late = np.quantile(took, [0.5, 0.99])
    return {
        f"key to paint while a typed line is drawn, p50 of {TYPED}": f"{1000 * middle:.0f} ms",
        "key to paint while a typed line is drawn, p99": f"{1000 * late:.0f} ms",
    }


def indexing(home: Path, folder: Path) -> dict[str, str]:
    """Measure quitting while a folder is being indexed."""
    songs = sorted((ROOT / "demo").glob("*/*.ogg"))
    folder.mkdir(parents=True)
    for number in range(20):
        for song in songs:
            (folder / f"{number:02} {song.name}").symlink_to(song)
    with app(home, folder) as (opened, _):
        opened.until("indexing ")
        opened.escape()
        opened.press("q")
        quitting, _ = opened.wait(10)
    return {"quit while indexing": f"{quitting:.2f} s"}


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=240, help="length of each track")
    parser.add_argument(
        "--home", type=Path, help="folder to keep for another run; default: a temporary one"
    )
    return parser


def main() -> None:
    """Create the libraries that do not exist, and measure."""
    args = options().parse_args()
    home = args.home or Path(tempfile.mkdtemp(prefix="gdr-app-"))
    from gdr_model import paths

    found: dict[str, dict[str, str]] = {}
    for tracks in (SMALL, args.tracks):
        own = home / str(tracks)
        os.environ["GDR_HOME"] = str(own)
        folder = own / "music"
        folder.mkdir(parents=True, exist_ok=True)
        if not paths.store_of(folder).exists():
            fill(folder, tracks, args.seconds)
        # Its files do not exist, so nothing is indexed, and nothing is forgotten either.
        found[f"{tracks:,} tracks"] = (
            answers(own, folder) | previews(own, folder) | keys(own, folder) | typing(own, folder)
        )
    with tempfile.TemporaryDirectory() as fresh:
        quitting = indexing(Path(fresh) / "home", Path(fresh) / "music")
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print(f"| | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for name in next(iter(found.values())):
        print(f"| {name} | {' | '.join(column[name] for column in found.values())} |")
    for name, value in quitting.items():
        print(f"| {name} (800 demo tracks) | {value} | |")


if __name__ == "__main__":
    main()
