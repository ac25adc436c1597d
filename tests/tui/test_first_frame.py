"""The first frame: before torch, and as soon with a hundred thousand tracks as with none."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gdr_model import paths
from gdr_model.store.library import Library

HEAVY = ("torch", "transformers", "hnswlib", "av", "soundfile", "sounddevice")
COUNT = 100_000

WATCH = """
import json, sys, time
from pathlib import Path
began = time.monotonic()
from gdr_tui.app.app import GdrApp
from gdr_tui.app.main.session import Session
from gdr_tui.app.settings import Settings
from gdr_tui.app.search.results import ResultsList
heavy = sys.argv[2].split(",")
report = {"at_import": [name for name in heavy if name in sys.modules]}

class Watched(GdrApp):
    def _begin(self):
        report["at_first_frame"] = [name for name in heavy if name in sys.modules]
        self.main.library.read()
        self.set_interval(0.02, self.look)

    def look(self):
        listed = self.screen.query_one(ResultsList).length
        if listed:
            report["listed"] = listed
            report["title"] = self.screen.query_one(ResultsList).border_title
            report["at_listing"] = [name for name in heavy if name in sys.modules]
            self.exit()

app = Watched(Session([Path(sys.argv[1])], "builtin", "cpu"), Settings())
app.run(headless=True, size=(80, 24))
app.background.stop()
print(json.dumps(report))
"""


@pytest.fixture
def large(music: Path) -> Path:
    """A library of a hundred thousand tracks."""
    Library.open(music, create=True).close()
    rows = (
        (f"{n // 100:03}/{n:06}.flac".encode(), 1, 1, f"{n:032x}", 200.0, None, f"Song {n}")
        for n in range(COUNT)
    )  # fmt: skip
    with sqlite3.connect(paths.store_of(music) / "library.db") as connection:
        connection.executemany(
            "INSERT INTO tracks (path, size, mtime_ns, content, duration_s, loudness_db, title,"
            " artist, album, genre) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '')",
            rows,
        )
        connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'generation'")
    connection.close()
    return music


def test_a_hundred_thousand_tracks_do_not_hold_up_the_first_frame(large: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(large), ",".join(HEAVY)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not done.returncode, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["at_import"] == report["at_first_frame"] == []
    assert not {"torch", "transformers", "hnswlib"} & set(report["at_listing"])
    assert report["title"] == "library · 100,000 tracks"
    assert 0 < report["listed"] <= 1000
