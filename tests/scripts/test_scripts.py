"""Scripts outside the packages: they import, explain themselves, and work when small."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
SCRIPTS = sorted(path.stem for path in BENCHMARKS.glob("*.py"))
EVERYTHING = """
import sys
from pathlib import Path
sys.path += [{benchmarks!r}, {docs!r}]
sys.argv = ["script"]
import {names}
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """The benchmark that a test is about."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "tui"))
    return importlib.import_module(request.param)


def test_to_import_a_script_does_and_writes_nothing(tmp_path: Path) -> None:
    names = ", ".join([*SCRIPTS, "session"])
    code = EVERYTHING.format(benchmarks=str(BENCHMARKS), docs=str(ROOT / "docs"), names=names)
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(home), "GDR_HOME": str(home / "gdr")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert not (home / "gdr").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("script", SCRIPTS, indirect=True)
def test_a_script_explains_itself(script: ModuleType) -> None:
    parser = script.options()
    assert parser.description
    assert parser.description in (script.__doc__ or "")
    for action in parser._actions:
        assert action.help or action.option_strings[0] in {"--tracks", "--seconds"}


@pytest.mark.parametrize("script", SCRIPTS, indirect=True)
def test_the_usage_in_a_docstring_is_understood(script: ModuleType) -> None:
    usage = re.search(r"python benchmarks/(\w+)\.py ?([^`\n:]*)", script.__doc__ or "")
    assert usage is not None
    assert usage[1] == script.__name__
    words = shlex.split(re.sub(r"[][]", "", usage[2]).replace("cpu|cuda ...", "cpu cuda"))
    sample = {
        "N": "2",
        "FOLDER": "music",
        "MODEL": "clap",
        "SECONDS": "30",
        "DIR": "home",
        "FILE": "a.txt",
    }
    script.options().parse_args([sample.get(word, word) for word in words])


@pytest.mark.parametrize(
    ("script", "words", "wanted"),
    [
        ("app", [], {"tracks": 100_000, "home": None}),
        ("large_library", ["--tracks", "9"], {"tracks": 9, "seconds": 240}),
        ("coarser_hop", ["music"], {"folder": Path("music"), "model": "clap", "untrained": False}),
        ("coarser_hop", ["music", "mule"], {"model": "mule"}),
        ("encoder_speed", [], {"seconds": 60, "rounds": 3}),
        ("on_gpu", ["cuda"], {"devices": ["cuda"]}),
        ("on_gpu", [], {"devices": []}),
    ],
    indirect=["script"],
)
def test_options_have_the_defaults_that_are_documented(
    script: ModuleType, words: list[str], wanted: dict[str, Any]
) -> None:
    assert wanted.items() <= vars(script.options().parse_args(words)).items()


def test_the_coarser_hop_needs_a_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    with pytest.raises(SystemExit):
        importlib.import_module("coarser_hop").options().parse_args([])
    assert "folder" in capsys.readouterr().err


# Their parts


@pytest.mark.parametrize("script", ["coarser_hop"], indirect=True)
def test_neighbours_are_the_nearest_other_passages(script: ModuleType) -> None:
    # Two families of six passages, each of a random centre and a little noise.
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(2, 16))
    tracks = [centres[n % 2] + 0.1 * rng.normal(size=(30, 16)) for n in range(12)]
    found = script.neighbours(tracks)
    assert len(found) == 12  # tracks of 30 s are one passage each
    for number, nearest in enumerate(found):
        assert nearest == set(range(number % 2, 12, 2)) - {number}


@pytest.mark.parametrize("script", ["on_gpu"], indirect=True)
def test_the_first_run_is_not_timed(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 10.0, 15.0, 20.0, 23.0])
    monkeypatch.setattr(script.time, "perf_counter", lambda: next(moments))
    calls: list[None] = []
    assert script.timed(lambda: calls.append(None), "cpu") == 3.0
    assert len(calls) == 3


@pytest.mark.parametrize("script", ["on_gpu"], indirect=True)
def test_the_draws_of_the_model_that_ships_are_timed(script: ModuleType) -> None:
    (row,) = script.drawing("cpu", [])
    assert re.fullmatch(r"\| builtin \| cpu \| [\d,]+ ms \|  \|", row)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("script", ["app"], indirect=True)
def test_resident_memory_is_that_of_the_process(script: ModuleType) -> None:
    class Opened:
        pid = os.getpid()

    amount, unit = script.resident(Opened()).split()
    assert unit == "MB"
    assert 20 < float(amount.replace(",", "")) < 100_000


@pytest.mark.parametrize("script", ["app"], indirect=True)
def test_a_step_that_waits_in_vain_says_for_what_and_shows_the_screen(
    script: ModuleType, tmp_path: Path
) -> None:
    def greeting(home: Path, folder: Path) -> dict[str, str]:
        with script.run([sys.executable, "-c", "input('good morning')"]) as opened:
            return {"greeted after": f"{opened.until('good evening', 2.0)} s"}

    with pytest.raises(SystemExit) as ended:
        script.measured(greeting, tmp_path, tmp_path, "5 tracks")
    sentence, *screen = str(ended.value).splitlines()
    assert sentence == "5 tracks, greeting: waited 2 s in vain for 'good evening'; the screen:"
    assert screen[0] == "good morning"


@pytest.mark.parametrize("script", ["large_library"], indirect=True)
def test_a_synthetic_library_is_a_real_one(script: ModuleType, music: Path, gdr_home: Path) -> None:
    from gdr_model.models.config import ModelConfig
    from gdr_model.store.library import Library

    script.fill(music, tracks=6, seconds=70)
    with Library.open(music) as library:
        tracks = library.tracks()
        assert len(tracks) == 6
        assert all(35 <= track.duration_s <= 105 for track in tracks)
        assert tracks[0].title.startswith("Track ")
        space = ModelConfig.read().space
        latents = library.latents(tracks[0].content, space)
        assert latents.shape == (tracks[0].duration_s, space.dim)
    # What is measured in other processes: the first frame, and the map.
    environment = {**os.environ, "GDR_HOME": str(gdr_home)}

    def output(code: str) -> str:
        command = [sys.executable, "-c", code, str(music)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert 0 < float(output(script.FRAME)) < 120
    assert re.search(r"^map: .+ after [\d.]+ s.*; longest stall", output(script.MAP))


# The screenshots of the README


class Pilot:
    """A pilot that only counts pauses and keys."""

    def __init__(self) -> None:
        self.pauses, self.keys = 0, []

    async def pause(self, delay: float) -> None:
        self.pauses += 1

    async def press(self, *keys: str) -> None:
        self.keys += keys


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return importlib.import_module("session")


async def test_the_user_waits_until_something_has_happened(session: ModuleType) -> None:
    pilot = Pilot()
    user = session.User(None, pilot)
    await user.until(lambda: pilot.pauses == 3)
    assert pilot.pauses == 3
    await user.press(*"ab", "enter")
    assert pilot.keys == ["a", "b", "enter"]


async def test_the_user_does_not_wait_for_ever(session: ModuleType) -> None:
    with pytest.raises(TimeoutError, match="the app did not get there within two minutes"):
        await session.User(None, Pilot()).until(lambda: False)


def test_every_screenshot_of_the_readme_is_one_that_the_script_takes(session: ModuleType) -> None:
    taken = set(re.findall(r'screenshot\("([\w/]+)"\)', Path(session.__file__).read_text()))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\(docs/([\w/]+)\.svg\)", readme))
    assert shown <= taken
    for name in taken:
        assert (ROOT / "docs" / f"{name}.svg").is_file()
