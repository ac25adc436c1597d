"""`gdr model list`: every pair, with the place of its weights or what to do about them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gdr_model.encoders.registry import pairs
from gdr_model.encoders.registry.resolve import installed
from gdr_model.models.config import ModelConfig
from gdr_tui.cli.main import app


def listed() -> dict[str, list[str]]:
    done = CliRunner().invoke(app, ["model", "list"])
    assert done.exit_code == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_every_pair_is_listed_and_only_the_built_in_one_is_ready() -> None:
    rows = listed()
    assert set(rows) == set(pairs.PAIRS)
    assert [name for name, (state, *_) in rows.items() if state == "ready"] == ["builtin"]
    assert "gdr model pull clap" in rows["clap"][2]
    text = ModelConfig.read().text
    assert rows["builtin"][1] == f"gdr's own encoder, {text.weights.about}"
    assert rows["builtin"][2].endswith(f"; {text.name}: {installed(text)}")


def test_text_weights_that_come_as_a_package_are_found_in_any_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = pairs.Pair("clap-minilm", "CLAP, MiniLM", pairs.CLAP, pairs.MINILM)
    monkeypatch.setattr(pairs, "PAIRS", {mixed.name: mixed})
    state, about, weights = listed()["clap-minilm"]
    clap, minilm = weights.split("; ")
    assert (state, about) == ("missing", "CLAP, MiniLM")
    assert "gdr model pull clap" in clap
    assert minilm.startswith("all-MiniLM-L6-v2 (Apache-2.0): /")
