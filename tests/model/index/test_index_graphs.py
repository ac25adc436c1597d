"""Graphs: what they find, and cache files that must not be believed."""

from __future__ import annotations

import hashlib
import json

import hnswlib
import numpy as np
import pytest
from passages import DAMAGE, DIM, GRAPH, SPACE, fill, oracle, some_queries
from stored import means_of

from gdr_model.errors import Cancelled, LibraryError
from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed import graphs
from gdr_model.search.whitening import Whitening, unit


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
        whitening.apply(means_of(filled.passages(SPACE))), abs=1e-6
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
