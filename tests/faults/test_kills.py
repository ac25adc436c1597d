"""`gdr index`, and the building of graphs, killed at random moments with their whole group.

Whatever the moment, what is stored can be read and searched, and the next run completes it to what
a run without kills stores. Two writers of one folder do each other no harm.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from machine import PROGRAM, gdr, said, scaled, write_music
from patience import finished, run
from stored import means_of

from gdr_model.audio import Tags
from gdr_model.models.config import ModelConfig
from gdr_model.search.index import HnswIndex
from gdr_model.search.whitening import unit
from gdr_model.store.disk.together import Together
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")

KILLS = scaled(200, 4)
SIZES = {"exact_below": 2, "kept_from": 2, "piece": 500}
"""Vectors in files and several graphs, although the library is small."""
GRAPHS = f"""
import sys
from pathlib import Path
from gdr_model.models.config import ModelConfig
from gdr_model.search.index import HnswIndex
from gdr_model.store.library import Library
config = ModelConfig.read()
with Library.open(Path(sys.argv[1])) as library:
    HnswIndex.open(library, config.space, config.whitening(), **{SIZES}).prepare()
"""


def killed(command: list[str], after_s: float) -> bool:
    """Start a program as a group and kill that; False if it had ended by then."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        _, error = process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        finished(process)
        return True
    assert process.returncode == 0, error
    return False


def stored(music: Path) -> tuple[dict[str, bytes], list[tuple[str, float, float]], list[tuple]]:
    """The latents, passages and tracks of a library; reading them checks them."""
    space = ModelConfig.read().space
    with Library.open(music) as library:
        tracks = [(t.path.name, t.content, t.duration_s) for t in library.tracks()]
        contents = library.contents()
        assert contents <= library.encoded(space), "a track is stored after its latents"
        latents = {each: library.latents(each, space).tobytes() for each in contents}
        found = library.passages(space)
        columns = found.contents, found.starts_s.tolist(), found.ends_s.tolist()
        passages = sorted(zip(*columns, strict=True))
        assert np.isfinite(means_of(found)).all()
        assert library.damaged(space) == 0
    return latents, passages, tracks


def moments(seed: int, longest_s: float) -> list[float]:
    """Times to wait, most of them where the work is."""
    random_ = random.Random(seed)
    return [random_.uniform(0.1, 1) * longest_s for _ in range(KILLS)]


def test_killed_while_indexing(music: Path, tmp_path: Path, gdr_home: Path) -> None:
    write_music(music, scaled(400, 40))
    begun = time.monotonic()
    said(gdr("index", music, env=os.environ | {"GDR_HOME": str(tmp_path / "other")}), 0)
    took_s = time.monotonic() - begun
    command = [*PROGRAM, "index", str(music)]
    kills, before = 0, 0
    for after_s in moments(0, took_s):
        if not killed(command, after_s):
            shutil.rmtree(gdr_home)  # everything is stored: begin again
            before = 0
            continue
        kills += 1
        if list(gdr_home.glob("libraries/*/library.db")):
            count = len(stored(music)[2])
            assert count >= before, "what was stored is kept"
            before = count
    said(gdr("index", music), 0)
    after = stored(music)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDR_HOME", str(tmp_path / "other"))
        assert after == stored(music)
    assert kills >= KILLS // 4
    assert not list(gdr_home.rglob(".gdr-*"))


def test_killed_while_graphs_are_built(music: Path, gdr_home: Path) -> None:
    space = ModelConfig.read().space
    rng = np.random.default_rng(0)
    with Library.open(music, create=True) as library:
        fill(library, rng, scaled(20_000, 1500))
        whitening = ModelConfig.read().whitening()
        queries = unit(rng.standard_normal((20, space.dim), np.float32))
        exact = HnswIndex.open(library, space, whitening).search(queries, 5)
    command = [sys.executable, "-c", GRAPHS, str(music)]
    begun = time.monotonic()
    said(run(command), 0)
    took_s = time.monotonic() - begun
    for after_s in moments(1, 1.2 * took_s):
        killed(command, after_s)
        if random.Random(after_s).random() < 0.3:  # graphs that are there are not built again
            for graph in gdr_home.rglob("graph-*.bin"):
                graph.unlink()
    with Library.open(music) as library:
        index = HnswIndex.open(library, space, whitening, **SIZES)
        index.prepare()
        rows, scores = index.search(queries, 5)
        agreeing = np.mean([len({*a} & {*b}) / 5 for a, b in zip(rows, exact[0], strict=True)])
        assert agreeing > 0.9
        assert np.isfinite(scores).all()
        index.save()
    assert not list(gdr_home.rglob(".gdr-*"))


def fill(library: Library, rng: np.random.Generator, count: int) -> None:
    """Store passages as an ingest would."""
    space = ModelConfig.read().space
    puts = Together(library)
    for number in range(count):
        sound = Sound(f"{number:032x}", 1.0, -20.0)
        latents = rng.standard_normal((1, space.dim), np.float32)
        puts.put(partial(library.put_latents, sound, space, latents))
        puts.put(partial(library.files.put_track, b"%06d.mp3" % number, Stamp(1, 2), sound, Tags()))
    puts.flush()


def test_two_writers_at_once(music: Path, gdr_home: Path) -> None:
    write_music(music, 20)
    for _ in range(scaled(20, 1)):
        shutil.rmtree(gdr_home, ignore_errors=True)
        writers = [
            subprocess.Popen(
                [*PROGRAM, "index", str(music)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        answers = [finished(writer) for writer in writers]
        codes = [writer.returncode for writer in writers]
        assert 0 in codes
        for code, (_, error) in zip(codes, answers, strict=True):
            assert "Traceback" not in error, error
            refused = f"gdr: another gdr is indexing {music}; wait until it is done\n"
            assert error == (refused if code else ""), error
        assert len(stored(music)[2]) == 20


def test_two_crates_filled_at_once(music: Path, gdr_home: Path) -> None:
    files = write_music(music, 8, 0.2)
    adding = [
        subprocess.Popen(
            [*PROGRAM, "crate", "add", "night", str(file)], stderr=subprocess.PIPE, text=True
        )
        for file in files
    ]
    assert [finished(each)[1] for each in adding] == ["1 added to night\n"] * 8
    shown = gdr("crate", "show", "night", "-f", "paths").stdout.splitlines()
    assert sorted(shown) == sorted(map(str, files))
