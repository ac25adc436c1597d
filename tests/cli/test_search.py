"""Searching and editing from the command line, on the shipped model and the demo library."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

TRACKS = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


def hits(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_jsonl_has_one_object_a_hit(gdr, demo) -> None:
    listed = hits(gdr("search", "sad piano", "-f", "jsonl", "-k", 5, "--seed", 1).stdout)
    assert [hit["rank"] for hit in listed] == [1, 2, 3, 4, 5]
    names = ["prompt", "rank", "path", "title", "artist", "start_s", "score", "seed"]
    names += ["section", "copies", "missing"]
    assert all(list(hit) == names for hit in listed)
    assert all(hit["prompt"] == "sad piano" and hit["seed"] == 1 for hit in listed)
    assert [h["score"] for h in listed] == sorted((h["score"] for h in listed), reverse=True)
    assert all(Path(hit["path"]).is_file() for hit in listed)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(gdr, demo) -> None:
    first, again, other = (
        gdr("search", "sad", "piano", "-f", "jsonl", "--seed", seed).stdout for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("k", [1, 7, len(TRACKS), len(TRACKS) + 5])
def test_k_is_honoured_up_to_the_size_of_the_library(gdr, demo, k: int) -> None:
    listed = hits(gdr("search", "drums", "-f", "jsonl", "-k", k).stdout)
    assert len(listed) == min(k, len(TRACKS))
    assert len({hit["path"] for hit in listed}) == len(listed)


@pytest.mark.parametrize(
    ("prompt", "piece"),
    [
        ("church organ", "great west door"),
        ("techno", "warehouse key"),
        ("flamenco guitar", "calle de la luna"),
        ("sad solo piano", "snow on the sill"),
    ],
)
def test_a_prompt_finds_what_it_names(gdr, demo, prompt: str, piece: str) -> None:
    listed = gdr("search", prompt, "-f", "paths", "-k", 3).stdout.splitlines()
    assert piece in [Path(path).stem for path in listed]


def test_negatives_move_the_answer(gdr, demo) -> None:
    plain = gdr("search", "guitar", "-f", "paths").stdout
    steered = gdr("search", "guitar", "--not", "drums:0.5", "--not", "rock", "-f", "paths").stdout
    assert plain != steered


def test_likes_pull_a_track_up_and_dislikes_leave_it_out(gdr, demo) -> None:
    def listed(*more: object) -> list[str]:
        return gdr("search", "music", "-f", "paths", "-k", 99, *more).stdout.splitlines()

    plain, disliked = listed(), listed("--unlike", TRACKS[3])
    liked = listed("--like", TRACKS[3])
    assert liked.index(str(TRACKS[3])) < plain.index(str(TRACKS[3]))
    assert sorted([*disliked, str(TRACKS[3])]) == sorted(plain)
    assert disliked != [path for path in plain if path in disliked], "others moved, too"


def test_an_empty_answer_tells_a_filter_from_what_was_left_out(gdr, demo) -> None:
    none = gdr("search", "music", "--where", "duration_s < 1").stdout
    assert "no track passes the filter" in none
    one = ["--where", f'title = "{TRACKS[3].stem}"', "--unlike", TRACKS[3]]
    out = gdr("search", "music", *one).stdout
    assert "every track that passes the filter is left out by --unlike" in out


def test_a_filter_decides_before_the_ranking(gdr, demo) -> None:
    everything = json.loads(gdr("search", "music", "-f", "json", "-k", 99).stdout)[0]["hits"]
    artist_free = json.loads(
        gdr("search", "music", "-f", "json", "-k", 99, "--where", "duration_s < 1").stdout
    )[0]
    assert artist_free["hits"] == []
    kept = json.loads(
        gdr("search", "music", "-f", "json", "-k", 99, "--where", "artist = gdr").stdout
    )[0]["hits"]
    assert [hit["path"] for hit in kept] == [hit["path"] for hit in everything]


def test_contrastive_is_another_method_on_the_same_library(gdr, demo) -> None:
    drawn = gdr("search", "flute", "-f", "paths").stdout
    plain = gdr("search", "flute", "-f", "paths", "--method", "contrastive").stdout
    assert sorted(drawn.splitlines()) != []
    assert drawn != plain


def test_prompts_from_a_file_and_from_stdin_are_answered_in_order(gdr, demo, tmp_path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("calm piano\n\nloud drums\n", encoding="utf-8")
    from_file = gdr("search", "--prompts-file", file, "-f", "jsonl", "-k", 2)
    assert [h["prompt"] for h in hits(from_file.stdout)] == ["calm piano"] * 2 + ["loud drums"] * 2
    piped = gdr("search", "--prompts-file", "-", "-f", "jsonl", "-k", 2, stdin=file.read_text())
    assert piped.stdout == from_file.stdout


def test_paths_and_print0_are_fit_for_other_programs(gdr, demo) -> None:
    lines = gdr("search", "harp", "-f", "paths", "-k", 3).stdout.splitlines()
    nul = gdr("search", "harp", "--print0", "-k", 3).stdout_bytes.split(b"\0")
    assert [part.decode() for part in nul] == [*lines, ""]


def test_m3u8_is_a_playlist_of_existing_files(gdr, demo) -> None:
    lines = gdr("search", "harp", "-f", "m3u8", "-k", 3).stdout.splitlines()
    assert lines[0] == "#EXTM3U"
    assert all(line.startswith("#EXTINF:") for line in lines[1::2])
    assert all(Path(line).is_file() for line in lines[2::2])


def test_a_playlist_can_start_tracks_at_their_passages(gdr, tmp_path) -> None:
    rate = 8000
    noise = np.random.default_rng(0).normal(0, 0.1, 128 * rate)
    for number, calm in enumerate((slice(0, 64 * rate), slice(64 * rate, None))):
        sound = noise.copy()
        sound[calm] *= 0.001
        soundfile.write(tmp_path / f"{number}.wav", sound, rate)
    gdr("index", tmp_path)
    words = ("search", "harp", "-L", tmp_path, "-f")
    begun = [
        f"#EXTVLCOPT:start-time={hit['start_s']:.3f}"
        for hit in hits(gdr(*words, "jsonl").stdout)
        if hit["start_s"]
    ]
    assert begun
    lines = gdr(*words, "m3u8", "--starts").stdout.splitlines()
    assert [line for line in lines if "start-time" in line] == begun
    for at, line in enumerate(lines):
        if line.startswith("#EXTVLCOPT"):
            assert lines[at - 1].startswith("#EXTINF:128,")
            assert Path(lines[at + 1]).is_file()
    refused = gdr(*words, "tsv", "--starts")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--starts is for --format m3u8" in refused.stderr


def test_what_a_playlist_cannot_name_is_counted(gdr, tmp_path) -> None:
    for name in ("one.ogg", "two\nlines.ogg"):
        shutil.copy(TRACKS[0], tmp_path / name)
    gdr("index", tmp_path)
    done = gdr("search", "harp", "-L", tmp_path, "-f", "m3u8", "--copies")
    assert done.stdout.splitlines()[2:] == [str(tmp_path / "one.ogg")]
    assert "1 track left out of the playlist: a line break in the name\n" in done.stderr


def test_tsv_has_a_header_and_a_row_a_hit(gdr, demo) -> None:
    rows = [line.split("\t") for line in gdr("search", "harp", "-f", "tsv").stdout.splitlines()]
    assert rows[0][:3] == ["prompt", "rank", "path"]
    assert {len(row) for row in rows} == {10}
    assert len(rows) == 21


def test_the_table_is_for_people_and_shows_the_seed_on_stderr(gdr, demo) -> None:
    result = gdr("search", "harp", "--seed", 7)
    assert "score" in result.stdout
    assert "seed 7" in result.stderr


def test_an_edit_starts_from_a_track_and_tells_its_round_trip(gdr, demo) -> None:
    track = TRACKS[0]
    near = gdr("edit", track, "the same with drums", "--strength", 0.1, "-f", "paths", "-v")
    assert near.exit_code == 0
    assert "round-trip error" in near.stderr
    error = float(near.stderr.rsplit(" ", 1)[1])
    assert error < 1e-3
    assert near.stdout.splitlines().index(str(track)) < 3, "a small edit stays near its source"
    again = gdr("edit", track, "the same with drums", "--strength", 0.1, "-f", "paths")
    assert again.stdout == near.stdout


def test_a_file_outside_the_library_can_be_edited(gdr, demo, tmp_path) -> None:
    copy = tmp_path / "elsewhere.ogg"
    copy.write_bytes(TRACKS[5].read_bytes())
    result = gdr("edit", copy, "with a choir", "-k", 3, "-f", "jsonl")
    assert len(hits(result.stdout)) == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("search",), 2, "give a prompt"),
        (("search", ""), 2, "the prompt is empty"),
        (("search", "a" * 10_000), 2, "10,000 characters is too long"),
        (("search", "a", "-k", "0"), 2, "cannot return 0 results; ask for 1 or more"),
        (("search", "a", "--model", "nonsense"), 1, "there is no model 'nonsense'"),
        (("search", "a", "--device", "tpu"), 2, "'tpu' is not one of 'auto', 'cpu', 'cuda', 'mps'"),
        (("search", "a", "--method", "magic"), 2, "'magic' is not one of 'gdr', 'contrastive'"),
        (("search", "a", "--sampler", "x"), 2, "is not one of 'ddim', 'dpm++', 'consistency'"),
        (("search", "a", "--format", "xml"), 2, "'xml' is not one of 'table', 'json', 'jsonl'"),
        (("search", "a", "-k", "many"), 2, "invalid value for '-k'"),
        (("search", "a", "--interval", "0.9", "0.1"), 2, "a start below its end"),
        (("edit", str(TRACKS[0])), 2, "missing argument 'PROMPT'"),
        (("edit", str(TRACKS[0]), "a", "--sampler", "heun"), 2, "cannot be drawn with heun"),
        (("search", "a", "--where", "colour = red"), 2, "colour"),
        (("search", "a", "--not", ""), 2, "a negative prompt is empty"),
        (("search", "a", "--like", "/no/such/file"), 2, "there is no file"),
        (("search", "a", "--library", "/no/such/folder"), 1, "/no/such/folder"),
        (("search", "--prompts-file", "/no/such/file"), 2, "there is no file /no/such/file"),
        (("edit", "/no/such/file", "a"), 2, "there is no file"),
        (("edit", str(TRACKS[0]), "a", "--strength", "0"), 2, "strength 0 is out of range"),
        (("edit", str(TRACKS[0]), "a", "--start", "nan"), 2, "cannot start at nan s"),
        (("edit", str(TRACKS[0]), "a", "--start", "999"), 2, "is 22 s long"),
        (("search", "p\udcff"), 2, "not UTF-8"),
        (("search", "a", "--like", __file__), 1, "test_search.py: it is not a readable sound file"),
    ],
)
def test_bad_input_gets_one_sentence_and_its_exit_code(gdr, demo, words, code, said) -> None:
    result = gdr(*words)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().count("\n") == 0


def test_nothing_indexed_yet_says_what_to_do(gdr, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GDR_HOME", str(tmp_path))
    result = gdr("search", "piano")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no library has been indexed yet" in result.stderr
