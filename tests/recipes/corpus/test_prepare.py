"""Preparing tracks: what is stored is read back, and a run that was stopped resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from prepared import Bands, track

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS, SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.prepare import (
    ROWS,
    PreparedFolder,
    decode,
    is_sung,
    listed,
    listen,
    prepare,
    prepare_numbered,
)
from recipes.builtin.steps import Part, read_list, write_list


def write_tone(path: Path, hz: float, seconds: float, rate_hz: int = 22050) -> Path:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    stereo = np.stack([np.sin(2 * np.pi * hz * t), np.sin(2 * np.pi * hz * t)], axis=1)
    soundfile.write(path, (0.3 * stereo).astype(np.float32), rate_hz)
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two source tracks, one of them silent, and a render."""
    write_tone(tmp_path / "low.wav", 220, 3.4)
    write_tone(tmp_path / "high.flac", 1760, 2.2, 32000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(48000), 16000)
    sources = [
        {"id": "music/low", "path": "low.wav", "split": "train", "voice": None},
        {"id": "music/silent", "path": "silent.wav", "split": "train", "voice": None},
    ]
    write_list(tmp_path / "sources.jsonl", sources)
    render = {"id": "render/00000", "path": str(tmp_path / "high.flac"), "split": "test"}
    write_list(tmp_path / "renders.jsonl", [render])
    return tmp_path


# Sound


@pytest.mark.parametrize("rate_hz", [16000, 22050, 44100])
def test_sound_is_decoded_to_whole_seconds_at_the_pitch_it_had(
    rate_hz: int, tmp_path: Path
) -> None:
    sound = decode(write_tone(tmp_path / "tone.wav", 440, 2.7, rate_hz))
    assert sound.shape == (2 * SAMPLE_RATE_HZ,)
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=1)


def test_a_long_track_is_cut(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "long.wav", 440, 5.0)
    assert len(decode(path, max_s=3)) == 3 * SAMPLE_RATE_HZ


def test_listening_gives_rows_for_every_second_whatever_the_level() -> None:
    t = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    loud, quiet = listen(0.8 * tone, Bands()), listen(0.02 * tone, Bands())
    assert loud["mel"].shape == (3 * FRAMES_PER_S, MELS)
    assert loud["logits"].shape == (3, 521)
    assert loud["embedding"].shape == (3, 1024)
    assert all(rows.dtype == np.float16 for rows in loud.values())
    # Both are brought to one loudness first. Mel is kept to steps of half precision.
    np.testing.assert_allclose(loud["mel"], quiet["mel"], atol=0.05)


# The folder


def test_what_was_added_is_read_back(tmp_path: Path) -> None:
    store, one = PreparedFolder(tmp_path), track("music/one.ogg", "source", 5, 3)
    store.add(one.record, {name: getattr(one, name) for name in ROWS})
    (read,) = PreparedFolder(tmp_path).load()
    assert read.record["id"] == "music/one.ogg"
    assert (read.seconds, read.kind) == (5, "source")
    np.testing.assert_array_equal(read.mel, one.mel)
    np.testing.assert_array_equal(read.logits, one.logits)
    np.testing.assert_array_equal(read.embedding, one.embedding)
    (record,) = store.records()
    np.testing.assert_allclose(
        store.logits(record), one.logits.mean(axis=0, dtype=np.float32), rtol=1e-6
    )


def test_a_track_prepared_again_replaces_the_earlier_one(tmp_path: Path) -> None:
    store = PreparedFolder(tmp_path)
    for seconds, style in ((5, "old"), (7, "new")):
        one = track("render/1", "render", seconds, seconds, style=style)
        store.add(one.record, {name: getattr(one, name) for name in ROWS})
    (read,) = store.load()
    assert (read.record["style"], read.seconds) == ("new", 7)


def test_tracks_are_ordered_by_id_however_they_were_added(tmp_path: Path) -> None:
    rows = {name: np.zeros((1, 2), np.float16) for name in ROWS}
    store = PreparedFolder(tmp_path)
    for name in ("c", "a", "b"):
        store.add({"id": name}, rows)
    assert [one.record["id"] for one in store.load()] == ["a", "b", "c"]


def test_a_line_that_was_cut_off_costs_that_track_and_no_other(tmp_path: Path) -> None:
    rows = {name: np.zeros((1, 2), np.float16) for name in ROWS}
    store = PreparedFolder(tmp_path)
    store.add({"id": "a"}, rows)
    with store.index.open("a") as index:
        index.write('{"id": "b", "fi')  # the machine was switched off here
    assert [record["id"] for record in store.records()] == ["a"]
    store.add({"id": "c"}, rows)
    assert [record["id"] for record in store.records()] == ["a", "c"]


# Preparing


def test_listed_tracks_get_their_kind_and_an_absolute_path(work: Path) -> None:
    found = {record["id"]: record for record in listed(work)}
    assert found["music/low"]["kind"] == "source"
    assert found["music/low"]["path"] == str(work / "low.wav")
    assert found["render/00000"]["kind"] == "render"
    assert found["render/00000"]["path"] == str(work / "high.flac")
    assert list(listed(work / "nowhere")) == []


def test_a_work_folder_that_was_moved_is_not_prepared_again(work: Path, tmp_path: Path) -> None:
    prepare(work, Bands())
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    (moved / "silent.wav").unlink()
    render = {"id": "render/00000", "path": str(moved / "high.flac"), "split": "test"}
    write_list(moved / "renders.jsonl", [render])
    again = Bands()
    prepare(moved, again)
    assert again.calls == 0
    write_list(moved / "renders.jsonl", [{**render, "style": "of another composer"}])
    prepare(moved, again)
    assert again.calls == 1


def test_every_listed_track_is_prepared_and_failures_are_listed(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(work, Bands())
    store = PreparedFolder(work)
    assert {r["id"]: r["seconds"] for r in store.records()} == {"music/low": 3, "render/00000": 2}
    (failure,) = read_list(store.folder / "failures.jsonl")
    assert failure == {"id": "music/silent", "reason": "silent or shorter than a second"}
    assert "2 prepared, 1 failed" in capsys.readouterr().out


def test_a_second_run_prepares_only_what_is_missing_or_changed(work: Path) -> None:
    prepare(work, Bands())
    again = Bands()
    prepare(work, again)
    assert again.calls == 0
    soundfile.write(work / "silent.wav", np.random.default_rng(0).normal(0, 0.1, 32000), 16000)
    render = {
        "id": "render/00000",
        "path": str(work / "high.flac"),
        "split": "test",
        "style": "ska",
    }
    write_list(work / "renders.jsonl", [render])  # composed by another version
    prepare(work, again)
    assert again.calls == 2
    records = {record["id"]: record for record in PreparedFolder(work).records()}
    assert records["render/00000"]["style"] == "ska"
    assert set(records) == {"music/low", "music/silent", "render/00000"}


def test_a_list_that_is_still_being_written_can_be_read(work: Path) -> None:
    with (work / "renders.jsonl").open("a") as renders:
        renders.write('{"id": "render/00001", "pa')
    assert len(list(listed(work))) == 3


def test_numbered_tracks_are_made_once(work: Path) -> None:
    made: list[int] = []

    def make(number: int) -> tuple[dict[str, Any], Array]:
        made.append(number)
        noise = np.random.default_rng(number).normal(0, 0.1, 2 * SAMPLE_RATE_HZ)
        return {"id": f"remix/{number:05d}", "kind": "remix"}, noise.astype(np.float32)

    store = PreparedFolder(work)
    prepare_numbered(store, "remix", 2, make, Bands())
    prepare_numbered(store, "remix", 4, make, Bands())
    assert made == [0, 1, 2, 3]
    assert [one.record["id"] for one in store.load()] == [f"remix/{n:05d}" for n in range(4)]
    assert {one.kind for one in store.load()} == {"remix"}
    prepare_numbered(store, "remix", 8, make, Bands(), Part.parse("2/2"))
    assert made == [0, 1, 2, 3, 5, 7], "the other process makes the rest"


@pytest.mark.parametrize(
    ("voice", "sung"),
    [
        ("sung, female", True),
        ("female singer", True),
        ("Vocaloid", True),
        ("spoken, male", False),
        ("", False),
        (None, False),
    ],
)
def test_the_source_says_whether_a_track_is_sung(voice: str | None, sung: bool) -> None:
    assert is_sung({"voice": voice}) is sung
    assert not is_sung({})


def test_records_are_plain_json(work: Path) -> None:
    prepare(work, Bands())
    for line in (work / "prepared" / "index.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert (work / "prepared" / record["file"]).is_file()
