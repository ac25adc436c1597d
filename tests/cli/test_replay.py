"""A trail saved in the app, answered again by `gdr replay`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gdr_model.models.config import ModelConfig
from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint, SavedQuery, SavedTrail
from gdr_model.steering import Steering, WeightedText
from gdr_model.store.library import Library

Gdr = Callable[..., Result]


@pytest.fixture
def trail(demo: Path) -> SavedTrail:
    """Two queries on the demo library."""
    first = Steering("sad piano", seed=4, draws=2, steps=4)
    second = first.but(negatives=(WeightedText("strings", 0.5),))
    queries = (SavedQuery(1, None, first), SavedQuery(2, 1, second, "duration_s < 100"))
    with Library.open(demo) as library:
        prints = (LibraryPrint.of(library),)
    return SavedTrail(queries, ModelPrint.of(ModelConfig.read()), prints, 7, 2)


def test_a_saved_trail_gives_the_same_answers_again(
    gdr: Gdr, trail: SavedTrail, tmp_path: Path
) -> None:
    file = tmp_path / "trail.json"
    file.write_text(trail.to_json())
    replayed = gdr("replay", file, "--format", "json")
    assert (replayed.exit_code, replayed.stderr) == (0, ""), "nothing has changed"
    first, second = json.loads(replayed.stdout)
    assert len(first["hits"]) == 7
    asked = ["search", "sad piano", "--seed", 4, "--draws", 2, "--steps", 4, "-k", 7, "-f", "json"]
    assert json.loads(gdr(*asked).stdout) == [first]
    narrower = [*asked, "--not", "strings:0.5", "--where", "duration_s < 100"]
    assert json.loads(gdr(*narrower).stdout) == [second]
    one = gdr("replay", file, 2, "-k", 3, "--format", "json")
    assert json.loads(one.stdout)[0]["hits"] == second["hits"][:3]


def test_what_has_changed_since_is_said(gdr: Gdr, trail: SavedTrail, tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    (held,) = trail.libraries
    then = dataclasses.replace(held, tracks=held.tracks - 1, fingerprint="0" * 16)
    file.write_text(dataclasses.replace(trail, libraries=(then,)).to_json())
    replayed = gdr("replay", file, 1, "--format", "paths")
    assert replayed.exit_code == 0
    assert len(replayed.stdout.splitlines()) == 7
    assert replayed.stderr == (
        f"gdr: {held.root} has changed since: {held.tracks - 1} tracks then, {held.tracks} now, "
        "so results may differ\n"
    )


def test_refusals_come_before_the_model_is_loaded(
    gdr: Gdr, trail: SavedTrail, tmp_path: Path
) -> None:
    file = tmp_path / "trail.json"
    file.write_text(trail.to_json())
    for words, why in (
        ([file, 9], "no query 9"),
        ([file, "first"], "invalid value for 'N'"),
        ([tmp_path / "none.json"], "there is no file"),
        ([], "missing argument 'FILE'"),
    ):
        refused = gdr("replay", *words)
        assert (refused.exit_code, refused.stdout) == (2, ""), words
        assert why in refused.stderr
