"""The map: groups stay together, new points fall among theirs, no stale file is believed."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from gdr_model.errors import Cancelled
from gdr_model.search import library_map
from gdr_model.search.indexed.vectors import Vectors, rounded
from gdr_model.search.library_map import Atlas, Recordings
from gdr_model.search.whitening import unit
from gdr_model.types import Array


def clustered(count: int, groups: int = 4, dim: int = 16) -> tuple[Recordings, NDArray[np.int64]]:
    """Recordings around a few far-off centres, and which centre each belongs to."""
    rng = np.random.default_rng(1)
    of = np.arange(count) % groups
    centres = np.eye(dim, dtype=np.float32)[:groups]
    vectors = unit(centres[of] + 0.12 * rng.normal(size=(count, dim)).astype(np.float32))
    return Recordings(tuple(f"{row:06}" for row in range(count)), vectors), of


def rows(recordings: Recordings) -> Array:
    """All their vectors."""
    return recordings.vectors[np.arange(len(recordings.contents))]


def purity(xy: Array, of: NDArray[np.int64]) -> float:
    """How many points have their nearest neighbour in the plane from their own group."""
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return float((of[apart.argmin(axis=1)] == of).mean())


class Plain:
    """As much of an index as the map asks for, answering exactly."""

    def __init__(self, recordings: Recordings) -> None:
        self.vectors = rows(recordings)
        self.passages: Any = self
        self.contents = list(recordings.contents)

    def search(self, points: Array, k: int) -> tuple[NDArray[np.int64], Array]:
        scores = points @ self.vectors.T
        rows = np.argsort(-scores, axis=1)[:, :k]
        return rows, np.take_along_axis(scores, rows, axis=1)


def nowhere(which: NDArray[np.int64], checked: bool) -> Array:
    raise AssertionError("exact vectors are read from disk")


def stored(means: Array) -> Vectors:
    return Vectors([rounded(means)], means.shape[1], nowhere)


def test_recordings_are_taken_from_all_libraries_whatever_the_order() -> None:
    means = unit(np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32))
    whole = Recordings.of([(np.array([b"b", b"a", b"c"]), stored(means))])
    assert whole.contents == ("a", "b", "c")
    np.testing.assert_allclose(rows(whole), means[[1, 0, 2]], atol=1e-4)
    some = np.array([b"c", b"a"]), stored(means[[2, 1]])
    others = np.array([b"a", b"b"]), stored(means[[1, 0]])
    parts = Recordings.of([some, others])
    assert parts.contents == whole.contents
    assert parts.checksum == whole.checksum
    assert Recordings.of([]).contents == ()


def test_a_large_library_is_mapped_without_holding_its_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_map, "SAMPLED", 1000)
    count, dim = 40_000, 128
    kept = np.memmap(tmp_path / "vectors", np.int16, "w+", shape=(count, dim))
    for at in range(0, count, 1000):
        random = np.random.default_rng(at).normal(size=(1000, dim)).astype(np.float32)
        kept[at : at + 1000] = rounded(unit(random))
    names = np.char.mod("%032x", np.arange(count)).astype(np.bytes_)
    tracemalloc.start()
    try:
        recordings = Recordings.of([(names, Vectors([kept], dim, nowhere))])
        assert library_map.by_pca(recordings).xy.shape == (count, 2)
        assert len(recordings.checksum) == 64
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 14e6  # names and positions; the vectors are 20 MB


def test_pca_finds_the_plane_that_the_recordings_lie_in() -> None:
    rng = np.random.default_rng(2)
    plane, _ = np.linalg.qr(rng.normal(size=(24, 2)))
    flat = rng.uniform(-1, 1, size=(400, 2)) * [3, 1]
    vectors = (flat @ plane.T).astype(np.float32)
    found = library_map.by_pca(Recordings(tuple(map(str, range(400))), vectors))
    assert (found.method, found.fitted) == ("PCA", 400)
    for axis in range(2):
        assert abs(np.corrcoef(found.xy[:, axis], flat[:, axis])[0, 1]) > 0.99
    assert np.abs(found.xy).max() <= 1.0
    again = library_map.by_pca(Recordings(found.contents, vectors))
    np.testing.assert_array_equal(found.xy, again.xy)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_very_small_libraries_have_a_map_too(count: int) -> None:
    recordings, _ = clustered(count)
    for found in (library_map.by_pca(recordings), library_map.by_tsne(recordings)):
        assert found.xy.shape == (count, 2)
        assert np.isfinite(found.xy).all()


def test_one_far_off_recording_does_not_squeeze_the_others() -> None:
    recordings, _ = clustered(1000, groups=1)
    vectors = rows(recordings)
    vectors[0] = -50 * vectors[0]
    xy = library_map.by_pca(Recordings(recordings.contents, vectors)).xy
    assert np.ptp(xy[1:], axis=0).min() > 1.0


def test_tsne_keeps_groups_together_and_places_what_it_was_not_fitted_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("openTSNE")
    monkeypatch.setattr(library_map, "FITTED", 120)
    recordings, of = clustered(300, groups=6)
    shares: list[float] = []
    found = library_map.by_tsne(recordings, on_progress=shares.append)
    assert (found.method, found.fitted) == ("t-SNE", 120)
    assert purity(found.xy, of) > 0.95
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    np.testing.assert_array_equal(found.xy, library_map.by_tsne(recordings).xy)


def test_recordings_that_are_all_one_sound_have_a_map(tmp_path: Path) -> None:
    for vectors in (np.ones((40, 8), np.float32), np.zeros((40, 8), np.float32)):
        found = library_map.by_tsne(Recordings(tuple(f"{n:02}" for n in range(40)), vectors))
        assert np.isfinite(found.xy).all()


def test_tsne_stops_when_asked() -> None:
    pytest.importorskip("openTSNE")
    recordings, _ = clustered(200)
    stop = threading.Event()
    with pytest.raises(Cancelled):
        library_map.by_tsne(recordings, stop.is_set, lambda share: stop.set())


def test_what_is_drawn_falls_among_its_nearest_recordings() -> None:
    recordings, of = clustered(200)
    found = library_map.by_pca(recordings)
    points = unit(np.eye(16, dtype=np.float32)[:3])
    placed = found.place(points, [Plain(recordings)])  # type: ignore[list-item]
    for group in range(3):
        middle = found.xy[of == group].mean(axis=0)
        others = [found.xy[of == other].mean(axis=0) for other in range(4) if other != group]
        away = np.linalg.norm(placed[group] - middle)
        assert all(away < np.linalg.norm(placed[group] - other) for other in others)
    itself = found.place(rows(recordings)[:1], [Plain(recordings)])  # type: ignore[list-item]
    assert np.linalg.norm(itself[0] - found.xy[0]) < 0.5


def test_two_libraries_place_a_point_together_and_none_places_it_nowhere() -> None:
    recordings, _ = clustered(40)
    found = library_map.by_pca(recordings)
    halves = [
        Plain(Recordings(recordings.contents[part], rows(recordings)[part]))
        for part in (slice(0, 20), slice(20, 40))
    ]
    point = rows(recordings)[5:6]
    whole = found.place(point, [Plain(recordings)])  # type: ignore[list-item]
    np.testing.assert_allclose(found.place(point, halves), whole, atol=1e-5)  # type: ignore[arg-type]
    assert np.isnan(found.place(point, [])).all()
    unknown = Plain(Recordings(("never mapped",), point))
    assert np.isnan(found.place(point, [unknown])).all()  # type: ignore[list-item]


def kept(folder: Path) -> tuple[Recordings, Atlas, Path]:
    recordings, _ = clustered(30)
    made = library_map.by_pca(recordings)
    library_map.keep(folder, "map", recordings, made, "PCA")
    return recordings, made, folder / "map.safetensors"


def test_a_map_is_read_back(tmp_path: Path) -> None:
    recordings, made, file = kept(tmp_path / "new" / "map")
    again = library_map.cached(file.parent, "map", recordings, "PCA")
    assert again
    np.testing.assert_array_equal(again.xy, made.xy)
    assert (again.method, again.fitted, again.contents) == ("PCA", 30, made.contents)
    assert [path.name for path in file.parent.iterdir()] == ["map.safetensors"]


def test_no_stale_or_damaged_map_is_believed(tmp_path: Path) -> None:
    recordings, made, file = kept(tmp_path)
    more, _ = clustered(31)
    assert library_map.cached(tmp_path, "map", more, "PCA") is None
    assert library_map.cached(tmp_path, "map", recordings, "t-SNE") is None
    assert library_map.cached(tmp_path, "none", recordings, "PCA") is None
    moved = Recordings(recordings.contents, rows(recordings)[::-1].copy())
    assert library_map.cached(tmp_path, "map", moved, "PCA") is None
    whole = file.read_bytes()
    for damaged in (whole[:-3], b"", whole[:-8] + b"\0" * 8, b"\xff" * 64):
        file.write_bytes(damaged)
        assert library_map.cached(tmp_path, "map", recordings, "PCA") is None
    facts = {"recordings": recordings.checksum, "asked": "PCA", "fitted": "30"}
    save_file({"xy": made.xy[:7].copy()}, file, facts | {"sha256": "0"})
    assert load_file(file)["xy"].shape == (7, 2)
    assert library_map.cached(tmp_path, "map", recordings, "PCA") is None


def test_a_map_that_cannot_be_kept_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("a file where the folder should be")
    recordings, _ = clustered(30)
    library_map.keep(tmp_path / "map", "map", recordings, library_map.by_pca(recordings), "PCA")
