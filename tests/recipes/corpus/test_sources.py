"""The list of training music: no duplicates, no speech, and the same split everywhere."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recipes.builtin.corpus import sources
from recipes.builtin.corpus.packages import GENRES
from recipes.builtin.corpus.prepare import is_sung
from recipes.builtin.corpus.sources import (
    collect,
    drop_duplicates,
    duration_s,
    excerpt_sources,
    package_sources,
    split_of,
)

RATE_HZ = 8000


def write_noise(path: Path, seconds: float, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE_HZ))
    soundfile.write(path, noise, RATE_HZ)
    return path


def unpacked(work: Path, package: str, **tracks: float) -> Path:
    """The folder of an unpacked package with tracks of so many seconds, under the MIT licence."""
    folder = work / "unpacked" / package
    document = folder / "usr/share/doc" / package / "copyright"
    document.parent.mkdir(parents=True)
    document.write_text("Files: *\nLicense: MIT\n")
    for seed, (name, seconds) in enumerate(tracks.items()):
        write_noise(folder / "usr/share/games" / package / f"{name}.wav", seconds, seed)
    (folder / ".complete").touch()
    return folder


def excerpts(folder: Path, rows: list[tuple[str, str]], seconds: float) -> Path:
    """The folder of excerpts, (file, title) each, all by one band."""
    names = ["file", "artist", "title", "licence", "genre_by_source", "voice_by_source"]
    folder.mkdir(parents=True)
    with (folder / "sources.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([name, "Band", title, "CC0 1.0", "pop", "sung"] for name, title in rows)
    for seed, (name, _) in enumerate(rows):
        write_noise(folder / "clips" / name, seconds, seed)
    return folder


def test_duplicates_and_short_files_are_dropped(tmp_path: Path) -> None:
    kept = write_noise(tmp_path / "a.wav", 2.0, 0)
    write_noise(tmp_path / "b.wav", 2.0, 1)  # same size and length: the same track, encoded twice
    other = write_noise(tmp_path / "c.wav", 3.0, 2)
    write_noise(tmp_path / "short.wav", 0.5, 3)
    (tmp_path / "broken.ogg").write_bytes(b"OggS but no more")
    (tmp_path / "readme.txt").write_text("no audio")
    (tmp_path / "link.wav").symlink_to(other)
    found = list(drop_duplicates(sorted(tmp_path.rglob("*")), min_s=1.0))
    assert found == [(kept, 2.0), (other, 3.0)]


def test_a_file_that_cannot_be_read_has_no_length(tmp_path: Path) -> None:
    (tmp_path / "broken.ogg").write_bytes(b"OggS but no more")
    assert duration_s(tmp_path / "broken.ogg") == 0
    assert duration_s(write_noise(tmp_path / "a.wav", 1.5, 0)) == pytest.approx(1.5)


def test_about_15_in_100_tracks_are_held_out() -> None:
    held = sum(split_of(f"track/{n}") == "test" for n in range(4000))
    assert 0.13 < held / 4000 < 0.17
    assert {split_of("anything", 0.0), split_of("anything", 1.0)} == {"train", "test"}


@pytest.mark.parametrize(
    ("key", "side"),
    [
        ("wesnoth-1.16-music/defeat.ogg", "test"),
        ("render/00000", "train"),
        ("render/00007", "train"),
        ("asc-music/frontiers.ogg", "train"),
    ],
)
def test_no_track_changes_sides(key: str, side: str) -> None:
    # A track that was held out when the built-in model was trained must never be trained on.
    assert split_of(key) == side


def test_a_track_of_a_package_is_named_without_the_folder_it_lies_in(tmp_path: Path) -> None:
    here = unpacked(tmp_path / "here", "asc-music", march=21.0, jingle=3.0)
    there = unpacked(tmp_path / "there", "asc-music", march=21.0)
    (track,) = package_sources("asc-music", here)
    (same,) = package_sources("asc-music", there)
    assert track.id == same.id == "asc-music/asc-music/march.wav"
    assert track.split == same.split == split_of(track.id)
    assert (track.title, track.licence, track.genre) == ("march", "MIT", GENRES["asc-music"])
    assert track.duration_s == 21.0


def test_only_music_with_a_known_licence_is_listed(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, "flare-game")
    game = folder / "usr/share/games/flare/mods/fantasycore"
    write_noise(game / "music/boss_theme.ogg", 21.0, 0)
    write_noise(game / "soundfx/rain.ogg", 22.0, 1)
    assert [track.title for track in package_sources("flare-game", folder)] == ["boss_theme"]
    (folder / "usr/share/doc/flare-game/copyright").write_text("Files: src/*\nLicense: MIT\n")
    assert list(package_sources("flare-game", folder)) == []


def test_excerpts_of_one_track_fall_on_the_same_side(tmp_path: Path) -> None:
    rows = [
        ("song-1.wav", "Song (vocal stems only)"),
        ("song-2.wav", "Song (mono sum of all stems)"),
        ("song-3.wav", "Song"),
    ]
    found = list(excerpt_sources(excerpts(tmp_path / "free_music", rows, 1.0)))
    assert [s.id for s in found] == [f"free-music/song-{n}" for n in (1, 2, 3)]
    assert len({s.split for s in found}) == 1
    assert {(s.licence, s.artist, s.genre, s.voice) for s in found} == {
        ("CC0 1.0", "Band", "pop", "sung")
    }


def second_set(folder: Path, rows: list[dict[str, str]]) -> Path:
    """Excerpts of the second set, whose columns `sung` and `style` say more."""
    excerpts(folder, [(row["file"], row["title"]) for row in rows], 9.0)
    with (folder / "sources.csv").open(newline="") as file:
        known = list(csv.DictReader(file))
    with (folder / "sources.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*known[0], "sung", "style"])
        writer.writeheader()
        writer.writerows({**before, **row} for before, row in zip(known, rows, strict=True))
    return folder


def test_the_second_set_says_what_is_sung_and_in_which_style(tmp_path: Path) -> None:
    rows = [
        {"file": "a.wav", "title": "A", "sung": "yes", "style": "hip hop"},
        {"file": "b.wav", "title": "B", "sung": "likely", "style": "folk/rock"},
        {"file": "c.wav", "title": "C", "sung": "no", "style": "jazz/lounge"},
    ]
    found = list(excerpt_sources(second_set(tmp_path / "free_music_2", rows)))
    assert [(s.id, s.genre, s.voice) for s in found] == [
        ("free-music-2/a", "hip hop", "sung"),
        ("free-music-2/b", "folk/rock", None),
        ("free-music-2/c", "jazz/lounge", None),
    ]
    assert [is_sung(asdict(s)) for s in found] == [True, False, False]
    assert {s.source for s in found} == {"free-music-2"}


def test_what_may_not_be_changed_is_left_out(tmp_path: Path) -> None:
    folder = excerpts(tmp_path / "free_music", [("a.wav", "Fantasma"), ("b.wav", "Sol")], 1.0)
    assert [source.title for source in excerpt_sources(folder)] == ["Sol"]


def test_packages_come_first_then_the_excerpts_long_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in GENRES:
        unpacked(tmp_path, package, **({"march": 21.0} if package == "asc-music" else {}))
    excerpts(tmp_path / "shared/data/free_music", [("a.wav", "A")], 9.0)
    excerpts(tmp_path / "shared/data/free_music_2", [("a.wav", "A")], 8.5)
    monkeypatch.delenv("GDR_SHARED", raising=False)
    assert [track.source for track in collect(tmp_path)] == ["asc-music"]
    monkeypatch.setenv("GDR_SHARED", str(tmp_path / "shared"))
    assert [track.source for track in collect(tmp_path)] == [
        "asc-music",
        "free-music",
        "free-music-2",
    ]
    assert "asc-music: 1 tracks, 0.01 h" in capsys.readouterr().err
    monkeypatch.setattr(sources, "EXCERPT_MIN_S", 8.8)
    assert [track.source for track in collect(tmp_path)] == ["asc-music", "free-music"]


def test_links_make_a_library_of_what_is_no_longer_than_a_song(tmp_path: Path) -> None:
    work, library = tmp_path / "work", tmp_path / "music"
    (work / "unpacked").mkdir(parents=True)
    found = []
    for name, seconds in (("a.ogg", 100.0), ("long.ogg", 700.0), ("b.mp3", 600.0)):
        (work / "unpacked" / name).write_bytes(b"sound")
        path = f"unpacked/{name}"
        found.append(sources.SourceTrack(name, path, "pack", "MIT", None, seconds, "train", name))
    for _ in range(2):  # a second run finds its own links
        sources.link(found, work, library)
    links = sorted(library.rglob("*.*"))
    assert [link.relative_to(library).as_posix() for link in links] == [
        "pack/0000.ogg",
        "pack/0001.mp3",
    ]
    assert all(link.read_bytes() == b"sound" for link in links)
