"""What `--model` names: pairs, hops, folders, repositories, and what is none of them."""

from __future__ import annotations

import inspect
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gdr_model import paths
from gdr_model.encoders.builtin import minilm
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn.net import Musicnn, MusicnnConfig
from gdr_model.encoders.registry import pairs
from gdr_model.encoders.registry.converters import CONVERTERS
from gdr_model.encoders.registry.resolve import locate
from gdr_model.encoders.use import encoder as use
from gdr_model.errors import Hint, ModelError, UsageError, WeightsMissing

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty Hugging Face cache."""
    cache = tmp_path / "hub"
    cache.mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


def install(folder: Path, name: str) -> Path:
    """Put a folder among the user's models."""
    target = paths.models() / name
    shutil.copytree(folder, target)
    return target


def in_cache(hub: Path, folder: Path, repository: str) -> Path:
    """Put a folder where the Hugging Face hub would have downloaded it."""
    stored = hub / f"models--{repository.replace('/', '--')}"
    (stored / "refs").mkdir(parents=True)
    (stored / "refs" / "main").write_text("0" * 40)
    snapshot = stored / "snapshots" / ("0" * 40)
    shutil.copytree(folder, snapshot)
    return snapshot


def test_a_pair_of_the_table_takes_the_users_weights(tiny_clap: Path) -> None:
    folder = install(tiny_clap, "clap")
    pair = locate("clap")
    assert pair.argument == "clap"
    assert pair.audio_weights == pair.text_weights == folder
    assert (pair.audio.name, pair.text.name, pair.shared) == ("clap", "clap", True)
    assert (pair.space.encoder, pair.space.dim) == ("clap", 16)
    assert (pair.space.sample_rate_hz, pair.space.window_s, pair.space.hop_s) == (48_000, 10, 1)


def test_the_hub_cache_serves_where_the_user_has_none(hub: Path, tiny_clap: Path) -> None:
    snapshot = in_cache(hub, tiny_clap, "laion/larger_clap_music_and_speech")
    assert locate("clap").audio_weights == snapshot
    assert locate("laion/larger_clap_music_and_speech").audio_weights == snapshot
    folder = install(tiny_clap, "clap")
    assert locate("clap").audio_weights == folder


def test_text_weights_are_looked_for_when_text_is_read(tiny_clap: Path, tiny_t5: Path) -> None:
    install(tiny_clap, "clap")
    pair = locate("clap-t5")
    assert (pair.text.name, pair.text_weights, pair.shared) == ("t5", None, False)
    with pytest.raises(WeightsMissing, match="flan-t5-base are not on this machine"):
        pair.load_text(CPU)
    install(tiny_t5, "flan-t5-base")
    assert pair.load_text(CPU).embed(["warm piano"]).mask.any()


def test_a_hop_is_part_of_the_name(tiny_clap: Path) -> None:
    install(tiny_clap, "clap")
    pair = locate("clap@4")
    assert (pair.argument, pair.space.hop_s) == ("clap@4", 4)
    assert pair.space.fingerprint == locate("clap").space.fingerprint
    for hop in ("0", "11", "999"):
        with pytest.raises(UsageError, match="is out of range for clap; use 1 to 10"):
            locate(f"clap@{hop}")


def test_a_hop_that_saves_nothing_is_refused() -> None:
    net = Musicnn(MusicnnConfig(dim=12, tags=3))
    gdr_folder.write(paths.models() / "musicnn", "musicnn", net.config, net.state_dict())
    assert locate("musicnn@1").space == locate("musicnn").space
    with pytest.raises(UsageError, match="would not make musicnn faster; leave out @2"):
        locate("musicnn@2")


def test_a_folder_may_be_called_as_a_hop_is(tiny_clap: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine@4"
    shutil.copytree(tiny_clap, folder)
    pair = locate(str(folder))
    assert (pair.argument, pair.space.hop_s) == (str(folder), 1)
    assert locate(f"{folder}@3").space.hop_s == 3


def test_a_relative_folder_is_named_by_its_absolute_path(
    tiny_clap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_clap.parent)
    assert locate(tiny_clap.name).argument == str(tiny_clap)
    assert locate(f"{tiny_clap.name}@2").argument == f"{tiny_clap}@2"


def test_both_encoders_can_be_named(tiny_clap: Path, tiny_t5: Path) -> None:
    install(tiny_clap, "clap")
    pair = locate(f"clap+{tiny_t5}@2")
    assert pair.argument == f"clap+{tiny_t5}@2"
    assert (pair.audio.name, pair.text.name, pair.shared) == ("clap", "t5", False)
    assert pair.text_weights == tiny_t5
    assert pair.space.hop_s == 2


def test_one_folder_named_twice_is_one_space(tiny_clap: Path, tmp_path: Path) -> None:
    assert locate(f"{tiny_clap}+{tiny_clap}").shared
    copy = tmp_path / "copy"
    shutil.copytree(tiny_clap, copy)
    assert not locate(f"{tiny_clap}+{copy}").shared


def test_the_space_depends_on_the_audio_tower_alone(tiny_clap: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_clap, other)
    tensors = load_file(other / "model.safetensors")
    spaces = [locate(str(tiny_clap)).space]
    for part in ("text_projection.linear1.bias", "audio_projection.linear1.bias"):
        tensors[part] = tensors[part] + 1
        save_file(tensors, other / "model.safetensors", {"format": "pt"})
        spaces.append(locate(str(other)).space)
    assert spaces[0] == spaces[1]
    assert spaces[1] != spaces[2]


def test_a_folder_that_gdr_converted_from_laion_is_read_as_laions(
    tiny_clap: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "laion"
    shutil.copytree(tiny_clap, folder)
    described = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(described | {"gdr_pair": "laion"}))
    assert locate(str(folder)).audio.name == "laion"


def write(folder: Path, **described: object) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(described))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_what_is_no_pair_is_refused_with_what_there_is(
    tiny_clap: Path, tiny_t5: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    text_file = tmp_path / "notes.txt"
    text_file.write_text("no weights")
    narrow = write(tmp_path / "narrow", model_type="clap", projection_dim="wide")
    (narrow / "model.safetensors").write_bytes((tiny_clap / "model.safetensors").read_bytes())
    for name, problem in (
        ("clapp", "there is no model 'clapp'; use builtin, musicnn, clap"),
        ("nobody/nothing", "there is no model 'nobody/nothing'"),
        (str(empty), "it has no config.json"),
        (str(text_file), "neither a model folder nor a laion-clap checkpoint"),
        (str(write(tmp_path / "bert", model_type="bert")), "a model of type 'bert'"),
        (str(narrow), "gives 'wide' as the width of a latent"),
        (str(tiny_t5), r"reads text only \(t5\)"),
        (f"{tiny_clap}+{tmp_path / 'bert'}", "holds no text encoder that gdr reads"),
    ):
        with pytest.raises(ModelError, match=problem) as refused:
            locate(name)
        assert "\n" not in str(refused.value)


def test_a_refusal_hints_at_the_next_step(tiny_t5: Path) -> None:
    for name, hint, facts in (
        ("nobody/nothing", Hint.FIND_OR_PULL, {"name": "nobody/nothing"}),
        (str(tiny_t5), Hint.ADD_AUDIO_SIDE, {"text": str(tiny_t5)}),
        ("clap", Hint.PULL, {"name": "clap"}),
        ("musicnn", Hint.PULL, {"name": "musicnn"}),
        ("mule-t5", Hint.CONVERT, {"pair": "mule"}),
    ):
        with pytest.raises(ModelError) as refused:
            locate(name)
        assert (refused.value.hint, refused.value.facts) == (hint, facts)


@pytest.mark.parametrize("part", pairs.AUDIO_PARTS, ids=lambda part: part.name)
def test_the_module_of_an_audio_encoder_keeps_its_promise(part: pairs.AudioPart) -> None:
    assert part.module is not None
    signature = inspect.signature(part.module().load_audio)
    assert list(signature.parameters) == ["folder", "space", "device"]


@pytest.mark.parametrize("part", pairs.TEXT_PARTS, ids=lambda part: part.name)
def test_the_module_of_a_text_encoder_keeps_its_promise(part: pairs.TextPart) -> None:
    signature = inspect.signature(part.module().load_text)
    assert list(signature.parameters) == ["folder", "device"]


def test_the_table_agrees_with_itself() -> None:
    for name, pair in pairs.PAIRS.items():
        assert pair.name == name
        if pair.shared:
            assert pair.audio.weights == pair.text.weights, "one space, one set of weights"
        assert "+" not in name
        assert "@" not in name
        assert "/" not in name
    in_folders = [part for part in pairs.TEXT_PARTS if part.find is None]
    for part in (*pairs.AUDIO_PARTS, *in_folders):
        assert part.weights.key
        # Weights can be downloaded, or converted from a file.
        assert part.weights.hub or part.weights.key in CONVERTERS
        # What is pulled as a package is converted from it.
        assert not part.weights.package or part.weights.key in CONVERTERS


@pytest.mark.parametrize(("name", "width"), [("minilm", minilm.WIDTH), ("use", use.WIDTH)])
def test_text_encoders_of_packages_read_for_any_audio_encoder(
    tiny_clap: Path, name: str, width: int
) -> None:
    pair = locate(f"{tiny_clap}+{name}")
    assert (pair.argument, pair.shared) == (f"{tiny_clap}+{name}", False)
    embedding = pair.load_text(CPU).embed(["warm piano", ""])
    assert embedding.pooled.shape == (2, width)
    assert embedding.mask.any(1).tolist() == [True, False]


def test_the_builtin_encoder_comes_with_its_retriever(tiny_clap: Path) -> None:
    pair = replace(locate(str(tiny_clap)), audio=pairs.BUILTIN)
    with pytest.raises(ModelError, match="no audio encoder apart from a retriever"):
        pair.load_audio(CPU)
