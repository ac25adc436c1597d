"""Reading prompts: alone or many at once, without padding, the recent ones kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gdr_model.encoders import t5
from gdr_model.encoders.shared import prompts
from gdr_model.encoders.shared.prompts import PromptReader

WORDS = ["warm", "piano", "slow", "and", "sad", "loud", "drums", "bright", "synth", "rain"]


@pytest.fixture
def reader(tiny_t5: Path) -> PromptReader:
    return t5.load_text(tiny_t5, torch.device("cpu"))


@pytest.fixture
def batches(reader: PromptReader) -> list[tuple[int, ...]]:
    """Shapes of the batches that `reader` gives its network."""
    seen: list[tuple[int, ...]] = []
    network = reader.network

    def recording(ids: torch.Tensor):
        seen.append(tuple(ids.shape))
        return network(ids)

    reader.network = recording
    return seen


def captions(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 6))) for _ in range(count)]


def test_many_prompts_at_once_are_what_each_is_alone(reader: PromptReader) -> None:
    texts = [*captions(90), " ", "", "rain on a window " * 60]
    alone = reader.embed(texts)
    seen = []
    for row, (states, pooled) in reader.read_all(texts):
        seen.append(row)
        assert len(states) == alone.mask[row].sum()
        np.testing.assert_allclose(states, alone.states[row, : len(states)], atol=1e-5)
        np.testing.assert_allclose(pooled, alone.pooled[row], atol=1e-5)
    assert sorted(seen) == list(range(len(texts)))
    assert {90, 91} == set(seen[:2]), "no words come first: they have no token"


def test_a_batch_holds_prompts_of_one_length(reader: PromptReader, batches: list) -> None:
    texts = ["drums"] * (prompts.BATCH + 3) + ["warm piano and rain", ""]
    list(reader.read_all(texts))
    (short, long) = (len(reader.tokenize(text)) for text in ("drums", "warm piano and rain"))
    assert batches == [(prompts.BATCH, short), (3, short), (1, long)]


def test_what_is_read_at_once_does_not_depend_on_its_company(reader: PromptReader) -> None:
    ((_, (alone, pooled)),) = reader.read_all(["loud drums"])
    company = dict(reader.read_all(["slow piano", "loud drums", "bright and sad synth"]))
    np.testing.assert_allclose(company[1][0], alone, atol=1e-5)
    np.testing.assert_allclose(company[1][1], pooled, atol=1e-5)


def test_an_embedding_is_the_same_to_the_last_bit_in_any_company(
    reader: PromptReader, tiny_t5: Path
) -> None:
    alone = reader.embed(["loud drums"])
    company = t5.load_text(tiny_t5, torch.device("cpu")).embed([*captions(9), "loud drums"])
    np.testing.assert_array_equal(company.states[-1], alone.states[0])
    np.testing.assert_array_equal(company.pooled[-1], alone.pooled[0])


def test_a_recent_prompt_is_not_read_again(reader: PromptReader, batches: list) -> None:
    first = reader.embed(["warm piano", "", "drums", "warm piano"])
    assert len(batches) == 2
    again = reader.embed(["drums", "warm piano"])
    assert len(batches) == 2
    np.testing.assert_array_equal(again.states, first.states[[2, 0]])


def test_the_prompt_unused_for_longest_is_forgotten(
    reader: PromptReader, batches: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "CACHED_PROMPTS", 2)
    reader.embed(["warm", "piano"])
    reader.embed(["warm"])  # used again, so that `piano` is the one to go
    reader.embed(["drums"])
    before = len(batches)
    reader.embed(["warm", "drums"])
    assert len(batches) == before
    reader.embed(["piano"])
    assert len(batches) == before + 1


def test_a_reader_that_cuts_prompts_shorter_keeps_a_cache_of_its_own(reader: PromptReader) -> None:
    text = "slow and sad, a warm piano"
    reader.embed([text])
    shorter = replace(reader, tokenize=lambda prompt: reader.tokenize(prompt)[:3])
    assert shorter.embed([text]).mask.sum() == 3
    assert reader.embed([text]).mask.sum() == len(reader.tokenize(text))
