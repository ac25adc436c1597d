"""What was done with results as evidence: the posterior against Bayes' rule, written out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from stored import means_of
from storing import SPACE, put

from gdr_model.errors import UsageError
from gdr_model.evidence import Evidence, Judgement
from gdr_model.search import nearest
from gdr_model.search.nearest import OpenLibrary
from gdr_model.search.session import likelihood, posterior
from gdr_model.search.session.likelihood import CHOICE, HEARD, PASSED, PRIOR
from gdr_model.search.whitening import Whitening, unit
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.store.records import Contents, Passages
from gdr_model.types import Array, Judged, Query

PLAIN = Whitening(np.zeros(8, np.float32), np.ones(8, np.float32), 0.0)


def points(count: int, seed: int) -> Array:
    return unit(np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32))


def preferred(shown: Array, number: int = 0) -> Judged:
    over = tuple(f"/m/{number}/{i}.ogg" for i in range(len(shown) - 1))
    return Judged(Evidence(Judgement.PREFERRED, f"/m/{number}/best.ogg", over), shown)


def judged(judgement: Judgement, seed: int) -> Judged:
    return Judged(Evidence(judgement, f"/m/{seed}.ogg"), points(1, seed))


@pytest.fixture
def opened(library: Library) -> Iterator[list[OpenLibrary]]:
    """Two libraries of sixty recordings in all, of up to three passages."""
    random = np.random.default_rng(0)
    beyond = library.root.parent / "more"
    beyond.mkdir()
    with Library.open(beyond, create=True) as second:
        for number in range(60):
            latents = random.standard_normal((int(random.integers(3, 190)), 8)).astype(np.float32)
            held = library if number % 3 else second
            put(held, f"{number:02}.ogg", f"sound {number}", len(latents), latents,
                genre="dub" if number % 2 else "jazz")  # fmt: skip
        yield [OpenLibrary.open(one, SPACE, PLAIN) for one in (library, second)]


def by_bayes(query: Query, opened: OpenLibrary, share: float) -> dict[str, float]:
    """The log posterior of every recording's best passage, passage by passage and in float64."""
    best: dict[str, float] = {}
    passages = opened.index.passages
    sounds: dict[str, Array] = {}
    for content in passages.contents:
        rows = [row for row, other in enumerate(passages.contents) if other == content]
        seconds = passages.ends_s[rows] - passages.starts_s[rows]
        sounds[content] = np.average(means_of(passages)[rows].astype(np.float64), 0, seconds)
    for content, t in zip(passages.contents, opened.index.vectors, strict=True):
        t = t.astype(np.float64)
        score = float((query.vectors @ t).mean())
        if query.anchor is not None:
            score = (1 - share) * score + share * float(query.anchor[0] @ t)
        log = score / PRIOR
        for one in query.judged:
            heard = sounds[content] / np.linalg.norm(sounds[content])
            chosen = float(one.points[0] @ heard)
            if one.evidence.judgement == Judgement.PREFERRED:
                odds = np.exp(one.points.astype(np.float64) @ heard / CHOICE)
                log += np.log(odds[0] / odds.sum() * len(odds))
            elif one.evidence.judgement == Judgement.HEARD:
                log += np.log(2 / (1 + np.exp(-chosen / HEARD)))
            else:
                log += np.log(2 / (1 + np.exp(chosen / PASSED)))
        best[content] = max(log, best.get(content, -np.inf))
    return best


EVIDENCE = (
    preferred(points(10, 7), 1),
    preferred(points(2, 8), 2),
    judged(Judgement.HEARD, 9),
    judged(Judgement.PASSED, 10),
)


@pytest.mark.parametrize("share", [0.0, 0.7])
@pytest.mark.parametrize("k", [None, 1, 5, 59])
def test_results_are_ranked_by_the_posterior(
    opened: list[OpenLibrary], share: float, k: int | None
) -> None:
    drawn = points(5, 1)
    asked = Query(drawn[1:], Steering("words"), anchor=drawn[:1], judged=EVIDENCE)
    if not share:
        asked = Query(drawn, Steering("words"), judged=EVIDENCE)
    expected = {c: v for one in opened for c, v in by_bayes(asked, one, share).items()}
    ranking = nearest.rank(asked, opened, share, k=k)
    assert [r.track.content for r in ranking.tracks] == sorted(
        expected, key=lambda c: -expected[c]
    )[:k]
    for ranked in ranking.tracks:
        assert ranked.score / PRIOR == pytest.approx(expected[ranked.track.content], abs=1e-3)


def test_a_filter_decides_who_competes_and_the_posterior_who_wins(
    opened: list[OpenLibrary],
) -> None:
    asked = Query(points(4, 1), Steering("words"), judged=EVIDENCE)
    whole = nearest.rank(asked, opened, 0.0)
    part = nearest.rank(asked, opened, 0.0, "genre = dub", 7)
    dub = [r.track.path for r in whole.tracks if r.track.genre == "dub"]
    assert [r.track.path for r in part.tracks] == dub[:7]


def test_evidence_finds_what_no_draw_is_near_to(
    opened: list[OpenLibrary], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one candidate a draw, only the posterior's own leaders can bring the winner."""
    monkeypatch.setattr(nearest, "CANDIDATES", 1)
    drawn = Query(points(1, 1), Steering("words"))
    sure = tuple(preferred(points(10, 3), number) for number in range(6))
    asked = Query(drawn.vectors, Steering("words"), judged=sure)
    expected = by_bayes(asked, opened[0], 0.0)
    (found,) = nearest.rank(asked, opened[:1], 0.0, k=1).tracks
    assert found.track.content == max(expected, key=lambda content: expected[content])
    by_words = [ranked.track for ranked in nearest.rank(drawn, opened[:1], 0.0).tracks]
    assert by_words.index(found.track) > 4


def test_files_that_were_not_preferred_sink_and_the_preferred_one_rises() -> None:
    shown, others = points(10, 3), points(200, 4)
    added = likelihood.pushes(preferred(shown), np.concatenate([shown, others]))
    assert added[0] > 0
    assert (added[10:] > added[0]).mean() < 0.02
    assert (added[1:10] < 0).all()


def test_what_cannot_tell_passages_apart_adds_nothing() -> None:
    same = np.repeat(points(1, 5), 4, axis=0)
    assert likelihood.pushes(preferred(same), points(50, 6)) == pytest.approx(0, abs=1e-6)
    across = unit(np.eye(8, dtype=np.float32))
    for judgement in (Judgement.HEARD, Judgement.PASSED):
        one = Judged(Evidence(judgement, "/m/a.ogg"), across[:1])
        assert likelihood.pushes(one, across[1:]) == pytest.approx(0, abs=1e-6)


class Stored:
    """Passages as a library has them, two for each recording; counts how many means are read."""

    def __init__(self, seed: int = 1) -> None:
        self.means = points(200, seed)
        self.read = 0

    def passages(self, *recordings: int) -> Passages:
        """Those of some recordings."""
        ids = np.array([10 + 2 * r + i for r in recordings for i in (0, 1)], np.int64)
        names = Contents.of(f"sound {r}" for r in recordings for _ in (0, 1))
        starts = np.tile(np.array([0, 60], np.float32), len(recordings))
        return Passages(ids, names, starts, starts + 60, ids - 10, self._means)

    def _means(self, rows: NDArray[np.int64], checked: bool) -> Array:
        self.read += len(rows)
        return self.means[rows]

    def added(self, judged: Judged, *recordings: int) -> Array:
        """What evidence adds to the two passages of each recording, computed plainly."""
        rows = 2 * np.array(recordings, np.int64)[:, None] + [0, 1]
        return np.repeat(likelihood.pushes(judged, unit(self.means[rows].mean(axis=1))), 2)


@pytest.mark.parametrize(
    "now",
    [
        (0, 1, 2, 3, 4, 5, 6),  # two more
        (0, 2, 4),
        (3, 0, 1, 5),  # in another order, as after a rebuild
        (7, 8),
        (),
    ],
)
def test_what_is_remembered_follows_a_library_that_changes(now: tuple[int, ...]) -> None:
    stored, scores = Stored(), posterior.EvidenceScores(PLAIN)
    many, then = [preferred(points(4, n), n) for n in range(3)], (0, 1, 2, 3, 4)
    scores.of(many, stored.passages(*then))
    stored.read = 0
    found = scores.of(many, stored.passages(*now))
    assert found == pytest.approx(sum(stored.added(one, *now) for one in many), abs=1e-6)
    assert stored.read == 2 * len(set(now) - set(then))


def test_evidence_on_a_file_that_sounds_otherwise_now_is_computed_again() -> None:
    stored, scores = Stored(), posterior.EvidenceScores(PLAIN)
    one, passages = preferred(points(4, 3)), stored.passages(1, 2, 3)
    other = Judged(one.evidence, points(4, 4))  # the same files
    for judged_now in (one, one, other, one):
        assert scores.of([judged_now], passages) == pytest.approx(
            stored.added(judged_now, 1, 2, 3), abs=1e-6
        )


def test_little_is_remembered_and_a_long_query_finds_some_of_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored, scores = Stored(), posterior.EvidenceScores(PLAIN)
    passages = stored.passages(*range(30))
    monkeypatch.setattr(posterior, "REMEMBERED_BYTES", 4 * 30 * 4)  # four things done
    computed: list[Judged] = []

    def pushes(one: Judged, sounds: Array) -> Array:
        computed.append(one)
        return likelihood.pushes(one, sounds)

    monkeypatch.setattr(posterior, "pushes", pushes)
    many = [preferred(points(3, n), n) for n in range(10)]
    for times, expected in enumerate([10, 6, 6]):
        computed.clear()
        found = scores.of(many, passages)
        assert found == pytest.approx(sum(stored.added(one, *range(30)) for one in many), abs=1e-6)
        assert (times, len(computed)) == (times, expected)
    computed.clear()
    for _ in range(2):  # a new query has room again
        scores.of(many[5:9], passages)
    assert len(computed) == 4


def test_a_steering_without_evidence_reads_as_before_and_with_it_as_written() -> None:
    plain = json.loads(Steering("piano").to_json())
    del plain["evidence"]  # as a steering was written before there was any
    assert Steering.from_json(json.dumps(plain)) == Steering("piano")
    held = Steering("piano", evidence=tuple(one.evidence for one in EVIDENCE))
    assert Steering.from_json(held.to_json()) == held


@pytest.mark.parametrize(
    ("judgement", "path", "over", "said"),
    [
        ("preferred", "/a", (), "needs the files that it was preferred to"),
        ("heard", "/a", ("/b",), "has no others"),
        ("preferred", "/a", ("/a",), "each named once"),
        ("preferred", "/a", ("/b", "/b"), "each named once"),
        ("preferred", "/a", tuple(f"/{i}" for i in range(1001)), "too long"),
        ("passed", "", (), "names no file"),
    ],
)
def test_evidence_that_makes_no_sense_is_refused(
    judgement: str, path: str, over: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Evidence(Judgement(judgement), path, over)
    plain = {"judgement": judgement, "path": path, "over": over}
    with pytest.raises(UsageError, match=said):
        Steering.from_json(json.dumps({"prompt": "piano", "evidence": [plain]}))
