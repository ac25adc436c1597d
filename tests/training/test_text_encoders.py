"""Sets and runs keep the name of the text encoder that read their captions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_set import small

from gdr_model import decode
from gdr_model.encoders.use import encoder as use
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from training.data import MANIFEST
from training.data.config import DataConfig
from training.data.corpus import read_corpus
from training.data.extracted import read_extracted, write_extracted
from training.data.texts import embed, load_reader
from training.evaluation.subjects import opened
from training.retrievers.export import export
from training.retrievers.fused import COMMON, TOWER, fused
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.state import load_model, read_tensors, save_tensors

SAID = ("ruhiges Klavier", "ドラム", "smooth jazz", "guitarras fuertes")
TRACKS = 16


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random latents of the built-in space, with captions that the multilingual encoder read."""
    folder = tmp_path_factory.mktemp("set") / "random"
    space = checkpoint.load("builtin", "cpu").space
    rng = np.random.default_rng(0)
    write_extracted(
        folder,
        model="builtin",
        text_encoder="use",
        space=space,
        tracks=[f"t{i}" for i in range(TRACKS)],
        latents=[rng.standard_normal((5, space.dim)).astype(np.float32) for _ in range(TRACKS)],
        captions=list(SAID),
        texts=embed(SAID, load_reader("use")),
        pairs=[(i, i % 4) for i in range(TRACKS)],
    )
    return folder


def test_an_extraction_that_names_no_text_encoder_was_read_by_minilm(
    extracted: Path, tmp_path: Path
) -> None:
    assert read_extracted(extracted).text_encoder == "use"
    raw = json.loads((extracted / MANIFEST).read_text())
    del raw["text_encoder"]
    for file in extracted.glob("*.safetensors"):
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / MANIFEST).write_text(json.dumps(raw))
    corpus = read_corpus(DataConfig(str(tmp_path)), whole=True)
    assert corpus.text_encoder == "minilm"
    assert corpus.reader.embed(["piano"]).pooled.shape == (1, 384)


def test_a_run_on_a_set_writes_a_model_that_reads_as_the_set_was_read(
    extracted: Path, tmp_path: Path
) -> None:
    config = decode.into(
        RunConfig,
        {
            "name": "random",
            "data": {"path": str(extracted), "folds": 2},
            "network": {"kind": "transformer", "width": 16, "layers": 1},
            "optimiser": {"steps": 3, "batch": 4, "warmup": 1, "ema": 0.9},
            "draw": {"draws": 2, "steps": 2},
        },
    )
    train_on_corpus(config, "0", tmp_path)
    corpus, run = read_corpus(config.data), load_model(tmp_path)
    fused(tmp_path, run, corpus, torch.device("cpu"))
    tensors, about = read_tensors(tmp_path / TOWER)
    points = torch.rand(3, run.space.dim)  # as a run with a bank of captions keeps them
    save_tensors(tmp_path / TOWER, {**tensors, COMMON: points}, about)
    model = checkpoint.load(str(export(tmp_path, corpus)), "cpu")
    np.testing.assert_allclose(model.common_points, points, atol=1e-3)
    assert model.config.text_encoder == "use"
    assert model.denoiser.config.text_width == model.contrastive.text_width == use.WIDTH
    pooled = model.text.embed(["warmes Klavier"]).pooled
    assert model.contrastive(torch.from_numpy(pooled)).shape == (1, model.space.dim)
    with opened(str(tmp_path), str(extracted)) as subject:
        wanted = model.text.embed(subject.captions).pooled
        np.testing.assert_allclose(subject.embedding().pooled, wanted, atol=1e-5)


def test_another_model_reads_the_captions_of_a_set_itself(extracted: Path) -> None:
    with opened("builtin", str(extracted)) as subject:
        wanted = subject.model.text.embed(subject.captions).pooled
        np.testing.assert_allclose(subject.embedding().pooled, wanted, atol=1e-5)


def test_captions_of_arrays_are_read_as_the_configuration_says(
    tiny_set: Path, tiny: RunConfig, tmp_path: Path
) -> None:
    assert read_corpus(tiny.data).texts.pooled.shape[1] == 384
    config = replace(tiny, data=replace(tiny.data, text_encoder="use"))
    corpus = read_corpus(config.data)
    assert corpus.texts.pooled.shape[1] == use.WIDTH
    train_on_corpus(config, "0", tmp_path, corpus=corpus)
    with opened(str(tmp_path)) as subject:  # captions the run writes, and other words
        assert subject.corpus.text_encoder == "use"
        found = subject.model.text.embed(["Klavier"]).pooled
    np.testing.assert_array_equal(found, load_reader("use").embed(["Klavier"]).pooled)
    wrong = small(tiny_set)
    wrong["data"] = {"path": str(tiny_set), "text_encoder": "bert"}
    with pytest.raises(UsageError, match=r"data\.text_encoder must be minilm or use"):
        decode.into(RunConfig, wrong)
