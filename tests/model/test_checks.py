"""Reference checks: every golden output within its tolerance, and folders that are not right."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
import references as ref
import torch
from safetensors.numpy import save_file

from gdr_model.checks import CHECKS, check
from gdr_model.checks import mule as mule_check
from gdr_model.checks.case import cases, compared, compared_decibels
from gdr_model.encoders.formats.gdr_folder import sizes
from gdr_model.encoders.mule.port_net import MulePort, MulePortConfig
from gdr_model.encoders.mule.published_net import Mule, MuleConfig
from gdr_model.encoders.muscall.net import Muscall, upstream_config
from gdr_model.errors import ModelError, UsageError


@pytest.mark.parametrize(
    ("name", "folder", "outputs"),
    [
        ("mule", "mule_frontend", {"pandora_logmel", "pandora_model_input"}),
        ("mule-port", "mule_frontend", {"torchaudio_mel_db"}),
        ("mule", "nfnet_keras", {"fused3", "embedding", "embedding_full"}),
        ("mule-port", "nfnet_torch", {"slow_stage1_block0_residual", "embedding_f64_full"}),
        ("muscall", "muscall", {"audio_projection_out_f64", "clip_loss", "text_pooled_paper"}),
        ("unet", "gdr_unet", {"y_scale3", "y_neg_scale3", "y_timefloat", "y_scale3_f64"}),
        ("mlp", "gdr_mlp", {"y2", "y3", "y2_cond_direct"}),
        ("clap", "clap", {"hf_logmel", "hf_audio_embed", "hf_text_embed", "hf_logits_per_audio"}),
        ("laion", "clap", {"laion_logmel", "laion_htsat_pooled", "laion_text_last_hidden"}),
    ],
)
def test_every_golden_output_is_within_its_tolerance(
    golden, name: str, folder: str, outputs: set[str]
) -> None:
    found = {output.name: output for output in check(name, golden(folder))}
    assert outputs <= set(found)
    assert {o.name: o.used for o in found.values() if not o.passes} == {}


def test_muscall_is_held_to_what_each_precision_can_reach(golden) -> None:
    """Single precision has room for another processor's rounding; double precision has none."""
    found = {output.name: output for output in check("muscall", golden("muscall"))}
    assert found["layer4_out_paper"].used < 0.5
    for name in ("audio_projection_out_f64", "audio_projection_out_f64_paper"):
        assert found[name].error < 1e-6
        assert found[name].atol < 1e-5
    for name in ("text_projection_out_f64", "text_projection_out_f64_paper"):
        assert found[name].error < 1e-12


def test_a_checkpoint_stands_in_for_stored_tensors(golden, tmp_path: Path) -> None:
    for path in golden("clap").iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).symlink_to(path)
    for name in ("clap", "laion"):
        assert all(output.passes for output in check(name, tmp_path))


@pytest.fixture
def mule_reference(tmp_path: Path) -> Path:
    """Two sets of MULE, of recipes alone, with the embeddings that they give here."""
    folder = tmp_path / "reference"
    net = Mule(sizes(MuleConfig, ref.MULE, "the reference"))
    slices = np.random.default_rng(0).standard_normal((2, 96, 300, 1)).astype(np.float32)
    for suffix, base in (("", 31), ("_full", 77)):
        recipe = ref.recipe_of(keras_layout(net), base)
        ref.write_reference(folder, ref.MULE, recipe, {"input": slices}, suffix)
    for case in cases(folder):
        ours = mule_check.network(case, torch.from_numpy(slices))
        np.savez(folder / f"io{case.suffix}.npz", input=slices, embedding=ours["embedding"])
    return folder


def keras_layout(net: Mule) -> dict[str, torch.Tensor]:
    orders = {4: (2, 3, 1, 0), 2: (1, 0)}
    return {
        name: value.permute(orders[value.ndim]) if value.ndim in orders else value
        for name, value in net.state_dict().items()
    }


def test_sets_of_recipes_alone_are_rebuilt_and_compared(mule_reference: Path) -> None:
    found = list(check("mule", mule_reference))
    assert [(o.name, o.error, o.passes) for o in found] == [
        ("embedding", 0, True),
        ("embedding_full", 0, True),
    ]


def test_an_output_that_differs_fails_with_its_figures(mule_reference: Path) -> None:
    path = mule_reference / "io_full.npz"
    arrays = dict(np.load(path))
    arrays["embedding"][1, 3] += 0.01
    np.savez(path, **arrays)
    good, bad = check("mule", mule_reference)
    assert good.passes
    assert not bad.passes
    assert bad.error == pytest.approx(0.01, rel=1e-3)
    assert bad.relative == pytest.approx(0.01 / np.abs(arrays["embedding"]).max(), rel=1e-3)
    arrays["embedding"][:] = np.nan
    np.savez(path, **arrays)
    assert [o.passes for o in check("mule", mule_reference)] == [True, False]


def test_stored_tensors_come_before_the_recipe(mule_reference: Path) -> None:
    gain = {"slow.3.0.residual_gain": np.full((), 0.5, np.float32)}
    save_file(gain, mule_reference / "weights.safetensors")
    assert [o.passes for o in check("mule", mule_reference)] == [False, True]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json"),
        (lambda f: (f / "config.json").write_text("[]"), "not a configuration"),
        (lambda f: (f / "weights_recipe.json").unlink(), "neither"),
        (lambda f: (f / "weights_recipe.json").write_text("{}"), "has no tensor"),
        (lambda f: (f / "io.npz").write_bytes((f / "io.npz").read_bytes()[:900]), "not an archive"),
        (lambda f: (f / "weights.safetensors").write_bytes(b"PK\3\4pickle"), "safetensors"),
        (lambda f: edit(f, depths=[1, 2, 2, 1]), r"has no tensor slow.2.1.residual_gain"),
        (lambda f: edit(f, slow_out=[8, 8, 16, 32]), r"this network needs \(16, 32"),
        (lambda f: edit(f, slow_out=None), "slow_out must be a list of whole numbers"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(mule_reference: Path, spoil, problem: str) -> None:
    spoil(mule_reference)
    with pytest.raises(ModelError, match=problem):
        list(check("mule", mule_reference))


def edit(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize("name", list(CHECKS))
def test_every_check_compares_the_sets_of_a_reference(name: str) -> None:
    module = importlib.import_module(CHECKS[name])
    assert list(inspect.signature(module.outputs).parameters) == ["case"]


def test_other_references_and_names_are_refused(mule_reference: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no output of mule-port"):
        list(check("mule-port", mule_reference))
    with pytest.raises(ModelError, match="is no reference for muscall"):
        list(check("muscall", mule_reference))
    with pytest.raises(ModelError, match="no reference folder"):
        list(check("mule", tmp_path))
    with pytest.raises(UsageError, match="use mule"):
        list(check("mulle", mule_reference))


@pytest.mark.parametrize("name", ["mule-port", "muscall"])
def test_the_other_networks_are_rebuilt_too(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    if name == "muscall":
        net, config = Muscall(upstream_config(ref.MUSCALL)), ref.MUSCALL
        arrays = {
            "audio": 0.1 * rng.standard_normal((2, 48000), np.float32),
            "text_ids": rng.integers(1, 600, (2, 77)),
            "audio_projection_out": np.zeros((2, 12), np.float32),
        }
    else:
        net, config = MulePort(sizes(MulePortConfig, ref.MULE_PORT, "the reference")), ref.MULE_PORT
        arrays = {
            "input_logmel_db": rng.standard_normal((2, 1, 96, 300), np.float32),
            "embedding": np.zeros((2, 24), np.float32),
        }
    recipe = ref.recipe_of(net.state_dict(), 5)
    found = list(check(name, ref.write_reference(tmp_path / "r", config, recipe, arrays)))
    assert [o.passes for o in found] == [False]  # nothing is zero
    assert np.isfinite(found[0].error)


def test_errors_are_measured_against_what_each_value_allows() -> None:
    theirs = np.array([100.0, 0.0])
    output = compared("x", theirs + np.array([5e-3, 5e-6]), theirs, 1e-5)
    assert output.used == pytest.approx(0.5, rel=2e-3)
    assert output.relative == pytest.approx(5e-5)
    with pytest.raises(ValueError, match="the reference has"):
        compared("x", np.zeros(3), theirs, 1e-5)


def test_decibels_far_below_the_peak_are_rounding() -> None:
    theirs = np.array([[[0.0, -60.0, -115.0]]])
    for place, passes in ((0, False), (1, False), (2, True)):
        ours = theirs.copy()
        ours[0, 0, place] += 0.5
        assert compared_decibels("mel", ours, theirs, 1e-5).passes is passes
