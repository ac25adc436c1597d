"""Rankings against the full matrix, and vectors in files that must not be believed."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from passages import DAMAGE, DIM, GRAPH, KEPT, SPACE, fill, fill_one, oracle, some_queries
from stored import means_of

from gdr_model import atomic
from gdr_model.audio import Tags
from gdr_model.errors import SpaceMismatch
from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed import cache
from gdr_model.search.indexed.best import Best
from gdr_model.search.whitening import Whitening, unit
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp

# Ranking


@pytest.mark.parametrize("k", [1, 10, 599, 600])
def test_the_exact_ranking_is_that_of_the_full_matrix(filled, whitening, k):
    index = HnswIndex.open(filled, SPACE, whitening)
    expected = whitening.apply(means_of(filled.passages(SPACE)))
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
    found = Best(1, k)
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
    expected = unit(means_of(library.passages(SPACE))) @ query[0]
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
            expected = whitening.apply(means_of(filled.passages(SPACE)))
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


# Saving while others search


def as_it_was(index):
    return index.passages, np.asarray(index.vectors), index.search(some_queries(), 10)


def test_a_search_does_not_wait_for_files_to_be_written(filled, whitening, monkeypatch):
    index = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    fill(filled, 50, first=600)
    index.refresh()
    passages, vectors, found = as_it_was(index)
    answers = []
    write = cache.write

    def slowly(*args):
        asking = Thread(target=lambda: answers.append(index.search(some_queries(), 10)))
        asking.start()
        asking.join(10)
        assert answers
        return write(*args)

    monkeypatch.setattr(cache, "write", slowly)
    index.save()
    assert np.array_equal(answers[0][0], found[0])
    assert all(isinstance(block, np.memmap) for block in index.vectors.blocks)
    assert index.passages is passages  # whoever searches meanwhile holds rows of them
    assert np.array_equal(np.asarray(index.vectors), vectors)
    assert np.array_equal(index.search(some_queries(), 10)[0], found[0])


def test_what_another_program_writes_meanwhile_is_not_taken(filled, whitening, monkeypatch):
    index = HnswIndex.open(filled, SPACE, whitening, **KEPT)
    fill(filled, 10, first=600)
    index.refresh()
    passages, vectors, found = as_it_was(index)
    write = atomic.write_text

    def then_another(*args):
        """The manifest is written last."""
        write(*args)
        monkeypatch.setattr(atomic, "write_text", write)
        fill(filled, 40, first=610)
        assert len(HnswIndex.open(filled, SPACE, whitening, **KEPT).vectors) == 650

    monkeypatch.setattr(atomic, "write_text", then_another)
    index.save()
    assert index.passages is passages
    assert np.array_equal(np.asarray(index.vectors), vectors)
    assert np.array_equal(index.search(some_queries(), 10)[0], found[0])
    assert index.refresh() == 40
