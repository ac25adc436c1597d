"""A session of the app, replayed by `gdr search --session`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gdr_model.models.config import ModelConfig
from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint, SavedQuery, SavedTrail
from gdr_model.store.library import Library
from gdr_model.types import Steering, WeightedText

Gdr = Callable[..., Result]


@pytest.fixture
def session(demo: Path) -> SavedTrail:
    """Two queries on the demo library."""
    first = Steering("sad piano", seed=4, draws=2, steps=4)
    second = first.but(negatives=(WeightedText("strings", 0.5),))
    queries = (SavedQuery(1, None, first), SavedQuery(2, 1, second, "duration_s < 100"))
    with Library.open(demo) as library:
        prints = (LibraryPrint.of(library),)
    return SavedTrail(queries, ModelPrint.of(ModelConfig.read()), prints, 7, 2)


def test_a_session_gives_the_same_answers_again(
    gdr: Gdr, session: SavedTrail, tmp_path: Path
) -> None:
    file = tmp_path / "session.json"
    file.write_text(session.to_json())
    replayed = gdr("search", "--session", file, "--format", "json")
    assert (replayed.exit_code, replayed.stderr) == (0, ""), "nothing has changed"
    first, second = json.loads(replayed.stdout)
    assert len(first["hits"]) == 7
    asked = ["search", "sad piano", "--seed", 4, "--draws", 2, "--steps", 4, "-k", 7, "-f", "json"]
    assert json.loads(gdr(*asked).stdout) == [first]
    narrower = [*asked, "--not", "strings:0.5", "--where", "duration_s < 100"]
    assert json.loads(gdr(*narrower).stdout) == [second]
    one = gdr("search", "--session", file, "--query", 2, "-k", 3, "--format", "json")
    assert json.loads(one.stdout)[0]["hits"] == second["hits"][:3]


def test_what_has_changed_since_is_said(gdr: Gdr, session: SavedTrail, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    (held,) = session.libraries
    then = dataclasses.replace(held, tracks=held.tracks - 1, fingerprint="0" * 16)
    file.write_text(dataclasses.replace(session, libraries=(then,)).to_json())
    replayed = gdr("search", "--session", file, "--query", 1, "--format", "paths")
    assert replayed.exit_code == 0
    assert len(replayed.stdout.splitlines()) == 7
    assert replayed.stderr == (
        f"gdr: {held.root} has changed since: {held.tracks - 1} tracks then, {held.tracks} now, "
        "so results may differ\n"
    )


def test_refusals_come_before_the_model_is_loaded(
    gdr: Gdr, session: SavedTrail, tmp_path: Path
) -> None:
    file = tmp_path / "session.json"
    file.write_text(session.to_json())
    for words, why in (
        (["--session", file, "--query", 9], "the session has no query 9; it has 1 to 2"),
        (["piano", "--session", file], "without a prompt"),
        (["--query", 1], "go together"),
        (["--session", tmp_path / "none.json"], "cannot be read as a session"),
    ):
        refused = gdr("search", *words)
        assert refused.exit_code == 2, words
        assert why in refused.stderr
