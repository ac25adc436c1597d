"""What every denoiser promises: shapes, sizes, masks, and rows that do not see each other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from small_networks import UNET
from torch import Tensor

from gdr_model.diffusion.denoisers import KINDS, POOLED, Network, build, describe
from gdr_model.diffusion.denoisers.mlp import MlpConfig
from gdr_model.diffusion.denoisers.residual import ResidualConfig, ResidualDenoiser
from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.denoisers.unet import UnetDenoiser
from gdr_model.diffusion.denoisers.upstream import unet_keys
from gdr_model.types import TextEmbedding

TRANSFORMER = TransformerConfig(dim=8, frames=16, patch=4, width=32, layers=2, text_width=12)
MLP = MlpConfig(dim=8, widths=(16, 24), condition_width=10, text_width=12)
RESIDUAL = ResidualConfig(dim=8, width=16, layers=2, text_width=12)
CONFIGS = {"transformer": TRANSFORMER, "unet": UNET, "mlp": MLP, "residual": RESIDUAL}


@pytest.fixture(params=list(KINDS))
def net(request: pytest.FixtureRequest) -> Network:
    """A network with random weights everywhere, also where training starts at zero."""
    torch.manual_seed(0)
    net = KINDS[request.param][0](CONFIGS[request.param])
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net.eval()


def state(net: Network, rows: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(rows, net.config.frames, net.config.dim, generator=generator)


def read(net: Network, text: TextEmbedding):
    return net.read(*(torch.from_numpy(part) for part in (text.states, text.mask, text.pooled)))


def predict(net: Network, x: Tensor, t: list[int], text: TextEmbedding) -> Tensor:
    with torch.inference_mode():
        return net(x, torch.tensor(t), read(net, text))


def rows_of(text: TextEmbedding, rows: list[int]) -> TextEmbedding:
    return TextEmbedding(text.states[rows], text.mask[rows], text.pooled[rows])


def test_a_prediction_has_the_shape_of_the_state(net, words) -> None:
    assert predict(net, state(net, 3), [1, 500, 999], words([0, 3, 6])).shape == (
        3,
        net.config.frames,
        8,
    )


def test_a_row_does_not_see_the_others(net, words) -> None:
    x, t, text = state(net, 4), [10, 300, 600, 990], words([4, 0, 6, 2])
    together = predict(net, x, t, text)
    backwards = predict(net, x.flip(0), t[::-1], rows_of(text, [3, 2, 1, 0])).flip(0)
    torch.testing.assert_close(backwards, together, rtol=1e-4, atol=1e-5)
    for row in range(4):
        alone = predict(net, x[[row]], t[row : row + 1], rows_of(text, [row]))
        torch.testing.assert_close(alone, together[[row]], rtol=1e-4, atol=1e-5)


def test_time_and_text_and_state_all_matter(net, words) -> None:
    x, text = state(net, 1), words([4, 3])
    plain = predict(net, x, [400], rows_of(text, [0]))
    for other in (
        predict(net, x, [410], rows_of(text, [0])),
        predict(net, x, [400], rows_of(text, [1])),
        predict(net, x + 0.1, [400], rows_of(text, [0])),
    ):
        assert float((other - plain).abs().max()) > 1e-4


def test_what_is_behind_the_mask_is_not_read(net, words) -> None:
    x, clean = state(net, 2), words([3, 0])
    dirty = replace(clean, states=clean.states.copy())
    dirty.states[~clean.mask] = 7
    torch.testing.assert_close(
        predict(net, x, [300, 300], dirty), predict(net, x, [300, 300], clean)
    )


def test_more_padding_changes_nothing(net, words) -> None:
    x = state(net, 2)
    short, long = words([3, 0], longest=4), words([3, 0], longest=9)
    # The same three tokens: random words depend on the length of the table.
    long.states[:, :4], long.pooled[:] = short.states, short.pooled
    torch.testing.assert_close(
        predict(net, x, [300, 300], long), predict(net, x, [300, 300], short), rtol=1e-4, atol=1e-5
    )


def test_few_words_are_multiplied_into_the_layers_and_many_are_not(words) -> None:
    torch.manual_seed(0)
    net = TransformerDenoiser(TRANSFORMER)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x, t = state(net, 3), [900, 500, 20]
    few, many = words([3, 1, 0], longest=4), words([3, 1, 0], longest=9)
    many.states[:, :4], many.pooled[:] = few.states, few.pooled
    assert [len(read(net, text).keys_values[0]) for text in (few, many)] == [3, 2]
    torch.testing.assert_close(
        predict(net, x, t, few), predict(net, x, t, many), rtol=1e-4, atol=1e-4
    )


def test_no_words_are_the_same_null_whatever_was_pooled(net, words) -> None:
    x, null = state(net, 1), words([0])
    other = replace(null, pooled=null.pooled + 3, states=null.states - 1)
    torch.testing.assert_close(predict(net, x, [300], other), predict(net, x, [300], null))


def test_a_repeated_context_is_that_of_the_repeated_text(net, words) -> None:
    x, t, text = state(net, 4), [400] * 4, words([0, 5])
    with torch.inference_mode():
        repeated = net(x, torch.tensor(t), read(net, text).repeat(2))
    wanted = predict(net, x, t, rows_of(text, [0, 0, 1, 1]))
    torch.testing.assert_close(repeated, wanted, rtol=1e-4, atol=1e-5)


def test_every_weight_gets_a_gradient(net, words) -> None:
    net.train()
    text = words([0, 4])
    torch.manual_seed(0)
    net(state(net, 2), torch.tensor([3, 900]), read(net, text)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_description_survives_json_and_names_its_kind(net) -> None:
    described = json.loads(json.dumps(describe(net)))
    assert KINDS[described["kind"]][0] is type(net)
    assert build(described).config == net.config


def count(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_the_transformer_has_the_parameters_of_its_layers() -> None:
    c = TRANSFORMER
    linear = lambda i, o: i * o + o  # noqa: E731 (a formula)
    layer = (
        2 * c.width  # the norm before the cross-attention; the other two have no weights
        + linear(c.width, 3 * c.width)
        + linear(c.width, c.width) * 3
        + linear(c.width, 2 * c.width)
        + linear(c.width, 4 * c.width)
        + linear(4 * c.width, c.width)
        + 6 * c.width
    )
    whole = (
        linear(c.patch * c.dim, c.width)
        + c.frames // c.patch * c.width
        + 2 * linear(c.width, c.width)
        + 2 * linear(c.text_width, c.width)
        + c.width
        + linear(c.width, 6 * c.width)
        + c.layers * layer
        + 2 * c.width
        + linear(c.width, c.patch * c.dim)
    )
    assert count(TransformerDenoiser(c)) == whole


def test_the_default_transformer_has_the_size_of_the_readme() -> None:
    """Three million parameters, as the built-in model's with 128 dimensions."""
    with torch.device("meta"):
        net = TransformerDenoiser(TransformerConfig(dim=128))
    assert count(net) / 1e6 == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize("fresh", [TransformerDenoiser(TRANSFORMER), ResidualDenoiser(RESIDUAL)])
def test_a_fresh_network_predicts_zero(fresh: Network, words) -> None:
    assert not predict(fresh.eval(), state(fresh, 2), [1, 900], words([0, 3])).any()


def test_pooled_text_can_have_a_width_of_its_own(words) -> None:
    net = TransformerDenoiser(replace(TRANSFORMER, pooled_width=7))
    text = replace(words([2, 0]), pooled=words([2, 0], width=7).pooled)
    assert predict(net, torch.randn(2, 16, 8), [1, 2], text).shape == (2, 16, 8)


@pytest.mark.parametrize("kind", POOLED)
def test_a_network_of_time_means_sees_one_frame_at_a_time(kind: str, words) -> None:
    torch.manual_seed(0)
    net = KINDS[kind][0](CONFIGS[kind]).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x, text = torch.randn(1, 5, 8), words([3])
    whole = predict(net, x, [300], text)
    torch.testing.assert_close(predict(net, x[:, [3]], [300], text), whole[:, [3]])


def test_without_words_the_residual_network_sees_its_null_whatever_was_pooled() -> None:
    net, mask = ResidualDenoiser(RESIDUAL), torch.tensor([[False], [True]])
    with torch.inference_mode():
        pooled = net.read(torch.zeros(2, 1, 12), mask, torch.randn(2, 12)).pooled
    torch.testing.assert_close(pooled[0], net.null.detach())
    assert not torch.equal(pooled[1], net.null)


def test_dropout_of_the_residual_network_acts_only_in_training(words) -> None:
    torch.manual_seed(0)
    residual = ResidualDenoiser(RESIDUAL)
    for parameter in residual.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x, text = state(residual, 2), words([2, 2])
    once, again = (predict(residual.eval(), x, [500, 500], text) for _ in range(2))
    assert torch.equal(once, again)
    once, again = (predict(residual.train(), x, [500, 500], text) for _ in range(2))
    assert not torch.equal(once, again)


def test_a_unet_takes_passages_of_any_multiple_of_its_factors(words) -> None:
    net = UnetDenoiser(UNET).eval()
    for frames in (8, 24):
        assert predict(net, torch.randn(1, frames, 8), [300], words([3])).shape == (1, frames, 8)


def test_unet_weights_of_the_authors_come_back_under_our_names() -> None:
    """Their names, our tensors: nothing is lost, nothing is left over."""
    torch.manual_seed(0)
    net, again = UnetDenoiser(UNET), UnetDenoiser(UNET)
    names = unet_keys(UNET.items, UNET.attentions)
    assert set(names) == set(net.state_dict())
    assert len(set(names.values())) == len(names)
    again.load_upstream({names[ours]: value for ours, value in net.state_dict().items()})
    for name, value in net.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
