"""What a large library answers, against lists made the plain way: every track in memory.

The plain way reads all tracks, scores every passage in double precision and sorts. The same small
library is then searched as a large one is: vectors in 16 bits in files, graphs, tags on request.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from stored import means_of
from storing import SPACE, put

from gdr_model.limits import Limits
from gdr_model.search import nearest
from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed.choice import opener
from gdr_model.search.indexed.commonness import CommonScores
from gdr_model.search.nearest import OpenLibrary
from gdr_model.search.recordings.copies import Copies
from gdr_model.search.recordings.likeness import EQUAL_ONLY, Bounds, Likeness
from gdr_model.search.recordings.listing import listed
from gdr_model.search.recordings.preference import preference
from gdr_model.search.whitening import Whitening, unit
from gdr_model.steering import Steering
from gdr_model.store import filters
from gdr_model.store.library import Library
from gdr_model.types import Array, Query, Section, Track

random = np.random.default_rng(3)
WHITENING = Whitening(
    random.standard_normal(8).astype(np.float32), random.uniform(0.5, 2, 8).astype(np.float32), 0.5
)
NEAR = Bounds(
    surely=Likeness(0.97, 0.95, 0.9), perhaps=Likeness(0.97, 0.95, 0.9), agreement=2.0, mean=0.9
)
SHARE = 0.7
SMALL: dict[str, int] = {}
LARGE = {"kept_from": 1}
HUGE = {"kept_from": 1, "exact_below": 1, "piece": 150}
GENRES = "jazz", "dub", "Rock/Pop", "folk"
FILTERS = (
    None,
    "genre = rock",
    "genre ~ O and not year < 1980",
    "folder = 2 or title ~ '1'",
    "path ~ copies",
    "artist = 'Artist 3' or year = 1970..1975",
    "genre = opera",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """300 recordings: some are there twice, some near copies, some files have sections."""
    random = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("music")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("os.fsync", lambda _handle: None)
        with Library.open(root, create=True) as opened:
            for number in range(300):
                seconds = int(random.integers(20, 200))
                latents = random.standard_normal((seconds, 8)).astype(np.float32)
                latents += 2 * random.standard_normal(8).astype(np.float32)
                tags = {
                    "title": f"Track {number}",
                    "artist": f"Artist {number % 17}",
                    "genre": GENRES[number % 4],
                    "year": 1960 + number % 60,
                    "codec": "mp3" if number % 3 else "flac",
                }
                if number % 11 == 0:
                    tags["sections"] = (Section(0.0, "first"), Section(seconds / 2, "second", "B"))
                name, content = f"{number % 3}/{number:03}.mp3", f"sound {number}"
                put(opened, name, content, seconds, latents, **tags)
                if number % 8 == 0:
                    put(opened, f"copies/{number:03}.mp3", content, seconds, latents, **tags)
                if number % 9 == 0:
                    near = latents + 0.05 * random.standard_normal(latents.shape).astype(np.float32)
                    put(opened, f"copies/n{number:03}.mp3", f"near {number}", seconds, near, **tags)
            yield opened


@pytest.fixture(scope="module")
def milvus(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLibrary]:
    """The library in a file of Milvus Lite."""
    pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
    manager = pytest.importorskip(
        "milvus_lite.server_manager", reason="the extra milvus is not installed"
    ).server_manager_instance
    file = str(tmp_path_factory.mktemp("milvus") / "passages.db")
    found = OpenLibrary.open(library, SPACE, WHITENING, opener(f"milvus:{file}"))
    found.index.prepare()
    yield found
    manager.release_server(file)


@pytest.fixture(
    scope="module", params=[SMALL, LARGE, HUGE, "milvus"], ids=["small", "large", "huge", "milvus"]
)
def opened(library: Library, request: pytest.FixtureRequest) -> OpenLibrary:
    if request.param == "milvus":
        of_milvus: OpenLibrary = request.getfixturevalue("milvus")
        return of_milvus
    found = OpenLibrary.open(library, SPACE, WHITENING, partial(HnswIndex.open, **request.param))
    found.index.prepare()
    assert found.index.vectors.is_rounded == bool(request.param)
    assert len(found.index._pieces) == (4 if request.param is HUGE else 0)
    return found


def query(seed: int, **steering: object) -> Query:
    points = unit(np.random.default_rng(seed).standard_normal((6, 8)).astype(np.float32))
    return Query(points[1:], Steering("words", **steering), anchor=points[:1])  # type: ignore[arg-type]


class Plain:
    """Every passage of a library with its score, and every track."""

    def __init__(self, library: Library, asked: Query, bank: Array | None = None) -> None:
        passages = library.passages(SPACE)
        means = means_of(passages).astype(np.float64)
        raw = (means - WHITENING.mean) / WHITENING.sd**WHITENING.power
        vectors = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        assert asked.anchor is not None
        scores = (1 - SHARE) * (vectors @ asked.vectors.T).mean(axis=1)
        scores += SHARE * (vectors @ asked.anchor[0])
        if bank is not None:
            scores -= (1 - SHARE) * 0.07 * np.log(np.exp(vectors @ bank.T / 0.07).mean(axis=1))
        middles = (passages.starts_s + passages.ends_s) / 2
        self.passages = list(zip(passages.contents, middles, scores, strict=True))
        self.tracks: dict[str, list[Track]] = {}
        for track in library.tracks():
            self.tracks.setdefault(track.content, []).append(track)
        self.root = library.root

    def kept(self, where: str | None, out: set[str]) -> dict[str, list[Track]]:
        keeps = filters.parse(where) if where else lambda _track, _path: True
        kept = {
            content: [t for t in same if keeps(t, t.path.relative_to(self.root).as_posix())]
            for content, same in self.tracks.items()
            if content not in out
        }
        return {content: same for content, same in kept.items() if same}

    def ranked(self, where: str | None, out: set[str]) -> list[tuple[str, float]]:
        """Every file that competes, with its score."""
        tracks = self.kept(where, out)
        best: dict[str, float] = {}
        for content, _, score in self.passages:
            best[content] = max(score, best.get(content, -2.0))
        files = [(track, best[content]) for content, same in tracks.items() for track in same]
        files.sort(key=lambda one: (-one[1], one[0].path))
        return [(str(track.path), score) for track, score in files]

    def listed(
        self, where: str | None, copies: Copies, limits: Limits
    ) -> list[tuple[str, str, tuple[str, ...]]]:
        """Every line: the file, its section, its copies."""
        tracks = self.kept(where, set())
        lines, seen = [], set()
        artists: dict[str, int] = {}
        for content, middle, _ in sorted(self.passages, key=lambda one: -one[2]):
            if content not in tracks:
                continue
            same = [t for each in copies.group(content) for t in tracks.get(each, ())]
            first, *others = sorted(same, key=preference)
            section = first.section(float(middle))
            name = section.title if section else ""
            if first.content != content or (content, name) in seen:
                continue
            seen.add((content, name))
            artist = (section.artist if section else "") or first.artist
            if not limits.per_artist or artists.get(artist, 0) < limits.per_artist:
                artists[artist] = artists.get(artist, 0) + 1
                lines.append((str(first.path), name, tuple(str(t.path) for t in others)))
        return lines


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("seed", range(3))
def test_every_file_is_ranked_as_it_is_the_plain_way(
    opened: OpenLibrary, seed: int, where: str | None
) -> None:
    disliked = str(opened.library.root / "2" / "008.mp3")
    asked = query(seed, dislikes=(disliked,) if seed else ())
    out = {"sound 8"} if seed else set()
    plain = Plain(opened.library, asked)
    expected = plain.ranked(where, out)
    whole = nearest.rank(asked, [opened], SHARE, where)
    assert [str(one.track.path) for one in whole.tracks] == [path for path, _ in expected]
    scores = [one.score for one in whole.tracks]
    assert scores == pytest.approx([score for _, score in expected], abs=1e-5)
    kept = sum(map(len, plain.kept(where, set()).values()))
    assert whole.competing == len(expected)
    assert whole.filtered == opened.count() - kept
    assert whole.banned == kept - len(expected)
    best = nearest.rank(asked, [opened], SHARE, where, 10)
    assert [one.track for one in best.tracks] == [one.track for one in whole.tracks[:10]]
    assert best.competing == whole.competing


@pytest.mark.parametrize("where", FILTERS)
def test_corrected_draws_rank_every_file_as_it_is_the_plain_way(
    opened: OpenLibrary, where: str | None
) -> None:
    bank = 0.7 * unit(np.random.default_rng(20).standard_normal((9, 8)).astype(np.float32))
    corrected, asked = replace(opened, common=CommonScores(bank)), query(4)
    expected = Plain(opened.library, asked, bank).ranked(where, set())
    usual = Plain(opened.library, asked).ranked(where, set())
    assert not expected or [path for path, _ in expected] != [path for path, _ in usual]
    for k in (None, 10):
        found = nearest.rank(asked, [corrected], SHARE, where, k).tracks
        assert [str(one.track.path) for one in found] == [path for path, _ in expected[:k]]
        scores = [score for _, score in expected[:k]]
        assert [one.score for one in found] == pytest.approx(scores, abs=2e-5)


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("bounds", [EQUAL_ONLY, NEAR], ids=["equal", "near"])
@pytest.mark.parametrize("per_artist", [0, 1])
def test_lines_copies_and_sections_are_those_of_the_plain_way(
    opened: OpenLibrary, where: str | None, bounds: Bounds, per_artist: int
) -> None:
    asked, limits = query(7), Limits(per_artist=per_artist)
    copies = Copies([opened], bounds)
    expected = Plain(opened.library, asked).listed(where, copies, limits)
    for k in (None, 15):
        found = listed(asked, [opened], SHARE, copies, where, k, limits)
        lines = []
        for one in found.tracks:
            section = one.track.section((one.start_s + one.end_s) / 2)
            others = tuple(str(copy.path) for copy in one.copies)
            lines.append((str(one.track.path), section.title if section else "", others))
        assert lines == expected[:k]
    groups = [copies.group(f"sound {number}") for number in range(0, 300, 9)]
    assert all(len(group) == 1 + (bounds is NEAR) for group in groups)


def test_votes_and_copies_do_not_depend_on_how_vectors_are_kept(library: Library) -> None:
    every = [
        OpenLibrary.open(library, SPACE, WHITENING, partial(HnswIndex.open, **how))
        for how in (SMALL, LARGE, HUGE)
    ]
    every[-1].index.prepare()
    for seed, where in itertools.product(range(3), FILTERS):
        votes = [
            [
                (one.track.path, one.votes)
                for one in nearest.rank(query(seed), [opened], SHARE, where, 12).tracks
            ]
            for opened in every
        ]
        assert votes[0] == votes[1] == votes[2]


def test_a_filter_is_read_once_while_nothing_changes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = OpenLibrary.open(library, SPACE, WHITENING)
    first = nearest.rank(query(1), [opened], SHARE, "genre = dub", 5)
    monkeypatch.setattr(Library, "kept", None)
    again = nearest.rank(query(1), [opened], SHARE, "genre = dub", 5)
    assert [one.track for one in again.tracks] == [one.track for one in first.tracks]
