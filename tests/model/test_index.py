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
from gdr_model.search.indexed import graphs
from gdr_model.search.indexed.graphs import Maker
from gdr_model.search.whitening import Whitening, unit
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp
from gdr_model.types import LatentSpace

DIM = 16
SPACE = LatentSpace("plain", DIM, 16000, 1.0, 1.0, "ab" * 8)
KEPT = {"kept_from": 1}
GRAPH = {"exact_below": 1, "kept_from": 1, "piece": 200}
"""Files and graphs although the library is small."""


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


def fill_one(library, number):
    """The track of a sound that is known."""
    sound = Sound(str(number), 1.0, -20.0)
    library.files.put_track(str(number).encode(), Stamp(1, 2), sound, Tags())


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
    assert np.asarray(index.vectors) == pytest.approx(expected)
    rows, scores = index.search(some_queries(), k)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    expected_rows, expected_scores = oracle(expected, some_queries(), k)
    assert np.array_equal(rows, expected_rows)
    assert scores == pytest.approx(expected_scores, abs=1e-5)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.9])
@pytest.mark.parametrize("options", [{}, KEPT, GRAPH])
def test_a_filter_decides_exactly(filled, whitening, share, options):
    index = HnswIndex.open(filled, SPACE, whitening, **options)
    allowed = np.random.default_rng(3).random(600) < share
    rows, _ = index.search(some_queries(), 5, allowed)
    assert np.array_equal(rows, oracle(np.asarray(index.vectors), some_queries(), 5, allowed)[0])


@pytest.mark.parametrize("options", [{}, KEPT, GRAPH])
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


@pytest.mark.parametrize("options", [{}, KEPT, GRAPH])
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


# Vectors in files


def test_rounding_hides_nothing_and_changes_no_score(filled, whitening):
    exact = HnswIndex.open(filled, SPACE, whitening)
    for _ in ("made", "read again"):
        kept = HnswIndex.open(filled, SPACE, whitening, **KEPT)
        assert kept.vectors.is_rounded
        for k in (1, 7, 100, 600):
            rows, scores = kept.search(some_queries(20), k)
            expected_rows, expected_scores = exact.search(some_queries(20), k)
            assert np.array_equal(rows, expected_rows)
            assert scores == pytest.approx(expected_scores, abs=1e-6)


@pytest.mark.parametrize("options", [{}, KEPT])
def test_vectors_are_taken_by_number_slice_and_mask(filled, whitening, options):
    vectors = HnswIndex.open(filled, SPACE, whitening, **options).vectors
    whole = np.asarray(vectors)
    odd = np.arange(len(whole)) % 2 == 1
    for rows in (3, -1, slice(5, 9), [7, 2], odd, np.zeros_like(odd)):
        assert np.array_equal(vectors[rows], whole[rows])


def test_vectors_that_differ_by_less_than_rounding_come_in_their_order(library, whitening):
    """Two hundred neighbours within one step of 16 bits, whose order only the means know."""
    plain = Whitening(np.zeros(DIM, np.float32), np.ones(DIM, np.float32), 0.0)
    random = np.random.default_rng(0)
    rows = np.ones((200, DIM)) + 1e-5 * random.standard_normal((200, DIM))
    for i, row in enumerate(rows.astype(np.float32)):
        sound = Sound(str(i), 1.0, -20.0)
        library.put_latents(sound, SPACE, row[None])
        library.files.put_track(str(i).encode(), Stamp(1, 2), sound, Tags())
    index = HnswIndex.open(library, SPACE, plain, **KEPT)
    query = unit(random.standard_normal((1, DIM)).astype(np.float32))
    expected = unit(library.passages(SPACE).means) @ query[0]
    found = index.search(query, 20)[1][0]
    assert found == pytest.approx(np.sort(expected)[::-1][:20], abs=2e-7)


def test_a_large_library_is_opened_without_reading_its_passages(filled, whitening, monkeypatch):
    made = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    monkeypatch.setattr(Library, "passages", None)
    again = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    assert isinstance(again.vectors.blocks[0], np.memmap)
    assert np.array_equal(again.passages.ids, made.passages.ids)
    assert list(again.passages.contents) == list(made.passages.contents)
    assert np.array_equal(np.asarray(again.vectors), np.asarray(made.vectors))
    assert again.refresh() == 0


@pytest.mark.parametrize("name", ["passages.npy", "contents.npy", "recordings.npy", "vectors.npy"])
@pytest.mark.parametrize("damage", ["shorten", "flip", "remove", "empty", "another"])
def test_damaged_files_are_made_again(filled, whitening, name, damage):
    expected = HnswIndex.open(filled, SPACE, whitening, **KEPT).search(some_queries(), 9)[0]
    folder = next((filled.store / "index").iterdir())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    DAMAGE[damage](folder / name)
    again = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    assert np.array_equal(again.search(some_queries(), 9)[0], expected)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_of_another_database_with_the_same_ids_are_made_again(filled, whitening):
    """As after restoring an older database, if its stamp were the same by accident."""
    HnswIndex.open(filled, SPACE, whitening, **KEPT)
    means = next((filled.store / "latents").glob("*.means"))
    rows = np.fromfile(means, np.float32).reshape(-1, DIM)
    means.write_bytes(rows[::-1].tobytes())
    filled._database._connection.execute("UPDATE passages SET checksum = NULL")
    again = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    assert np.asarray(again.vectors) == pytest.approx(whitening.apply(rows[::-1]), abs=1e-6)


def test_a_small_library_needs_no_files(filled, whitening):
    index = HnswIndex.open(filled, SPACE, whitening)
    index.save()
    index.prepare()
    assert not (filled.store / "index").exists()


@pytest.mark.parametrize("options", [{}, {"kept_from": 1}])
def test_what_comes_and_goes_is_picked_up(filled, whitening, options):
    index = HnswIndex.open(filled, SPACE, whitening, **options)

    def check(passages: int) -> None:
        for each in (index, HnswIndex.open(filled, SPACE, whitening, **options)):
            expected = whitening.apply(filled.passages(SPACE).means)
            assert np.asarray(each.vectors) == pytest.approx(expected, abs=1e-6)
            assert np.array_equal(each.passages.ids, filled.passages(SPACE).ids)
            assert list(each.passages.contents) == list(filled.passages(SPACE).contents)
            rows, _ = each.search(some_queries(), 15)
            assert np.array_equal(rows, oracle(expected, some_queries(), 15)[0])
            assert len(each.passages.ids) == len(each.vectors) == passages
            assert len(each.recordings) == len(each.passages.contents.names) == passages

    assert index.refresh() == 0
    fill(filled, 20, first=600)
    assert index.refresh() == 20
    check(620)
    filled.files.forget([str(i).encode() for i in range(0, 100, 2)])
    assert index.refresh() == 0
    check(570)
    fill(filled, 10)  # five of these return
    assert index.refresh() == 5
    check(575)
    filled.files.put_tags([])
    filled.touch()
    assert index.refresh() == 0
    check(575)
    filled.files.forget([str(i).encode() for i in range(620)])
    assert index.refresh() == 0
    assert index.search(some_queries(), 10)[0].shape == (5, 0)


def test_a_track_that_goes_while_another_returns_is_noticed(filled, whitening):
    """The same number of passages, and none that is new."""
    filled.files.forget([b"3"])
    index = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    filled.files.forget([b"4"])
    fill_one(filled, 3)
    assert index.refresh() == 1
    assert "3" in list(index.passages.contents)
    assert "4" not in list(index.passages.contents)


# Graphs


@pytest.fixture
def through_the_graph(monkeypatch):
    """Let small libraries ask their graphs for any k."""
    monkeypatch.setattr("gdr_model.search.index.LARGE_SHARE", 1.0)


def prepared(library, whitening, **options):
    index = HnswIndex.open(library, SPACE, whitening, **GRAPH | options)
    index.prepare()
    return index


@pytest.mark.usefixtures("through_the_graph")
def test_the_graphs_find_what_the_full_matrix_finds(filled, whitening, monkeypatch):
    index = prepared(filled, whitening)
    monkeypatch.setattr(HnswIndex, "_near", None)  # fail if the graphs are passed over
    rows, scores = index.search(some_queries(), 20)
    expected_rows, expected_scores = oracle(np.asarray(index.vectors), some_queries(), 20)
    recall = np.mean(
        [len(np.intersect1d(a, b)) / 20 for a, b in zip(rows, expected_rows, strict=True)]
    )
    assert recall > 0.98
    assert scores[:, 0] == pytest.approx(expected_scores[:, 0], abs=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_queries_are_answered_exactly_while_graphs_are_built(filled, whitening):
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    expected = oracle(np.asarray(index.vectors), some_queries(), 3)[0]
    reports = []

    def report(done, total):
        reports.append((done, total))
        assert np.array_equal(index.search(some_queries(), 3)[0], expected)

    index.prepare(report)
    assert reports[-1] == (600, 600)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert len(index._pieces) == 3


def test_any_number_of_threads_builds_the_same_graphs(filled, whitening):
    kept = []
    for threads in (1, 3):
        index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
        index.prepare(threads=threads)
        files = sorted((filled.store / "index").glob("*/graph-*.bin"))
        kept.append([file.read_bytes() for file in files])
        for file in files:
            file.unlink()
    assert kept[0] == kept[1]
    assert len(kept[0]) == 3


def test_what_is_finished_is_kept_when_building_stops(filled, whitening, builds, monkeypatch):
    monkeypatch.setattr("gdr_model.search.indexed.graphs._CHUNK", 50)
    index = HnswIndex.open(filled, SPACE, whitening, **GRAPH)
    done = 0

    def report(so_far, _total):
        nonlocal done
        done = so_far

    with pytest.raises(Cancelled):
        index.prepare(report, cancelled=lambda: done >= 250)
    assert len(index._pieces) == 1
    assert index.search(some_queries(), 3)[0].shape == (5, 3)
    builds.clear()
    prepared(filled, whitening)
    assert len(builds) == 2, "the first is there already"


@pytest.mark.usefixtures("through_the_graph")
def test_passages_in_no_graph_are_found_too(filled, whitening, builds):
    index = prepared(filled, whitening)
    fill(filled, 150, first=600)
    assert index.refresh() == 150
    index.prepare()
    assert len(builds) == 3, "they are too few for a graph of their own"
    for row in (3, 700):
        query = index.vectors[row][None]
        rows, scores = index.search(query, 15)
        assert rows[0, 0] == row
        assert scores[0, 0] == pytest.approx(1)
        assert np.array_equal(rows, oracle(np.asarray(index.vectors), query, 15)[0])
    fill(filled, 50, first=750)
    index.refresh()
    index.prepare()
    assert len(builds) == 4


@pytest.mark.usefixtures("through_the_graph")
def test_more_dead_neighbours_than_living_are_no_problem(filled, whitening):
    """All that is near a query goes away; a graph alone would come back with too few."""
    index = prepared(filled, whitening, piece=600)
    query = index.vectors[:1]
    near = oracle(np.asarray(index.vectors), query, 90)[0][0]
    filled.files.forget([index.passages.contents[row].encode() for row in near])
    index.refresh()
    assert [len(piece.ids) for piece in index._pieces] == [600]
    rows, _ = index.search(query, 10)
    assert np.array_equal(rows, oracle(np.asarray(index.vectors), query, 10)[0])


def test_a_graph_whose_passages_are_mostly_gone_is_built_again(filled, whitening, builds):
    index = prepared(filled, whitening)
    filled.files.forget([str(i).encode() for i in range(100)])
    index.refresh()
    assert len(index._pieces) == 2
    fill(filled, 100, first=600)
    index.refresh()
    index.prepare()
    assert (len(index._pieces), len(builds)) == (3, 4)


@pytest.fixture
def builds(monkeypatch):
    """Counts the graphs that are built and not loaded."""
    made = []
    whole = Maker._built

    def counted(self, rows, **how):
        made.append(len(rows))
        return whole(self, rows, **how)

    monkeypatch.setattr(Maker, "_built", counted)
    return made


def cached(library):
    folder = next((library.store / "index").iterdir())
    return folder / "graph-1.bin", folder / "manifest.json"


def test_saved_graphs_are_loaded(filled, whitening, builds):
    prepared(filled, whitening)
    manifest = json.loads(cached(filled)[1].read_text())
    facts = [manifest[name] for name in ("metric", "M", "ef_construction", "ef")]
    assert facts == ["ip", graphs.M, graphs.EF_CONSTRUCTION, graphs.EF]
    assert list(manifest["graphs"]) == ["graph-1.bin", "graph-201.bin", "graph-401.bin"]
    index = prepared(filled, whitening)
    assert len(builds) == 3
    assert index.search(some_queries(), 3)[0].shape == (5, 3)


def shorten(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def another(path):
    np.save(path, np.arange(3)) if path.suffix == ".npy" else path.write_bytes(b"another")


DAMAGE = {
    "shorten": shorten,
    "flip": flip,
    "remove": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "another": another,
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_graph_never_reaches_hnswlib(filled, whitening, builds, damage, monkeypatch):
    prepared(filled, whitening)
    DAMAGE[damage](cached(filled)[0])
    whole = hnswlib.Index

    class Guarded(whole):
        def load_index(self, path, *args, **kwargs):
            assert not path.endswith("graph-1.bin"), "a damaged file was loaded"
            super().load_index(path, *args, **kwargs)

    monkeypatch.setattr(hnswlib, "Index", Guarded)
    index = prepared(filled, whitening)
    assert len(builds) == 4, "the others are whole"
    assert index.search(some_queries(), 3)[0].shape == (5, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "l2"},
        {"format": 1},
        {"M": 8},
        {"ef_construction": 200},
        {"whitening": "other^1"},
        {"space": {"encoder": "clap"}},
        {"graphs": None},
        {"graphs": {"graph-1.bin": "0" * 64}},
        {"graphs": {"../graph-1.bin": 3}},
    ],
)
def test_a_manifest_that_does_not_fit_is_not_trusted(filled, whitening, builds, change):
    prepared(filled, whitening)
    manifest = cached(filled)[1]
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    prepared(filled, whitening)
    assert len(builds) == 6


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "\xff"])
@pytest.mark.parametrize("name", ["manifest.json", "passages.json"])
def test_a_manifest_that_is_none_is_not_trusted(filled, whitening, builds, name, text):
    prepared(filled, whitening)
    cached(filled)[1].with_name(name).write_bytes(text.encode("latin-1"))
    index = prepared(filled, whitening)
    assert len(builds) == (6 if name == "manifest.json" else 3)
    assert np.asarray(index.vectors) == pytest.approx(
        whitening.apply(filled.passages(SPACE).means), abs=1e-6
    )


def test_a_graph_of_other_vectors_with_a_fitting_checksum_is_not_trusted(filled, whitening, builds):
    """As after restoring an older database: the same ids, other passages."""
    prepared(filled, whitening)
    binary, manifest = cached(filled)
    graph = hnswlib.Index("ip", DIM)
    graph.init_index(200)
    graph.add_items(unit(np.ones((200, DIM), np.float32)), np.arange(1, 201))
    graph.save_index(str(binary))
    facts = json.loads(manifest.read_text())
    facts["graphs"]["graph-1.bin"] = hashlib.sha256(binary.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(facts))
    prepared(filled, whitening)
    assert len(builds) == 4


def test_another_whitening_has_an_index_of_its_own(filled, whitening, builds):
    prepared(filled, whitening)
    prepared(filled, Whitening(whitening.mean, whitening.sd, 1.0))
    prepared(filled, whitening)
    assert len(builds) == 6
    assert len(list((filled.store / "index").iterdir())) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(filled, whitening):
    (filled.store / "index").write_text("in the way")
    index = prepared(filled, whitening)
    assert len(index._pieces) == 3
    assert index.search(some_queries(), 3)[0].shape == (5, 3)
    with pytest.raises(LibraryError, match="cannot be written"):
        index.save()
