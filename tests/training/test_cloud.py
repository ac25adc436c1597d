"""`gdr eval cloud` on a trained run: its prompts, its rows, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.steering import Sampler, Steering
from gdr_tui.cli.main import app
from training.data.extracted import write_extracted
from training.data.texts import embed
from training.evaluation.cloud.asked import NARROW, asked
from training.evaluation.cloud.settings import Setting, settings


def test_pairs_ask_for_what_answers_both_the_narrowest_first() -> None:
    right = np.zeros((4, 200), np.bool_)
    right[0, :150] = right[1, 100:150] = right[2, 120:] = True
    right[3, :5] = True  # too few
    prompts = asked(["jazz", "sad music", "piano", "harp"], right)
    assert [p.text for p in prompts if not p.narrow] == ["jazz", "sad music", "piano"]
    narrow = [(p.text, int(p.right.sum())) for p in prompts if p.narrow]
    assert narrow == [("jazz, piano", 30), ("sad music, piano", 30), ("jazz, sad music", 50)]


def test_there_are_no_more_pairs_than_are_asked_for() -> None:
    prompts = asked([str(n) for n in range(10)], np.ones((10, 40), np.bool_))
    assert sum(p.narrow for p in prompts) == NARROW


def test_a_set_of_captions_with_few_answers_is_refused() -> None:
    with pytest.raises(UsageError, match="no caption of the set has 24 right answers"):
        asked(["one"], np.eye(1, 30, dtype=np.bool_))


def test_settings_are_each_guidance_and_the_steps_of_the_first() -> None:
    found = settings("1,3", "4, 12", "ddim,dpm++")
    assert found == [
        Setting(1.0),
        Setting(3.0),
        Setting(1.0, 4, Sampler.DDIM),
        *([] if Steering.steps == 12 else [Setting(1.0, 12, Sampler.DDIM)]),
        Setting(1.0, 4, Sampler.DPM),
        Setting(1.0, 12, Sampler.DPM),
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("", "4", "ddim"), "at least one value of guidance"),
        (("x", "4", "ddim"), "'x' is not a number"),
        (("1", "2.5", "ddim"), "2.5 is no number of steps"),
        (("1", "4", "dimm"), "unknown sampler 'dimm'"),
        (("-1", "4", "ddim"), "guidance -1 is out of range"),
        (("1", "0", "ddim"), "0 steps are out of range"),
    ],
)
def test_settings_that_cannot_be_drawn_are_refused(arguments, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        settings(*arguments)


TRACKS = 160


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tracks in four overlapping groups, each named by a caption, in the shipped model's space."""
    folder = tmp_path_factory.mktemp("set") / "named"
    model, rng = checkpoint.load("builtin", "cpu"), np.random.default_rng(0)
    centres = 3 * rng.standard_normal((4, model.space.dim))
    deviation, middle = model.mean_sd.numpy(), model.latent_mean.numpy()
    names = ["jazz", "piano music", "sad music", "rock music"]
    latents, pairs = [], []
    for track in range(TRACKS):
        groups = [track % 4, (track // 4) % 4]
        mean = middle + deviation * (centres[groups].mean(0) + rng.standard_normal(len(middle)))
        latents.append(np.tile(mean, (8, 1)).astype(np.float32))
        pairs += [(track, group) for group in sorted(set(groups))]
    write_extracted(
        folder,
        model="builtin",
        text_encoder=model.config.text.name,
        space=model.space,
        tracks=[f"t{track}" for track in range(TRACKS)],
        latents=latents,
        captions=names,
        texts=embed(names, model.text),
        pairs=pairs,
    )
    return str(folder)


def test_tracks_that_fit_are_calibrated_and_every_setting_has_a_row(
    named: str, tmp_path: Path
) -> None:
    arguments = ["--data", named, "--guidance", "1", "--steps", "2", "--sampler", "dpm++"]
    done = CliRunner().invoke(app, ["eval", "cloud", *arguments, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "cloud.json").read_text(encoding="utf-8"))
    calibration, axes, widths, lists = (table["rows"] for table in report["tables"])
    rows = ["tracks that fit", "the tower's 20 tracks", Setting(1.0).name]
    rows.append(Setting(1.0, 2, Sampler.DPM).name)
    for table in (calibration, axes, widths, lists):
        assert list(table) == rows
    assert len(report["prompts"]) == 4  # no two groups have enough tracks in common
    fits = calibration["tracks that fit"]
    assert fits["spread"] == pytest.approx(1, abs=0.15)
    assert fits["energy distance"] == pytest.approx(0, abs=0.05)
    assert fits["nearest tracks"] == pytest.approx(1, abs=0.2)
    assert fits["precision"] > 0.9
    assert axes["tracks that fit"]["axis 1"] == pytest.approx(1, abs=0.4)
    assert lists["tracks that fit"]["right %, tower 0.3"] > 60
    listed = [table["the tower's 20 tracks"] for table in (calibration, widths)]
    assert 0 < listed[0]["spread"] < 1.2, "20 neighbours do not vary more than all that fit"
    assert listed[1]["prompts"] == pytest.approx(
        listed[0]["spread"] * widths["tracks that fit"]["prompts"], rel=0.1
    )
    assert widths[rows[1]]["pairs"] == "—"
    assert (tmp_path / "cloud.md").read_text(encoding="utf-8") in done.output


def test_a_guidance_that_is_no_number_is_one_sentence(named: str) -> None:
    done = CliRunner().invoke(app, ["eval", "cloud", "--data", named, "--guidance", "much"])
    assert done.exit_code != 0
