"""docs/research.md: every command in it is run, in order, on small sets and tiny encoders."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from hub import serving
from test_model_pull import point_at

from training.runs import config

DOC = Path(__file__).parents[2] / "docs" / "research.md"
RATE_HZ = 24_000
SAID = ("piano", "drums", "jazz", "guitar")
TRACKS = 24
REPEATED = "A warm piano, repeated."


def commands() -> list[str]:
    """The lines of the fenced blocks."""
    blocks = re.findall(r"^```\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def write_noise(path: Path, number: int, seconds: float = 3) -> None:
    """A falling band of noise, another one for each number."""
    rng = np.random.default_rng(number)
    spectrum = np.fft.rfft(rng.standard_normal(round(seconds * RATE_HZ)))
    spectrum[round(len(spectrum) / (number % 12 + 1.5)) :] = 0
    samples = np.fft.irfft(spectrum)
    path.parent.mkdir(exist_ok=True, parents=True)
    soundfile.write(path, 0.2 * samples / np.abs(samples).max(), RATE_HZ)


def write_table(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with three sets in their own layouts, the first with a repeated caption."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    rows: list[list[object]] = []
    for i in range(TRACKS):
        write_noise(Path("music") / f"{i:02}.wav", i)
        rows.append([f"{i:02}.wav", f"{SAID[i % 4]}, take {i}"])
    rows += [[f"{i:02}.wav", REPEATED if i else REPEATED.upper()] for i in (0, 4, 8)]
    write_table(Path("captions.csv"), ["file_path", "caption"], rows)
    described: list[list[object]] = []
    for i in range(10):
        write_noise(Path("sd") / "12" / f"{i}.2min.wav", 30 + i)
        # No encoder of MP3 is needed: the format is found by the content.
        Path(f"sd/12/{i}.2min.wav").rename(f"sd/12/{i}.2min.mp3")
        described.append([i, i, f"slow {SAID[i % 4]} number {i}", i % 2 == 0, f"12/{i}.mp3"])
    header = ["caption_id", "track_id", "caption", "is_valid_subset", "path"]
    write_table(Path("song_describer.csv"), header, described)
    labelled: list[list[object]] = []
    for i in range(6):
        # The clip alone, or the recording that it was cut from.
        whole = i % 2 == 1
        write_noise(Path("mc") / f"yt-{i}.wav", 40 + i, 45 if whole else 10)
        labelled.append([f"yt-{i}", 30, 40, f"loud {SAID[i % 4]} {i}", "['loud']", i < 3])
    header = ["ytid", "start_s", "end_s", "caption", "aspect_list", "is_audioset_eval"]
    write_table(Path("musiccaps-public.csv"), header, labelled)
    return folder


@pytest.fixture
def small_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configurations that come with gdr, at a size that a test can train."""
    folder = tmp_path / "configs"
    folder.mkdir()
    for path in config.CONFIGS.glob("*.yaml"):
        raw = yaml.safe_load(path.read_text())
        raw["optimiser"] |= {"steps": 4, "batch": 8, "warmup": 1}
        if raw.get("network", {}).get("kind") == "transformer":
            raw["network"] |= {"width": 16, "layers": 1, "heads": 2}
        text = path.read_text()
        comment = text[: text.index("name:")]
        (folder / path.name).write_text(comment + yaml.safe_dump(raw))
    monkeypatch.setattr(config, "CONFIGS", folder)


@pytest.fixture
def hub(tiny_clap: Path, tiny_t5: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folders = {
        "laion/larger_clap_music_and_speech": tiny_clap,
        "google/flan-t5-base": tiny_t5,
    }
    with serving(folders) as found:
        point_at(found.url, monkeypatch)
        yield


def test_the_walk_through_runs_as_it_stands(
    gdr, work: Path, small_configs: None, hub: None
) -> None:
    printed = {}
    for line in commands():
        name, *words = shlex.split(line)
        assert name == "gdr", line
        done = gdr(*words)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        printed[line] = done.stdout

    # The whole recordings of MusicCaps were cut to what is described.
    clips = json.loads((work / "sets" / "mc" / "manifest.json").read_text())["clips"]
    assert len(clips) == 6
    from training.data.extracted import read_extracted

    assert [len(latents) for latents in read_extracted(work / "sets" / "mc").latents] == [10] * 6

    # The set's repeated caption is on one side: nobody who read it is asked it.
    for run in ("clap", "clap-t5"):
        parts = json.loads((work / "runs" / run / "splits.json").read_text())
        (together,) = parts["together"]
        assert together == ["00.wav", "04.wav", "08.wav"]
    table = json.loads((work / "results" / "table.json").read_text())
    rows = table["tables"][0]["rows"]
    assert list(rows) == [
        "clap, teacher, untrained",
        "base, contrastive tower",
        "base, gdr",
        "runs/clap-t5, contrastive tower",
        "runs/clap-t5, gdr",
    ]
    # T5 reads the captions of sets that CLAP encoded: every model searches every set.
    assert not [row for row, cells in rows.items() if "–" in cells.values()]
    assert table["not_searched"] == []
    assert set(table["sets"]) == {"captions", "song_describer", "musiccaps-public"}
    assert (work / "results" / "table.md").is_file()

    # The teacher's row of the table is what the bare pair finds.
    alone = json.loads((work / "results" / "clap" / "retrieval.json").read_text())
    ((system, figures),) = alone["tables"][0]["rows"].items()
    assert system == "teacher: its own text × its own audio"
    assert rows["clap, teacher, untrained"]["captions R@1"] == figures["R@1"]
    assert printed["gdr train --list"].startswith("base")
