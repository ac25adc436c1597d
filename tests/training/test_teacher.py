"""The teacher: the published network, continued in floats where it is quantised."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.errors import ModelError
from gdr_model.types import Array
from gdr_tui.next_steps import for_command_line
from training.words.teacher import CLASSES, EMBEDDING, MUSIC, VOICE, WINDOW, Teacher, labels, shared

needs_teacher = pytest.mark.skipif(
    not os.environ.get("GDR_SHARED") or importlib.util.find_spec("ai_edge_litert") is None,
    reason="GDR_SHARED is unset or ai-edge-litert is not installed: the teacher is not here",
)


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher()


def sounds() -> Array:
    """Five seconds: noise, a low tone, a chord of harmonics, clicks, silence."""
    t = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    clicks = np.zeros_like(t)
    clicks[::2000] = 0.8
    chord = sum(np.sin(2 * np.pi * 220 * n * t) / n for n in range(1, 9)) / 4
    noise = np.random.default_rng(0).normal(0, 0.1, len(t))
    parts = [noise, 0.3 * np.sin(2 * np.pi * 110 * t), chord, clicks, np.zeros_like(t)]
    return np.concatenate(parts).astype(np.float32)


def test_without_the_folder_the_next_step_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GDR_SHARED", raising=False)
    with pytest.raises(FileNotFoundError, match="set GDR_SHARED to the folder of shared data"):
        shared()
    monkeypatch.setenv("GDR_SHARED", str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="set GDR_SHARED"):
        labels()


def test_without_its_package_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ai_edge_litert", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModelError, match="needs ai-edge-litert, which is not installed") as raised:
        Teacher()
    assert for_command_line(raised.value).endswith("run pip install ai-edge-litert")


def test_labels_are_read_line_by_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "teacher").mkdir()
    (tmp_path / "teacher" / "yamnet_labels.txt").write_text("Speech\n Piano \n\nJazz\n")
    monkeypatch.setenv("GDR_SHARED", str(tmp_path))
    assert labels() == ["Speech", "Piano", "Jazz"]


@needs_teacher
def test_the_classes_of_music_and_voice_are_where_they_are_said_to_be() -> None:
    names = labels()
    assert len(names) == CLASSES
    assert names[MUSIC.start : MUSIC.start + 2] == [
        "Musical instrument",
        "Plucked string instrument",
    ]
    assert names[MUSIC.stop - 1] == "Scary music"
    assert names[VOICE.start] == "Singing"
    assert {"Choir", "Rapping", "Humming"} <= set(names[VOICE])
    assert "Dog" not in {*names[MUSIC], *names[VOICE]}


@needs_teacher
def test_a_sound_gives_a_row_for_every_whole_second(teacher: Teacher) -> None:
    logits, embeddings = teacher(sounds()[: int(3.7 * SAMPLE_RATE_HZ)])
    assert logits.shape == (3, CLASSES)
    assert embeddings.shape == (3, EMBEDDING)
    assert np.isfinite(logits).all()


@needs_teacher
def test_in_floats_the_teacher_says_what_the_published_network_says(teacher: Teacher) -> None:
    network = teacher.network
    (outlet,) = network.get_output_details()
    scale, zero = outlet["quantization"]
    samples = sounds()
    logits, _ = teacher(samples)
    for second in range(5):
        window = samples[second * SAMPLE_RATE_HZ :][:WINDOW]
        network.set_tensor(teacher.inlet["index"], window.reshape(teacher.inlet["shape"]))
        network.invoke()
        stored = network.get_tensor(outlet["index"]).astype(np.float32).reshape(-1)
        published = (stored - zero) * scale if scale else stored
        ours = 1 / (1 + np.exp(-logits[second]))
        # The network rounds its logits to int8 before the sigmoid; at most one step of that.
        assert np.abs(ours - published).max() < 0.05
        if published.max() > 0.1:
            assert ours[np.argmax(published)] == pytest.approx(ours.max(), abs=0.05)


@needs_teacher
def test_in_floats_the_tail_of_the_classes_has_an_order(teacher: Teacher) -> None:
    logits, _ = teacher(sounds())
    assert len(np.unique(logits[0])) > 0.99 * CLASSES  # and not some 50 steps of int8


@needs_teacher
def test_a_second_is_heard_alike_wherever_it_comes(teacher: Teacher) -> None:
    samples = sounds()
    alone, _ = teacher(samples[2 * SAMPLE_RATE_HZ : 3 * SAMPLE_RATE_HZ])
    together, _ = teacher(samples)
    np.testing.assert_allclose(alone[0], together[2], rtol=1e-5)
