"""T5 as a text encoder: its own states, a mask, a null, and no batch-mates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, T5EncoderModel

from gdr_model.encoders import t5


def test_states_are_those_of_transformers(tiny_t5: Path) -> None:
    reader = t5.load_text(tiny_t5, torch.device("cpu"))
    prompts = ["warm piano", "slow and sad with loud drums", ""]
    found = reader.embed(prompts)
    ids = AutoTokenizer.from_pretrained(tiny_t5)(prompts[:2], padding=True, return_tensors="pt")
    with torch.inference_mode():
        wanted = T5EncoderModel.from_pretrained(tiny_t5)(**ids).last_hidden_state
    for row, mask in enumerate(ids["attention_mask"].bool()):
        count = int(mask.sum())
        assert found.mask[row].sum() == count
        np.testing.assert_allclose(found.states[row, :count], wanted[row][mask], atol=1e-5)
        np.testing.assert_allclose(found.pooled[row], wanted[row][mask].mean(0), atol=1e-5)
    assert found.states.shape == (3, 77, 20)
    assert not found.mask[2].any()


def test_a_prompt_does_not_depend_on_its_batch_mates(tiny_t5: Path) -> None:
    reader = t5.load_text(tiny_t5, torch.device("cpu"))
    fresh = t5.load_text(tiny_t5, torch.device("cpu"))
    together = reader.embed(["loud drums", "rain on a window " * 9])
    alone = fresh.embed(["loud drums"])
    np.testing.assert_array_equal(together.states[0], alone.states[0])
    np.testing.assert_array_equal(together.mask[0], alone.mask[0])


def test_long_prompts_are_cut(tiny_t5: Path) -> None:
    reader = t5.load_text(tiny_t5, torch.device("cpu"))
    assert reader.embed(["rain on a window " * 60]).mask.sum() == 77
