"""The skeleton of both MULE networks: scales, standardised filters, and the way of two paths."""

from __future__ import annotations

import math

import pytest
import references as ref
import torch
from torch import nn
from torch.nn import functional as F

from gdr_model.encoders.formats.gdr_folder import sizes
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig
from gdr_model.encoders.mule.published_net import Mule, MuleConfig
from gdr_model.encoders.mule.slow_fast import (
    GELU_GAIN,
    SlowFastConfig,
    StandardisedConvolution,
    input_scales,
    run_paths,
    settle,
    stages,
)

NETWORKS = {
    "mule": lambda: Mule(sizes(MuleConfig, ref.MULE, "the reference")),
    "mule-port": lambda: MulePort(sizes(MulePortConfig, ref.MULE_PORT, "the reference")),
}


@pytest.fixture(params=list(NETWORKS))
def net(request: pytest.FixtureRequest) -> nn.Module:
    return ref.alive(NETWORKS[request.param]())


def convolutions(net: nn.Module) -> list[StandardisedConvolution]:
    return [module for module in net.modules() if isinstance(module, StandardisedConvolution)]


def test_the_gain_of_gelu_is_one_over_its_deviation() -> None:
    """Under unit normal input, by numerical integration; the NFNet authors sampled."""
    x = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    density = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    y, step = F.gelu(x), x[1] - x[0]
    mean = (y * density).sum() * step
    variance = (y.square() * density).sum() * step - mean.square()
    assert pytest.approx(1 / float(variance.sqrt()), rel=1e-3) == GELU_GAIN


def test_scales_follow_the_variance_that_branches_add() -> None:
    assert input_scales(0, 1, 0.2) == [1.0], "a stem, without a branch"
    assert input_scales(2, 1, 0.2) == [pytest.approx(1 / math.sqrt(1.04))]
    third = input_scales(1, 3, 0.2)
    assert third == pytest.approx([1 / math.sqrt(1 + 0.04 * count) for count in (1, 2, 3)])


def test_every_filter_has_mean_zero_and_keeps_the_variance(net: nn.Module) -> None:
    checked = 0
    for convolution in convolutions(net):
        with torch.inference_mode():
            filters = convolution.standardised().flatten(1)
            raw = convolution.raw.flatten(1)
        fan_in = filters.shape[1]
        correction = 1 if isinstance(net, MulePort) else 0
        torch.testing.assert_close(filters.mean(1), torch.zeros(len(filters)), atol=1e-5, rtol=0)
        # Filters that hardly vary are not amplified.
        varied = raw.var(1, correction=correction) * fan_in > 1e-4 if fan_in > 1 else []
        if not len(varied):
            continue
        gain = getattr(convolution, "gain", torch.ones(len(filters))).detach().abs()
        deviation = filters.std(1, correction=correction)
        torch.testing.assert_close(
            deviation[varied], (gain / fan_in**0.5)[varied], rtol=1e-3, atol=1e-4
        )
        checked += int(varied.sum())
    assert checked > 100


def test_settled_filters_give_the_same_embeddings(net: nn.Module) -> None:
    mel = torch.randn(2, 1, 96, 300, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        trained = net(mel)
        settle(net)
        assert all(convolution.settled for convolution in convolutions(net))
        torch.testing.assert_close(net(mel), trained)


def test_a_path_has_a_stage_for_each_depth() -> None:
    config = SlowFastConfig(depths=(1, 2, 3, 1))
    seen: list[tuple] = []

    def build(*arguments: float) -> nn.Module:
        seen.append(arguments)
        return nn.Identity()

    assert len(stages(build, config, (4, 8, 8, 8), (8, 8, 8, 9), 2)) == 4
    assert seen == [
        (0, 1, 4, 8, 2, 0.2),
        (1, 2, 8, 8, 2, 0.2),
        (2, 3, 8, 8, 2, 0.2),
        (3, 1, 8, 9, 2, 0.2),
    ]


class Add(nn.Module):
    """A fusion that adds the fast path's mean."""

    def forward(self, slow: torch.Tensor, fast: torch.Tensor) -> torch.Tensor:
        return slow + fast.mean()


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


def test_the_fast_path_enters_the_slow_one_before_each_stage() -> None:
    one = torch.ones(1, 1, 2, 2)
    slow, fast = run_paths(
        one, one, [Add(), Add()], [Times(10.0), Times(1.0)], [Times(3.0), Times(3.0)]
    )
    assert float(slow) == (1 + 1) * 10 + 3
    assert float(fast) == 9


def test_an_embedding_is_the_slow_half_and_then_the_fast_one(net: nn.Module) -> None:
    """Silencing the last stage of the fast path leaves the slow half as it was."""
    mel = torch.randn(1, 1, 96, 300, generator=torch.Generator().manual_seed(1))
    last = (net.fast if isinstance(net, Mule) else net.fast_layers)[-1]
    with torch.inference_mode():
        before = net(mel)
        for parameter in last.parameters():
            parameter.zero_()
        after = net(mel)
    width = net.config.slow_out[-1]
    assert before.shape == (1, net.config.dim)
    torch.testing.assert_close(after[:, :width], before[:, :width])
    assert not torch.allclose(after[:, width:], before[:, width:])
