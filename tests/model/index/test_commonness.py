"""The correction of draws for what is near to words in general: computed, explained, and stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from demo_library import indexed
from saved_model import save
from storing import SPACE, put

from gdr_model.errors import ModelError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search import nearest
from gdr_model.search.indexed import commonness as module
from gdr_model.search.indexed.vectors import Rows, Vectors
from gdr_model.search.nearest import OpenLibrary
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import Whitening, unit
from gdr_model.search.why import explain
from gdr_model.steering import Edit, Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Method, Query
from gdr_tui.cli.commands.why import in_words

PLAIN = Whitening(np.zeros(8, np.float32), np.ones(8, np.float32), 0.0)


def points(seed: int, count: int, dim: int = 8) -> Array:
    return unit(np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32))


def by_hand(captions: Array, passages: Array) -> Array:
    """The formula, one passage after the other."""
    return np.array(
        [0.07 * np.log(np.mean([np.exp(b @ t / 0.07) for b in captions])) for t in passages]
    )


@pytest.fixture
def hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Library, Array]]:
    """A recording that every caption is near to, and one for each of three captions."""
    monkeypatch.setenv("GDR_HOME", str(tmp_path / "home"))
    (tmp_path / "music").mkdir()
    axes = np.eye(8, dtype=np.float32)
    captions = unit(axes[0] + 0.8 * axes[1:4])
    own = unit(0.2 * axes[0] + axes[1:4] + 0.9 * axes[4:7])
    with Library.open(tmp_path / "music", create=True) as library:
        for name, latent in (("hub", axes[0]), *zip("abc", own, strict=True)):
            put(library, f"{name}.ogg", f"sound {name}", 1, latent[None])
        yield library, captions


def first(opened: OpenLibrary, asked: Query, k: int | None = 1) -> str:
    return nearest.rank(asked, [opened], 0.0, k=k).tracks[0].track.path.stem


def corrected(library: Library, captions: Array) -> OpenLibrary:
    return OpenLibrary.open(library, SPACE, PLAIN, common_points=captions)


@pytest.mark.parametrize("k", [1, None])
def test_a_passage_near_to_all_words_gives_way_to_the_one_they_are_about(
    hubs: tuple[Library, Array], k: int | None
) -> None:
    library, captions = hubs
    asked = [Query(captions[row : row + 1], Steering("words")) for row in range(3)]
    usual = OpenLibrary.open(library, SPACE, PLAIN)
    assert [first(usual, each, k) for each in asked] == ["hub"] * 3
    assert [first(corrected(library, captions), each, k) for each in asked] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "asked",
    [
        Query(np.eye(1, 8, dtype=np.float32), Steering("", likes=("liked.ogg",))),
        Query(np.eye(1, 8, dtype=np.float32), Steering("words"), Method.CONTRASTIVE),
        Query(np.eye(1, 8, dtype=np.float32), Steering("words", edit=Edit("source.ogg"))),
    ],
    ids=["likes", "tower", "edit"],
)
def test_what_is_not_drawn_from_words_alone_is_not_corrected(
    hubs: tuple[Library, Array], asked: Query
) -> None:
    library, captions = hubs
    usual = nearest.rank(asked, [OpenLibrary.open(library, SPACE, PLAIN)], 0.0)
    same = nearest.rank(asked, [corrected(library, captions)], 0.0)
    assert [one.score for one in same.tracks] == [one.score for one in usual.tracks]


def test_new_passages_are_computed_and_no_others(
    hubs: tuple[Library, Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, captions = hubs
    opened, computed = corrected(library, captions), list[int]()
    products = Vectors.products

    def counted(self: Vectors, points: Array, rows: Rows | None = None) -> Array:
        if len(points) == len(captions):
            computed.append(len(self) if rows is None else len(rows))
        return products(self, points, rows)

    monkeypatch.setattr(module, "_CHUNK", 3)
    monkeypatch.setattr(Vectors, "products", counted)
    asked = Query(captions[:1], Steering("words"))
    assert opened.common.of(asked, opened.index) is opened.common.of(asked, opened.index)
    assert computed == [3, 1]
    put(library, "d.ogg", "sound d", 1, points(1, 1))
    opened.refresh()
    lost = opened.common.of(asked, opened.index)
    assert computed == [3, 1, 1]
    assert lost is not None
    np.testing.assert_allclose(lost, by_hand(captions, np.asarray(opened.index.vectors)), atol=1e-6)


def test_an_empty_library_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDR_HOME", str(tmp_path / "home"))
    (tmp_path / "music").mkdir()
    with Library.open(tmp_path / "music", create=True) as library:
        opened = corrected(library, points(0, 5))
        lost = opened.common.of(Query(points(0, 1), Steering("words")), opened.index)
    assert lost is not None
    assert lost.shape == (0,)


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.mark.parametrize("roll", [1, 3])
def test_the_pushes_add_up_and_name_it(
    model: Model, tmp_path_factory: pytest.TempPathFactory, roll: int
) -> None:
    library = indexed(tmp_path_factory, model, every=9)
    captions = 0.8 * points(2, 20, model.space.dim)
    retriever = Retriever(replace(model, common_points=captions), [library], remember=8)
    asked = Steering("warm piano", draws=3, steps=2, spread=0.5 * (roll > 1), roll=roll)
    results = retriever.search(asked, 3)
    lost = by_hand(captions, np.asarray(retriever.libraries[0].index.vectors))
    for hit in results.hits:
        why = explain(retriever, results.query, hit)
        assert why.score == pytest.approx(hit.score, abs=1e-5)
        (push,) = [push for push in why.pushes if push.kind == "common"]
        of_draws = 1 - model.config.anchor_share
        assert np.abs(of_draws * lost + push.total).min() < 1e-5
        assert push.total == push.drawn
        said = in_words(why, hit, 1, len(library.tracks()))
        assert f"{push.total:+.3f} because it is near to words in general" in said


def test_a_model_keeps_its_captions(model: Model, tmp_path: Path) -> None:
    captions = points(3, 4, model.space.dim)
    loaded = save(tmp_path / "model", model, common_points=captions)
    assert loaded.common_points is not None
    np.testing.assert_allclose(loaded.common_points, captions, atol=1e-3)
    assert model.common_points is None


@pytest.mark.parametrize("shape", [(0, 8), (3, 7), (8,)])
def test_captions_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="common_points"):
        module.of_width(torch.ones(shape), 8)
