"""Checkpoints of laion-clap: read without running them, converted, equal to the reference."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gdr_model.encoders.clap import laion, laion_convert
from gdr_model.encoders.clap.encoder import LogMel, tower
from gdr_model.encoders.formats.state_dicts import read_pickle
from gdr_model.encoders.registry.resolve import locate
from gdr_model.errors import Hint, ModelError, WeightsMissing

HEADS = 4
"""Of the reference's text tower; its width is none of RoBERTa's."""


@pytest.fixture
def checkpoint(golden: Callable[[str], Path]) -> Path:
    return golden("clap") / "tiny_laion.pt"


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    laion_convert.convert(checkpoint, tmp_path, HEADS)
    return tmp_path


def test_every_tensor_gets_its_name(checkpoint: Path, golden: Callable[[str], Path]) -> None:
    theirs = laion_convert.read_checkpoint(checkpoint)
    ours = laion_convert.converted(theirs)
    known = json.loads((golden("clap") / "key_map.json").read_text())
    assert set(ours) == {name for _, name in known["rename"]}
    for source, name in known["rename"]:
        plain, _, third = source.partition("[")
        value = theirs[plain].chunk(3)[int(third[0])] if third else theirs[plain]
        torch.testing.assert_close(ours[name], value, rtol=0, atol=0)


def test_sizes_follow_from_the_tensors(checkpoint: Path, golden: Callable[[str], Path]) -> None:
    ours = laion_convert.converted(laion_convert.read_checkpoint(checkpoint))
    found = laion_convert.configuration(ours, HEADS)
    wanted = json.loads((golden("clap") / "config.json").read_text())["hf_config"]
    for part in ("audio_config", "text_config"):
        for name, value in found[part].items():
            assert wanted[part][name] == value, name
    with pytest.raises(ModelError) as refusal:
        laion_convert.configuration(ours)
    assert refusal.value.hint is Hint.COUNT_TEXT_HEADS


def test_a_converted_folder_has_laions_latents(folder: Path, golden: Callable[[str], Path]) -> None:
    io = np.load(golden("clap") / "io.npz")
    found = locate(str(folder))
    assert (found.audio.name, found.space.dim) == ("laion", 32)
    encoder: Any = laion.load_audio(folder, found.space, torch.device("cpu"))
    for row, samples in enumerate((io["audio_48k"][0], io["audio_short_48k"])):
        latents = encoder.encode(samples)
        np.testing.assert_allclose(
            latents, np.repeat(io["laion_audio_embed"][row][None], len(latents), 0), atol=1e-5
        )
    mel = LogMel.of(folder)(laion.sixteen_bits(torch.from_numpy(io["audio_48k"])))
    np.testing.assert_allclose(mel, io["laion_logmel"][:1, 0], atol=0.02)


def test_a_converted_folder_has_laions_words(folder: Path, golden: Callable[[str], Path]) -> None:
    from transformers import ClapTextModelWithProjection

    io = np.load(golden("clap") / "io.npz")
    net = tower(ClapTextModelWithProjection, "text_config", folder)
    ids, mask = (torch.from_numpy(io[f"text_{name}"]) for name in ("input_ids", "attention_mask"))
    with torch.inference_mode():
        for row in range(len(ids)):
            # As prompts are read: alone, without padding.
            found = net(input_ids=ids[row][mask[row].bool()][None])
            wanted = io["laion_text_embed"][row]
            embed = torch.nn.functional.normalize(found.text_embeds[0], dim=0)
            np.testing.assert_allclose(embed, wanted, atol=1e-5)
    with pytest.raises(WeightsMissing, match="has no usable tokenizer"):
        laion.load_text(folder, torch.device("cpu"))


def test_a_checkpoint_and_its_folder_are_one_space(checkpoint: Path, folder: Path) -> None:
    assert locate(str(checkpoint)).space == locate(str(folder)).space


def test_pickles_that_would_run_something_are_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (print, ("run",))

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="tensors alone: it would run "):
        locate(str(tmp_path / "evil.pt"))


def test_what_old_numpy_left_in_a_checkpoint_is_read(tmp_path: Path) -> None:
    torch.save({"loss": np.float64(0.5), "epoch": 3}, tmp_path / "old.pt")
    assert read_pickle(tmp_path / "old.pt") == {"loss": 0.5, "epoch": 3}


def test_other_checkpoints_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": {"layer.weight": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"holds other weights \(layer\.weight, …\)"):
        locate(str(tmp_path / "other.pt"))
    (tmp_path / "half.pt").write_bytes(checkpoint.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="it is damaged"):
        locate(str(tmp_path / "half.pt"))
    theirs = laion_convert.read_checkpoint(checkpoint)
    del theirs["text_branch.embeddings.word_embeddings.weight"]
    torch.save(theirs, tmp_path / "part.pt")
    with pytest.raises(ModelError, match="lacks the tensor"):
        laion_convert.convert(tmp_path / "part.pt", tmp_path, HEADS)


@pytest.mark.skipif(
    importlib.util.find_spec("laion_clap") is not None, reason="laion-clap is installed"
)
def test_without_the_package_a_checkpoint_says_what_to_do(checkpoint, monkeypatch) -> None:
    monkeypatch.setitem(laion.ARCHITECTURES, 16, "HTSAT-tiny")
    with pytest.raises(WeightsMissing, match=r"gdr-tui\[laion\]") as refused:
        laion.load_audio(checkpoint, locate(str(checkpoint)).space, torch.device("cpu"))
    assert refused.value.hint is Hint.CONVERT_FILE
    assert refused.value.facts["path"] == str(checkpoint)


class FakeTokenizer:
    """Replaces the tokenizers that laion-clap fetches from the hub when it is imported."""

    @classmethod
    def from_pretrained(cls, *_: object, **__: object) -> FakeTokenizer:
        return cls()

    def __call__(self, *_: object, **__: object) -> dict[str, Any]:
        return {"input_ids": torch.zeros(1, 2, dtype=torch.long)}


def without_torchvision(patch: pytest.MonkeyPatch) -> None:
    """Stubs for what laion-clap imports and inference does not use, where it cannot be imported."""
    names: dict[str, list[str]] = {
        "torchvision": [],
        "torchvision.datasets": [],
        "torchvision.transforms": [
            "Normalize",
            "Compose",
            "RandomResizedCrop",
            "ToTensor",
            "InterpolationMode",
            "Resize",
            "CenterCrop",
        ],
        "torchvision.ops": [],
        "torchvision.ops.misc": ["FrozenBatchNorm2d"],
        "librosa": [],
        "h5py": [],
        "pandas": [],
        "wget": [],
        "wandb": [],
    }
    for name, members in names.items():
        try:
            __import__(name)
        except (ImportError, RuntimeError):
            module = types.ModuleType(name)
            module.__spec__ = importlib.util.spec_from_loader(name, None)
            module.__path__ = []
            for member in members:
                setattr(module, member, type(member, (), {}))
            patch.setitem(sys.modules, name, module)
            parent, _, child = name.rpartition(".")
            if parent:
                patch.setattr(sys.modules[parent], child, module, raising=False)


@pytest.mark.skipif(
    importlib.util.find_spec("laion_clap") is None, reason="laion-clap is not installed"
)
@pytest.mark.filterwarnings("ignore")
def test_the_package_and_the_folder_give_the_same_latents(
    checkpoint, folder, golden, monkeypatch
) -> None:
    # Before the stubs: with a torchvision that is none, transformers would not import these.
    import transformers
    from transformers import ClapModel, RobertaConfig, RobertaModel  # noqa: F401

    config = json.loads((golden("clap") / "config.json").read_text())
    for name in ("BertTokenizer", "RobertaTokenizer", "BartTokenizer"):
        monkeypatch.setattr(transformers, name, FakeTokenizer)
    roberta = RobertaModel(RobertaConfig(**config["roberta"]))
    monkeypatch.setattr(RobertaModel, "from_pretrained", lambda *_, **__: roberta)
    without_torchvision(monkeypatch)
    import laion_clap  # noqa: F401
    from clap_module import factory, htsat
    from clap_module import model as clap_model

    def tiny(audio_cfg: Any, *_: object, **__: object) -> Any:
        made = {"spec_size": 256, "patch_size": 4, "patch_stride": (4, 4), "window_size": 8}
        made |= config["htsat"]
        return htsat.HTSAT_Swin_Transformer(
            num_classes=audio_cfg.class_num, config=audio_cfg, enable_fusion=False, **made
        )

    width, joint = config["roberta"]["hidden_size"], config["joint_embed_dim"]
    clap_class = clap_model.CLAP

    class Small(clap_class):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, joint_embed_shape=joint, **kwargs)
            self.text_projection[0] = torch.nn.Linear(width, joint)

    monkeypatch.setattr(clap_model, "create_htsat_model", tiny)
    monkeypatch.setattr(factory, "CLAP", Small)
    known = {**factory._MODEL_CONFIGS["HTSAT-tiny"], "audio_cfg": config["audio_cfg"]}
    known["embed_dim"] = config["htsat"]["embed_dim"] * 8
    monkeypatch.setitem(factory._MODEL_CONFIGS, "HTSAT-tiny", known)
    monkeypatch.setitem(laion.ARCHITECTURES, config["htsat"]["embed_dim"], "HTSAT-tiny")

    io = np.load(golden("clap") / "io.npz")
    device, space = torch.device("cpu"), locate(str(folder)).space
    package: Any = laion.load_audio(checkpoint, space, device)
    converted = laion.load_audio(folder, space, device)
    rng = np.random.default_rng(0)
    longer = (0.2 * rng.standard_normal(12 * 48_000)).astype(np.float32)
    for samples in (io["audio_48k"][0], io["audio_short_48k"], longer):
        np.testing.assert_allclose(package.encode(samples), converted.encode(samples), atol=1e-5)
    np.testing.assert_allclose(
        package.encode(io["audio_48k"][0])[0], io["laion_audio_embed"][0], atol=1e-5
    )
    ids, mask = torch.from_numpy(io["text_input_ids"]), io["text_attention_mask"].astype(bool)
    module = laion.package_module(checkpoint, device)
    states, pooled = laion.read_ids(module, ids[:1, mask[0]])
    np.testing.assert_allclose(pooled[0], io["laion_text_embed"][0], atol=1e-5)
    np.testing.assert_allclose(states[0], io["laion_text_last_hidden"][0][mask[0]], atol=1e-4)
