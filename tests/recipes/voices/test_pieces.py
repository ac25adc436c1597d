"""Pieces with voices: each way of using a voice sounds, and a piece depends on its number alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from voices import needs_voices, rng

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from recipes.builtin.corpus.effects import rms
from recipes.builtin.corpus.prepare import PreparedFolder
from recipes.builtin.corpus.remix import PIECE_S
from recipes.builtin.steps import write_list
from recipes.builtin.voices.backing import Backing
from recipes.builtin.voices.pieces import WAYS, backings, piece, spoken, voiced
from recipes.builtin.voices.speakers import Speaker

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources")
ALONE = Backing(None, None, None, 0.5, 0, "major")


@pytest.fixture
def music(tmp_path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A render and a free track, both a tone of half a minute."""
    tone = 0.1 * np.sin(np.arange(30 * SAMPLE_RATE_HZ) * 0.1).astype(np.float32)
    path = tmp_path / "tone.flac"
    soundfile.write(path, tone, SAMPLE_RATE_HZ)
    known = {"style": "reggae", "tempo_bpm": 90, "key": "D", "mode": "minor", "genre": "Reggae"}
    render = {"id": "render/1", "path": str(path), "duration_s": 30, **known}
    return [render], [{"id": "free/1", "path": str(path), "duration_s": 30, "genre": None}]


@needs_voices
@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_of_using_a_voice_sounds(way: str, tmp_path: Path) -> None:
    sound, _ = voiced(way, ALONE, tmp_path, rng(3))
    assert len(sound) == PIECE_S * SAMPLE_RATE_HZ
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 1e-3
    # Voices pause, but not for a third of the piece.
    thirds = sound.reshape(3, -1)
    assert min(rms(third) for third in thirds) > 0.02 * rms(sound)


@needs_voices
def test_a_piece_is_a_function_of_its_number_and_says_who_sings_over_what(
    tmp_path: Path, music: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    record, sound = piece(7, *music, tmp_path)
    again, same = piece(7, *music, tmp_path)
    assert record == again
    np.testing.assert_array_equal(sound, same)
    assert len(sound) == PIECE_S * SAMPLE_RATE_HZ
    other, _ = piece(8, *music, tmp_path)
    for number, one in ((7, record), (8, other)):
        assert one["id"] == f"voice/{number:05d}"
        assert (one["kind"], one["split"]) == ("voice", "train")  # never held out
        way, sex = one["voice"].split(", ")
        assert way in WAYS
        assert sex in {"female", "male"}
        assert one["parents"] in ([], ["render/1"], ["free/1"])
        assert (one["genre"] == "Reggae") == (one["parents"] == ["render/1"])


def test_recorded_lines_are_spoken_with_pauses(tmp_path: Path) -> None:
    folder = tmp_path / "sound" / "airport" / "en"
    folder.mkdir(parents=True)
    burst = rng().normal(0, 0.3, 8000).astype(np.float32)
    soundfile.write(folder / "line.ogg", burst, 8000)

    class Mute(Speaker):
        """Fails if it is asked to speak, so that only recordings are used."""

        def say(self, text: str) -> Any:
            raise AssertionError(text)

    seed = next(seed for seed in range(50) if rng(seed).random() < 0.35)  # a recorded piece
    sound = spoken(tmp_path, Mute("none", "none", True), rng(seed))
    assert len(sound) == PIECE_S * SAMPLE_RATE_HZ
    blocks = np.array([rms(block) for block in sound.reshape(-1, 800)])
    speaking = blocks > 0.3 * blocks.max()
    assert 0.3 < speaking.mean() < 0.95
    lines = np.flatnonzero(np.diff(speaking.astype(int)) == 1)
    assert len(lines) >= 4


def test_the_shares_of_the_ways_add_up() -> None:
    assert sum(WAYS.values()) == pytest.approx(1)


def test_without_renders_or_music_the_next_step_is_named(tmp_path: Path) -> None:
    store = PreparedFolder(tmp_path)
    with pytest.raises(SystemExit, match=r"music\.render, corpus\.sources and corpus\.prepare"):
        backings(tmp_path, store)


def test_only_prepared_training_tracks_without_voices_are_sung_over(tmp_path: Path) -> None:
    def listed(name: str, **more: Any) -> dict[str, Any]:
        return {"id": name, "path": f"{name}.flac", "split": "train", **more}

    free = [
        listed("a"),
        listed("held-out", split="test"),
        listed("song", voice="sung, female"),
        listed("not-prepared"),
    ]
    write_list(tmp_path / "sources.jsonl", free)
    write_list(tmp_path / "renders.jsonl", [listed("render/1"), listed("render/2", split="test")])
    store = PreparedFolder(tmp_path)
    rows = {name: np.zeros((1, 1), np.float16) for name in ("mel", "logits", "embedding")}
    for name in ("a", "held-out", "song", "render/1", "render/2"):
        store.add({"id": name}, rows)
    renders, music = backings(tmp_path, store)
    assert [record["id"] for record in renders] == ["render/1"]
    assert [record["id"] for record in music] == ["a"]
