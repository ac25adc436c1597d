"""laion-clap's checkpoint: pulled, converted where it is, and used; or refused at once offline."""

from __future__ import annotations

import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from hub import serving
from huggingface_hub import constants
from transformers import BertTokenizer, RobertaModel

from gdr_model.encoders.clap import laion
from gdr_model.errors import WeightsMissing
from gdr_model.models import checkpoint
from gdr_model.models.weights import TOKENIZER

FILE = "music_audioset_epoch_15_esc_90.14.pt"
HEADS = ("--text-heads", 2)


@pytest.fixture
def published(tiny_clap: Path, tmp_path: Path) -> dict[str, Path]:
    """A checkpoint, and RoBERTa's tokenizer in its own repository."""
    folders = {name: tmp_path / name for name in ("lukewys/laion_clap", "FacebookAI/roberta-base")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    weights, words = folders.values()
    torch.save({"state_dict": tiny_models.laion_tensors(tiny_clap)}, weights / FILE)
    for name in TOKENIZER:
        if (tiny_clap / name).is_file():
            (words / name).write_bytes((tiny_clap / name).read_bytes())
    (words / "config.json").write_text("{}")
    return folders


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def test_it_is_pulled_converted_and_used(
    gdr, published: dict[str, Path], tiny_clap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(published) as hub:
        point_at(hub.url, monkeypatch)
        pulled = gdr("model", "pull", "laion")
    assert pulled.exit_code == 0, pulled.output
    folder = Path(pulled.stdout.strip())
    assert (folder / FILE).is_file()
    assert (folder / "tokenizer.json").is_file()

    done = gdr("model", "convert", folder / FILE, "--pair", "laion", *HEADS)
    assert done.exit_code == 0, done.output
    assert "tokenizer" not in done.stderr
    assert (folder / FILE).is_file(), "what was pulled stays"
    model, clap = checkpoint.load("laion", "cpu"), checkpoint.load(str(tiny_clap), "cpu")
    found, wanted = (each.text.embed(["loud drums"]).pooled for each in (model, clap))
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    sound = 0.1 * np.random.default_rng(0).standard_normal(48_000 * 11).astype(np.float32)
    assert model.encoder.encode(sound).shape == (11, 16)

    again = gdr("model", "convert", folder / FILE, "--pair", "laion", *HEADS)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "exists" in again.stderr


def test_a_folder_without_a_tokenizer_says_which_to_fetch(
    gdr, published: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-cache"))
    source = published["lukewys/laion_clap"] / FILE
    # Another model's vocabulary is no tokenizer of this one.
    source.with_name("vocab.json").write_text('{"a": 0}')
    made = tmp_path / "made"
    done = gdr("model", "convert", source, "--pair", "laion", *HEADS, "-o", made)
    assert done.exit_code == 0, done.output
    assert "put tokenizer.json and tokenizer_config.json of FacebookAI/roberta-base" in done.stderr
    assert not (made / "vocab.json").exists()


def test_offline_the_package_gives_up_at_once(
    published: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that fetches roberta-base for its text tower, as laion-clap does."""

    class Module:
        def __init__(self, **_: object) -> None:
            BertTokenizer.from_pretrained("bert-base-uncased")
            RobertaModel.from_pretrained("roberta-base")

    package = types.ModuleType("laion_clap")
    package.CLAP_Module = Module
    monkeypatch.setitem(sys.modules, "laion_clap", package)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-cache"))
    monkeypatch.setitem(laion.ARCHITECTURES, 8, "HTSAT-tiny")
    point_at("http://127.0.0.1:9", monkeypatch)
    model = checkpoint.load(str(published["lukewys/laion_clap"] / FILE), "cpu")
    began = time.monotonic()
    with pytest.raises(WeightsMissing, match="downloads tokenizers and roberta-base on first use"):
        _ = model.text
    assert time.monotonic() - began < 20
    assert not constants.HF_HUB_OFFLINE, "other models can be fetched"
