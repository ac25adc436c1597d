"""The weights of musicnn: bundles in TensorFlow's own format, its wheel, and what is neither."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import published_musicnn
import pytest
import tf_bundle
import torch
from published_musicnn import NET, variables

from gdr_model import paths
from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.musicnn import bundle
from gdr_model.encoders.musicnn import convert as conversion
from gdr_model.encoders.musicnn.net import MusicnnConfig
from gdr_model.encoders.registry.converters import convert
from gdr_model.encoders.registry.resolve import locate
from gdr_model.errors import ModelError


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return tf_bundle.write(tmp_path / "MSD_musicnn", variables())


@pytest.fixture
def published(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a bundle that counts as the published one."""
    published_musicnn.count_as_published(stored, monkeypatch)
    return stored


def assert_converted(folder: Path) -> None:
    config, tensors = gdr_folder.read(folder, "musicnn", MusicnnConfig)
    assert config == NET.config
    for name, value in NET.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(tensors[name], value, rtol=0, atol=0)


def test_a_bundle_has_its_variables_at_any_length_of_its_table() -> None:
    rng = np.random.default_rng(0)
    arrays = {
        f"layer_{number}/{part}": rng.standard_normal(shape).astype(np.float32)
        for number in range(40)
        for part, shape in (("kernel", (3, number + 1)), ("bias", (number + 1,)), ("scale", ()))
    }
    read = bundle.read(*tf_bundle.bundle(arrays | {"count": np.array([1], np.int32)}), "here")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


def test_a_bundle_becomes_the_same_network(stored: Path, tmp_path: Path) -> None:
    convert(stored, "musicnn", tmp_path / "made")
    assert_converted(tmp_path / "made")


def test_a_wheel_or_an_installed_package_becomes_the_same_network(
    published: Path, tmp_path: Path
) -> None:
    wheel = tf_bundle.wheel(tmp_path / "musicnn-0.1.0-py3-none-any.whl", published)
    convert(wheel, "musicnn", paths.models() / "musicnn")
    assert_converted(paths.models() / "musicnn")
    convert(published.parent, "musicnn", tmp_path / "made")
    assert_converted(tmp_path / "made")
    space = locate("musicnn").space
    assert (space.encoder, space.dim, space.window_s, space.hop_s) == ("musicnn", 24, 3, 1)
    assert locate(str(tmp_path / "made")).space == space


def test_a_wheel_with_other_weights_is_refused(stored: Path, tmp_path: Path) -> None:
    wheel = tf_bundle.wheel(tmp_path / "musicnn.whl", stored)
    for source in (wheel, stored.parent):
        with pytest.raises(ModelError, match=r"does not hold the weights of musicnn 0\.1\.0: MSD_"):
            convert(source, "musicnn", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def other_network(stored: dict[str, np.ndarray]) -> None:
    del stored["conv2d_5/kernel"]


def other_rank(stored: dict[str, np.ndarray]) -> None:
    stored["conv2d/kernel"] = stored["conv2d/kernel"][0]


def other_shape(stored: dict[str, np.ndarray]) -> None:
    stored["conv2d/kernel"] = stored["conv2d/kernel"][:5]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (other_network, "holds another network than musicnn: it has no conv2d_5/kernel"),
        (other_rank, "holds another network than musicnn: axes don't match array"),
        (other_shape, "this network needs"),
    ],
)
def test_a_bundle_of_another_network_is_refused(
    tmp_path: Path, change: Callable[[dict[str, np.ndarray]], None], problem: str
) -> None:
    arrays = variables()
    change(arrays)
    folder = tf_bundle.write(tmp_path / "other", arrays)
    with pytest.raises(ModelError, match=problem):
        convert(folder, "musicnn", tmp_path / "made")


def test_a_damaged_bundle_is_refused_in_one_sentence(stored: Path, tmp_path: Path) -> None:
    index, data = (stored / name for name in (bundle.INDEX, bundle.DATA))
    table, numbers = index.read_bytes(), data.read_bytes()
    compressed = bytearray(table)
    compressed[tf_bundle.first_block(table)] = 1
    for damaged, left, problem in (
        (table[:-60], numbers, "has no table of TensorFlow's"),
        (b"", numbers, "has no table of TensorFlow's"),
        (table[100:], numbers, "is a damaged bundle"),
        (bytes(compressed), numbers, "is compressed"),
        (table, numbers[:-100], "does not hold the"),
    ):
        index.write_bytes(damaged)
        data.write_bytes(left)
        with pytest.raises(ModelError, match=problem) as refused:
            convert(stored, "musicnn", tmp_path / "made")
        assert "\n" not in str(refused.value)
    data.unlink()
    with pytest.raises(ModelError, match=r"data-00000-of-00001 cannot be read"):
        convert(stored, "musicnn", tmp_path / "made")


def test_any_damage_to_a_table_is_refused_or_harmless() -> None:
    """No byte of it can lead to anything but an error of gdr's, or other numbers."""
    table, numbers = tf_bundle.bundle({"a": np.ones((2, 3), np.float32), "ab": np.ones(4, "f4")})
    rng = np.random.default_rng(0)
    for at in range(len(table)):
        for value in (0, 0xFF, int(rng.integers(256))):
            damaged = table[:at] + bytes([value]) + table[at + 1 :]
            with suppress(ModelError):
                bundle.read(damaged, numbers, "here")


def test_what_is_no_wheel_is_refused(published: Path, tmp_path: Path) -> None:
    text, cut, other = (tmp_path / f"{name}.whl" for name in ("text", "cut", "other"))
    text.write_text("not found")
    whole = tf_bundle.wheel(tmp_path / "whole.whl", published).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("numpy/__init__.py", "")
    (tmp_path / "empty").mkdir()
    for wheel, problem in (
        (text, "cannot be read as a wheel"),
        (cut, "cannot be read as a wheel"),
        (other, "is not the wheel of musicnn"),
        (tmp_path / "empty", "holds no weights of musicnn"),
    ):
        with pytest.raises(ModelError, match=problem) as refused:
            convert(wheel, "musicnn", tmp_path / "made")
        assert "\n" not in str(refused.value)


def test_no_file_of_a_wheel_is_unpacked_beyond_what_weights_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "LARGEST", 1000)
    bomb = tmp_path / "bomb.whl"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (bundle.INDEX, bundle.DATA):
            archive.writestr(f"musicnn/MSD_musicnn/{name}", bytes(100_000))
    with pytest.raises(ModelError, match="is too large"):
        convert(bomb, "musicnn", tmp_path / "made")
    (tmp_path / "MSD_musicnn").mkdir()
    for name in (bundle.INDEX, bundle.DATA):
        (tmp_path / "MSD_musicnn" / name).write_bytes(bytes(2000))
    with pytest.raises(ModelError, match="is too large"):
        convert(tmp_path, "musicnn", tmp_path / "made")


def test_what_a_folder_holds_is_described(stored: Path, tmp_path: Path) -> None:
    convert(stored, "musicnn", tmp_path / "made")
    described = json.loads((tmp_path / "made" / "config.json").read_text())
    assert described == {"model_type": "musicnn", "dim": 24, "tags": 5}
