"""What the retriever of the built-in model learns from: batches of passages and words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared import track
from small_pool import DIM, WIDTH, small_latents, write_pool

from gdr_model.diffusion.time_whitening import basis
from gdr_model.search.whitening import Whitening
from gdr_model.types import PASSAGE_S
from recipes.builtin.corpus import pool as pooling
from recipes.builtin.corpus.batches import (
    PassageBatches,
    TowerPassages,
    chances,
    search_points,
    space_of,
)
from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.pool import Pool, passages
from recipes.builtin.corpus.prepare import ROWS, PreparedFolder, PreparedTrack
from recipes.builtin.report.names import ABROAD
from training.data.texts import load_reader
from training.runs.config import CaptionConfig, OptimiserConfig, RunConfig
from training.runs.space import Space
from training.words import vocabulary
from training.words.merged import OWN
from training.words.people import Written


@pytest.fixture
def pool(tmp_path) -> Pool:
    return write_pool(tmp_path)


@pytest.fixture
def latents() -> Latents:
    return small_latents()


@pytest.fixture
def config() -> RunConfig:
    return RunConfig(
        "pool", captions=CaptionConfig(dropped=0.25), optimiser=OptimiserConfig(batch=8, seed=3)
    )


@pytest.fixture
def sequences(config: RunConfig) -> RunConfig:
    """The same for a network that draws whole passages."""
    return replace(config, network={"kind": "transformer"})


@pytest.fixture
def plain() -> Space:
    """A space that changes nothing."""
    one = np.ones(DIM, np.float32)
    return Space(0 * one, np.eye(DIM, dtype=np.float32), one, one, 0.0, 0.5)


def test_texts_are_read_back_padded_and_masked(pool: Pool) -> None:
    text = pool.texts.of([2, 0])
    assert text.states.shape == (2, 3, WIDTH)
    assert text.mask.tolist() == [[True, True, True], [True, False, False]]
    assert text.states[0, :, 0].tolist() == [3.0, 4.0, 5.0]
    assert text.states[1, :, 0].tolist() == [0.0, 0.0, 0.0]
    assert text.pooled[:, 0].tolist() == [2.0, 0.0]


def test_queries_are_the_last_of_the_texts_and_know_their_classes(pool: Pool) -> None:
    numbers, wanted = pool.ask(np.random.default_rng(0), 2)
    assert sorted(zip(numbers, wanted.tolist(), strict=True)) == [(3, 0), (4, 1)]
    assert [pool.captions[n] for n in sorted(numbers)] == ["ask one", "ask two"]
    scores = pool.answers(np.array([0, 1]), np.arange(6))
    assert scores.argmax(axis=1).tolist() == [1, 5]


def test_a_batch_holds_captions_of_its_passages_and_answers_to_its_queries(
    pool: Pool, latents: Latents, config: RunConfig, plain: Space
) -> None:
    source = PassageBatches.of(pool, latents, plain, config)
    assert source.chance.sum() == pytest.approx(1)
    assert source.chance[:4].sum() > source.chance[4:].sum()  # recordings before renders
    answers: dict[int, list[int]] = {3: [], 4: []}
    dropped = 0
    for step in range(40):
        batch = source.batch(step)
        assert batch.x0.shape == (8, 1, DIM)
        passages = batch.x0.mean(dim=(1, 2)).round().int().tolist()
        said = batch.pooled[:, 0].int().tolist()
        # Five captions of their own passages, then three queries.
        assert said[:5] == [passage % 3 for passage in passages[:5]]
        for query, passage in zip(said[5:], passages[5:], strict=True):
            answers[query].append(passage)
        dropped += int((~batch.mask.any(1)).sum())
    assert answers[3].count(1) > 0.95 * len(answers[3])
    assert answers[4].count(5) > 0.95 * len(answers[4])
    assert dropped == pytest.approx(0.25 * 40 * 8, rel=0.3)


def test_batches_are_functions_of_seed_and_step(
    pool: Pool, latents: Latents, config: RunConfig, plain: Space
) -> None:
    source = PassageBatches.of(pool, latents, plain, config)
    first, again, other = source.batch(7), source.batch(7), source.batch(8)
    assert torch.equal(first.x0, again.x0)
    assert torch.equal(first.mask, again.mask)
    assert not torch.equal(first.x0, other.x0)


def test_a_network_of_sequences_gets_passages_second_by_second(
    pool: Pool, latents: Latents, sequences: RunConfig, plain: Space
) -> None:
    batch = PassageBatches.of(pool, latents, plain, sequences).batch(0)
    assert batch.x0.shape == (8, PASSAGE_S, DIM)
    assert torch.equal(batch.x0[:, 0], batch.x0[:, -1])  # a track is one number throughout


def test_the_space_of_means_whitens_them(tmp_path, config: RunConfig) -> None:
    rng = np.random.default_rng(0)
    pool = write_pool(tmp_path, seconds=PASSAGE_S)
    widths = np.linspace(1, 9, DIM, dtype=np.float32)
    rows = {
        f"t{i}": np.tile(widths * rng.standard_normal(DIM), (PASSAGE_S + 20, 1)).astype(np.float32)
        for i in range(6)
    }
    every = np.concatenate(list(rows.values()))
    latents = Latents(rows, np.eye(DIM, dtype=np.float32), every.mean(0), every.std(0))
    space = space_of(pool, latents, config)
    x = PassageBatches.of(pool, latents, space, config).passages(pool.items)
    assert x.shape == (6, 1, DIM)
    np.testing.assert_allclose(np.square(x).mean((0, 1)), 1, rtol=0.5)
    points = search_points(pool, latents, space)
    np.testing.assert_allclose(space.search(x[:, 0]), points, atol=1e-4)


def test_the_space_of_sequences_whitens_every_coefficient_of_the_pools_passages(
    tmp_path, sequences: RunConfig
) -> None:
    config = sequences
    rng = np.random.default_rng(0)
    pool, scale = write_pool(tmp_path, seconds=PASSAGE_S), 3.0
    # Sums of noise: slow movement is large, fast movement small, as in music.
    rows = {
        f"t{i}": scale * rng.standard_normal((PASSAGE_S + 20, DIM)).cumsum(0).astype(np.float32)
        for i in range(6)
    }
    every = np.concatenate(list(rows.values()))
    latents = Latents(rows, np.eye(DIM, dtype=np.float32), every.mean(0), every.std(0))
    space = space_of(pool, latents, config)
    source = PassageBatches.of(pool, latents, space, config)
    x = source.passages([pool.items[i] for i in np.repeat(np.arange(6), 4)])
    spread = np.sqrt(np.square(basis(PASSAGE_S) @ x).mean((0, 2)))
    assert spread.max() / spread.min() < 3, "before, slow and fast differ by more than ten"
    # The time-mean is searched as the product searches it, whatever whitens it for the network.
    whitening = Whitening(latents.mean, latents.sd, config.data.power)
    means = np.stack([latents.passages([item])[0].mean(0) for item in pool.items])
    points = search_points(pool, latents, space)
    np.testing.assert_allclose(points, whitening.apply(means), atol=1e-5)
    drawn = space.search(source.passages(pool.items).mean(1))
    np.testing.assert_allclose(drawn, points, atol=1e-4)


def test_a_towers_batch_has_the_teachers_order_of_its_own_passages(pool: Pool) -> None:
    points = np.eye(6, dtype=np.float32)
    batch = TowerPassages(pool, points, chances(pool), seed=0).batch(0)
    rows = batch.points.argmax(1).tolist()
    assert sorted(rows) == list(range(6)), "every passage once"
    assert batch.pooled[:, 0].int().tolist() == [row % 3 for row in rows]
    assert batch.asked is not None
    assert batch.order is not None
    best = [rows[column] for column in batch.order.argmax(1).tolist()]
    assert best == [1 if query == 3 else 5 for query in batch.asked[:, 0].int().tolist()]


@pytest.mark.parametrize(("kind", "seconds", "count"), [("source", 120, 10), ("render", 60, 2)])
def test_passages_lie_within_their_track(kind: str, seconds: int, count: int) -> None:
    rows = np.zeros((seconds, 1), np.float16)
    track = PreparedTrack({"id": "a", "kind": kind}, *[rows] * 5)
    drawn = passages(track, np.random.default_rng(0))
    assert len(drawn) == count
    for start, length in drawn:
        assert 8 <= length <= PASSAGE_S
        assert 0 <= start <= seconds - length


def test_a_track_shorter_than_a_passage_has_none() -> None:
    rows = np.zeros((7, 1), np.float16)
    track = PreparedTrack({"id": "a", "kind": "source"}, *[rows] * 5)
    assert passages(track, np.random.default_rng(0)) == []


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nine prepared tracks, one of them held out and one with a piano; people say two things."""
    tables = (vocabulary.GENRES, vocabulary.MOODS, vocabulary.INSTRUMENTS, vocabulary.VOICES)
    names = list(dict.fromkeys(name for table in tables for name in table))
    names = [name for name in names if name not in OWN.values()]
    names = [*names, *(f"class {i}" for i in range(len(names), 521))]
    monkeypatch.setattr(pooling, "labels", lambda: names)
    piano = Written("An old upright piano, out of tune", {"Piano": 2.0, "Singing": -1.0})
    singer = Written("A woman at the microphone", {"Female vocals": 1.0})
    monkeypatch.setattr(pooling, "written", lambda rng: [singer, piano])
    store = PreparedFolder(tmp_path)
    for name in "abcdefghi":
        split = "test" if name == "i" else "train"
        one = track(name, "source", 40, ord(name), split=split)
        rows = {part: getattr(one, part).copy() for part in ROWS}
        rows["logits"][:, names.index("Piano")] = 3 if name == "a" else -9
        store.add(one.record, rows)
    return tmp_path


def test_a_pool_is_built_from_prepared_tracks(prepared: Path) -> None:
    pooling.build(prepared, "pool", per_passage=3, asked=30, seed=0, without=["abroad"])
    pool = Pool.load(prepared / "pool")
    assert {item["id"] for item in pool.items} == set("abcdefgh"), "held-out tracks stay out"
    assert len(pool.items) == len(pool.classes)
    assert len(set(pool.captions)) == len(pool.captions) == len(pool.texts.pooled)
    assert 26 <= len(pool.asked) <= 32, "queries that are captions too are left out"
    own = {pool.captions[n] for item in pool.items if item["id"] == "a" for n in item["captions"]}
    assert any("piano" in caption.lower() for caption in own), own
    # The pooled vectors are those that a search reads.
    read = load_reader("use").embed([pool.captions[0]])
    np.testing.assert_allclose(pool.texts.pooled[0], read.pooled[0], atol=1e-5)
    # The passages of the piano answer the piano best.
    assert pool.captions[-2:] == ["A woman at the microphone", "An old upright piano, out of tune"]
    best = pool.answers(np.array([len(pool.asked) - 1]), np.arange(len(pool.items)))[0].argmax()
    assert pool.items[int(best)]["id"] == "a"


def test_queries_in_other_languages_can_be_left_out_and_so_can_the_names_of_the_sets(
    prepared: Path,
) -> None:
    named = {name for names in ABROAD.values() for name in names}
    found = {}
    for without in ("", "names", "abroad"):
        pooling.build(prepared, "pool", per_passage=1, asked=5, seed=0, without=[without])
        found[without] = set(Pool.load(prepared / "pool").captions)
    other = {"ロックの曲", "eine sehr traurige Melodie"}
    assert {"ロック音楽", *other} <= found[""]
    assert other <= found["names"]
    assert not found["names"] & named
    assert not found["abroad"] & (named | other)


@pytest.mark.parametrize(
    ("without", "said", "classes"),
    [
        ("people", [], 521 + len(OWN)),
        # Nothing but the second teacher knows a woman's voice.
        ("tags", ["An old upright piano, out of tune"], 521),
    ],
)
def test_a_source_of_words_can_be_left_out(
    prepared: Path, without: str, said: list[str], classes: int
) -> None:
    pooling.build(prepared, "pool", per_passage=1, asked=30, seed=0, without=[without, "abroad"])
    pool = Pool.load(prepared / "pool")
    people = {"A woman at the microphone", "An old upright piano, out of tune"}
    assert [caption for caption in pool.captions if caption in people] == said
    assert pool.classes.shape[1] == pool.asked.shape[1] == classes
    np.testing.assert_allclose(np.linalg.norm(pool.asked, axis=1), 1, atol=1e-6)
