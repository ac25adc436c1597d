"""Files of weights: gdr's own folders, checkpoints of other projects, folders of transformers."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import T5Config, T5EncoderModel
from transformers.utils import logging

from gdr_model.encoders.formats import gdr_folder, transformers_convert
from gdr_model.encoders.formats.state_dicts import read_pickle, state_dict
from gdr_model.encoders.formats.transformers_folder import (
    config_of,
    ids_of,
    network_of,
    quiet,
    tokenizer_of,
)
from gdr_model.errors import Hint, ModelError, WeightsMissing


@dataclass(frozen=True)
class Sizes:
    dim: int = 3
    widths: tuple[int, ...] = (4, 5)
    alpha: float = 0.2


class Small(nn.Module):
    def __init__(self, config: Sizes) -> None:
        super().__init__()
        self.config = config
        self.body = nn.Linear(config.widths[0], config.dim)
        self.norm = nn.BatchNorm1d(config.dim)


@pytest.fixture
def net() -> Small:
    torch.manual_seed(0)
    return Small(Sizes())


@pytest.fixture
def folder(net: Small, tmp_path: Path) -> Path:
    gdr_folder.write(tmp_path / "small", "small", net.config, net.state_dict())
    return tmp_path / "small"


def load(folder: Path) -> Small:
    return gdr_folder.load(folder, "small", Sizes, Small)


def test_a_network_comes_back_from_its_folder_ready_for_inference(net, folder) -> None:
    again = load(folder)
    assert again.config == net.config
    for name, value in net.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_a_folder_holds_single_precision_and_no_counters(net: Small, tmp_path: Path) -> None:
    weight = torch.randn(4, 6)[:, ::2].T.half()  # not contiguous
    tensors = net.state_dict() | {"body.weight": weight}
    gdr_folder.write(tmp_path, "small", net.config, tensors)
    stored = load_file(tmp_path / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float32}
    assert not any(name.endswith("num_batches_tracked") for name in stored)
    torch.testing.assert_close(stored["body.weight"], weight.float())
    described = json.loads((tmp_path / "config.json").read_text())
    assert described == {"model_type": "small", "dim": 3, "widths": [4, 5], "alpha": 0.2}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"dim": "three"}, "dim must be a whole number, not 'three'"),
        ({"widths": 4}, "widths must be a list of whole numbers, not 4"),
        ({"widths": [4, None]}, r"widths\[1\] must be a whole number, not None"),
        ({"alpha": True}, "alpha must be a number, not True"),
    ],
)
def test_sizes_that_are_invalid_are_named(folder: Path, changes: dict, problem: str) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError, match=problem) as refused:
        load(folder)
    assert str(path) in str(refused.value)


def test_sizes_must_all_be_there_and_others_are_ignored() -> None:
    whole = {"dim": 1, "widths": [2], "alpha": 0, "learning_rate": 3}
    assert gdr_folder.sizes(Sizes, whole, "x") == Sizes(1, (2,), 0.0)
    with pytest.raises(ModelError, match=r"x does not give the sizes.*the field alpha is missing"):
        gdr_folder.sizes(Sizes, {"dim": 1, "widths": [2]}, "x")


def test_a_folder_without_weights_hints_at_their_conversion(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="holds no small weights") as refused:
        load(tmp_path)
    assert refused.value.hint is Hint.CONVERT
    assert refused.value.facts == {"pair": "small"}


def test_the_first_tensor_that_does_not_fit_is_named(net: Small) -> None:
    tensors = net.state_dict()
    gdr_folder.fill(net, {"norm.num_batches_tracked": torch.zeros(3)} | tensors, "it")
    for given, problem in (
        ({k: v for k, v in tensors.items() if k != "body.bias"}, "has no tensor body.bias"),
        (
            tensors | {"body.bias": torch.zeros(4)},
            r"holds body.bias of shape \(4,\).* needs \(3,\)",
        ),
        (
            tensors | {"head.bias": torch.zeros(4), "head.weight": torch.zeros(4)},
            "2 tensors.*head.bias",
        ),
    ):
        with pytest.raises(ModelError, match=problem):
            gdr_folder.fill(net, given, "it")


# Checkpoints of other projects

LANDMARK = "stem.weight"
STATE = {"stem.weight": torch.arange(3.0), "stem.bias": torch.ones(1)}


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: value for name, value in STATE.items()}


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        prefixed("module."),
        {"epoch": 3, "model": {"deeper": prefixed("module.encoder.")}, "lr": 0.1},
        {"optimizer": {"state": {0: torch.zeros(2)}}, "state_dict": STATE},
        prefixed("net.") | {"head.weight": torch.zeros(2), "ema.net.other": torch.zeros(2)},
        # Of two copies, the one with the shorter prefix counts.
        {name: value + 1 for name, value in prefixed("teacher.net.").items()} | prefixed("net."),
    ],
    ids=["plain", "prefix", "nested", "optimizer", "others", "copies"],
)
def test_a_state_dict_is_found_wherever_it_is(content: dict, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "file.pt")
    found = state_dict(tmp_path / "file.pt", LANDMARK, "the network")
    assert set(found) == set(STATE)
    for name, value in STATE.items():
        assert torch.equal(found[name], value)


def test_safetensors_are_read_as_well(tmp_path: Path) -> None:
    save_file(prefixed("module."), tmp_path / "file.safetensors")
    assert set(state_dict(tmp_path / "file.safetensors", LANDMARK, "it")) == set(STATE)


def test_another_network_is_refused_by_its_first_tensor(tmp_path: Path) -> None:
    torch.save({"encoder": {"conv.weight": torch.zeros(2)}}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    for name, first in (("other", "conv.weight"), ("list", "nothing")):
        with pytest.raises(ModelError, match=rf"{first}, ….*it has a tensor stem\.weight"):
            state_dict(tmp_path / f"{name}.pt", LANDMARK, "it")


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_nothing_in_a_pickle_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weights": STATE, "hook": Harmful()}, tmp_path / "harmful.pt")
    with pytest.raises(ModelError, match="holds tensors alone: it would run"):
        read_pickle(tmp_path / "harmful.pt")
    (tmp_path / "text.pt").write_text("not a pickle")
    for name in ("text.pt", "absent.pt"):
        with pytest.raises(ModelError, match="it is damaged or no such file"):
            read_pickle(tmp_path / name)
    assert capsys.readouterr().out == ""


# Folders of transformers


def pickled(folder: Path, to: Path) -> Path:
    """A folder as older releases of transformers wrote it."""
    shutil.copytree(folder, to)
    tensors = load_file(to / "model.safetensors")
    (to / "model.safetensors").unlink()
    torch.save(tensors, to / "pytorch_model.bin")
    return to


def test_a_pickled_folder_is_rewritten_with_all_that_belongs_to_it(
    tiny_t5: Path, tmp_path: Path
) -> None:
    source, folder = pickled(tiny_t5, tmp_path / "old"), tmp_path / "new"
    folder.mkdir()
    transformers_convert.convert(source, folder)
    assert {p.name for p in folder.iterdir()} == {p.name for p in tiny_t5.iterdir()}
    original = load_file(tiny_t5 / "model.safetensors")
    for name, value in load_file(folder / "model.safetensors").items():
        assert torch.equal(value, original[name])


def test_tied_tensors_are_stored_one_by_one(tmp_path: Path) -> None:
    shared = torch.randn(3, 4)
    torch.save({"a": shared, "b": shared, "c": shared.T}, tmp_path / "tied.bin")
    transformers_convert.rewrite(tmp_path / "tied.bin", tmp_path / "model.safetensors")
    stored = load_file(tmp_path / "model.safetensors")
    assert torch.equal(stored["a"], shared)
    assert torch.equal(stored["b"], shared)
    assert torch.equal(stored["c"], shared.T)


def test_a_pickle_of_more_than_tensors_is_not_rewritten(tiny_t5: Path, tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2), "epoch": 3}, tmp_path / "mixed.bin")
    with pytest.raises(ModelError, match="holds more than named tensors"):
        transformers_convert.rewrite(tmp_path / "mixed.bin", tmp_path / "out.safetensors")
    with pytest.raises(ModelError, match="there is nothing to convert"):
        transformers_convert.convert(tiny_t5, tmp_path)
    assert not (tmp_path / "out.safetensors").exists()


def test_weights_that_are_missing_are_counted_and_named(tiny_t5: Path, tmp_path: Path) -> None:
    folder = tmp_path / "part"
    shutil.copytree(tiny_t5, folder)
    config = config_of(T5Config, folder, "T5")
    network_of(T5EncoderModel, config, folder, "T5")
    tensors = load_file(folder / "model.safetensors")
    dropped = [name for name in tensors if "SelfAttention.q" in name or "SelfAttention.k" in name]
    kept = {name: value for name, value in tensors.items() if name not in dropped}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=rf"lacks {len(dropped)} tensors.*SelfAttention\.k"):
        network_of(T5EncoderModel, config, folder, "T5")


def test_a_tokenizer_needs_a_vocabulary(tiny_t5: Path, tmp_path: Path) -> None:
    assert ids_of(tokenizer_of(tiny_t5, "some/t5"), 4)("rain on a window") == [
        *tokenizer_of(tiny_t5, "some/t5")("rain on a window")["input_ids"][:3],
        tokenizer_of(tiny_t5, "some/t5").eos_token_id,
    ]
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(WeightsMissing, match="has no usable tokenizer"):
        tokenizer_of(tmp_path, "some/t5")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsMissing, match="has no usable tokenizer"):
        tokenizer_of(tmp_path, "some/t5")


def test_silence_ends_with_the_block_whatever_happens_in_it() -> None:
    def state() -> tuple[int, bool]:
        return logging.get_verbosity(), logging.is_progress_bar_enabled()

    def fail() -> None:
        assert state() == (logging.ERROR, False)
        raise ValueError("inside")

    before = state()
    with pytest.raises(ValueError, match="inside"), quiet():
        fail()
    assert state() == before
