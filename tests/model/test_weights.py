"""Installed weights: where they are looked for, whether they are whole, what identifies them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gdr_model import paths
from gdr_model.encoders.registry.pairs import Weights
from gdr_model.errors import Hint, ModelError, WeightsMissing
from gdr_model.models import weights

PART = Weights("mine", "a model of mine", ("mine", "mine-too"), hub="some/mine")
FILE = Weights("file", "a checkpoint", hub="some/file", file="model.pt")
LOCAL = Weights("local", "weights that nobody publishes", ("local",))
TENSORS = {
    "audio.b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "audio.a": np.ones(3, np.float16),
    "text.a": np.zeros(2, np.int64),
}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-cache"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def installed(key: str, name: str = "config.json", content: str = "{}") -> Path:
    folder = paths.models() / key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)
    return folder


def test_weights_are_found_by_their_key_among_the_users_models() -> None:
    folder = installed("mine")
    assert weights.find(PART) == folder
    folder = installed("file", "model.pt")
    assert weights.find(FILE) == folder / "model.pt"
    installed("file")
    assert weights.find(FILE) == folder, "a converted folder comes before the file"


def test_missing_weights_come_with_a_hint_at_how_to_get_them() -> None:
    for part, hint, facts in (
        (PART, Hint.PULL, {"name": "mine"}),
        (LOCAL, Hint.CONVERT, {"pair": "local"}),
    ):
        with pytest.raises(WeightsMissing, match=f"the weights of {part.key} are not") as missing:
            weights.find(part)
        assert (missing.value.hint, missing.value.facts) == (hint, facts)


def test_a_name_that_is_no_repository_is_not_in_the_hubs_cache() -> None:
    assert weights.in_hub_cache("no repository/at all/", "config.json") is None
    assert weights.in_hub_cache("some/model", "config.json") is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "has no readable config.json"),
        ("{", "has no readable config.json"),
        ("[]", "does not describe a model"),
        ("{}", "holds a model of type None; mine needs a model of mine"),
        ('{"model_type": "other"}', "holds a model of type 'other'; mine needs"),
        ('{"model_type": "mine"}', "has a config.json but no model.safetensors; fetch it again"),
    ],
)
def test_a_folder_of_something_else_is_refused(content: str | None, sentence: str) -> None:
    folder = paths.models() / "mine"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "config.json").write_text(content)
    with pytest.raises(ModelError) as refused:
        weights.require(folder, PART)
    assert sentence in str(refused.value)


def test_a_pickle_is_refused_with_the_conversion_as_a_hint() -> None:
    folder = installed("mine", content='{"model_type": "mine-too"}')
    (folder / "pytorch_model.bin").write_bytes(b"PK")
    with pytest.raises(ModelError, match="holds a pickle") as refused:
        weights.require(folder, PART)
    assert refused.value.hint is Hint.CONVERT_FOLDER
    (folder / "model.safetensors").write_bytes(b"")
    assert weights.require(folder, PART)["model_type"] == "mine-too"


def test_a_fingerprint_is_of_names_and_bytes_in_the_order_of_names(file: Path) -> None:
    digest = hashlib.sha256()
    for name in ("audio.a", "audio.b"):
        digest.update(name.encode() + TENSORS[name].tobytes())
    assert weights.fingerprint(file, ("audio.",)) == digest.hexdigest()[:16]
    whole = weights.fingerprint(file, ("",))
    assert len({whole, weights.fingerprint(file, ("text.",)), digest.hexdigest()[:16]}) == 3


def test_equal_tensors_have_equal_fingerprints_in_files_of_another_order(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    save_file(TENSORS, one, {"about": "one"})
    save_file(dict(reversed(TENSORS.items())), other)
    assert weights.fingerprint(one, ("",)) == weights.fingerprint(other, ("",))
    changed = TENSORS | {"audio.a": np.full(3, 2, np.float16)}
    save_file(changed, other)
    assert weights.fingerprint(one, ("",)) != weights.fingerprint(other, ("",))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "cannot be read as safetensors"),
        (b"\xff" * 8 + b"{}", "is not a safetensors file, or is truncated"),
        (b"\2" + b"\0" * 7 + b"[]", "is not a safetensors file, or is truncated"),
        (b"\2" + b"\0" * 7 + b"{", "cannot be read as safetensors"),
        (b"\2" + b"\0" * 7 + b"{}", "holds no tensor of audio."),
        (b"\2" + b"\0" * 7 + b"{}more", "the download was interrupted"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        weights.fingerprint(path, ("audio.",))
    assert sentence in str(refused.value)


def test_a_fingerprint_is_computed_once_until_the_file_changes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = weights.fingerprint(file, ("audio.",))
    assert list(json.loads((paths.home() / "fingerprints.json").read_text()).values()) == [first]

    def never(*_: object) -> str:
        raise AssertionError("read again")

    with monkeypatch.context() as patch:
        patch.setattr(weights, "_hashed", never)
        assert weights.fingerprint(file, ("audio.",)) == first
        os.utime(file, ns=(0, 0))
        with pytest.raises(AssertionError):
            weights.fingerprint(file, ("audio.",))
    assert weights.fingerprint(file, ("audio.",)) == first


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_damaged_cache_of_fingerprints_costs_only_time(file: Path, text: str) -> None:
    paths.home().mkdir(parents=True)
    (paths.home() / "fingerprints.json").write_text(text)
    assert weights.fingerprint(file, ("audio.",))
    assert len(json.loads((paths.home() / "fingerprints.json").read_text())) == 1


def test_a_home_that_cannot_be_written_costs_only_time(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("GDR_HOME", str(tmp_path / "a file" / "below"))
    assert weights.fingerprint(file, ("audio.",))
