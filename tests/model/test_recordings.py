"""One line per recording: which file represents it, what is folded, limited and left out."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from storing import SPACE, put

from gdr_model.errors import UsageError
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.search import nearest
from gdr_model.search.nearest import OpenLibrary, Ranking
from gdr_model.search.recordings import copies as copies_module
from gdr_model.search.recordings import listening
from gdr_model.search.recordings.copies import Copies
from gdr_model.search.recordings.likeness import EQUAL_ONLY, Bounds, Likeness, likeness
from gdr_model.search.recordings.listing import listed
from gdr_model.search.whitening import Whitening, unit
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Query, Section

PLAIN = Whitening(np.zeros(8, np.float32), np.ones(8, np.float32), 0.0)
ALIKE = Likeness(sound=0.97, worst=0.9, course=0.9)
NEAR = Bounds(ALIKE, ALIKE, agreement=0.85, mean=0.9)
RANDOM = np.random.default_rng(7)
SECONDS = 40


def query(seed: int = 1, draws: int = 4, **steering: object) -> Query:
    points = unit(np.random.default_rng(seed).standard_normal((draws, 8)).astype(np.float32))
    return Query(points, Steering("words", **steering))  # type: ignore[arg-type]


def sound(seed: int, seconds: int = SECONDS) -> Array:
    """Latents that wander, as music does."""
    random = np.random.default_rng(seed)
    steps = random.standard_normal((seconds + 4, 8))
    return (random.standard_normal(8) + steps.cumsum(0) / 3)[4:].astype(np.float32)


def encoded_again(latents: Array, noise: float = 0.02) -> Array:
    return latents + noise * RANDOM.standard_normal(latents.shape).astype(np.float32)


def ask(
    *libraries: OpenLibrary,
    k: int | None = None,
    where: str | None = None,
    bounds: Bounds = NEAR,
    limits: Limits = NO_LIMITS,
    asked: Query | None = None,
) -> Ranking:
    return listed(asked or query(), libraries, 0.0, Copies(libraries, bounds), where, k, limits)


def names(ranking: Ranking) -> list[str]:
    return [ranked.track.path.name for ranked in ranking.tracks]


@pytest.fixture
def library(library: Library) -> Library:
    """Twelve recordings: some of them in two formats, some as copies."""
    for number in range(12):
        latents = sound(number)
        content = f"sound {number}"
        put(library, f"{number:02}.mp3", content, SECONDS, latents, codec="mp3")
        if number % 3 == 0:
            again = encoded_again(latents)
            put(library, f"{number:02}.flac", f"{content} again", SECONDS, again, codec="flac")
        if number % 4 == 0:
            put(library, f"same/{number:02}.mp3", content, SECONDS, latents, codec="mp3")
    return library


@pytest.fixture
def opened(library: Library) -> OpenLibrary:
    return OpenLibrary.open(library, SPACE, PLAIN)


@pytest.mark.parametrize("k", [1, 5, 12, 40])
def test_a_list_of_k_has_k_recordings_and_begins_the_whole_one(opened: OpenLibrary, k: int) -> None:
    whole, best = ask(opened), ask(opened, k=k)
    assert len({name.split(".")[0] for name in names(whole)}) == len(whole.tracks) == 12
    assert [(r.track, r.score, r.copies) for r in best.tracks] == [
        (r.track, r.score, r.copies) for r in whole.tracks
    ][:k]
    assert whole.competing == opened.count() == 19


def test_the_lossless_file_stands_for_a_recording_and_has_its_score(opened: OpenLibrary) -> None:
    found = {ranked.track.path.name: ranked for ranked in ask(opened).tracks}
    assert {name for name in found if name.endswith("flac")} == {
        "00.flac", "03.flac", "06.flac", "09.flac"
    }  # fmt: skip
    copies = [path.as_posix() for path in (
        copy.path.relative_to(opened.library.root) for copy in found["00.flac"].copies
    )]  # fmt: skip
    assert copies == ["00.mp3", "same/00.mp3"]
    alone = {r.track.path.name: r.score for r in nearest.rank(query(), [opened], 0.0).tracks}
    assert all(ranked.score == alone[name] for name, ranked in found.items())


def test_without_bounds_only_equal_sound_is_folded(opened: OpenLibrary) -> None:
    ranking = ask(opened, bounds=EQUAL_ONLY)
    assert len(ranking.tracks) == 16
    assert sum(len(ranked.copies) for ranked in ranking.tracks) == 3


def test_a_filter_decides_which_file_stands_for_a_recording(opened: OpenLibrary) -> None:
    ranking = ask(opened, where="path ~ mp3")
    assert len(ranking.tracks) == 12
    assert all(name.endswith("mp3") for name in names(ranking))
    assert (ranking.competing, ranking.filtered) == (15, 4)
    assert sum(len(ranked.copies) for ranked in ranking.tracks) == 3


def test_a_ban_of_one_file_bans_every_copy(opened: OpenLibrary) -> None:
    banned = str(opened.library.root / "same" / "00.mp3")
    ranking = ask(opened, asked=query(dislikes=(banned,)))
    assert not [name for name in names(ranking) if name.startswith("00")]
    assert (len(ranking.tracks), ranking.competing, ranking.banned) == (11, 16, 3)


def test_copies_take_no_votes_from_other_recordings(library: Library, tmp_path: Path) -> None:
    (tmp_path / "single").mkdir()
    with Library.open(tmp_path / "single", create=True) as single:
        for number in range(12):
            put(single, f"{number:02}.mp3", f"sound {number}", SECONDS, sound(number))
        alone = OpenLibrary.open(single, SPACE, PLAIN)
        doubled = OpenLibrary.open(library, SPACE, PLAIN)
        once = {name[:2]: r.votes for name, r in zip(names(ask(alone)), ask(alone).tracks,
                                                     strict=True)}  # fmt: skip
        twice = {name[:2]: r.votes for name, r in zip(names(ask(doubled)), ask(doubled).tracks,
                                                      strict=True)}  # fmt: skip
    assert all(twice[name] >= votes for name, votes in once.items() if votes)


def test_copies_are_folded_across_libraries_and_files_in_both_count_once(
    opened: OpenLibrary, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    with Library.open(tmp_path / "more", create=True) as more:
        put(more, "01.flac", "sound 1 again", SECONDS, encoded_again(sound(1)), codec="flac")
        put(more, "02.mp3", "sound 2", SECONDS, sound(2))
        both = OpenLibrary.open(more, SPACE, PLAIN)
        ranking = ask(opened, both)
        assert len(ranking.tracks) == 12
        found = {ranked.track.path: ranked for ranked in ranking.tracks}
        assert [copy.path.name for copy in found[more.root / "01.flac"].copies] == ["01.mp3"]
        again = ask(opened, opened)
        assert len(again.tracks) == 12
        assert max(len(ranked.copies) for ranked in again.tracks) == 2


def test_what_is_indexed_later_joins_its_recording(opened: OpenLibrary) -> None:
    copies = Copies([opened], NEAR)
    assert copies.group("sound 1") == ("sound 1",)
    put(opened.library, "01.flac", "later", SECONDS, encoded_again(sound(1)), codec="flac")
    opened.refresh()
    assert copies.group("sound 1") == copies.group("later") == ("later", "sound 1")


@pytest.mark.parametrize("shift", [0, 1, 3, 0.5, 0.25, -2, -0.5])
def test_another_rip_begins_a_little_earlier_or_later(library: Library, shift: float) -> None:
    fine = np.repeat(sound(99, 80), 4, axis=0)  # four a second
    fine = np.stack([np.convolve(row, np.hanning(16) / 7.5, "same") for row in fine.T], axis=1)
    at = 40
    one, other = (fine[at + int(4 * s) :: 4][:60].astype(np.float32) for s in (0, shift))
    put(library, "one.mp3", "one", 60, one)
    put(library, "other.mp3", "other", 60, encoded_again(other, 0.005))
    opened = OpenLibrary.open(library, SPACE, PLAIN)
    assert set(Copies([opened], NEAR).group("one")) == {"one", "other"}


def test_a_long_way_from_one_file_to_another_is_no_copy(library: Library) -> None:
    """Each step is small, but the last file is far from the first."""
    first, last = sound(50), sound(51)
    for step in range(11):
        mixed = (1 - step / 10) * first + step / 10 * last
        put(library, f"step {step:02}.mp3", f"step {step:02}", SECONDS, mixed)
    opened = OpenLibrary.open(library, SPACE, PLAIN)
    copies = Copies([opened], NEAR)
    groups = {copies.group(f"step {step:02}") for step in range(11)}
    assert len(groups) > 1
    assert sorted(content for group in groups for content in group) == [
        f"step {step:02}" for step in range(11)
    ]
    assert "step 10" not in copies.group("step 00")


def test_files_that_take_another_course_are_no_copies(library: Library) -> None:
    base = sound(60)
    same_mean = base[::-1].copy()
    put(library, "base.mp3", "base", SECONDS, base)
    put(library, "backwards.mp3", "backwards", SECONDS, same_mean)
    put(library, "longer.mp3", "longer", 60, np.concatenate([base, base[:20]]))
    copies = Copies([OpenLibrary.open(library, SPACE, PLAIN)], NEAR)
    assert copies.group("base") == ("base",)


@pytest.mark.parametrize(("seconds", "copies"), [(14, 1), (16, 3)])
def test_sounds_that_are_too_short_to_be_copies_are_not_read(
    library: Library, monkeypatch: pytest.MonkeyPatch, seconds: int, copies: int
) -> None:
    """A folder of drum hits has thousands that are alike."""
    hit = sound(80, seconds)
    for number in range(3):
        put(library, f"{number}.wav", f"hit {number}", seconds, encoded_again(hit))
    compared = []

    def counted(*given: Any) -> Likeness:
        compared.append(given)
        return likeness(*given)

    monkeypatch.setattr(copies_module, "likeness", counted)
    group = Copies([OpenLibrary.open(library, SPACE, PLAIN)], NEAR).group("hit 0")
    assert len(group) == copies
    assert bool(compared) == (copies > 1)


def test_an_artist_and_an_album_have_so_many_results(library: Library) -> None:
    for number in range(30):
        tags = {"artist": f"A{number % 5}; B", "album": f"album {number % 10}"}
        put(library, f"tagged/{number:02}.ogg", f"tagged {number}", SECONDS, sound(200 + number),
            **(tags if number < 20 else {}))  # fmt: skip
    opened = OpenLibrary.open(library, SPACE, PLAIN)
    tagged = "path ~ tagged"
    one = ask(opened, where=tagged, limits=Limits(per_artist=1)).tracks
    assert [ranked.track.artist != "" for ranked in one].count(True) == 1, "B is in all of them"
    assert len(one) == 11, "files without tags do not count against each other"
    albums = ask(opened, where=tagged, limits=Limits(per_album=1)).tracks
    assert len({ranked.track.album for ranked in albums}) == 11
    assert len(albums) == 20
    whole = ask(opened, where=tagged).tracks
    for album in {ranked.track.album for ranked in albums} - {""}:
        best = next(ranked for ranked in whole if ranked.track.album == album)
        assert best.track in [ranked.track for ranked in albums]
    short = ask(opened, where=tagged, k=9, limits=Limits(per_album=1)).tracks
    assert [r.track for r in short] == [r.track for r in albums][:9]
    with pytest.raises(UsageError, match="1 or more"):
        Limits(per_artist=-1)


def test_compilations_are_one_album_and_equal_titles_of_artists_two(library: Library) -> None:
    for number, (artist, albumartist) in enumerate(
        [("X", "Various"), ("Y", "various"), ("X", ""), ("Y", "")]
    ):
        put(library, f"hits/{number}.ogg", f"hits {number}", SECONDS, sound(300 + number),
            artist=artist, albumartist=albumartist, album="Greatest hits")  # fmt: skip
    opened = OpenLibrary.open(library, SPACE, PLAIN)
    hits = ask(opened, where="path ~ hits", limits=Limits(per_album=1)).tracks
    owners = {ranked.track.albumartist.lower() or ranked.track.artist for ranked in hits}
    assert owners == {"various", "X", "Y"}
    assert len(hits) == 3


def test_each_section_of_a_file_is_found_by_its_best_passage(library: Library) -> None:
    parts = [unit(RANDOM.standard_normal(8).astype(np.float32)) for _ in range(3)]
    latents = np.concatenate([np.repeat(part[None], 128, axis=0) for part in parts])
    sections = tuple(
        Section(128.0 * at, title, f"by {title}") for at, title in enumerate(("a", "b", "c"))
    )
    put(library, "album.flac", "album", 384, latents, codec="flac", sections=sections)
    opened = OpenLibrary.open(library, SPACE, PLAIN)
    asked = Query(np.stack([parts[1], unit(parts[1] + parts[2])]), Steering("words"))
    first, second, third = (
        ranked.hit(parts[1]) for ranked in ask(opened, where="path ~ album", asked=asked).tracks
    )
    assert first.title == "b"
    assert {hit.title for hit in (first, second, third)} == {"a", "b", "c"}
    assert first.name == "b · album.flac"
    assert (first.artist, first.start_s) == ("by b", 128.0)
    assert first.track == second.track == third.track
    assert ask(opened, where="path ~ album", asked=asked).competing == 1
    unfolded = nearest.rank(asked, [opened], 0.0, "path ~ album").tracks
    assert len(unfolded) == 1, "evaluations rank files"
    assert unfolded[0].score == pytest.approx(first.score)


# Files that are listened to, and may not be there

LISTEN = Bounds(Likeness(2.0, 2.0, 2.0), ALIKE, agreement=0.85, mean=0.9)


@pytest.fixture
def rips(library: Library) -> tuple[Copies, Path]:
    """Three recordings of 20 s, each as two files, none of which is on the disk yet."""
    for number in range(3):
        latents = sound(70 + number)
        put(library, f"usb/rip {number}.wav", f"rip {number}", SECONDS, latents)
        again = encoded_again(latents)
        put(library, f"usb/again {number}.wav", f"again {number}", SECONDS, again)
        put(library, f"at home {number}.wav", f"again {number}", SECONDS, again)
    return Copies([OpenLibrary.open(library, SPACE, PLAIN)], LISTEN), library.root


def play(*files: Path) -> None:
    samples = np.random.default_rng(1).standard_normal(20 * 8000).cumsum()
    for file in files:
        file.parent.mkdir(exist_ok=True)
        soundfile.write(file, samples / np.abs(samples).max(), 8000)


def group(copies: Copies, number: int) -> set[str]:
    return set(copies.group(f"rip {number}"))


def test_files_that_are_not_there_are_listened_to_once_they_are(
    rips: tuple[Copies, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copies, root = rips
    monkeypatch.setattr(copies_module, "AGAIN_S", 0.3)
    assert group(copies, 0) == {"rip 0"}
    play(root / "usb" / "rip 0.wav", root / "at home 0.wav")
    assert group(copies, 0) == {"rip 0"}, "not asked for every list"
    time.sleep(0.3)
    assert group(copies, 0) == {"rip 0", "again 0"}, "by the path that is there"
    shutil.rmtree(root / "usb")
    time.sleep(0.3)
    assert group(copies, 0) == {"rip 0", "again 0"}, "what was listened to is known"


def test_a_damaged_file_is_listened_to_once(
    rips: tuple[Copies, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copies, root = rips
    monkeypatch.setattr(copies_module, "AGAIN_S", 0.0)
    play(root / "usb" / "rip 0.wav")
    (root / "at home 0.wav").write_bytes(b"nothing")
    assert group(copies, 0) == {"rip 0"}
    monkeypatch.setattr(listening, "agreement", None)
    assert group(copies, 0) == {"rip 0"}


def test_a_disk_that_hangs_is_waited_for_once(
    rips: tuple[Copies, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copies, root = rips
    stat, hangs = os.stat, threading.Event()
    hangs.set()

    def hang(path: Any, *arguments: Any, **options: Any) -> Any:
        while hangs.is_set() and str(path).startswith(str(root / "usb")):
            time.sleep(0.01)
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", hang)
    monkeypatch.setattr(copies_module, "AGAIN_S", 5.0)
    begun = time.monotonic()
    assert [group(copies, number) for number in range(3)] == [{"rip 0"}, {"rip 1"}, {"rip 2"}]
    assert time.monotonic() - begun < 4.5
    hangs.clear()
    play(*(root / "usb" / f"{name} {n}.wav" for name in ("rip", "again") for n in range(3)))
    monkeypatch.setattr(copies, "_again_at", 0.0)
    assert group(copies, 2) == {"rip 2", "again 2"}
