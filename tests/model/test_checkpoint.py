"""Model folders: written, read back, and refused when they are not what they say."""

import hashlib
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from upstream import UPSTREAM

from gdr_model.diffusion import denoisers
from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.prediction import to_v
from gdr_model.diffusion.schedule import Schedule
from gdr_model.encoders.builtin.audio import AudioNet
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.errors import ModelError, UsageError
from gdr_model.models import checkpoint
from gdr_model.models.config import ModelConfig, retriever_of

SHAPES = [
    {"kind": "transformer", "dim": 8, "width": 32, "layers": 1},
    {"kind": "unet", "dim": 8, "channels": [8] * 4, "heads": 1, "head_width": 8, "groups": 2}
    | {"features": 8, "text_width": 384, "null_length": 3},
    {"kind": "mlp", "dim": 8, "widths": [16], "condition_width": 16},
]


def save(folder: Path, **changes: Any) -> Path:
    """Write a model with fresh weights."""
    parts: dict[str, Any] = {
        "denoiser": TransformerDenoiser(TransformerConfig(dim=8, width=32, layers=1)),
        "schedule": Schedule(),
        "latent_mean": torch.zeros(8),
        "latent_sd": torch.ones(8),
        "contrastive": ContrastiveTower(384, 8),
    }
    checkpoint.save(
        folder,
        name="small",
        net=AudioNet(),
        projection=torch.randn(AudioNet.FEATURES, 8),
        whitening_power=0.25,
        **parts | changes,
    )
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return save(tmp_path / "small")


def test_a_saved_model_loads_as_it_was(folder: Path) -> None:
    model = checkpoint.load(str(folder), "cpu")
    assert (model.name, model.space.dim, model.whitening.power) == ("small", 8, 0.25)
    again = checkpoint.load(str(folder), "cpu")
    sound = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    np.testing.assert_array_equal(model.encoder.encode(sound), again.encoder.encode(sound))
    assert model.space == again.space


def test_a_model_names_its_text_encoder_and_older_ones_read_with_minilm(folder: Path) -> None:
    assert checkpoint.load(str(folder), "cpu").text.embed(["piano"]).pooled.shape == (1, 384)
    save(folder, contrastive=ContrastiveTower(512, 8), text_encoder="use")
    model = checkpoint.load(str(folder), "cpu")
    assert model.text.embed(["piano"]).states.shape == (1, 1, 512)
    assert checkpoint.encoder_of(model)["text_encoder"] == "use"
    described = json.loads((folder / "config.json").read_text())
    del described["text_encoder"]
    (folder / "config.json").write_text(json.dumps(described))
    assert checkpoint.load(str(folder), "cpu").config.text.name == "minilm"
    (folder / "config.json").write_text(json.dumps(described | {"text_encoder": "bert"}))
    sentence = "trained with the text encoder 'bert'; this gdr has minilm and use"
    with pytest.raises(ModelError, match=sentence):
        checkpoint.load(str(folder), "cpu")


def test_an_encoder_of_another_training_is_refused(folder: Path) -> None:
    tensors = checkpoint.load_file(folder / "model.safetensors")
    tensors["encoder.stem.0.weight"] += 1
    checkpoint.save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"is not the file that its config\.json describes"):
        checkpoint.load(str(folder))
    change(folder, checksum="")  # as in models of earlier versions
    with pytest.raises(ModelError, match=r"but its config\.json says"):
        checkpoint.load(str(folder), "cpu")


def change(folder: Path, **fields: object) -> None:
    """Write a configuration that differs in some fields."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | fields))


def test_one_flipped_bit_is_noticed(folder: Path) -> None:
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="install the model again"):
        checkpoint.load(str(folder))


def test_what_ships_has_its_checksum() -> None:
    for config in (ModelConfig.read("builtin"), retriever_of("musicnn")):
        assert config is not None
        assert config.checksum == hashlib.sha256(config.weights.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("denoiser", {"width": 16_000, "heads": 4}),  # would take 40 GB
        ("denoiser", {"layers": 200}),
        ("denoiser", {"dim": 0}),
        ("denoiser", {"heads": 0}),
        ("denoiser", {"patch": 7}),
        ("contrastive", {"text_width": 16_000}),
        ("contrastive", {"dim": "x"}),
        ("schedule", {"times": 0}),
        ("schedule", {"times": "x"}),
        ("schedule", {"steps_offset": 0.5}),
    ],
)
def test_impossible_shapes_are_refused_before_they_take_memory(
    folder: Path, part: str, fields: dict
) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(folder, **{part: config[part] | fields})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match=r"cannot be read: |does not describe a gdr model: "):
        checkpoint.load(str(folder), "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_a_config_of_the_first_form_is_a_transformer_that_predicts_v(folder: Path) -> None:
    model = checkpoint.load(str(folder), "cpu")
    config = json.loads((folder / "config.json").read_text())
    del config["denoiser"]["kind"], config["prediction"], config["distilled"]
    config["schedule"] = {"times": 1000}
    (folder / "config.json").write_text(json.dumps(config))
    old = checkpoint.load(str(folder), "cpu")
    assert old.denoiser.config == model.denoiser.config
    assert (old.schedule, old.config.prediction) == (model.schedule, "v")
    assert old.velocity is old.denoiser


def test_a_tower_of_one_map_reads_by_its_first_name(folder: Path) -> None:
    loaded, weights = checkpoint.load(str(folder), "cpu"), folder / "model.safetensors"
    tensors = {
        name.replace("contrastive.members.0.", "contrastive.body."): value
        for name, value in checkpoint.load_file(weights).items()
    }
    assert any(name.startswith("contrastive.body.") for name in tensors)
    checkpoint.save_file(tensors, weights)
    config = json.loads((folder / "config.json").read_text())
    del config["contrastive"]["members"]
    config["checksum"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (folder / "config.json").write_text(json.dumps(config))
    pooled = torch.randn(3, 384)
    again = checkpoint.load(str(folder), "cpu").contrastive(pooled)
    assert torch.equal(again, loaded.contrastive(pooled))


@pytest.mark.parametrize("prediction", ["v", "x0", "eps"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_denoiser_and_prediction_is_saved_and_loaded(
    tmp_path: Path, shape: dict, prediction: str
) -> None:
    torch.manual_seed(0)
    net = denoisers.build(shape)
    save(tmp_path / "other", denoiser=net, schedule=UPSTREAM, prediction=prediction, distilled=True)
    model = checkpoint.load(str(tmp_path / "other"), "cpu")
    assert denoisers.describe(model.denoiser) == denoisers.describe(net)
    assert (model.schedule, model.config.distilled) == (UPSTREAM, True)
    x, t = torch.randn(1, net.config.frames, 8), torch.tensor([500])
    text = torch.zeros(1, 2, 384), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 384)
    output = model.denoiser(x, t, model.denoiser.read(*text))
    v = model.velocity(x, t, model.velocity.read(*text))
    torch.testing.assert_close(v, to_v(output, x, t, UPSTREAM, prediction))


@pytest.mark.parametrize(
    "changed",
    [{"prediction": "score"}, {"denoiser": {"kind": "rnn"}}, {"schedule": {"kind": "linear"}}],
)
def test_a_config_of_unknown_parts_is_refused(folder: Path, changed: dict) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))
    with pytest.raises(ModelError, match="cannot be read"):
        checkpoint.load(str(folder))


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ModelError, match="there is no model 'nonsense'"):
        checkpoint.load("nonsense")


def test_a_truncated_file_is_refused_in_one_sentence(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be read") as caught:
        checkpoint.load(str(folder))
    assert "\n" not in str(caught.value)


def test_weights_of_other_dimensions_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["denoiser"]["width"] = 64
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be read"):
        checkpoint.load(str(folder))


def test_a_name_that_would_act_on_a_terminal_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"name": "mine\x1b[31m"}))
    with pytest.raises(ModelError, match="does not describe a gdr model"):
        checkpoint.load(str(folder))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}'])
def test_a_folder_that_is_no_model_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError):
        checkpoint.load(str(folder))


def test_a_device_that_is_not_here_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        checkpoint.load(str(folder), "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="no cuda device"):
            checkpoint.load(str(folder), "cuda")


def test_loading_leaves_the_number_of_threads_to_the_program(folder: Path) -> None:
    torch.set_num_threads(2)
    checkpoint.load(str(folder), "cpu").encoder.encode(np.zeros(32_000, np.float32))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("cuda", "mps", "picked"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_an_accelerator_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, picked: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert checkpoint.pick_device("auto").type == picked
