"""Ranking against the full matrix: every track, its best passage, its mean cosine to the draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from storing import SPACE, put

from gdr_model.errors import UsageError
from gdr_model.search import nearest
from gdr_model.search.nearest import OpenLibrary, Ranking, fuse
from gdr_model.search.recordings.votes import QUARTER
from gdr_model.search.whitening import Whitening, unit
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Query

PLAIN = Whitening(np.zeros(8, np.float32), np.ones(8, np.float32), 0.0)
GENRES = ("jazz", "dub", "techno")


@pytest.fixture
def library(library: Library) -> Library:
    """Forty recordings of up to four passages; every eighth is there twice."""
    random = np.random.default_rng(0)
    for number in range(40):
        seconds = int(random.integers(3, 250))
        latents = random.standard_normal((seconds, 8)).astype(np.float32)
        name, content = f"{number % 3}/{number:02}.ogg", f"sound {number}"
        put(library, name, content, seconds, latents, genre=GENRES[number % 3])
        if number % 8 == 0:
            put(library, f"copies/{number:02}.ogg", content, seconds, latents, genre="copy")
    return library


@pytest.fixture
def opened(library: Library) -> OpenLibrary:
    return OpenLibrary.open(library, SPACE, PLAIN)


def query(seed: int = 1, draws: int = 4, *, anchor: bool = False, **steering: object) -> Query:
    points = unit(np.random.default_rng(seed).standard_normal((draws + 1, 8)).astype(np.float32))
    shaped = Steering("words", **steering)  # type: ignore[arg-type]
    return Query(points[1:], shaped, anchor=points[:1] if anchor else None)


def best_scores(opened: OpenLibrary, asked: Query, share: float = 0.0) -> dict[str, float]:
    """Content to score, by the full matrix."""
    anchored = None if asked.anchor is None else opened.index.vectors @ asked.anchor[0]
    scores = fuse(asked.vectors @ np.asarray(opened.index.vectors).T, anchored, share)
    best: dict[str, float] = {}
    for content, score in zip(opened.index.passages.contents, scores.tolist(), strict=True):
        best[content] = max(score, best.get(content, -2.0))
    return best


def names(ranking: Ranking, root: Path) -> list[str]:
    return [r.track.path.relative_to(root).as_posix() for r in ranking.tracks]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_every_track_is_ranked_as_by_the_full_matrix(
    opened: OpenLibrary, seed: int, share: float
) -> None:
    asked = query(seed, anchor=share > 0)
    ranking = nearest.rank(asked, [opened], share)
    assert ranking.competing == len(ranking.tracks) == opened.count() == 45
    expected = best_scores(opened, asked, share)
    for ranked in ranking.tracks:
        assert ranked.score == pytest.approx(expected[ranked.track.content], abs=1e-6)
    scores = [ranked.score for ranked in ranking.tracks]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("k", [1, 7, 44, 45, 1000])
def test_the_best_k_are_the_beginning_of_the_whole_ranking(opened: OpenLibrary, k: int) -> None:
    whole, best = (
        nearest.rank(query(), [opened], 0.0),
        nearest.rank(query(), [opened], 0.0, None, k),
    )
    assert [r.track for r in best.tracks] == [r.track for r in whole.tracks][:k]
    assert best.competing == whole.competing


def test_the_passage_of_a_ranked_track_is_the_one_that_has_its_score(opened: OpenLibrary) -> None:
    asked = query()
    for ranked in nearest.rank(asked, [opened], 0.0).tracks:
        passages = opened.index.passages
        assert passages.contents[ranked.row] == ranked.track.content
        mean = float((asked.vectors @ opened.index.vectors[ranked.row]).mean())
        assert mean == pytest.approx(ranked.score, abs=1e-6)
        assert 0 <= ranked.start_s < ranked.end_s <= ranked.track.duration_s


def test_a_hit_is_the_ranked_track_with_its_course_over_time(opened: OpenLibrary) -> None:
    asked, (first, *_) = query(), nearest.rank(query(), [opened], 0.0, None, 1).tracks
    point = unit(asked.vectors.mean(0))
    hit = first.hit(point)
    assert (hit.track, hit.score, hit.votes) == (first.track, first.score, first.votes)
    latents = opened.library.latents(first.track.content, SPACE)
    np.testing.assert_allclose(hit.profile, unit(latents) @ point, atol=1e-6)
    middle = hit.profile[int(hit.start_s) : int(hit.end_s)].mean()
    assert middle > hit.profile.mean() - 1e-6, "the best passage is near to the query"


def test_a_filter_decides_who_competes_and_then_the_ranking(opened: OpenLibrary) -> None:
    root, whole = opened.library.root, nearest.rank(query(), [opened], 0.0)
    jazz = nearest.rank(query(), [opened], 0.0, "genre = jazz")
    assert names(jazz, root) == [name for name in names(whole, root) if name.startswith("0/")]
    assert (jazz.competing, jazz.filtered) == (14, 31)
    nothing = nearest.rank(query(), [opened], 0.0, "genre = opera")
    assert (nothing.tracks, nothing.competing, nothing.filtered) == ((), 0, 45)
    with pytest.raises(UsageError, match="filter"):
        nearest.rank(query(), [opened], 0.0, "genre")


def test_a_disliked_recording_does_not_compete_nor_do_its_copies(opened: OpenLibrary) -> None:
    root = opened.library.root
    asked = query(dislikes=(str(root / "copies" / "08.ogg"), "/elsewhere.ogg"))
    ranking = nearest.rank(asked, [opened], 0.0)
    left_out = {"copies/08.ogg", "2/08.ogg"}
    assert (
        set(names(ranking, root))
        == set(names(nearest.rank(query(), [opened], 0.0), root)) - left_out
    )
    assert (ranking.competing, ranking.banned, ranking.filtered) == (43, 2, 0)
    filtered = nearest.rank(asked, [opened], 0.0, "genre = copy")
    assert (filtered.competing, filtered.banned, filtered.filtered) == (4, 1, 40)


def test_copies_stand_together_in_the_order_of_their_paths(opened: OpenLibrary) -> None:
    ranked = nearest.rank(query(), [opened], 0.0).tracks
    for number in range(0, 40, 8):
        places = [at for at, r in enumerate(ranked) if r.track.content == f"sound {number}"]
        assert places[1] == places[0] + 1
        assert ranked[places[0]].track.path < ranked[places[1]].track.path


def test_votes_add_up_to_a_quarter_of_the_recordings_for_every_draw(opened: OpenLibrary) -> None:
    ranked = nearest.rank(query(draws=5), [opened], 0.0).tracks
    votes = {r.track.content: r.votes for r in ranked}
    assert sum(votes.values()) == 5 * (len(opened.tracks) // QUARTER)
    assert max(votes.values()) <= 5


def test_the_tracks_of_two_libraries_are_ranked_together(
    opened: OpenLibrary, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    asked = query()
    with Library.open(tmp_path / "more", create=True) as more:
        best = unit(asked.vectors.mean(0))[None]
        put(more, "best.ogg", seconds=3, latents=np.repeat(best, 3, axis=0))
        put(more, "worst.ogg", seconds=3, latents=np.repeat(-best, 3, axis=0))
        both = [opened, OpenLibrary.open(more, SPACE, PLAIN)]
        ranked = nearest.rank(asked, both, 0.0).tracks
        assert (ranked[0].track.path.name, ranked[-1].track.path.name) == ("best.ogg", "worst.ogg")
        assert len(ranked) == 47
        assert [r.track for r in nearest.rank(asked, both, 0.0, None, 3).tracks] == [
            r.track for r in ranked[:3]
        ]


def test_an_empty_library_ranks_nothing(library: Library, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with Library.open(tmp_path / "none", create=True) as empty:
        opened = OpenLibrary.open(empty, SPACE, PLAIN)
        assert nearest.rank(query(), [opened], 0.0).tracks == ()
        assert nearest.rank(query(), [opened], 0.0, "genre = jazz", 3).tracks == ()
    assert nearest.rank(query(), [], 0.0).tracks == ()


def test_what_is_indexed_later_is_ranked_after_a_refresh(opened: OpenLibrary) -> None:
    asked = query()
    near: Array = np.repeat(unit(asked.vectors.mean(0))[None], 3, axis=0)
    put(opened.library, "new.ogg", seconds=3, latents=near)
    assert opened.count() == 45
    assert opened.refresh() == 1
    assert nearest.rank(asked, [opened], 0.0).tracks[0].track.path.name == "new.ogg"
