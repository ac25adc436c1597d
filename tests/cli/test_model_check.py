"""`gdr model check`: the table, the verdict, the exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from references import recipe_of, write_reference
from typer.testing import CliRunner

from gdr_model.diffusion.denoisers.mlp import MlpConfig, MlpDenoiser
from gdr_tui.cli.main import app

CONFIG = {
    "in_channels": 8,
    "layer_dims": [16, 12],
    "conditioning_embedding_dim": 10,
    "dropout": 0.1,
}


def upstream_names(net: MlpDenoiser) -> dict:
    """Our tensors under the names of the method's authors."""
    renamed = {}
    for key, value in net.state_dict().items():
        if key == "null":
            continue
        for ours, theirs in (
            ("time.0", "conditioning_embedder.timestep_embedder.linear_1"),
            ("time.2", "conditioning_embedder.timestep_embedder.linear_2"),
            ("text.0", "conditioning_embedder.text_embedder.linear_1"),
            ("text.2", "conditioning_embedder.text_embedder.linear_2"),
            ("layers.2.linear", "final_layer"),
            ("layers.2.norm", "final_norm.norm"),
            ("layers.2.modulation", "final_norm.linear"),
            (".norm.", ".norm.norm."),
            (".modulation.", ".norm.linear."),
        ):
            if ours in key:
                key = key.replace(ours, theirs)
                break
        renamed[key] = value
    return renamed


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    net = MlpDenoiser(MlpConfig(dim=8, widths=(16, 12), condition_width=10, text_width=6))
    arrays = {
        "x2": rng.standard_normal((2, 8), np.float32),
        "x3": rng.standard_normal((2, 4, 8), np.float32),
        "pooled_text": rng.standard_normal((2, 6), np.float32),
        "t": np.array([1, 900]),
        "time_proj_256": np.zeros((2, 256), np.float32),
    }
    t, half = arrays["t"][:, None], np.exp(-np.log(10_000) * np.arange(128) / 128)
    arrays["time_proj_256"] = np.concatenate([np.cos(t * half), np.sin(t * half)], axis=1)
    recipe = recipe_of(upstream_names(net), base=3)
    return write_reference(tmp_path / "reference", CONFIG, recipe, arrays)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["model", "check", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_outputs_within_their_tolerance_are_a_table_and_a_verdict(reference: Path) -> None:
    code, out, err = run("mlp", "--reference", str(reference))
    assert code == 0, err
    heading, line = out.splitlines()
    assert heading.split() == ["output", "shape", "error", "relative", "allowed", "used"]
    assert line.split()[:2] == ["time_proj_256", "2×256"]
    assert "all 1 outputs are within their tolerance" in err


def test_an_output_beyond_its_tolerance_is_exit_code_1_with_the_figures(reference: Path) -> None:
    arrays = dict(np.load(reference / "io.npz"))
    arrays["y2"] = np.full((2, 8), 50.0)
    np.savez(reference / "io.npz", **arrays)
    code, out, err = run("mlp", "--reference", str(reference))
    assert code == 1
    assert out.splitlines()[-1].endswith("beyond")
    assert err.startswith("gdr: 1 of 2 outputs of mlp are beyond their tolerance; y2 has a")


def test_what_is_no_reference_is_one_sentence(reference: Path, tmp_path: Path) -> None:
    for arguments, code in (
        (("mlp", "--reference", str(tmp_path)), 1),
        (("mlp", "--reference", str(tmp_path / "nowhere")), 1),
        (("muscall", "--reference", str(reference)), 1),
        (("wav2vec", "--reference", str(reference)), 2),
    ):
        found, out, err = run(*arguments)
        assert (found, out) == (code, "")
        assert err.startswith("gdr: ")
        assert err.count("\n") == 1
