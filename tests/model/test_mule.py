"""MULE, published and port: sizes, windows, padding, and folders that hold something else."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import references as ref
import torch
from torch import Tensor, nn

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule import frontend
from gdr_model.encoders.mule import port_net as mule_port
from gdr_model.encoders.mule import published_net as mule
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig
from gdr_model.encoders.mule.published_net import Mule, MuleConfig, same
from gdr_model.errors import Cancelled, Hint, ModelError, WeightsMissing
from gdr_model.types import LatentSpace

CPU = torch.device("cpu")
KINDS = {
    "mule": (mule, Mule, gdr_folder.sizes(MuleConfig, ref.MULE, "the reference")),
    "mule-port": (
        mule_port,
        MulePort,
        gdr_folder.sizes(MulePortConfig, ref.MULE_PORT, "the reference"),
    ),
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def net(kind: str) -> nn.Module:
    _, network, config = KINDS[kind]
    return ref.alive(network(config))


@pytest.fixture
def folder(kind: str, net: nn.Module, tmp_path: Path) -> Path:
    gdr_folder.write(tmp_path / kind, kind, net.config, net.state_dict())
    return tmp_path / kind


def load(kind: str, folder: Path, hop_s: float = 1.0):
    space = LatentSpace(kind, 24, 16_000, 3.0, hop_s, "0" * 16)
    return KINDS[kind][0].load_audio(folder, space, CPU)


def sound(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 0.1 * rng.standard_normal(round(16_000 * seconds), np.float32)


def alone(kind: str, net: nn.Module, samples: np.ndarray, second: int) -> Tensor:
    """The latent of one second, from the front end and the network alone."""
    with torch.inference_mode():
        if kind == "mule":
            mel = frontend.log10_mel(torch.from_numpy(samples)[None])
            first = 100 * (second - 1)
            mel = frontend.standardise(mel[..., first : first + 300])
        else:
            first = 16_000 * (second - 1)
            mel = frontend.decibel_mel(torch.from_numpy(samples[first : first + 47_999])[None])
        return nn.functional.normalize(net(mel[:, None])[0], dim=0)


@pytest.mark.parametrize(
    ("network", "config", "parameters"),
    [(Mule, MuleConfig(), 62_345_742), (MulePort, MulePortConfig(), 53_441_836)],
)
def test_the_full_networks_have_the_published_sizes(network, config, parameters: int) -> None:
    with torch.device("meta"):
        net = network(config)
    assert sum(p.numel() for p in net.parameters()) == parameters
    assert config.dim == 1728


def test_an_untrained_block_passes_its_input_on() -> None:
    """Residual branches begin at gain zero, as in the paper."""
    x = torch.randn(2, 8, 6, 10)
    for block in (mule.Block(8, 8, 2, 1.0, 0.2), mule_port.Plain(8, 2, 1.0, 0.2)):
        with torch.inference_mode():
            assert torch.equal(block(x), x)


def test_a_transition_changes_width_and_divides_the_bands() -> None:
    x = torch.randn(2, 8, 6, 10)
    for block in (
        ref.alive(mule.Block(8, 12, 2, 0.9, 0.2, transition=True, stride=2)),
        ref.alive(mule_port.Transition(8, 12, 2, 2, 0.9, 0.2)),
    ):
        with torch.inference_mode():
            assert block(x).shape == (2, 12, 3, 10)


def test_the_published_fusion_joins_channels_and_the_ports_joins_frames() -> None:
    slow, fast = torch.randn(1, 8, 6, 10), torch.randn(1, 4, 6, 40)
    with torch.inference_mode():
        joined = ref.alive(mule.Fusion(4, 5, 3))(slow, fast)
        appended = ref.alive(mule_port.Fusion(4, 8, 7, 4))(slow, fast)
    assert joined.shape == (1, 11, 6, 10)
    torch.testing.assert_close(joined[:, :8], slow)
    assert appended.shape == (1, 8, 6, 10 + (40 - 7) // 4 + 1)
    torch.testing.assert_close(appended[..., :10], slow)


def test_excitation_weighs_channels_by_their_means() -> None:
    """At zero weights: half of 2 in the published network, half of 1 in the port."""
    block, port = mule.Block(8, 8, 2, 1.0, 0.2), mule_port.Excite(8)
    x = torch.randn(2, 8, 6, 10)
    for parameter in (*block.parameters(), *port.parameters()):
        torch.nn.init.zeros_(parameter)
    with torch.inference_mode():
        torch.testing.assert_close(block.excite(x), x)
        torch.testing.assert_close(port(x), x / 2)


@pytest.mark.parametrize("size", [37, 38, 75, 300])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 2), (3, 1), (3, 2), (3, 8), (7, 4)])
def test_same_padding_leaves_a_frame_a_stride_and_the_odd_sample_at_the_end(
    size: int, kernel: int, stride: int
) -> None:
    before, after = same(size, kernel, stride)
    assert (size + before + after - kernel) // stride + 1 == math.ceil(size / stride)
    assert after - before in (0, 1)


def test_each_second_reads_the_three_seconds_around_it(
    kind: str, net: nn.Module, folder: Path
) -> None:
    samples = sound(12.3)
    latents = load(kind, folder).encode(samples)
    assert latents.shape == (12, 24)
    for second in (1, 2, 10):
        expected = alone(kind, net, samples, second)
        np.testing.assert_allclose(latents[second], expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(latents[0], latents[1])  # the window is moved inside


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 1), (0.4, 1), (2.9, 3), (3.4, 3)])
def test_short_sounds_have_latents_too(kind: str, folder: Path, seconds: float, count: int) -> None:
    latents = load(kind, folder).encode(sound(seconds))
    assert latents.shape == (count, 24)
    np.testing.assert_allclose(np.linalg.norm(latents, axis=1), 1, rtol=1e-5)


def test_a_coarser_hop_keeps_one_latent_a_second(kind: str, folder: Path) -> None:
    samples = sound(9)
    fine, coarse = load(kind, folder).encode(samples), load(kind, folder, 4.0).encode(samples)
    assert coarse.shape == fine.shape
    np.testing.assert_allclose(coarse[[0, 4, 8]], fine[[0, 4, 8]], rtol=1e-3, atol=1e-5)


def test_encoding_stops_when_asked(kind: str, folder: Path) -> None:
    with pytest.raises(Cancelled):
        load(kind, folder).encode(sound(5), lambda: True)


def edit(folder: Path, **changes: object) -> None:
    described = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(described | changes))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: edit(f, model_type="clap"), "of type 'clap', not of 'mule"),
        (lambda f: edit(f, depths=None), "does not give the sizes"),
        (lambda f: edit(f, slow_out=[8, 8, 16, 32]), "this network needs"),
        (lambda f: edit(f, depths=[1, 2, 1, 2]), "has no tensor"),
        (lambda f: edit(f, depths=[1, 1, 1, 1]), "does not have"),
        (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors"),
        (lambda f: cut(f / "model.safetensors"), "or truncated"),
        (lambda f: torch.save({}, f / "model.safetensors"), "is a pickle where safetensors"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    kind: str, folder: Path, spoil, problem: str
) -> None:
    spoil(folder)
    with pytest.raises(ModelError, match=problem) as refused:
        load(kind, folder)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_not_there_says_how_to_make_it(kind: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"it has no config\.json") as refused:
        load(kind, tmp_path / "nowhere")
    assert (refused.value.hint, refused.value.facts) == (Hint.CONVERT, {"pair": kind})
