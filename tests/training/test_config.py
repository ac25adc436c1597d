"""A run's YAML: what is read, and what is refused with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdr_model import decode
from gdr_model.diffusion.denoisers.unet import PRESETS, UnetConfig
from gdr_model.errors import UsageError
from training.data.config import resolved
from training.runs.config import RunConfig, listed

CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_configuration_is_read_and_survives_json(path: Path) -> None:
    config = RunConfig.read(path)
    assert config.name == path.stem
    assert decode.into(RunConfig, config.described()) == config


def test_upstream_has_the_choices_of_the_methods_authors() -> None:
    config = RunConfig.read(next(path for path in CONFIGS if path.stem == "upstream"))
    assert not config.data.standardise
    assert config.diffusion.prediction == "x0"
    assert config.diffusion.schedule.kind == "scaled_linear"
    assert config.diffusion.min_snr is None
    assert config.network["null"] == "prompt"
    assert config.network["masked"] is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nfolds: 3\n", "unknown field folds; known are name, data"),
        ("name: a\ndata: {paht: x}\n", "unknown field data.paht"),
        ("data: {}\n", "the field name is missing"),
        ("name: 3\n", "name must be a text, not 3"),
        (
            "name: a\noptimiser: {steps: many}\n",
            "optimiser.steps must be a whole number, not",
        ),
        ("name: a\noptimiser: {steps: 0}\n", "optimiser.steps must be above 0"),
        ("name: a\noptimiser: {rate: fast}\n", "optimiser.rate must be a number"),
        ("name: a\noptimiser: {rate: true}\n", "optimiser.rate must be a number"),
        ("name: a\noptimiser: {betas: [0.9]}\n", "optimiser.betas must be a list of 2 numbers"),
        ("name: a\noptimiser: {precision: fp8}\n", "optimiser.precision must be fp32 or bf16"),
        ("name: a\noptimiser: {ema: 1}\n", "optimiser.ema must lie in [0, 1)"),
        ("name: a\ndata: [1]\n", "data must hold named fields, not [1]"),
        ("name: a\nnetwork: mlp\n", "network must hold named fields"),
        ("name: a\ndata: {power: 2}\n", "data.power must lie between 0 and 1"),
        ("name: a\ncaptions: {dropped: 2}\n", "captions.dropped must lie between 0 and 1"),
        ("name: a\ncaptions: {written_share: 0.5}\n", "captions.written_share needs written"),
        ("name: a\ndiffusion: {prediction: w}\n", "diffusion.prediction must be one of v, x0, eps"),
        ("name: a\ndiffusion: {schedule: {kind: odd}}\n", "unknown noise schedule 'odd'"),
        ("name: a\ndiffusion: {prediction: eps}\n", "eps cannot begin where no signal is left"),
        ("name: a\ndata: {validation: 1}\n", "data.validation must be 0 or more, and below 1"),
        ("name: a\ndraw: {draws: 0}\n", "0 draws are out of range"),
        ("name: a\nnetwork: {kind: unet}\ncaptions: {blended: 0.1}\n", "only for network.kind mlp"),
        ("- a\n", "the file must hold named fields"),
        ("name: [\n", "cannot be read"),
    ],
)
def test_invalid_configurations_are_refused_in_one_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        RunConfig.read(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_noise_can_be_predicted_where_a_walk_begins_with_some_signal(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    for schedule in ("{kind: scaled_linear}", "{kind: cosine, spacing: leading}"):
        path.write_text(f"name: a\ndiffusion: {{prediction: eps, schedule: {schedule}}}\n")
        assert RunConfig.read(path).diffusion.prediction == "eps"


def test_a_configuration_is_found_by_its_name() -> None:
    for path in CONFIGS:
        assert RunConfig.read(path.stem) == RunConfig.read(path)
    assert set(listed()) == {path.stem for path in CONFIGS}
    assert all(30 < len(sentence) < 130 for sentence in listed().values())
    with pytest.raises(UsageError, match="no configuration 'bace'; use base, library, song"):
        RunConfig.read("bace")
    for name in ("bace.yaml", "./bace"):
        with pytest.raises(UsageError, match="cannot be read"):
            RunConfig.read(name)


@pytest.mark.parametrize("size", ["tiny", "base", "xlarge"])
def test_the_unets_are_those_of_the_methods_authors(size: str) -> None:
    network = dict(RunConfig.read(f"unet_{size}").network)
    assert network.pop("kind") == "unet"
    shape = {name: tuple(v) if isinstance(v, list) else v for name, v in network.items()}
    assert UnetConfig(dim=512, **shape) == PRESETS[size]


def test_numbers_may_be_written_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("name: a\noptimiser: {rate: 1e-4, weight_decay: 0}\n")
    optimiser = RunConfig.read(path).optimiser
    assert (optimiser.rate, optimiser.weight_decay) == (1e-4, 0.0)


def test_a_path_may_name_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDR_SHARED", "/shared")
    assert resolved("$GDR_SHARED/set.npz") == Path("/shared/set.npz")
    monkeypatch.delenv("GDR_SHARED")
    with pytest.raises(UsageError, match="needs the environment variable GDR_SHARED"):
        resolved("$GDR_SHARED/set.npz")
