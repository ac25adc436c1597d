"""A library of 100,000 synthetic tracks: time to open, search, first frame and map.

    python benchmarks/large_library.py [--tracks 100000] [--seconds 240] [--home DIR]

The store is real, written by the library's own code; only the latents are random (a mixture of
200 clusters, so that neighbours exist, in which no track is a copy of another), and the paths point
to no files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CLUSTERS = 200
TOGETHER = 500
"""Tracks that are stored at once: each time waits for the disk."""


def fill(root: Path, tracks: int, seconds: int) -> None:
    """Write a store of `tracks` tracks of half to one and a half times `seconds` latents."""
    from gdr_model.audio import Tags
    from gdr_model.models.config import ModelConfig
    from gdr_model.store.library import Library
    from gdr_model.store.records import Sound, Stamp

    space = ModelConfig.read().space
    rng = np.random.default_rng(0)
    centres = normal(rng, CLUSTERS, space.dim)
    with Library.open(root, create=True) as library:
        for first in range(0, tracks, TOGETHER):
            with library.together():
                for number in range(first, min(first + TOGETHER, tracks)):
                    length = int(rng.integers(seconds // 2, seconds + seconds // 2, endpoint=True))
                    sound = Sound(f"{number:032x}", float(length), -18.0)
                    track = centres[number % CLUSTERS] + 0.7 * normal(rng, space.dim)
                    library.put_latents(sound, space, track + 0.7 * normal(rng, length, space.dim))
                    tags = Tags(f"Track {number}", f"Artist {number % 997}", genre="test")
                    library.files.put_track(b"%06d.ogg" % number, Stamp(1, number), sound, tags)


def normal(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Normally distributed numbers."""
    return rng.standard_normal(shape, np.float32)


FRAME = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from gdr_tui.app.app import GdrApp
from gdr_tui.app.main.session import Session
from gdr_tui.app.settings import Settings

class Timed(GdrApp):
    def _begin(self):
        print(f"{time.perf_counter() - began:.2f}", flush=True)
        self.exit()

Timed(Session([Path(sys.argv[1])]), Settings()).run(headless=True, size=(120, 40))
"""

MAP = """
import sys, threading, time
from pathlib import Path
from gdr_tui.app.main.session import Session

session = Session([Path(sys.argv[1])])
session.loader.load()
session.loader.refresh()
began, shown = time.perf_counter(), []
show = lambda mapped: shown.append(f"{mapped.method} after {time.perf_counter() - began:.1f} s")
thread = threading.Thread(target=session.mapper.map, args=(show,))
thread.start()
longest, last = 0.0, time.perf_counter()
while thread.is_alive():
    time.sleep(0.005)
    now = time.perf_counter()
    longest, last = max(longest, now - last - 0.005), now
print(f"map: {', '.join(shown)}; longest stall of another thread {1000 * longest:.0f} ms")
"""


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=240, help="mean length of a track")
    parser.add_argument(
        "--home", type=Path, help="folder to keep for another run; default: a temporary one"
    )
    return parser


def main() -> None:
    """Create the library if it does not exist, and measure."""
    args = options().parse_args()
    home = args.home or Path(tempfile.mkdtemp(prefix="gdr-large-"))
    os.environ["GDR_HOME"] = str(home)
    root = home / "music"
    root.mkdir(parents=True, exist_ok=True)

    from gdr_model import paths

    if not paths.store_of(root).exists():
        begun = time.perf_counter()
        fill(root, args.tracks, args.seconds)
        print(f"written in {time.perf_counter() - begun:.0f} s, in {home}")
    done = subprocess.run(
        [sys.executable, "-c", FRAME, str(root)], capture_output=True, text=True, check=True
    )
    print(f"first frame after {done.stdout.strip()} s, imports included")
    for when in ("made", "read again"):
        print(f"{when}, ", end="", flush=True)
        subprocess.run([sys.executable, "-c", MAP, str(root)], check=True)
    command = [sys.executable, "-c", "from gdr_tui.cli.main import main; main()"]
    for words in (["search", "warm piano", "-k", "3"], ["bench"]):
        begun = time.perf_counter()
        subprocess.run([*command, *words, "--library", str(root)], check=True)
        print(f"gdr {words[0]} took {time.perf_counter() - begun:.1f} s in total\n", flush=True)


if __name__ == "__main__":
    main()
