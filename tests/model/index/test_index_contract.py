"""What every index answers, wherever it looks: at everything, in graphs, in Milvus."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from passages import DIM, GRAPH, SPACE, fill, oracle, some_queries

from gdr_model.errors import SpaceMismatch
from gdr_model.search.index import HnswIndex
from gdr_model.search.milvus.address import Address
from gdr_model.search.milvus.index import MilvusIndex


@pytest.fixture(params=["exact", "hnsw", "milvus file", "milvus server"])
def opened(request, whitening, monkeypatch):
    """Opens and prepares the index of a library; nothing but its own way can answer afterwards."""
    if "milvus" in request.param:
        kind = "shared_file" if "file" in request.param else "shared_server"
        how = partial(MilvusIndex.open, address=Address(request.getfixturevalue(kind)))
    else:
        how = partial(HnswIndex.open, **(GRAPH if request.param == "hnsw" else {}))
    monkeypatch.setattr("gdr_model.search.index.LARGE_SHARE", 1.0)

    def make(library):
        index = how(library, SPACE, whitening)
        index.prepare()
        return index

    make.asks_milvus = "milvus" in request.param
    return make


def only_milvus_answers(monkeypatch):
    monkeypatch.setattr(HnswIndex, "search", None)


@pytest.mark.parametrize("k", [1, 20, 150])
def test_the_nearest_are_found_with_their_exact_scores(opened, filled, monkeypatch, k):
    index = opened(filled)
    if opened.asks_milvus:
        only_milvus_answers(monkeypatch)
    rows, scores = index.search(some_queries(), k)
    expected_rows, expected_scores = oracle(np.asarray(index.vectors), some_queries(), k)
    assert (rows.dtype, scores.dtype) == (np.int64, np.float32)
    assert np.array_equal(rows, expected_rows)
    assert scores == pytest.approx(expected_scores, abs=1e-5)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.9])
def test_a_filter_decides_exactly(opened, filled, monkeypatch, share):
    index = opened(filled)
    if opened.asks_milvus:
        only_milvus_answers(monkeypatch)
    allowed = np.random.default_rng(3).random(600) < share
    rows, _ = index.search(some_queries(), 5, allowed)
    assert np.array_equal(rows, oracle(np.asarray(index.vectors), some_queries(), 5, allowed)[0])


def test_k_is_clipped_to_what_is_there(opened, filled):
    index = opened(filled)
    assert index.search(some_queries(), 10_000)[0].shape == (5, 600)
    few = np.zeros(600, np.bool_)
    few[[3, 70]] = True
    rows, scores = index.search(some_queries(), 10, few)
    assert rows.shape == scores.shape == (5, 2)
    assert set(rows.ravel()) == {3, 70}
    for k, allowed in ((10, np.zeros(600, np.bool_)), (0, None), (-1, None)):
        assert index.search(some_queries(), k, allowed)[0].shape == (5, 0)
    assert index.search(np.zeros((0, DIM), np.float32), 3)[0].shape[0] == 0


def test_what_comes_and_goes_is_picked_up(opened, filled, monkeypatch):
    first = opened(filled)
    fill(filled, 40, first=600)
    filled.files.forget([str(i).encode() for i in range(0, 100, 2)])
    first.refresh()
    for index in (first, opened(filled)):
        whole = np.asarray(index.vectors)
        assert len(whole) == 590
        expected = oracle(whole, some_queries(), 15)[0]
        assert np.array_equal(index.search(some_queries(), 15)[0], expected), "not prepared yet"
        index.prepare()
        with monkeypatch.context() as patch:
            if opened.asks_milvus:
                only_milvus_answers(patch)
            assert np.array_equal(index.search(some_queries(), 15)[0], expected)


def test_an_empty_library_and_the_first_passages_of_it(opened, library):
    index = opened(library)
    assert index.search(some_queries(), 10)[0].shape == (5, 0)
    fill(library, 3)
    assert index.refresh() == 3
    index.prepare()
    assert index.search(some_queries(), 10)[0].shape == (5, 3)


def test_a_query_of_another_width_is_refused(opened, filled):
    with pytest.raises(SpaceMismatch, match="plain"):
        opened(filled).search(np.zeros((1, DIM + 1), np.float32), 3)
