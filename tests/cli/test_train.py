"""`gdr train` and `gdr eval`, on a set small enough to train on in a second."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_set import small, write_set


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The YAML of a run on the small set."""
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small(write_set(tmp_path))))
    return path


def test_a_run_is_trained_and_evaluated(gdr, config, tmp_path) -> None:
    out = tmp_path / "run"
    result = gdr("train", config, "--fold", 1, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("small: 26 captions of 13 tracks, ")
    assert lines[1].startswith("validation, 4 captions: R@1 ")
    assert lines[2] == "held out (1): 10 captions of 5 tracks, for gdr eval retrieval"
    assert lines[3] == f"model, log and curves in {out}"
    assert (out / "model.safetensors").is_file()
    again = gdr("train", config, "--fold", 1, "--out", out)
    assert again.exit_code == 2
    assert "already holds a run" in again.stderr
    finished = gdr("train", config, "--fold", 1, "--out", out, "--resume")
    assert finished.exit_code == 1
    assert "is finished; there is nothing to resume" in finished.stderr

    result = gdr("eval", "retrieval", out)
    assert result.exit_code == 0, result.output
    assert "### Retrieval, 10 captions among 20 tracks" in result.stdout
    assert "one-step regression" in result.stdout
    assert json.loads((out / "retrieval.json").read_text())["queries"] == 10


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("train", "/no/such.yaml"), 2, "cannot be read"),
        (("train", "CONFIG", "--fold", "9"), 2, "there is no split 9"),
        (("train", "CONFIG", "--resume"), 1, "not a folder of gdr train"),
        (("eval", "retrieval", "/no/run"), 1, "not a folder of gdr train"),
        (("eval", "fidelity", "/no/run"), 1, "not a folder of gdr train"),
        (("eval", "control", "/no/run"), 1, "there is no model '/no/run'"),
        (("eval", "retrieval", "builtin", "--data", "/no/set"), 2, "there is no dataset"),
        (("eval", "control", "--library", "/no/music"), 1, "no library at /no/music"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_exit_code(
    gdr, config, tmp_path, monkeypatch, words, code, said
) -> None:
    monkeypatch.chdir(tmp_path)
    result = gdr(*(config if word == "CONFIG" else word for word in words))
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stdout == ""
    assert result.stderr.strip().count("\n") == 0


def test_the_configurations_that_come_with_gdr_are_listed(gdr, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    listed = gdr("train", "--list")
    assert listed.exit_code == 0, listed.output
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"base", "library", "unet_tiny", "unet_xlarge", "upstream"} <= set(names)
    refused = gdr("train", "base")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "there is no dataset extracted" in refused.stderr


def test_a_set_and_its_own_split_are_named_on_the_command_line(gdr, config, tmp_path) -> None:
    """`--fold test` holds out what the set calls test; `--data` replaces the set."""
    with np.load(tmp_path / "set.npz") as arrays:
        split = ["test" if track in ("t3", "t4", "t5") else "train" for track in arrays["track_id"]]
        np.savez(tmp_path / "split.npz", **dict(arrays), split=np.array(split))
    out = tmp_path / "run"
    done = gdr("train", config, "--data", tmp_path / "split.npz", "--fold", "test", "--out", out)
    assert done.exit_code == 0, done.output
    assert "held out (test): 6 captions of 3 tracks" in done.stdout
    refused = gdr("train", config, "--fold", "test", "--out", tmp_path / "other")
    assert refused.exit_code == 1
    assert "names no splits" in refused.stderr


@pytest.mark.parametrize("command", [("train",), ("eval", "retrieval"), ("eval", "control")])
def test_help_says_what_it_takes(gdr, command) -> None:
    result = gdr(*command, "--help")
    assert result.exit_code == 0
    assert "--out" in result.stdout


def test_a_library_without_captions_trains_a_model_that_searches_it(gdr, demo, tmp_path) -> None:
    text = (Path(__file__).parents[2] / "training" / "configs" / "library.yaml").read_text()
    path = tmp_path / "library.yaml"
    path.write_text(text.replace("steps: 200", "steps: 3").replace("batch: 16", "batch: 4"))
    out = tmp_path / "mine"
    result = gdr("train", path, "--library", demo, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("words from tags and folders: ")
    tracks = result.stdout.split(" of ")[1].split()[0]
    assert f"; from the model: {tracks}\n" in result.stdout
    assert "\nvalidation, " in result.stdout
    asked = gdr("eval", "retrieval", out)
    assert asked.exit_code == 2
    assert "was trained on a library and holds no captions out" in asked.stderr
    assert result.stdout.splitlines()[-1] == f"use it with --model {out / 'model'}"
    listed = gdr("search", "piano", "--library", demo, "--model", out / "model", "-f", "jsonl")
    assert listed.exit_code == 0, listed.output
    assert len(listed.stdout.splitlines()) > 3
