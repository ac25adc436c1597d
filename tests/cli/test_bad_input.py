"""Whatever is wrong with a command: one sentence on stderr, the exit code, nothing on stdout."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Gdr = Callable[..., Result]

REFUSED = 1
USAGE = 2
NONE = "/no/such/place"


def one_sentence(result: Result, code: int, said: str) -> None:
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert result.stderr.startswith("gdr: ")
    assert result.stderr.count("\n") == 1, "one line"
    assert not result.stderr.rstrip().endswith(".")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("tui",), USAGE, "gdr tui needs a terminal; use gdr search here"),
        (("index",), USAGE, "missing argument 'DIR'"),
        (("index", NONE), REFUSED, f"there is no folder {NONE}"),
        (("index", "~nobody-of-this-name/music"), REFUSED, "there is no folder ~nobody"),
        (("index", ".", "--jobs", 0), USAGE, "invalid value for '--jobs' / '-j'"),
        (("index", ".", "--model", "x"), REFUSED, "there is no model 'x'"),
        (("index", ".", "--device", "tpu"), USAGE, "'tpu' is not one of 'auto', 'cpu'"),
        (("search", "piano"), REFUSED, "no library has been indexed yet; run gdr index DIR"),
        (("search", "piano", "--library", NONE), REFUSED, f"run gdr index {NONE}"),
        (("search", "piano", "--prompts-file", "-"), USAGE, "a prompt or --prompts-file, not both"),
        (("replay",), USAGE, "missing argument 'FILE'"),
        (("replay", NONE), USAGE, f"there is no file {NONE}"),
        (("replay", __file__), USAGE, "cannot be read"),
        (("why",), USAGE, "missing argument 'FILE'"),
        (("why", NONE, "piano"), USAGE, f"there is no file {NONE}"),
        (("why", __file__), USAGE, "the prompt is empty; describe the music"),
        (("why", __file__, "piano", "--slide", "loud"), USAGE, 'the slider "loud" has no amount'),
        (("why", __file__, "piano", "--sampler", "x"), USAGE, "is not one of 'ddim', 'dpm++'"),
        (("status", "--library", NONE), REFUSED, f"run gdr index {NONE}"),
        (("bench", "--library", NONE), REFUSED, f"run gdr index {NONE}"),
        (("crate", "show", "x"), REFUSED, "there is no crate called x; gdr crate list names them"),
        (("crate", "rename", "x", "y"), REFUSED, "there is no crate called x"),
        (("crate", "rename", "x"), USAGE, "missing argument 'NEW'"),
        (("crate", "export", "x", "y.m3u8"), REFUSED, "there is no crate called x"),
        (("crate", "add", "x", NONE), USAGE, f"there is no file {NONE}"),
        (("crate", "add", "x"), USAGE, "missing argument 'FILE'"),
        (("crate", "remove", "x"), USAGE, "name the files to remove, or give --whole"),
        (("crate", "show", "x", "-f", "m3u8"), USAGE, "is not one of 'table', 'jsonl'"),
        (("model", "show", "x"), REFUSED, "there is no model 'x'"),
        (("model", "pull", "x"), USAGE, "'x' cannot be pulled"),
        (("model", "pull"), USAGE, "missing argument 'NAME'"),
        (("model", "convert", NONE, "--pair", "clap"), REFUSED, f"{NONE} does not exist"),
        (("model", "convert", NONE, "--pair", "x"), USAGE, "'x' cannot be converted"),
        (("model", "convert", NONE), USAGE, "missing option '--pair'"),
        (("model", "check", "x", "--reference", NONE), USAGE, "there is no check of 'x'"),
        (("model", "check", "mule", "--reference", NONE), REFUSED, f"{NONE} is not a folder"),
        (("extract", NONE), USAGE, "missing option '--out' / '-o'"),
        (("extract", NONE, "-o", "x"), USAGE, f"there is no dataset {NONE}"),
        (("extract", NONE, "-o", "x", "--limit", 0), USAGE, "invalid value for '--limit'"),
        (("train",), USAGE, "missing argument 'CONFIG'"),
        (("train", NONE), USAGE, f"{NONE} cannot be read"),
        (("train", NONE, "--seed", -1), USAGE, "invalid value for '--seed'"),
        (("eval", "retrieval"), USAGE, "missing argument 'RUN|MODEL'"),
        (("eval", "retrieval", NONE), REFUSED, "a folder of gdr train"),
        (("eval", "fidelity", NONE), REFUSED, "a folder of gdr train"),
        (("eval", "control", "--pairs", 1), USAGE, "invalid value for '--pairs'"),
        (("eval", "control", "--attributes", "x"), USAGE, "is not one of 'tags', 'teacher'"),
        (("search", "--magic"), USAGE, "no such option"),
        (("crate", "empty"), USAGE, "no such command 'empty'"),
        (("doctor", "everything"), USAGE, "unexpected extra argument"),
        (("serch", "piano"), USAGE, "no such command 'serch'"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_exit_code(
    gdr: Gdr, gdr_home: Path, words: tuple[object, ...], code: int, said: str
) -> None:
    one_sentence(gdr(*words), code, said)


@pytest.mark.parametrize(
    ("words", "away", "option"),
    [
        (("search", "-drums"), "drums", "drums"),
        (("search", "piano", "-drums:0.5"), "drums", "drums:0.5"),
        (("search", "-drums piano"), "drums", "drums"),
        (("search", "-vocals", "-f", "jsonl"), "vocals", "vocals"),
        (("search", "piano", "-kick"), "kick", "kick"),
        (("search", "piano", "-fast"), "fast", "fast"),
        (("search", "-lo-fi"), "lo-fi", "lo-fi"),
        (("search", "-Ärger"), "Ärger", "'Ärger'"),
        (("edit", __file__, "-drums"), "drums", "drums"),
        (("why", __file__, "-drums"), "drums", "drums"),
    ],
)
def test_a_word_with_a_minus_is_no_option(
    gdr: Gdr, gdr_home: Path, words: tuple[object, ...], away: str, option: str
) -> None:
    said = f"; to steer away from {away}, write --not {option}\n"
    one_sentence(gdr(*words), USAGE, said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "-x"), "no such option: -x\n"),
        (("search", "-9x"), "no such option: -9\n"),
        (("search", "--drums"), "no such option: --drums"),
        (("search", "piano", "-k", "x", "-fjsonl"), "invalid value for '-k'"),
        (("status", "-drums"), "no such option: -d\n"),
    ],
)
def test_other_unknown_options_are_only_named(
    gdr: Gdr, gdr_home: Path, words: tuple[object, ...], said: str
) -> None:
    result = gdr(*words)
    one_sentence(result, USAGE, said)
    assert "steer away" not in result.stderr


@pytest.mark.parametrize("group", [(), ("crate",), ("model",), ("eval",)])
def test_a_group_without_a_command_shows_its_help(gdr: Gdr, group: tuple[str, ...]) -> None:
    result = gdr(*group)
    assert "Commands" in result.stdout + result.stderr
    assert "gdr: " not in result.stderr


def test_the_version_is_that_of_the_package(gdr: Gdr) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", gdr("--version").stdout)


def test_a_file_name_cannot_write_to_the_terminal(gdr: Gdr, tmp_path: Path) -> None:
    result = gdr("index", tmp_path / "a\x1b[31mb")
    assert result.exit_code == REFUSED
    assert "\x1b" not in result.stderr
    assert "a\\x1b[31mb" in result.stderr


def test_a_name_that_is_not_utf8_is_reported(gdr: Gdr, tmp_path: Path) -> None:
    one_sentence(gdr("crate", "add", "x", tmp_path / "caf\udce9"), USAGE, "there is no file")
