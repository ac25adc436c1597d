"""`gdr extract`, on the shipped model and files of known pitch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from training.data.extracted import read_extracted


@pytest.fixture
def table(music: Path, write_tone) -> Path:
    """Three captions of two tracks, and a row that cannot be used."""
    write_tone(music / "a.wav", 220, 2)
    write_tone(music / "b.wav", 880, 3)
    path = music / "set.csv"
    path.write_text(
        "file_path,caption,split\n"
        "a.wav,a low tone,train\n"
        "a.wav,something deep,train\n"
        "c.wav,not there,train\n"
        "b.wav,a high tone,test\n"
    )
    return path


def test_a_table_becomes_arrays_and_the_summary_goes_to_stdout(gdr, table, tmp_path) -> None:
    out = tmp_path / "out"
    result = gdr("extract", table, "--out", out)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"set: 2 tracks and 3 captions in {out}"
    assert lines[1].startswith("2 encoded, 0 kept from before; 0.1 min of sound in ")
    assert lines[2] == f"not used: set.csv, line 4: there is no sound c.wav in {table.parent}"
    assert result.stderr == ""
    extracted = read_extracted(out)
    assert [(i.track, i.caption, i.split) for i in extracted.dataset.items] == [
        ("a.wav", "a low tone", "train"),
        ("a.wav", "something deep", "train"),
        ("b.wav", "a high tone", "test"),
    ]
    assert [len(latents) for latents in extracted.latents] == [2, 3]
    again = gdr("extract", table, "--out", out)
    assert again.stdout.splitlines()[1].startswith("0 encoded, 2 kept from before")


def test_a_limit_counts_tracks_and_the_form_can_be_named(gdr, table, tmp_path) -> None:
    audio = tmp_path / "elsewhere"
    audio.mkdir()
    (table.parent / "a.wav").rename(audio / "a.wav")
    result = gdr(
        *("extract", table, "--audio", audio, "-o", tmp_path / "out"),
        *("--format", "csv", "--limit", 1, "--jobs", 1),
    )
    assert result.stdout.startswith("set: 1 tracks and 2 captions")


def test_what_cannot_be_decoded_is_named_and_nothing_at_all_is_an_error(
    gdr, table, tmp_path
) -> None:
    (table.parent / "a.wav").write_bytes(b"\x1b[31mno sound")
    result = gdr("extract", table, "--out", tmp_path / "out")
    assert result.exit_code == 0
    failed = f"failed: {table.parent / 'a.wav'}: it is not a readable sound file"
    assert failed in result.stdout.splitlines()
    (table.parent / "b.wav").write_bytes(b"")
    result = gdr("extract", table, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr == f"gdr: no track in {table} could be encoded\n"


def test_many_unusable_rows_are_counted_and_kept_in_the_manifest(gdr, table, tmp_path) -> None:
    with table.open("a") as file:
        file.writelines(f"missing{i}.wav,words,train\n" for i in range(30))
    out = tmp_path / "out"
    lines = gdr("extract", table, "--out", out).stdout.splitlines()
    assert sum(line.startswith("not used: set.csv") for line in lines) == 20
    assert lines[-1] == "not used: 11 more, all listed in manifest.json"
    assert len(json.loads((out / "manifest.json").read_text())["problems"]) == 31


def test_names_are_shown_without_acting_on_the_terminal(gdr, table, tmp_path) -> None:
    name = os.fsdecode(b"\x1b[31m\xff.wav")
    (table.parent / "a.wav").rename(table.parent / name)
    (table.parent / name).write_bytes(b"no sound")
    with table.open("ab") as file:
        file.write(os.fsencode(name) + b",red,train\n")
    result = gdr("extract", table, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "\\x1b[31m\N{REPLACEMENT CHARACTER}.wav: it is not a readable" in result.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("/no/such/set.csv",), 2, "there is no dataset"),
        (("SET", "--audio", "/no/such/folder"), 2, "there is no folder"),
        (("SET", "--format", "musiccaps"), 1, "has no column ytid"),
        (("SET", "--strict"), 1, "set.csv, line 4: there is no sound c.wav"),
        (("SET", "--model", "nonsense"), 1, "there is no model 'nonsense'"),
        (("SET", "--device", "tpu"), 2, "'tpu' is not one of 'auto', 'cpu'"),
        (("SET", "--out", "MUSIC"), 2, "not an extraction and not an empty folder"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_exit_code(
    gdr, table, tmp_path, words, code, said
) -> None:
    names = {"SET": table, "MUSIC": table.parent}
    given = [names.get(word, word) for word in words]
    result = gdr("extract", "--out", tmp_path / "out", *given)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stdout == ""
    assert result.stderr.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_help_says_what_it_takes(gdr) -> None:
    result = gdr("extract", "--help")
    assert result.exit_code == 0
    for word in ("DATASET", "--audio", "--out", "--limit", "--strict"):
        assert word in result.stdout
