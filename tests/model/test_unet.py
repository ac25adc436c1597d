"""The UNet: equal to the authors' for the same weights, and what ours does better."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_networks import UNET
from torch import Tensor

from gdr_model.checks.weight_recipe import rebuild
from gdr_model.diffusion.denoisers.unet import PRESETS, UnetConfig, UnetDenoiser
from gdr_model.diffusion.denoisers.upstream import unet_keys

SMALL = replace(UNET, items=(1, 2))
REFERENCE = UnetConfig(
    dim=16,
    channels=(16, 16, 32, 32),
    items=(1, 1, 1, 2),
    heads=2,
    head_width=8,
    features=32,
    text_width=24,
    null="prompt",
    masked=False,
)


def network(config: UnetConfig) -> UnetDenoiser:
    torch.manual_seed(0)
    return UnetDenoiser(config).eval()


def read(net: UnetDenoiser, text) -> object:
    return net.read(*(torch.from_numpy(part) for part in (text.states, text.mask, text.pooled)))


def test_the_authors_weights_give_the_authors_answers(golden) -> None:
    folder = golden("gdr_unet")
    shared = json.loads((folder / "config.json").read_text())["shared_parameters"]
    weights = rebuild(folder / "weights_recipe.json", shared=shared)
    io = {name: torch.from_numpy(value) for name, value in np.load(folder / "io.npz").items()}
    net = network(REFERENCE)
    net.load_upstream({name: torch.from_numpy(value) for name, value in weights.items()})
    x, t = io["x"].transpose(1, 2), io["t"]
    pooled = torch.zeros(3, 24)

    def answer(tokens: Tensor, words: bool) -> Tensor:
        mask = torch.full(tokens.shape[:2], words)
        return net(x, t, net.read(tokens, mask, pooled)).transpose(1, 2)

    with torch.inference_mode():
        torch.testing.assert_close(net.time_features(t), io["time_features"], rtol=1e-4, atol=2e-4)
        p, u = (answer(io["text_tokens"], words) for words in (True, False))
        n = answer(io["neg_text_tokens"], True)
        n_u = answer(io["neg_text_tokens"], False)
    # Upstream takes guidance out of both prompts again with the positive's null alone.
    n_mixed = u + (n_u + 3 * (n - n_u) - u) / 3
    for ours, theirs in (
        (p, "y_scale1"),
        (u, "y_scale0"),
        (u, "y_null_mask1"),
        (u + 3 * (p - u), "y_scale3"),
        (n_mixed + 3 * (p - n_mixed), "y_neg_scale3"),
    ):
        torch.testing.assert_close(ours, io[theirs], rtol=1e-4, atol=1e-3, msg=theirs)


@pytest.mark.parametrize(("preset", "millions"), [("tiny", 87.41), ("base", 251.55)])
def test_the_presets_have_the_authors_sizes(golden, preset: str, millions: float) -> None:
    with torch.device("meta"):
        net = UnetDenoiser(PRESETS[preset])
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)
    shapes = json.loads((golden("gdr_unet") / f"shapes_{preset}.json").read_text())["shapes"]
    names = unet_keys(net.config.items, net.config.attentions)
    assert {theirs: list(net.state_dict()[ours].shape) for ours, theirs in names.items()} == {
        name: shape for name, shape in shapes.items() if ".1.blocks.1.blocks.1." not in name
    }


def test_the_largest_preset_has_about_the_reported_size() -> None:
    with torch.device("meta"):
        net = UnetDenoiser(PRESETS["xlarge"])
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(876, abs=1)


def test_weights_that_are_not_all_there_are_refused() -> None:
    with pytest.raises(KeyError):
        network(SMALL).load_upstream({})


def test_a_prompt_or_a_null_alone_or_in_a_batch_gives_the_same(words) -> None:
    net, x = network(SMALL), torch.randn(3, 16, 8)
    t = torch.full((3,), 300)
    with torch.inference_mode():
        together = net(x, t, read(net, words([0, 2, 6])))
        short = net(x[:2], t[:2], read(net, cut(words([0, 2, 6]), 2)))
    torch.testing.assert_close(short, together[:2], rtol=1e-4, atol=1e-5)


def test_upstreams_null_follows_the_length_of_its_batch_mates(words) -> None:
    net, x = network(replace(SMALL, null="prompt", null_length=8)), torch.randn(1, 16, 8)
    t, text = torch.tensor([300]), words([0])
    with torch.inference_mode():
        long, short = (net(x, t, read(net, cut(text, length)))[0] for length in (6, 2))
    assert not torch.allclose(long, short)
    with pytest.raises(ValueError, match="reads up to 8"):
        read(net, words([0], longest=9))


def test_padding_is_read_only_as_upstreams_option(words) -> None:
    x, t, clean = torch.randn(1, 16, 8), torch.tensor([300]), words([3])
    dirty = words([3])
    dirty.states[0, 3:, ::2] = 10
    for masked in (True, False):
        net = network(replace(SMALL, masked=masked))
        with torch.inference_mode():
            a, b = (net(x, t, read(net, text)) for text in (clean, dirty))
        assert torch.allclose(a, b) is masked


def test_every_weight_is_trained(words) -> None:
    net = network(SMALL).train()
    net(
        torch.randn(2, 16, 8), torch.tensor([3, 900]), read(net, words([0, 4]))
    ).square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def cut(text, length: int):
    return replace(
        text, states=text.states[:2, :length], mask=text.mask[:2, :length], pooled=text.pooled[:2]
    )
