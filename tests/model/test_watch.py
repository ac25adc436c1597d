"""The outputs of a network's parts, recorded while it runs and not afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gdr_model.checks.clap import entering
from gdr_model.checks.watch import tensors, watching


@pytest.fixture
def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_each_part_is_recorded_by_its_name(net: nn.Sequential) -> None:
    x = torch.randn(5, 3)
    with watching({"first": net[0], "activation": net[1]}) as outputs:
        y = net(x)
    assert set(outputs) == {"first", "activation"}
    torch.testing.assert_close(outputs["first"], net[0](x))
    torch.testing.assert_close(outputs["activation"], net[0](x).relu())
    torch.testing.assert_close(y, net(x))
    assert not outputs["first"].requires_grad


def test_the_last_run_counts(net: nn.Sequential) -> None:
    with watching({"first": net[0]}) as outputs:
        for count in (2, 7):
            net(torch.randn(count, 3))
    assert len(outputs["first"]) == 7


def hooks(net: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())


def test_nothing_is_recorded_afterwards_even_if_a_run_fails(net: nn.Sequential) -> None:
    with watching({"first": net[0]}) as outputs:
        assert hooks(net) == 1
    net(torch.randn(1, 3))
    assert not outputs
    with pytest.raises(RuntimeError), watching({"last": net[2]}):
        net(torch.randn(1, 99))
    with pytest.raises(RuntimeError), entering(net[2]):
        net(torch.randn(1, 99))
    assert hooks(net) == 0


def test_the_input_of_a_part_is_the_output_of_the_one_before(net: nn.Sequential) -> None:
    x = torch.randn(5, 3)
    with entering(net[2]) as inputs, watching({"activation": net[1]}) as outputs:
        net(x)
    assert len(inputs) == 1
    assert torch.equal(inputs[0], outputs["activation"])


def test_arrays_keep_their_names_shapes_and_types() -> None:
    arrays = {"x": np.ones((2, 3), np.float32), "ids": np.arange(4)}
    made = tensors(arrays)
    assert {name: (tuple(t.shape), t.dtype) for name, t in made.items()} == {
        "x": ((2, 3), torch.float32),
        "ids": ((4,), torch.int64),
    }
