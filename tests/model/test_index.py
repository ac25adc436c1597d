"""Rankings against the full matrix, and cache files that must not be believed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import hnswlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_model.audio import Tags
from gdr_model.errors import Cancelled, LibraryError, SpaceMismatch
from gdr_model.paths import store_of
from gdr_model.search.index import HnswIndex, _Best
from gdr_model.search.whitening import Whitening, unit
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp
from gdr_model.types import LatentSpace

DIM = 16
SPACE = LatentSpace("plain", DIM, 16000, 1.0, 1.0, "ab" * 8)
GRAPH = {"exact_below": 1}  # a graph whatever the size


@pytest.fixture
def whitening():
    random = np.random.default_rng(5)
    mean = random.standard_normal(DIM).astype(np.float32)
    return Whitening(mean, random.uniform(0.5, 2, DIM).astype(np.float32), 0.5)


@pytest.fixture
def library(music):
    with Library.open(music, create=True) as opened:
        yield opened


def fill(library, count, first=0):
    """Tracks of one passage each, from a few clusters as music is."""
    random = np.random.default_rng(first)
    centres = np.random.default_rng(99).standard_normal((10, DIM))
    library_rows = centres[random.integers(0, 10, count)] + random.standard_normal((count, DIM))
    for i, row in enumerate(library_rows.astype(np.float32), first):
        sound = Sound(str(i), 1.0, -20.0)
        library.put_latents(sound, SPACE, row[None])
        library.files.put_track(str(i).encode(), Stamp(1, 2), sound, Tags())


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A library of 600 passages, made once; 1200 commits take half a second."""
    root = tmp_path_factory.mktemp("music")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(os, "fsync", lambda _handle: None)
        with Library.open(root, create=True) as library:
            fill(library, 600)
            store = library.store
    return root, store


@pytest.fixture
def filled(original, monkeypatch):
    root, store = original
    shutil.copytree(store, store_of(root))
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    with Library.open(root) as library:
        yield library


def some_queries(count=5):
    return unit(np.random.default_rng(7).standard_normal((count, DIM)).astype(np.float32))


def oracle(vectors, queries, k, allowed=None):
    """Sort everything, in double precision."""
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


# Ranking


@pytest.mark.parametrize("k", [1, 10, 599, 600])
def test_the_exact_ranking_is_that_of_the_full_matrix(filled, whitening, k):
    index = HnswIndex.open(filled, SPACE, whitening)
    expected = whitening.apply(filled.passages(SPACE).means)
    assert index.vectors == pytest.approx(expected)
    rows, scores = index.search(some_queries(), k)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    expected_rows, expected_scores = oracle(expected, some_queries(), k)
    assert np.array_equal(rows, expected_rows)
    assert scores == pytest.approx(expected_scores, abs=1e-5)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.9])
@pytest.mark.parametrize("options", [{}, GRAPH])
def test_a_filter_decides_exactly(filled, whitening, share, options):
    index = HnswIndex.open(filled, SPACE, whitening, **options)
    allowed = np.random.default_rng(3).random(600) < share
    rows, _ = index.search(some_queries(), 5, allowed)
    assert np.array_equal(rows, oracle(index.vectors, some_queries(), 5, allowed)[0])


@pytest.mark.parametrize("options", [{}, GRAPH])
def test_k_is_clipped_to_what_is_there(filled, whitening, options):
    index = HnswIndex.open(filled, SPACE, whitening, **options)
    assert index.search(some_queries(), 10_000)[0].shape == (5, 600)
    few = np.zeros(600, np.bool_)
    few[[3, 70]] = True
    rows, scores = index.search(some_queries(), 10, few)
    assert rows.shape == scores.shape == (5, 2)
    assert set(rows.ravel()) == {3, 70}
    for k, allowed in ((10, np.zeros(600, np.bool_)), (0, None), (-1, None)):
        rows, scores = index.search(some_queries(), k, allowed)
        assert rows.shape == scores.shape == (5, 0)
    assert index.search(np.zeros((0, DIM), np.float32), 3)[0].shape[0] == 0


@pytest.mark.parametrize("options", [{}, GRAPH])
def test_an_empty_library(library, whitening, options):
    index = HnswIndex.open(library, SPACE, whitening, **options)
    rows, scores = index.search(some_queries(), 10)
    assert rows.shape == scores.shape == (5, 0)
    assert index.vectors.shape == (0, DIM)
    index.save()
    fill(library, 3)
    assert index.refresh() == 3
    assert index.search(some_queries(), 10)[0].shape == (5, 3)


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=30), st.integers(1, 30))
def test_equals_come_in_the_order_of_their_rows(values, k):
    scores = np.array(values, np.float32)
    k = min(k, len(values))
    found = _Best(1, k)
    found.put(0, scores, np.arange(len(values)))
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert found.rows.tolist() == [expected]
    assert found.scores.tolist() == [[values[i] for i in expected]]


def test_a_query_of_another_width_is_refused(filled, whitening):
    index = HnswIndex.open(filled, SPACE, whitening)
    with pytest.raises(SpaceMismatch, match="plain"):
        index.search(np.zeros((1, DIM + 1), np.float32), 3)


# The graph


@pytest.fixture
def through_the_graph(monkeypatch):
    """Let small libraries ask their graph for any k."""
    monkeypatch.setattr("gdr_model.search.index.LARGE_SHARE", 1.0)


@pytest.fixture
def no_exact(monkeypatch, through_the_graph):
    """Fail if the graph is passed over."""
    monkeypatch.setattr(HnswIndex, "_search_exactly", None)


@pytest.mark.usefixtures("no_exact")
def test_the_graph_finds_what_the_full_matrix_finds(filled, whitening):
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    rows, scores = index.search(some_queries(), 20)
    expected_rows, expected_scores = oracle(index.vectors, some_queries(), 20)
    recall = np.mean(
        [len(np.intersect1d(a, b)) / 20 for a, b in zip(rows, expected_rows, strict=True)]
    )
    assert recall > 0.98
    assert scores[:, 0] == pytest.approx(expected_scores[:, 0], abs=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_one_thread_builds_the_same_graph_twice(filled, whitening):
    for _ in range(2):
        index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
        binary = next((filled.store / "index").glob("*/hnsw.bin"))
        first = binary.read_bytes()
        binary.unlink()
    index.save()
    assert binary.read_bytes() == first


@pytest.mark.usefixtures("through_the_graph")
def test_what_comes_and_goes_is_picked_up(filled, whitening):
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert index.refresh() == 0
    fill(filled, 20, first=600)
    assert index.refresh() == 20
    filled.files.forget([str(i).encode() for i in range(0, 100, 2)])
    assert index.refresh() == 0
    assert len(index.passages.ids) == len(index.vectors) == 570
    for query_of in (601, 3):
        row = index.passages.contents.index(str(query_of))
        rows, scores = index.search(index.vectors[row][None], 15)
        assert rows[0, 0] == row
        assert scores[0, 0] == pytest.approx(1)
        assert np.array_equal(rows, oracle(index.vectors, index.vectors[row][None], 15)[0])
    fill(filled, 10)  # five of these return
    assert index.refresh() == 5
    assert index.vectors == pytest.approx(whitening.apply(filled.passages(SPACE).means))
    assert index.passages.contents[0] == "0"
    filled.files.forget([str(i).encode() for i in range(10, 600)])
    index.refresh()
    assert index._graph.element_count == 30  # mostly deleted, so it was rebuilt
    assert index.search(some_queries(), 10)[0].shape == (5, 10)


@pytest.mark.usefixtures("through_the_graph")
def test_more_dead_neighbours_than_living_are_no_problem(filled, whitening):
    """All that is near a query goes away; the graph alone would come back with too few."""
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    query = index.vectors[:1].copy()
    near = oracle(index.vectors, query, 90)[0][0]
    filled.files.forget([index.passages.contents[row].encode() for row in near])
    index.refresh()
    assert index._graph.element_count == 600
    rows, _ = index.search(query, 10)
    assert np.array_equal(rows, oracle(index.vectors, query, 10)[0])


def test_building_stops_when_asked(filled, whitening):
    with pytest.raises(Cancelled):
        HnswIndex.open(filled, SPACE, whitening, **GRAPH, cancelled=lambda: True)


# The cache


@pytest.fixture
def builds(monkeypatch):
    """Counts the graphs that are built and not loaded."""
    made = []
    whole = HnswIndex._new_graph
    monkeypatch.setattr(
        HnswIndex, "_new_graph", lambda self, room: made.append(room) or whole(self, room)
    )
    return made


def cached(library):
    folder = next((library.store / "index").iterdir())
    return folder / "hnsw.bin", folder / "manifest.json"


def test_a_saved_graph_is_loaded(filled, whitening, builds):
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    manifest = json.loads(cached(filled)[1].read_text())
    assert (manifest["count"], manifest["metric"], manifest["M"]) == (600, "ip", 16)
    assert sorted(p.name for p in cached(filled)[0].parent.iterdir()) == [
        "hnsw.bin",
        "manifest.json",
    ]
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 1
    assert index.search(some_queries(), 3)[0].shape == (5, 3)


def test_a_saved_graph_is_brought_up_to_date(filled, whitening, builds):
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    fill(filled, 5, first=600)
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert json.loads(cached(filled)[1].read_text())["count"] == 605
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 1


def shorten(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


@pytest.mark.parametrize(
    "damage", [shorten, flip, lambda path: path.unlink(), lambda path: path.write_bytes(b"")]
)
def test_a_damaged_graph_never_reaches_hnswlib(filled, whitening, builds, damage, monkeypatch):
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    damage(cached(filled)[0])
    whole = hnswlib.Index

    class Guarded(whole):
        def load_index(self, *_args, **_kwargs):
            raise AssertionError("a damaged file was loaded")

    monkeypatch.setattr(hnswlib, "Index", Guarded)
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 2
    assert index.search(some_queries(), 3)[0].shape == (5, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "l2"},
        {"format": 2},
        {"M": 8},
        {"count": 599},
        {"count": None},
        {"sha256": "0" * 64},
        {"whitening": "other^1"},
        {"space": {"encoder": "clap"}},
    ],
)
def test_a_manifest_that_does_not_fit_is_not_trusted(filled, whitening, builds, change):
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    manifest = cached(filled)[1]
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "\xff"])
def test_a_manifest_that_is_none_is_not_trusted(filled, whitening, builds, text):
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    cached(filled)[1].write_bytes(text.encode("latin-1"))
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 2


def test_a_graph_of_other_vectors_with_a_fitting_checksum_is_not_trusted(filled, whitening, builds):
    """As after restoring an older database: the same ids, other passages."""
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    binary, manifest = cached(filled)
    graph = hnswlib.Index("ip", DIM)
    graph.init_index(600)
    graph.add_items(unit(np.ones((600, DIM), np.float32)), np.arange(1, 601))
    graph.save_index(str(binary))
    facts = json.loads(manifest.read_text())
    facts["sha256"] = hashlib.sha256(binary.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(facts))
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 2


def test_another_whitening_has_a_graph_of_its_own(filled, whitening, builds):
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    other = Whitening(whitening.mean, whitening.sd, 1.0)
    HnswIndex.open(filled, SPACE, other, **GRAPH)
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 2
    assert len(list((filled.store / "index").iterdir())) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(filled, whitening):
    (filled.store / "index").write_text("in the way")
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert index.search(some_queries(), 3)[0].shape == (5, 3)
    with pytest.raises(LibraryError, match="cannot be written"):
        index.save()


def test_a_small_library_needs_no_cache(filled, whitening, builds):
    HnswIndex.open(filled, SPACE, whitening).save()
    assert builds == []
    assert not (filled.store / "index").exists()


def test_a_graph_under_a_former_name_is_taken_over(filled, whitening, builds) -> None:
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    folder = cached(filled)[0].parent
    former = folder.rename(folder.with_name("as-it-was-called"))
    HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    assert len(builds) == 1
    assert folder.exists()
    assert not former.exists()
