"""The demo doubled by copies, FLACs and MP3s of itself: lists do not repeat, groups are found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from gdr_model.audio import decode

SONGS = sorted((Path(__file__).parents[2] / "demo").glob("*/*.ogg"))
RATE_HZ = 44100


def encoded(target: Path, samples: np.ndarray, codec: str, bit_rate: int = 0) -> Path:
    """Mono samples (N,) at 44,100 Hz as a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(target), "w") as out:
        stream = out.add_stream(codec, rate=RATE_HZ)
        stream.layout = "mono"
        if bit_rate:
            stream.bit_rate = bit_rate
        form = stream.codec_context.format.name
        resampler = av.AudioResampler(format=form, layout="mono", rate=RATE_HZ, frame_size=1152)
        sound = np.ascontiguousarray(samples[None], np.float32)
        frame = av.AudioFrame.from_ndarray(sound, format="flt", layout="mono")
        frame.sample_rate = RATE_HZ
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return target


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


@pytest.fixture(scope="session")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, int]:
    """Every file of a doubled demo library, and which piece it holds."""
    root = tmp_path_factory.mktemp("doubled")
    files: dict[Path, int] = {}
    for number, song in enumerate(SONGS):
        folder = root / f"{number:02}"
        folder.mkdir()
        kept = [Path(shutil.copy(song, folder / "original.ogg"))]
        sound = decode(song, RATE_HZ).samples
        if number % 4 == 0:
            kept.append(encoded(folder / "again.flac", sound, "flac"))
        if number % 4 == 1:
            kept.append(encoded(folder / "again.mp3", sound, "libmp3lame", 128_000))
        if number % 4 == 2:
            kept.append(Path(shutil.copy(song, folder / "same.ogg")))
        if number % 4 == 3:
            late = np.concatenate([silence(0.137 + number / 100), 0.5 * sound])
            kept.append(encoded(folder / "another rip.mp3", late, "libmp3lame", 96_000))
        if number % 8 == 1:
            kept.append(encoded(folder / "and again.flac", sound[RATE_HZ // 3 :], "flac"))
        files |= dict.fromkeys(kept, number)
    return files


@pytest.fixture
def library(doubled: dict[Path, int], gdr: Callable[..., object]) -> Path:
    root = next(iter(doubled)).parents[1]
    gdr("index", root)
    return root


def groups(lines: str) -> list[list[dict[str, object]]]:
    found: dict[int, list[dict[str, object]]] = {}
    for row in map(json.loads, lines.splitlines()):
        found.setdefault(row["group"], []).append(row)
    return list(found.values())


def test_every_group_is_found_and_no_false_one(library, doubled, gdr) -> None:
    found = groups(gdr("duplicates", library, "-f", "jsonl").stdout)
    assert len(found) == len(SONGS)
    for group in found:
        pieces = {doubled[Path(str(row["path"]))] for row in group}
        assert len(pieces) == 1, group
        assert len(group) == sum(piece in pieces for piece in doubled.values())
        lossless = [row["format"] == "flac" for row in group]
        assert lossless == sorted(lossless, reverse=True), "the best file is first"
        assert group[0]["match"] == "equal"
    exact = groups(gdr("duplicates", library, "--exact", "-f", "jsonl").stdout)
    assert {doubled[Path(str(row["path"]))] for group in exact for row in group} == {
        number for number in range(len(SONGS)) if number % 4 == 2
    }
    everything = gdr("duplicates", library, "--print0", "--others").stdout.split("\0")[:-1]
    assert len(everything) == len(doubled) - len(SONGS)
    assert all(Path(path).exists() for path in everything)
    table = gdr("duplicates", library)
    assert "another rip.mp3" in table.stdout
    assert f"{len(SONGS)} recordings have {len(doubled)} files" in table.stderr


def test_every_list_of_ten_has_ten_recordings(library, doubled, gdr) -> None:
    prompts = ["deep house", "sad piano", "church organ", "loud guitars", "lullaby"]
    for prompt in prompts:
        lines = gdr("search", prompt, "-k", 10, "-f", "jsonl", "-L", library).stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        pieces = [doubled[Path(row["path"])] for row in rows]
        assert len(set(pieces)) == len(pieces) == 10
        for row, piece in zip(rows, pieces, strict=True):
            assert {doubled[Path(copy)] for copy in row["copies"]} == {piece}
    table = gdr("search", "deep house", "-k", 5, "-L", library).stdout
    assert "+1 copy" in table
    unfolded = gdr("search", "deep house", "-k", 10, "-f", "paths", "-L", library, "--copies")
    assert len({doubled[Path(path)] for path in unfolded.stdout.splitlines()}) < 10


def test_a_file_that_is_not_there_is_marked_and_never_the_best(gdr, tmp_path) -> None:
    folder, sound = tmp_path / "music", decode(SONGS[0], RATE_HZ).samples
    lossless = encoded(folder / "usb" / "lossless.flac", sound, "flac")
    lossy = Path(shutil.copy(SONGS[0], folder / "lossy.ogg"))
    copied = Path(shutil.copy(SONGS[0], folder / "same.ogg"))
    gdr("index", folder)
    there = rows(gdr("duplicates", "-f", "jsonl").stdout)
    assert [(row["path"], row["missing"]) for row in there] == [
        (str(lossless), False),
        (str(lossy), False),
        (str(copied), False),
    ]
    (folder / "usb").rename(tmp_path / "unplugged")
    answer = gdr("duplicates", "-L", folder, "-f", "jsonl")
    assert [(row["path"], row["missing"]) for row in rows(answer.stdout)] == [
        (str(lossy), False),
        (str(copied), False),
        (str(lossless), True),
    ]
    assert answer.stderr.splitlines()[-1] == "1 of them is not there now"
    assert answer.stdout == gdr("duplicates", folder, "-f", "jsonl").stdout
    table = gdr("duplicates", "--exact", "-L", folder).stdout.splitlines()
    assert [line.endswith("(not there now)") for line in table if line] == [False, False]
    others = gdr("duplicates", "--others", "--print0").stdout.split("\0")[:-1]
    assert others == [str(copied), str(lossless)]
    folder.rename(tmp_path / "away")
    table = gdr("duplicates", "-L", folder)
    assert table.stdout.count("(not there now)") == 3
    assert table.stderr.splitlines()[-1] == "3 of them are not there now"


def rows(lines: str) -> list[dict[str, object]]:
    return [row for group in groups(lines) for row in group]


def test_transposed_faster_and_edited_versions_are_no_copies(gdr, tmp_path) -> None:
    """Versions of one recording that another person would not throw away."""
    for number, song in enumerate(SONGS[::8]):
        sound = decode(song, RATE_HZ).samples
        folder = tmp_path / f"{number}"
        encoded(folder / "original.flac", sound, "flac")
        for name, cents, speed in (("semitone", 100, 1.0), ("faster", 0, 1.03)):
            encoded(folder / f"{name}.flac", shifted(sound, cents, speed), "flac")
        half = len(sound) // 2
        swapped = np.concatenate([sound[half:], sound[:half]])
        encoded(folder / "swapped.flac", swapped, "flac")
        other = decode(SONGS[(8 * number + 3) % len(SONGS)], RATE_HZ).samples[: len(sound)]
        encoded(folder / "sung over.flac", (0.5 * sound + 0.4 * other).clip(-1, 1), "flac")
    gdr("index", tmp_path)
    answer = gdr("duplicates", tmp_path, "-f", "jsonl")
    assert (answer.stdout, answer.stderr.splitlines()[-1]) == ("", "every recording has one file")


def shifted(sound: np.ndarray, cents: float, speed: float) -> np.ndarray:
    """Transposed by so many cents, and played so much faster."""
    ratio = 2 ** (cents / 1200)
    graph = av.filter.Graph()
    steps = [graph.add_abuffer(sample_rate=RATE_HZ, format="flt", layout="mono"),
             graph.add("asetrate", f"{RATE_HZ * ratio:.0f}"), graph.add("aresample", str(RATE_HZ)),
             graph.add("atempo", f"{speed / ratio:.6f}"), graph.add("abuffersink")]  # fmt: skip
    for step, then in pairwise(steps):
        step.link_to(then)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(sound[None], np.float32), format="flt", layout="mono"
    )
    frame.sample_rate, frame.pts = RATE_HZ, 0
    steps[0].push(frame)
    steps[0].push(None)
    parts = []
    while True:
        try:
            parts.append(steps[-1].pull().to_ndarray().reshape(-1))
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(parts)
