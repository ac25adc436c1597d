"""The MLP: equal to the authors' for the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gdr_model.checks.weight_recipe import rebuild
from gdr_model.diffusion.denoisers.mlp import MlpConfig, MlpDenoiser, time_features

REFERENCE = MlpConfig(dim=32, widths=(64, 48, 64), condition_width=32, text_width=32)


def test_the_authors_weights_give_the_authors_answers(golden) -> None:
    folder = golden("gdr_mlp")
    io = {name: torch.from_numpy(value) for name, value in np.load(folder / "io.npz").items()}
    net = MlpDenoiser(REFERENCE).eval()
    weights = rebuild(folder / "weights_recipe.json")
    net.load_upstream({name: torch.from_numpy(value) for name, value in weights.items()})
    close = {"rtol": 1e-4, "atol": 1e-5}
    with torch.inference_mode():
        torch.testing.assert_close(
            time_features(io["t"]), io["time_proj_256"], rtol=1e-4, atol=1e-4
        )
        context = net.read(
            torch.zeros(3, 1, 32), torch.ones(3, 1, dtype=torch.bool), io["pooled_text"]
        )
        torch.testing.assert_close(
            net(io["x2"][:, None], io["t"], context)[:, 0], io["y2"], **close
        )
        torch.testing.assert_close(net(io["x3"], io["t"], context), io["y3"], **close)
        direct = net.under(io["x2"][:, None], io["pooled_text"])[:, 0]
        torch.testing.assert_close(direct, io["y2_cond_direct"], **close)


def test_weights_of_other_dimensions_are_refused() -> None:
    with pytest.raises(RuntimeError):
        MlpDenoiser(REFERENCE).load_upstream({"final_layer.bias": torch.zeros(7)})


def test_no_words_are_the_learned_null_whatever_was_pooled() -> None:
    net = MlpDenoiser(REFERENCE).eval()
    mask = torch.zeros(2, 3, dtype=torch.bool)
    with torch.inference_mode():
        pooled = net.read(torch.zeros(2, 3, 32), mask, torch.randn(2, 32)).pooled
        torch.testing.assert_close(pooled, net.text(net.null).expand(2, -1))


def test_dropout_acts_only_in_training() -> None:
    net = MlpDenoiser(REFERENCE).eval()
    x, condition = torch.randn(2, 1, 32), torch.randn(2, 32)
    assert torch.equal(net.under(x, condition), net.under(x, condition))
    net.train()
    assert not torch.equal(net.under(x, condition), net.under(x, condition))


def test_text_of_any_length_is_read_alike_if_it_says_so() -> None:
    torch.manual_seed(0)
    plain = MlpDenoiser(MlpConfig(dim=6, widths=(8,), condition_width=8, text_width=5)).eval()
    scaled = MlpDenoiser(replace(plain.config, unit_text=True)).eval()
    scaled.load_state_dict(plain.state_dict())
    pooled, mask = torch.randn(3, 5), torch.tensor([[True], [True], [False]])
    states = torch.zeros(3, 1, 5)
    short, long = (scaled.read(states, mask, length * pooled).pooled for length in (0.2, 7.0))
    torch.testing.assert_close(short, long)
    assert not torch.allclose(plain.read(states, mask, pooled).pooled[:2], short[:2])
    nothing = plain.read(states, mask, pooled).pooled[2]
    torch.testing.assert_close(short[2], nothing, msg="no words are the null, whatever its length")
