"""Remixes: of the right parents, at the right speeds, the same for the same number."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from prepared import CLASSES

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.effects import rms
from recipes.builtin.corpus.prepare import PreparedFolder
from recipes.builtin.corpus.remix import (
    FASTEST,
    PIECE_S,
    SLOWEST,
    Parents,
    excerpt,
    parents,
    remix,
    to_piece,
)
from recipes.builtin.steps import write_list

RATE_HZ = 22050


def loudest_hz(sound: Array) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / len(sound)


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Tones of 300, 500, 700 and 1100 Hz, of half a minute each."""
    folder = tmp_path_factory.mktemp("tones")
    records = []
    for hz in (300, 500, 700, 1100):
        t = np.arange(30 * RATE_HZ) / RATE_HZ
        path = folder / f"{hz}.flac"
        soundfile.write(path, (0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32), RATE_HZ)
        records.append({"id": f"music/{hz}", "path": str(path), "duration_s": 30.0})
    return records


def even(records: list[dict[str, Any]]) -> Parents:
    return Parents.of(records, {record["id"]: 1.0 for record in records})


@pytest.mark.parametrize("speed", [SLOWEST, 1.0, FASTEST])
def test_an_excerpt_is_as_fast_and_high_as_asked_for(
    tracks: list[dict[str, Any]], speed: float
) -> None:
    sound = excerpt(tracks[1], np.random.default_rng(0), speed)
    assert sound.shape == (PIECE_S * SAMPLE_RATE_HZ,)
    assert loudest_hz(sound) == pytest.approx(500 * speed, abs=1)


def test_a_short_sound_is_repeated_and_a_quiet_one_brought_up() -> None:
    t = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    loud, quiet = to_piece(0.5 * tone, SAMPLE_RATE_HZ), to_piece(0.01 * tone, SAMPLE_RATE_HZ)
    assert len(loud) == PIECE_S * SAMPLE_RATE_HZ
    np.testing.assert_allclose(loud, quiet, atol=1e-3)
    np.testing.assert_allclose(loud[: len(tone)], loud[len(tone) : 2 * len(tone)], atol=1e-3)


def test_longer_and_rarer_tracks_are_used_more_often() -> None:
    records = [
        {"id": "short", "duration_s": 30.0},
        {"id": "long", "duration_s": 60.0},
        {"id": "very long", "duration_s": 3000.0},
        {"id": "rare", "duration_s": 30.0},
    ]
    chosen = Parents.of(records, {"short": 1, "long": 1, "very long": 1, "rare": 4})
    np.testing.assert_allclose(chosen.probability * 330, [30, 60, 120, 120])


def test_a_remix_is_a_function_of_its_number(tracks: list[dict[str, Any]]) -> None:
    sung, others = even(tracks[:2]), even(tracks[2:])
    record, sound = remix(3, sung, others)
    again, same = remix(3, sung, others)
    assert record == again
    np.testing.assert_array_equal(sound, same)
    assert not np.array_equal(sound, remix(4, sung, others)[1])


def test_of_ten_remixes_six_are_sung_and_six_are_mixtures(tracks: list[dict[str, Any]]) -> None:
    sung, others = even(tracks[:2]), even(tracks[2:])
    sung_ids = {record["id"] for record in tracks[:2]}
    kinds: Counter[tuple[bool, int]] = Counter()
    for number in range(10):
        record, sound = remix(number, sung, others)
        assert record["id"] == f"remix/{number:05d}"
        assert (record["kind"], record["split"]) == ("remix", "train")  # never held out
        with_voice = record["parents"][0] in sung_ids
        assert record["voice"] == ("sung" if with_voice else None)
        assert set(record["parents"][1:]) <= {r["id"] for r in tracks[2:]}
        kinds[with_voice, len(record["parents"])] += 1
        assert sound.shape == (PIECE_S * SAMPLE_RATE_HZ,)
        assert np.isfinite(sound).all()
        assert rms(sound) > 1e-4
    assert kinds == {(True, 2): 4, (True, 1): 2, (False, 2): 2, (False, 1): 2}


# Which tracks may be parents


def prepared_folder(work: Path, sources: list[dict[str, Any]], names: list[str]) -> PreparedFolder:
    write_list(work / "sources.jsonl", sources)
    store = PreparedFolder(work)
    for seed, name in enumerate(names):
        logits = np.random.default_rng(seed).normal(-5, 1, (3, CLASSES)).astype(np.float16)
        store.add({"id": name}, {"mel": logits, "logits": logits, "embedding": logits})
    return store


def source(name: str, **known: Any) -> dict[str, Any]:
    return {"id": name, "path": f"{name}.ogg", "split": "train", "duration_s": 60.0, **known}


def test_parents_are_prepared_training_tracks_of_the_sources(tmp_path: Path) -> None:
    sources = [
        source("song", voice="sung, female"),
        source("tune"),
        source("held-out", split="test"),
        source("not-prepared"),
    ]
    store = prepared_folder(tmp_path, sources, ["song", "tune", "held-out"])
    sung, others = parents(tmp_path, store)
    assert [record["id"] for record in sung.records] == ["song"]
    assert [record["id"] for record in others.records] == ["tune"]
    assert sung.probability.sum() == pytest.approx(1)


@pytest.mark.parametrize("voice", ["sung", None])
def test_remixes_without_both_kinds_name_the_next_step(voice: str | None, tmp_path: Path) -> None:
    store = prepared_folder(tmp_path, [source("only", voice=voice)], ["only"])
    with pytest.raises(SystemExit, match=r"need sung and other tracks.*set GDR_SHARED"):
        parents(tmp_path, store)
