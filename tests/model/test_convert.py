"""Published weights to folders of ours: Keras archives, state dicts, and what is neither."""

from __future__ import annotations

import importlib
import inspect
import io
import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import references as ref
import torch
from safetensors.torch import load_file
from torch import nn

from gdr_model.encoders import t5
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig
from gdr_model.encoders.mule.published_convert import h5_paths
from gdr_model.encoders.mule.published_net import Mule, MuleConfig
from gdr_model.encoders.muscall.convert import FILTERS
from gdr_model.encoders.muscall.convert import convert as convert_muscall
from gdr_model.encoders.muscall.net import Muscall, upstream_config
from gdr_model.encoders.registry.converters import CONVERTERS, TEXT_TOWERS, convert
from gdr_model.errors import ModelError, UsageError

MULE = gdr_folder.sizes(MuleConfig, ref.MULE, "the reference")


def keras_weights(net: Mule) -> dict[str, np.ndarray]:
    """By path, in Keras' layout, with what else such a file holds."""
    orders = {4: (2, 3, 1, 0), 2: (1, 0)}
    state = net.state_dict()
    arrays = {"optimizer/vars/0": np.int64(3), "layers/scalar_multiply/vars/0": np.float32(1)}
    for name, path in h5_paths(net.config.depths).items():
        value = state[name]
        arrays[path] = value.permute(orders.get(value.ndim, tuple(range(value.ndim)))).numpy()
    return arrays


def write_h5(target, arrays: dict[str, np.ndarray]) -> None:
    with h5py.File(target, "w") as file:
        for path, array in arrays.items():
            file[path] = array


@pytest.mark.parametrize("config", ["config.json", "config_full.json"])
def test_layers_have_the_places_that_keras_gave_them(golden, config: str) -> None:
    described = json.loads((golden("nfnet_keras") / config).read_text())
    assert h5_paths(described["depths"]) == described["h5_map"]


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_a_keras_file_becomes_the_same_network(tmp_path: Path, name: str) -> None:
    net = ref.alive(Mule(MULE))
    if name.endswith(".keras"):
        inside = io.BytesIO()
        write_h5(inside, keras_weights(net))
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("model.weights.h5", inside.getvalue())
            archive.writestr("config.json", "{}")
    else:
        write_h5(tmp_path / name, keras_weights(net))
    convert(tmp_path / name, "mule", tmp_path / "mule")
    assert_equal(net, Mule, *gdr_folder.read(tmp_path / "mule", "mule", MuleConfig))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["mule", name])


def assert_equal(net: nn.Module, kind, config, tensors) -> None:
    assert config == net.config
    again = kind(config)
    gdr_folder.fill(again, tensors, "here")
    for name, value in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(again.state_dict()[name], value)


def test_keras_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    arrays = keras_weights(ref.alive(Mule(MULE)))
    missing = dict(arrays)
    del missing["layers/dense_3/vars/1"]
    write_h5(tmp_path / "missing.h5", missing)
    write_h5(tmp_path / "other.h5", {"layers/dense/vars/0": np.zeros((3, 3), np.float32)})
    write_h5(tmp_path / "cut.h5", arrays)
    (tmp_path / "cut.h5").write_bytes((tmp_path / "cut.h5").read_bytes()[:5000])
    (tmp_path / "text.h5").write_text("not found")
    with zipfile.ZipFile(tmp_path / "empty.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    for name, problem in (
        ("missing.h5", "layers/dense_3/vars/1"),
        ("other.h5", "1×7"),
        ("cut.h5", "cannot be read"),
        ("text.h5", "cannot be read"),
        ("empty.keras", "archive without model.weights.h5"),
    ):
        with pytest.raises(ModelError, match=problem):
            convert(tmp_path / name, "mule", tmp_path / "mule")
    assert not list(tmp_path.glob("*mule*"))


def test_the_ports_checkpoint_is_found_inside_and_its_head_left_out(tmp_path: Path) -> None:
    net = ref.alive(MulePort(gdr_folder.sizes(MulePortConfig, ref.MULE_PORT, "the reference")))
    state = {f"module.encoder.{name}": value for name, value in net.state_dict().items()}
    state["module.encoder.head.0.weight"] = torch.zeros(3, 3)
    torch.save({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}}, tmp_path / "port.pt")
    convert(tmp_path / "port.pt", "mule-port", tmp_path / "port")
    assert_equal(net, MulePort, *gdr_folder.read(tmp_path / "port", "mule-port", MulePortConfig))


def test_the_official_muscall_checkpoint_becomes_the_same_network(tmp_path: Path) -> None:
    net = ref.alive(Muscall(upstream_config(ref.MUSCALL)))
    state = dict(net.state_dict())
    state[FILTERS] = net.config.mel.triangles()
    state["audio_backbone.spec.spectrogram.window"] = torch.hann_window(1024)
    torch.save({"state_dict": state}, tmp_path / "muscall.pt")
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_text("{}")
    folder = tmp_path / "made"
    convert_muscall(tmp_path / "muscall.pt", folder, text_heads=4)
    assert_equal(net, Muscall, *gdr_folder.read(folder, "muscall", type(net.config)))
    assert (folder / "merges.txt").is_file()
    state[FILTERS] = state[FILTERS].roll(1, 0)
    torch.save(state, tmp_path / "muscall.pt")
    with pytest.raises(ModelError, match="other mel filters"):
        convert(tmp_path / "muscall.pt", "muscall", tmp_path / "again")


def muscall_checkpoint(path: Path, **changes) -> Path:
    """The state dict of a small MusCALL; a change of None drops the tensor."""
    state = dict(ref.alive(Muscall(upstream_config(ref.MUSCALL))).state_dict()) | changes
    torch.save({name: value for name, value in state.items() if value is not None}, path)
    return path


def test_the_sizes_of_muscall_follow_from_its_tensors(tmp_path: Path) -> None:
    convert(muscall_checkpoint(tmp_path / "file.pt"), "muscall", tmp_path / "made", 4)
    described = json.loads((tmp_path / "made" / "config.json").read_text())
    audio, text = ref.MUSCALL["audio"], ref.MUSCALL["text"]
    assert described["audio_seconds"] == audio["audio_len_seconds"]
    assert described["audio_channels"] == audio["conv_out_channels"]
    assert described["text_layers"] == text["num_hidden_layers"]
    assert (described["vocabulary"], described["text_heads"]) == (text["vocab_size"], 4)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"audio_projection.weight": None}, "lacks a part of MusCALL"),
        (
            {"audio_backbone.attnpool.positional_embedding": torch.zeros(8, 64)},
            "lacks a part of MusCALL",
        ),
        ({"textual_head.ln_final.bias": None}, "has no tensor textual_head.ln_final.bias"),
        ({"textual_head.pooler": torch.zeros(2)}, "1 tensors that this network does not have"),
        ({"text_projection.weight": torch.zeros(3, 24)}, r"of shape \(3, 24\)"),
    ],
)
def test_a_checkpoint_that_is_not_all_of_muscall_is_refused(
    changes: dict, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=problem):
        convert(
            muscall_checkpoint(tmp_path / "file.pt", **changes), "muscall", tmp_path / "made", 4
        )
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("dropped", "problem"),
    [
        ("slow_layers.0.blocks.0.residual_path.6.scalar", "lacks a part of MULE's PyTorch port"),
        ("fusion_layers.0.conv1.conv.weight", "lacks a part of MULE's PyTorch port"),
        ("fast_layers.2.blocks.0.residual_path.4.fc.0.bias", "has no tensor fast_layers.2"),
    ],
)
def test_a_checkpoint_that_is_not_all_of_the_port_is_refused(
    dropped: str, problem: str, tmp_path: Path
) -> None:
    net = ref.alive(MulePort(gdr_folder.sizes(MulePortConfig, ref.MULE_PORT, "the reference")))
    state = {name: value for name, value in net.state_dict().items() if name != dropped}
    assert len(state) == len(net.state_dict()) - 1
    torch.save(state, tmp_path / "port.pt")
    with pytest.raises(ModelError, match=problem):
        convert(tmp_path / "port.pt", "mule-port", tmp_path / "made")


def test_a_pickled_folder_of_t5_is_converted_by_name(tiny_t5: Path, tmp_path: Path) -> None:
    source = tmp_path / "old"
    shutil.copytree(tiny_t5, source)
    torch.save(load_file(source / "model.safetensors"), source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds a pickle"):
        t5.load_text(source, torch.device("cpu"))
    convert(source, "t5", tmp_path / "new")
    ours, original = (
        t5.load_text(folder, torch.device("cpu")).embed(["warm piano"])
        for folder in (tmp_path / "new", tiny_t5)
    )
    np.testing.assert_array_equal(ours.states, original.states)


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_checkpoints_that_run_something_or_hold_something_else_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict": Harmful()}, tmp_path / "harmful.pt")
    torch.save({"conv.weight": torch.zeros(2)}, tmp_path / "other.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "other.pt").read_bytes()[:300])
    for name, problem in (
        ("harmful.pt", "tensors alone"),
        ("other.pt", "holds other weights"),
        ("cut.pt", "cannot be read"),
    ):
        for kind in ("muscall", "mule-port"):
            with pytest.raises(ModelError, match=problem):
                convert(tmp_path / name, kind, tmp_path / "made")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", list(CONVERTERS))
def test_every_converter_writes_a_folder(name: str) -> None:
    parameters = inspect.signature(importlib.import_module(CONVERTERS[name]).convert).parameters
    assert list(parameters)[:2] == ["source", "folder"]
    assert ("text_heads" in parameters) is (name in TEXT_TOWERS)


def test_an_invalid_name_or_path_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "file.pt").touch()
    with pytest.raises(UsageError, match="use mule"):
        convert(tmp_path / "file.pt", "vggish", tmp_path / "made")
    with pytest.raises(ModelError, match="does not exist"):
        convert(tmp_path / "nowhere.pt", "mule", tmp_path / "made")
    with pytest.raises(ModelError, match="name a new folder"):
        convert(tmp_path / "file.pt", "mule", tmp_path)
