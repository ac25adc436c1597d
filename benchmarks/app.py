"""Responsiveness of the app: `python benchmarks/app.py [--tracks 100000] [--home DIR]`.

Runs the real program in a real pseudo-terminal of 160 × 40, on a library of 300 tracks and on a
large one (both synthetic, written by `large_library.py`), and on the demo tracks for indexing. A
key counts as answered once the line it leads to has been written to the terminal. Prints a
Markdown table, and each figure on stderr as soon as it is there. It takes about six minutes, and
creating the large library takes as long.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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
TYPED = 5 * len(LETTERS)
PREVIEWED = "Enter keeps it"
"""Over the list of what a line would find."""
NUMBERS = itertools.count(int(time.time()) % 1_000_000)
"""What makes every prompt one that was never asked."""
READY = "on cpu · g 3"
"""In the status line once the model and its text encoder are loaded."""
EDITED = "round trip"
"""In the edit panel once an edit is drawn."""
TURNS = 8
"""Steps of an edit's guidance, each of which draws it again."""
DOWN, RIGHT = "\x1b[B", "\x1b[C"

Figures = dict[str, str]
"""The rows of one column, by name."""
Step = Callable[[Path, Path], Figures]
"""Measures in a home and a music folder."""


@contextmanager
def app(home: Path, folder: Path, settings: str = "") -> Iterator[tuple[Terminal, float]]:
    """Start the program on a folder; yields its terminal and the start time."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.toml").write_text(settings, encoding="utf-8")
    environment = {
        "GDR_HOME": str(home),
        "OMP_NUM_THREADS": str(os.cpu_count() or 1),
        "PYTHONDONTWRITEBYTECODE": "",  # an installed program is compiled
    }
    began = time.monotonic()
    with run([*PROGRAM, "tui", "--library", str(folder)], (160, 40), environment) as opened:
        yield opened, began


def new(words: str) -> str:
    """A prompt that is not in the trail."""
    return f"{words} {next(NUMBERS)}"


def put_in(opened: Terminal, prompt: str) -> None:
    """Type a prompt over the previous one."""
    opened.escape()
    opened.press("/")
    opened.forget()
    opened.press("\x15" + prompt)  # ctrl+u clears the line
    opened.forget()


def ask(opened: Terminal, prompt: str) -> float:
    """Press Enter and wait for the results; a prompt gets its line in the trail with them."""
    opened.press("\r")
    return opened.until(f"“{prompt}”")


def resident(opened: Terminal) -> str:
    """Resident memory of the program, where the system reports it (Linux)."""
    status = Path(f"/proc/{opened.pid}/status")
    if not status.exists():
        return "unknown"
    line = next(x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
    return f"{int(line.split()[1]) / 1024:,.0f} MB"


def processor_s(opened: Terminal) -> float:
    """Processor time that the program has used; not a number where the system does not say."""
    stat = Path(f"/proc/{opened.pid}/stat")
    if not stat.exists():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def middle_and_longest(took_s: list[float]) -> str:
    """The median of some times, and the longest."""
    return f"{np.median(took_s):.2f} s ({max(took_s):.2f} s)"


def middle_and_late(took_s: list[float]) -> str:
    """The median of some times, and the time that 99 of 100 stay below."""
    middle, late = 1000 * np.quantile(took_s, [0.5, 0.99])
    return f"{middle:.0f} ms ({late:.0f} ms)"


def answers(home: Path, folder: Path) -> Figures:
    """Measure start to first frame and results, and prompt to results."""
    with app(home, folder, "as_you_type = false\n") as (opened, began):
        opened.until("? help")
        frame = time.monotonic() - began
        opened.press(prompt := new("sad piano"))  # before the model is there
        ask(opened, prompt)
        first = time.monotonic() - began
        spent = processor_s(opened)
        took, used = [], []
        for number in range(4 * len(PROMPTS)):
            put_in(opened, prompt := new(PROMPTS[number % len(PROMPTS)]))
            before = processor_s(opened)
            took.append(ask(opened, prompt))
            used.append(processor_s(opened) - before)
        time.sleep(2)
        memory = resident(opened)
        opened.press("q")
        opened.wait(10)
    return {
        "start to first frame": f"{frame:.2f} s",
        "start to first results (processor time)": f"{first:.1f} s ({spent:.1f} s)",
        f"prompt to results, median of {len(took)} (longest)": middle_and_longest(took),
        "prompt to results, processor time, mean": f"{1000 * np.mean(used):.0f} ms",
        "memory at rest": memory,
    }


def edits(home: Path, folder: Path) -> Figures:
    """Measure a turn of an edit's guidance to the list of the edit, drawn again."""
    with app(home, folder, "as_you_type = false\n") as (opened, _):
        opened.until(READY)
        put_in(opened, prompt := new("warm piano"))
        ask(opened, prompt)
        opened.press("i")
        opened.until(EDITED)
        opened.press(3 * DOWN)  # from the words, past negatives and strength
        took, spent = [], processor_s(opened)
        for _ in range(TURNS):
            opened.forget()
            opened.press(RIGHT)
            took.append(opened.until(EDITED))
        each = (processor_s(opened) - spent) / TURNS
    return {
        f"dial turned to edit drawn again, median of {TURNS} (longest)": middle_and_longest(took),
        "dial turned to edit drawn again, processor time, mean": f"{1000 * each:.0f} ms",
    }


def keys(home: Path, folder: Path) -> Figures:
    """Measure key to paint while endless draws run, and quitting in the middle of one."""
    with app(home, folder, "steps = 200\n") as (opened, _):
        opened.until(READY)
        put_in(opened, "warm piano")
        opened.press("\r")
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
    return {
        f"key to paint while a draw runs, p50 (p99) of {PRESSES}": middle_and_late(took),
        "quit while a draw runs": f"{quitting:.2f} s",
    }


def previews(home: Path, folder: Path) -> Figures:
    """Measure the last key of a line to the list of what it would find."""
    with app(home, folder) as (opened, _):
        opened.until(READY)
        took = []
        for number in range(4 * len(PROMPTS)):
            put_in(opened, "")
            opened.press(new(PROMPTS[number % len(PROMPTS)]))
            took.append(opened.until(PREVIEWED))
    return {f"last key to preview, median of {len(took)} (longest)": middle_and_longest(took)}


def typing(home: Path, folder: Path) -> Figures:
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
    return {
        f"key to paint while a typed line is drawn, p50 (p99) of {TYPED}": middle_and_late(took)
    }


def indexing(home: Path, folder: Path) -> Figures:
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
    return {f"quit while {20 * len(songs)} tracks are being indexed": f"{quitting:.2f} s"}


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=240, help="mean length of a track")
    parser.add_argument(
        "--home", type=Path, help="folder to keep for another run; default: a temporary one"
    )
    return parser


STEPS: tuple[Step, ...] = answers, edits, previews, keys, typing
"""What is measured of each library."""


def say(sentence: str) -> None:
    """Report progress."""
    print(sentence, file=sys.stderr, flush=True)


def measured(
    step: Callable[[Path, Path], Figures], home: Path, folder: Path, about: str
) -> Figures:
    """Take one step and report its figures.

    Raises:
        SystemExit: if the app did not show what the step waited for.
    """
    say(f"{about}, {step.__name__}")
    try:
        figures = step(home, folder)
    except AssertionError as error:
        raise SystemExit(f"{about}, {step.__name__}: {error}") from None
    for name, value in figures.items():
        say(f"    {name}: {value}")
    return figures


def main() -> None:
    """Create the libraries that do not exist, and measure."""
    args = options().parse_args()
    home = args.home or Path(tempfile.mkdtemp(prefix="gdr-app-"))
    from gdr_model import paths

    found: dict[str, Figures] = {}
    for tracks in (SMALL, args.tracks):
        own = home / str(tracks)
        os.environ["GDR_HOME"] = str(own)
        folder = own / "music"
        folder.mkdir(parents=True, exist_ok=True)
        column = f"{tracks:,} tracks"
        if not paths.store_of(folder).exists():
            say(f"{column}: creating the library")
            fill(folder, tracks, args.seconds)
        # Its files do not exist, so nothing is indexed, and nothing is forgotten either.
        found[column] = {}
        for step in STEPS:
            found[column] |= measured(step, own, folder, column)
    with tempfile.TemporaryDirectory() as fresh:
        new = Path(fresh)
        quitting = measured(indexing, new / "home", new / "music", "the demo")
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print(f"| | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for name in next(iter(found.values())):
        print(f"| {name} | {' | '.join(column[name] for column in found.values())} |")
    for name, value in quitting.items():
        print(f"| {name} | {value} | |")


if __name__ == "__main__":
    main()
