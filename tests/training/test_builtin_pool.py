"""What the retriever of the built-in model learns from: batches of passages and words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gdr_model.types import PASSAGE_S
from recipes.builtin.corpus.latents import DIM, Latents
from recipes.builtin.corpus.pool import Pool
from recipes.builtin.train_retriever import Items

WIDTH = 384


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """Six passages of two kinds, three captions and two queries, as `build` leaves them."""
    items = [
        {"id": f"t{i}", "start_s": i, "seconds": 8, "kind": kind, "captions": [i % 3]}
        for i, kind in enumerate(["source"] * 4 + ["render"] * 2)
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, items)) + "\n")
    (tmp_path / "captions.txt").write_text("a\nb b\nc c c\nask one\nask two\n")
    offsets = np.cumsum([0, 1, 2, 3, 2, 2])
    states = np.arange(offsets[-1], dtype=np.float16)[:, None].repeat(WIDTH, axis=1)
    np.save(tmp_path / "states.npy", states)
    pooled = np.arange(5, dtype=np.float32)[:, None].repeat(WIDTH, axis=1)
    np.savez(tmp_path / "text.npz", offsets=offsets, pooled=pooled)
    (tmp_path / "queries.json").write_text("[[0], [1]]")
    classes = np.zeros((6, 2), np.float32)
    classes[1, 0] = classes[5, 1] = 3.0  # passage 1 answers the first query, 5 the second
    np.save(tmp_path / "classes.npy", classes)
    return Pool.load(tmp_path)


@pytest.fixture
def latents() -> Latents:
    """Track i is the number i throughout."""
    rows = {f"t{i}": np.full((20, DIM), i, np.float32) for i in range(6)}
    mean, sd = np.zeros(DIM, np.float32), np.ones(DIM, np.float32)
    return Latents(rows, np.eye(256, DIM, dtype=np.float32), mean, sd)


def test_a_batch_of_captions_is_padded_and_masked(pool: Pool) -> None:
    states, mask, pooled = pool.batch([2, 0])
    assert states.shape == (2, 3, WIDTH)
    assert mask.tolist() == [[True, True, True], [True, False, False]]
    assert states[0, :, 0].tolist() == [3.0, 4.0, 5.0]
    assert states[1, :, 0].tolist() == [0.0, 0.0, 0.0]
    assert pooled[:, 0].tolist() == [2.0, 0.0]


def test_queries_are_the_last_of_the_texts_and_know_their_classes(pool: Pool) -> None:
    numbers, classes = pool.ask(np.random.default_rng(0), 2)
    assert sorted(zip(numbers, classes, strict=True)) == [(3, [0]), (4, [1])]
    assert [pool.texts[n] for n in sorted(numbers)] == ["ask one", "ask two"]
    scores = pool.answers([[0], [1]], np.arange(6))
    assert scores.argmax(axis=1).tolist() == [1, 5]


def test_a_batch_holds_captions_of_its_passages_and_answers_to_its_queries(
    pool: Pool, latents: Latents
) -> None:
    items = Items.of(pool, latents, seed=3, along=np.ones((PASSAGE_S, DIM), np.float32))
    assert items.chance.sum() == pytest.approx(1)
    assert items.chance[:4].sum() > items.chance[4:].sum()  # recordings before renders
    answers: dict[int, list[int]] = {3: [], 4: []}
    for step in range(40):
        x0, chosen = items.batch(step, 8)
        assert x0.shape == (8, PASSAGE_S, DIM)
        passages = x0.mean(dim=(1, 2)).round().int().tolist()
        # Half of so small a batch are captions, and a caption is of its passage.
        assert chosen[:4] == [passage % 3 for passage in passages[:4]]
        for query, passage in zip(chosen[4:], passages[4:], strict=True):
            answers[query].append(passage)
    assert answers[3].count(1) > 0.95 * len(answers[3])
    assert answers[4].count(5) > 0.95 * len(answers[4])


def test_batches_repeat(pool: Pool, latents: Latents) -> None:
    items = Items.of(pool, latents, seed=3, along=np.ones((PASSAGE_S, DIM), np.float32))
    (first, one), (again, two) = items.batch(7, 8), items.batch(7, 8)
    torch.testing.assert_close(first, again)
    assert one == two
    assert not torch.equal(first, items.batch(8, 8)[0])
