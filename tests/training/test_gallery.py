"""A corpus as a library, and a run as a model: against the full matrix and the run's own space."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from gdr_model.diffusion.denoisers import build
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.steering import Edit, Steering, WeightedText
from gdr_model.store.library import Library
from gdr_model.types import Array, LatentSpace, Query
from training.data.corpus import Corpus
from training.retrievers.gallery import Gallery, gallery
from training.retrievers.run_model import CaptionReader, latent_space, run_model, stored
from training.runs.config import RunConfig
from training.runs.space import Space
from training.runs.state import Finished

SPACE = LatentSpace("planted", 6, 1, 1.0, 1.0, "0" * 16)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def model_of(config: RunConfig, corpus: Corpus, space: Space, share: float = 0.5):
    """An untrained network as a model."""
    torch.manual_seed(0)
    width = corpus.texts.pooled.shape[1]
    shape = {**config.network, "dim": space.dim, "text_width": width}
    net = build({k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()})
    net.eval().requires_grad_(False)
    tower = ContrastiveTower(width, space.dim).eval().requires_grad_(False)
    return run_model(Finished(config, "0", net, space), corpus, tower, share)


def test_a_gallery_holds_what_it_was_given(rng: np.random.Generator) -> None:
    latents = [rng.standard_normal((length, 6)).astype(np.float32) for length in (1, 9, 130)]
    with gallery(["b/..", "a\n", ""], latents, SPACE) as tracks:
        assert [track.title for track in tracks.tracks] == ["b/..", "a\n", ""]
        assert [track.duration_s for track in tracks.tracks] == [1, 9, 130]
        for track, rows in zip(tracks.tracks, latents, strict=True):
            kept = tracks.library.latents(track.content, SPACE)
            np.testing.assert_allclose(kept, rows, rtol=1e-3)  # half precision
        first = tracks.first_passages(SPACE)
        assert [len(rows) for rows in first] == [1, 9, 64]
        folder = tracks.library.store
    assert not folder.exists()


def test_a_gallery_never_touches_the_users_stores(rng: np.random.Generator, gdr_home: Path) -> None:
    with gallery(["a"], [rng.standard_normal((3, 6)).astype(np.float32)], SPACE):
        pass
    assert not gdr_home.exists()


def test_two_thousand_tracks_are_a_matter_of_seconds(rng: np.random.Generator) -> None:
    count = 2000
    latents = list(rng.standard_normal((count, 10, 6)).astype(np.float32))
    began = time.process_time()
    with gallery([str(i) for i in range(count)], latents, SPACE) as tracks:
        assert len(tracks.tracks) == count
    assert time.process_time() - began < 10


def test_a_library_counts_copies_once(music: Path, rng: np.random.Generator) -> None:
    from gdr_model.audio import Tags
    from gdr_model.store.records import Sound, Stamp

    with Library.open(music, create=True) as library:
        for name, content in ((b"a", "x"), (b"b", "y"), (b"c", "x"), (b"d", "not encoded")):
            sound = Sound(content, 2.0, 0.0)
            library.files.put_track(name, Stamp(0, 0), sound, Tags())
            if content != "not encoded":
                library.put_latents(sound, SPACE, rng.standard_normal((2, 6)).astype(np.float32))
        assert sorted(t.content for t in Gallery.of(library, SPACE).tracks) == ["x", "y"]


def test_planted_draws_rank_as_the_full_matrix(
    tiny: RunConfig, corpus: Corpus, rng: np.random.Generator
) -> None:
    """Every track, best passage and all, against the products written out."""
    space = Space.fit(tiny.data, corpus.latents)
    model = model_of(tiny, corpus, space, share=0.3)
    latents = [
        rng.standard_normal((length, space.dim)).astype(np.float32)
        for length in rng.integers(1, 200, 60)
    ]
    draws = unit(rng.standard_normal((8, space.dim)).astype(np.float32))
    anchor = unit(rng.standard_normal((1, space.dim)).astype(np.float32))
    wanted, alone = [], []
    for rows in latents:
        parts = -(-len(rows) // 64)
        cuts = [len(rows) * i // parts for i in range(parts + 1)]
        means = np.stack([rows[a:b].mean(0) for a, b in pairwise(cuts)])
        points = unit((means - model.whitening.mean) / model.whitening.sd**space.power)
        cosines = (points @ draws.T).mean(1)
        alone.append(cosines.max())
        wanted.append((0.7 * cosines + 0.3 * (points @ anchor[0])).max())
    names = [str(i) for i in range(len(latents))]
    with gallery(names, latents, model.space) as tracks:
        retriever = Retriever(model, [tracks.library])
        query = Query(draws, Steering("-"), anchor=anchor)
        np.testing.assert_allclose(tracks.scores(retriever, query), wanted, atol=1e-5)
        found = tracks.scores(retriever, replace(query, anchor=None))
        np.testing.assert_allclose(found, alone, atol=1e-5)


def test_scores_are_those_that_a_search_lists(tiny: RunConfig, corpus: Corpus) -> None:
    space = Space.fit(tiny.data, corpus.latents)
    model = model_of(tiny, corpus, space)
    latents = [stored(space, track) for track in corpus.latents]
    with gallery(corpus.tracks, latents, model.space) as tracks:
        retriever = Retriever(model, [tracks.library])
        for prompt, more in (
            (corpus.captions[3], {}),
            ("words of no caption", {"negatives": (WeightedText("drums", 1.0),)}),
            ("loud", {"edit": Edit(str(tracks.tracks[5].path), 0.0, 0.5)}),
        ):
            steering = Steering(prompt, steps=3, draws=4, seed=7, **more)
            scores = tracks.scores(retriever, retriever.query(steering))
            listed = retriever.search(steering, k=len(latents)).hits
            assert len(listed) == len(latents)
            for hit in listed:
                found = scores[tracks.column[hit.track.content]]
                assert hit.score == pytest.approx(found, abs=1e-6)
            assert np.all(np.diff([hit.score for hit in listed]) <= 0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"components": None},
        {"components": None, "floor": None},
        {"components": None, "floor": None, "standardise": False},
        {"standardise": False, "power": 0.0},
    ],
)
def test_a_runs_model_searches_in_the_runs_space(
    tiny: RunConfig, corpus: Corpus, changes: dict[str, object]
) -> None:
    """Stored latents, drawn ones and search vectors, against `Space` to half precision."""
    data = replace(tiny.data, **changes)
    space = Space.fit(data, corpus.latents[:15])
    model = model_of(replace(tiny, data=data), corpus, space)
    half = [stored(space, t).astype(np.float16).astype(np.float32) for t in corpus.latents]
    x = np.stack([space.standard(track) for track in corpus.latents])  # (R, 1, D)
    found = np.stack([model.passages(rows).numpy() for rows in half])
    np.testing.assert_allclose(found, x, atol=4e-3 * np.abs(x).max())
    wanted = space.search(x.mean(1))
    np.testing.assert_allclose(model.whitening.apply(np.concatenate(half)), wanted, atol=4e-3)
    drawn = model.whitening.apply(model.drawn(torch.from_numpy(x)))
    np.testing.assert_allclose(drawn, wanted, atol=2e-5)


def test_a_space_that_is_even_over_time_stays_so(tiny: RunConfig, corpus: Corpus) -> None:
    rng = np.random.default_rng(0)
    plain = Space.fit(replace(tiny.data, components=None, floor=None), corpus.latents)
    along = np.exp(rng.standard_normal((3, plain.dim))).astype(np.float32)
    along[0] = 1  # relative to the time-mean's
    sd = plain.sd * rng.uniform(0.5, 2, plain.dim).astype(np.float32)
    space = replace(plain, sd=sd, along=along)
    model = model_of(tiny, corpus, space)
    rows = rng.random((3, plain.dim)).astype(np.float32)
    x = space.standard(rows)
    np.testing.assert_allclose(model.means(rows).numpy(), x, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.passages(rows).numpy(), space.passage(x), atol=1e-3)
    drawn = model.whitening.apply(model.drawn(torch.from_numpy(x)))
    np.testing.assert_allclose(drawn, space.search(x.mean(0)), atol=1e-5)


def test_latents_of_other_runs_are_not_mixed_up(tiny: RunConfig, corpus: Corpus) -> None:
    a, b = (Space.fit(tiny.data, corpus.latents[:n]) for n in (15, 16))
    assert latent_space(a, corpus) != latent_space(b, corpus)
    extracted = replace(corpus, space=SPACE)
    plain = Space.fit(replace(tiny.data, components=None, floor=None), corpus.latents)
    assert latent_space(plain, extracted) == SPACE
    rows: Array = corpus.latents[0]
    np.testing.assert_array_equal(stored(plain, rows), rows)


def test_captions_are_read_as_they_were_embedded_and_other_words_by_the_encoder(
    corpus: Corpus,
) -> None:
    reader, real = CaptionReader.of(corpus), corpus.reader
    asked = ["", corpus.captions[4], "a prompt that nobody wrote down", corpus.captions[0]]
    found, wanted = reader.embed(asked), real.embed(asked)
    np.testing.assert_allclose(found.pooled, wanted.pooled, atol=1e-5)
    length = found.mask.shape[1]
    np.testing.assert_array_equal(found.mask, wanted.mask[:, :length])
    assert not wanted.mask[:, length:].any()
    np.testing.assert_allclose(found.states, wanted.states[:, :length], atol=2e-3)
    assert not found.mask[0].any()
    alone = reader.embed(asked[1:2])
    np.testing.assert_array_equal(alone.pooled[0], found.pooled[1])
