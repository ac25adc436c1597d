"""`gdr search --like FILE` without a prompt, on the shipped model and the demo library."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gdr_model.models.config import ModelConfig
from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint, SavedQuery, SavedTrail
from gdr_model.steering import Steering
from gdr_model.store.library import Library

Gdr = Callable[..., Result]
TRACKS = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))
LIKED = next(path for path in TRACKS if path.stem == "snow on the sill")


def listed(done: Result) -> list[dict]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_is_enough_to_search_by(gdr: Gdr, demo: Path) -> None:
    hits = listed(gdr("search", "--like", LIKED, "-k", 99, "-f", "jsonl"))
    assert len(hits) == len(TRACKS) - 1
    assert str(LIKED) not in [hit["path"] for hit in hits]
    assert {hit["prompt"] for hit in hits} == {""}
    table = gdr("search", "--like", LIKED, "-k", 3)
    assert table.stdout.splitlines()[0].strip() == "like: snow on the sill"
    assert table.stderr.startswith(f"3 of {len(TRACKS) - 1} tracks · ")
    assert "draws" not in table.stderr
    assert len(gdr("search", "--like", LIKED, "-k", 3, "-f", "m3u8").stdout.splitlines()) == 7


def test_signs_and_filters_steer_without_words(gdr: Gdr, demo: Path) -> None:
    plain = listed(gdr("search", "--like", LIKED, "-k", 99, "-f", "jsonl"))
    asked = ("--like", LIKED, "-k", 99, "-f", "jsonl")
    ((genre, path), *_) = [(p.parent.name, p) for p in TRACKS if p.parent != LIKED.parent]
    where = f'path ~ "{genre}/"'
    filtered = listed(gdr("search", *asked, "--where", where))
    assert filtered == [
        hit | {"rank": rank}
        for rank, hit in enumerate((h for h in plain if f"/{genre}/" in h["path"]), 1)
    ]
    assert listed(gdr("search", f'path:"{genre}/"', *asked)) == filtered
    without = listed(gdr("search", "--not", "piano:2", *asked))
    for typed in ("-piano:2", "no piano"):
        other = gdr("search", *asked, "--", typed)
        weighed = (
            without if typed.startswith("-") else listed(gdr("search", "--not", "piano", *asked))
        )
        assert listed(other) == weighed
    assert [hit["path"] for hit in without] != [hit["path"] for hit in plain]
    banned = listed(gdr("search", "--unlike", path, *asked))
    assert str(path) not in [hit["path"] for hit in banned]


def test_nothing_is_left_but_what_is_liked(gdr: Gdr, demo: Path) -> None:
    where = f'path ~ "{LIKED.stem}"'
    done = gdr("search", "--like", LIKED, "--where", where)
    assert "every track that passes the filter is left out by --like" in done.stdout
    other = next(path for path in TRACKS if path != LIKED)
    both = gdr("search", "--like", LIKED, "--unlike", other, "--where", where)
    assert "left out by --like or --unlike" in both.stdout


def test_why_explains_it_and_needs_no_prompt_either(gdr: Gdr, demo: Path) -> None:
    first = listed(gdr("search", "--like", LIKED, "-f", "jsonl", "-k", 1))[0]
    done = gdr("why", first["path"], "--like", LIKED)
    assert done.stdout.splitlines()[1].startswith("rank 1 of 39, score +0.")
    assert done.stdout.splitlines()[2] == f"{first['score']:+.3f} like {LIKED}"
    refused = gdr("why", LIKED, "--like", LIKED)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "does not compete: the query starts from it" in refused.stderr
    assert "the prompt is empty" in gdr("why", LIKED).stderr


def test_a_saved_trail_has_such_queries(gdr: Gdr, demo: Path, tmp_path: Path) -> None:
    first = Steering("", likes=(str(LIKED),))
    queries = (SavedQuery(1, None, first), SavedQuery(2, 1, first.but(prompt="calm", draws=2)))
    with Library.open(demo) as library:
        prints = (LibraryPrint.of(library),)
    file = tmp_path / "trail.json"
    file.write_text(SavedTrail(queries, ModelPrint.of(ModelConfig.read()), prints, 5, 2).to_json())
    replayed = gdr("replay", file, 1, "-f", "jsonl")
    assert (replayed.exit_code, replayed.stderr) == (0, "")
    assert replayed.stdout == gdr("search", "--like", LIKED, "-k", 5, "-f", "jsonl").stdout


@pytest.mark.parametrize("words", [(), ("",), ("--not", "drums"), ("--unlike", str(LIKED))])
def test_without_likes_a_prompt_is_needed(gdr: Gdr, demo: Path, words: tuple[str, ...]) -> None:
    done = gdr("search", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "prompt" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_pair_without_retriever_finds_similar_sound(
    gdr: Gdr, tmp_path: Path, tiny_clap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDR_HOME", str(tmp_path / "home"))
    music = tmp_path / "music"
    music.mkdir()
    for song in TRACKS[:3]:
        shutil.copy(song, music)
    assert gdr("index", music, "--model", tiny_clap).exit_code == 0
    song = music / TRACKS[0].name
    done = gdr("search", "--like", song, "--model", tiny_clap, "-L", music, "-f", "paths")
    assert (done.exit_code, done.stderr) == (0, ""), "no words were looked up"
    assert sorted(done.stdout.splitlines()) == [str(music / one.name) for one in TRACKS[1:3]]
