"""What the session does for the map, on a real library and index: computed once, kept, renewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gdr_model.errors import Cancelled
from gdr_model.search import library_map
from gdr_model.search.nearest import OpenLibrary
from gdr_model.search.whitening import Whitening
from gdr_model.steering import Steering
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.types import Hit, Query, Results
from gdr_tui.app.map.compute import Mapper
from gdr_tui.app.map.points import Mapped
from gdr_tui.app.trail.trail import Ask, Node

STEERING = Steering("warm")


class OnShelf:
    """A retriever over one library, as much of it as the map needs."""

    def __init__(self, library: Library, encoder: Any) -> None:
        dim = encoder.space.dim
        whitening = Whitening(np.zeros(dim, np.float32), np.ones(dim, np.float32), 0.0)
        self.shelf = OpenLibrary.open(library, encoder.space, whitening)
        model = SimpleNamespace(space=encoder.space, whitening=whitening)
        self._retriever: Any = SimpleNamespace(libraries=[self.shelf], model=model)

    @contextmanager
    def retriever(self) -> Iterator[Any]:
        self.shelf.refresh()
        yield self._retriever

    def model(self) -> Any:
        return self._retriever.model

    def generations(self) -> list[int]:
        return [self.shelf.library.generation]


@pytest.fixture
def library(music: Path, write_tone: Callable[..., Path], encoder: Any) -> Iterator[Library]:
    for number in range(6):
        write_tone(music / f"g{number % 2}" / f"{number}.wav", hz=200 + 150 * number)
    with Library.open(music, create=True) as opened:
        ingest(opened, encoder, on_progress=print)
        yield opened


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_map, "best_method", lambda: "PCA")


def shown(mapper: Mapper) -> list[Mapped]:
    maps: list[Mapped] = []
    mapper.map(maps.append)
    return maps


def node(on: OnShelf, rows: list[int], parent: Node | None = None) -> Node:
    """A query that was drawn at some passages, and found them."""
    vectors = on.shelf.index.vectors[rows]
    tracks = on.shelf.library.tracks()
    contents = on.shelf.index.passages.contents
    hits = tuple(
        Hit(next(t for t in tracks if t.content == contents[row]), 0, 1, 0.9, 1, np.zeros(1))
        for row in rows
    )
    results = Results(hits, Query(vectors, STEERING), 6, 1.0, 0.0, 0.0)
    return Node(1, Ask(STEERING), results, parent, "warm")


def test_every_track_is_on_the_map_with_its_folder(library: Library, encoder: Any) -> None:
    (mapped,) = shown(Mapper(OnShelf(library, encoder)))
    assert [track.path.name for track in mapped.tracks] == [f"{n}.wav" for n in (0, 2, 4, 1, 3, 5)]
    assert mapped.groupings["folder"].names == ("g0", "g1")
    assert mapped.telling == "folder"
    assert "gdr-tui[map]" in mapped.could_be_better
    assert np.isfinite(mapped.xy).all()


def test_it_is_computed_once_and_again_only_when_the_library_changes(
    library: Library, encoder: Any, write_tone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Mapper(OnShelf(library, encoder))
    (mapped,) = shown(first)
    assert shown(first)[0] is mapped

    made: list[int] = []

    def counted(recordings: library_map.Recordings) -> library_map.Atlas:
        made.append(len(recordings.contents))
        return whole(recordings)

    whole = library_map.by_pca
    monkeypatch.setattr(library_map, "by_pca", counted)
    (again,) = shown(Mapper(OnShelf(library, encoder)))
    assert not made, "it was kept"
    np.testing.assert_array_equal(again.xy, mapped.xy)
    write_tone(library.root / "new.wav", hz=3000)
    ingest(library, encoder, on_progress=print)
    (more,) = shown(first)
    assert made == [7]
    assert len(more.tracks) == 7


def test_a_file_that_another_library_left_is_made_again(library: Library, encoder: Any) -> None:
    (mapped,) = shown(Mapper(OnShelf(library, encoder)))
    (file,) = (library.store / "map").iterdir()
    file.write_bytes(b"not a map")
    (again,) = shown(Mapper(OnShelf(library, encoder)))
    np.testing.assert_array_equal(again.xy, mapped.xy)
    assert file.read_bytes() != b"not a map"


def test_a_quick_one_comes_first_where_the_better_one_takes_long(
    library: Library, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(
        recordings: library_map.Recordings,
        cancelled: Callable[[], bool],
        tell: Callable[[float], Any],
    ) -> library_map.Atlas:
        tell(0.5)
        if cancelled():
            raise Cancelled("stopped")
        made = library_map.by_pca(recordings)
        return library_map.Atlas(made.contents, -made.xy, "t-SNE", 4)

    monkeypatch.setattr(library_map, "best_method", lambda: "t-SNE")
    monkeypatch.setattr(library_map, "by_tsne", slowly)
    mapper = Mapper(OnShelf(library, encoder))
    with pytest.raises(Cancelled):
        mapper.map(lambda mapped: None, cancelled=lambda: True)
    quick, better = shown(mapper)
    assert (quick.method, quick.preliminary) == ("PCA", True)
    assert (better.method, better.preliminary, better.fitted) == ("t-SNE", False, 4)
    assert not better.could_be_better
    assert len(shown(Mapper(OnShelf(library, encoder)))) == 1, "the better one was kept"


def test_the_way_leads_through_what_was_drawn_and_what_is_only_remembered(
    library: Library, encoder: Any
) -> None:
    shelf = OnShelf(library, encoder)
    mapper = Mapper(shelf)
    (mapped,) = shown(mapper)
    old = node(shelf, [0])
    old.results = Results(
        old.results.hits, Query(np.zeros((0, 1), np.float32), STEERING), 6, 1, 0, 0
    )
    course = mapper.course(mapped, node(shelf, [3, 3, 4], old))
    assert course.draws.shape == (3, 2)
    np.testing.assert_allclose(course.draws[0], course.draws[1])
    assert course.path.shape == (2, 2)
    np.testing.assert_allclose(
        course.path[0], mapped.xy[mapped.at[old.results.hits[0].track.path]], atol=1e-6
    )
    alone = mapper.course(mapped, old)
    assert alone.draws.shape == (0, 2)
    assert alone.path.shape == (1, 2)
