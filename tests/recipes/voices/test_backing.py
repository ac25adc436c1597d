"""What voices are laid over: renders that suit them, in their key and from the start of a bar."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from voices import rng

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from recipes.builtin.corpus.remix import PIECE_S
from recipes.builtin.voices.backing import FITTING, backing

BPM = 90
BAR_S = 4 * 60 / BPM


def render(path: Path, number: int, style: str) -> dict[str, Any]:
    known = {"style": style, "tempo_bpm": BPM, "key": "Eb", "mode": "dorian", "genre": style}
    return {"id": f"render/{number}", "path": str(path), "duration_s": 40.0, **known}


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of quiet noise with a click at the start of every bar."""
    sound = rng().normal(0, 0.01, 40 * SAMPLE_RATE_HZ).astype(np.float32)
    for bar in range(int(40 / BAR_S)):
        start = round(bar * BAR_S * SAMPLE_RATE_HZ)
        sound[start : start + 200] += 0.8
    path = tmp_path_factory.mktemp("renders") / "clicks.flac"
    soundfile.write(path, sound, SAMPLE_RATE_HZ)
    return path


@pytest.fixture(scope="module")
def renders(clicks: Path) -> list[dict[str, Any]]:
    return [render(clicks, n, style) for n, style in enumerate(("heavy metal", "trap", "waltz"))]


@pytest.fixture(scope="module")
def free(clicks: Path) -> list[dict[str, Any]]:
    return [{"id": "free/1", "path": str(clicks), "duration_s": 40.0, "genre": "folk"}]


def test_six_in_ten_are_over_a_render_and_one_is_alone(
    renders: list[dict[str, Any]], free: list[dict[str, Any]]
) -> None:
    kinds: Counter[str] = Counter()
    draw = rng(5)
    for _ in range(300):
        under = backing("sung", renders, free, draw)
        kinds["alone" if under.parent is None else under.parent.split("/")[0]] += 1
    assert kinds["alone"] / 300 == pytest.approx(0.1, abs=0.05)
    assert kinds["free"] / 300 == pytest.approx(0.3, abs=0.07)
    assert kinds["render"] / 300 == pytest.approx(0.6, abs=0.07)


def test_nobody_raps_without_a_beat(
    renders: list[dict[str, Any]], free: list[dict[str, Any]]
) -> None:
    for seed in range(150):
        assert backing("rapped", renders, free, rng(seed)).sound is not None


def test_over_a_render_the_beat_and_key_are_its_own(
    renders: list[dict[str, Any]], free: list[dict[str, Any]]
) -> None:
    over = [backing("sung", renders, free, rng(seed)) for seed in range(40)]
    over = [under for under in over if under.parent and under.parent.startswith("render/")]
    assert over
    for under in over:
        assert under.beat_s == pytest.approx(60 / BPM)
        assert (under.tonic, under.mode) == (3, "dorian")
        assert under.sound is not None
        assert len(under.sound) == PIECE_S * SAMPLE_RATE_HZ
        # The piece starts at the start of a bar: with the click.
        loud = np.flatnonzero(under.sound > 0.5 * under.sound.max())
        assert loud[0] < 0.01 * SAMPLE_RATE_HZ
        second_click = loud[loud > SAMPLE_RATE_HZ][0] / SAMPLE_RATE_HZ
        assert second_click == pytest.approx(BAR_S, abs=0.01)


def test_loud_voices_prefer_loud_music(
    renders: list[dict[str, Any]], free: list[dict[str, Any]]
) -> None:
    chosen: Counter[str] = Counter()
    for seed in range(300):
        under = backing("shouted", renders, free, rng(seed))
        if under.genre and under.genre != "folk":
            chosen[under.genre] += 1
    assert chosen["heavy metal"] > 0.7 * chosen.total()
    assert chosen["waltz"] > 0  # now and then something else


def test_a_key_or_mode_that_is_not_known_falls_back(clicks: Path) -> None:
    odd = {**render(clicks, 1, "trap"), "key": "H", "mode": "klezmer"}
    found = [backing("rapped", [odd], [odd], rng(seed)) for seed in range(30)]
    over = [under for under in found if under.beat_s == pytest.approx(60 / BPM)]
    assert over
    assert {(under.tonic, under.mode) for under in over} == {(0, "major")}


def test_every_way_with_preferences_names_styles_that_exist() -> None:
    from recipes.builtin.music.styles import BY_NAME

    for way, marks in FITTING.items():
        assert any(mark in style for style in BY_NAME for mark in marks), way
