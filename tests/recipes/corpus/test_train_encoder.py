"""The encoder's training: what it is taught, and that an interruption costs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from prepared import track

from gdr_model.encoders.builtin.audio import AudioNet
from recipes.builtin import train_encoder
from recipes.builtin.corpus.crops import CROP_S, CropBatch, CropSampler
from recipes.builtin.corpus.latents import load_net
from recipes.builtin.corpus.prepare import ROWS, PreparedFolder, PreparedTrack
from recipes.builtin.train_encoder import (
    COMPONENTS,
    Student,
    Targets,
    features_of,
    loss,
    train,
    validate,
)


@pytest.fixture
def tracks() -> list[PreparedTrack]:
    return [track(name, "source", 30, seed) for seed, name in enumerate("abcdef")]


@pytest.fixture
def student() -> Student:
    torch.manual_seed(0)
    return Student()


def test_targets_are_z_scores_of_windows_and_whitened_components() -> None:
    many = [track(str(seed), "source", 60, seed) for seed in range(24)]
    targets = Targets.fit(many)
    assert targets.mean.mean() == pytest.approx(-5, abs=0.05)
    # A window of four seconds averages noise of deviation 1: about one half is left.
    assert targets.sd.mean() == pytest.approx(0.5, abs=0.1)
    assert targets.components.shape == (1024, COMPONENTS)
    assert targets.tag_mean.mean() == pytest.approx(-3, abs=0.05)
    assert targets.feature_components.shape == (200, COMPONENTS)
    # The components of the training windows are uncorrelated and of unit variance.
    rows = torch.from_numpy(np.concatenate([t.embedding for t in many]).astype(np.float32))
    hidden = (rows - targets.embedding_mean) @ targets.components
    assert hidden.mean(0).abs().max() < 1.0


def perfect(student: Student, batch: CropBatch, targets: Targets) -> float:
    """The loss of a student whose heads have the right answers."""
    z = (batch.logits - targets.mean) / targets.sd
    single = (batch.seconds - targets.mean) / targets.sd
    hidden = (batch.embedding - targets.embedding_mean) @ targets.components
    tags = (batch.tag_logits - targets.tag_mean) / targets.tag_sd
    heard = (batch.tag_features - targets.feature_mean) @ targets.feature_components

    class Answers(torch.nn.Module):
        def __init__(self, answer: torch.Tensor) -> None:
            super().__init__()
            self.answer = answer

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            # Only clean crops are asked of the heads but that of the posteriors.
            return self.answer if len(features) == len(self.answer) else self.answer[~batch.mixed]

    student.logits = Answers(z)  # type: ignore[assignment]
    student.embedding = Answers(hidden)  # type: ignore[assignment]
    student.tags = Answers(tags)  # type: ignore[assignment]
    student.tag_features = Answers(heard)  # type: ignore[assignment]
    posteriors = batch.posteriors.clamp(1e-6, 1 - 1e-6)
    student.posteriors = Answers(torch.logit(posteriors))  # type: ignore[assignment]
    student.by_second = lambda: single  # type: ignore[method-assign]
    return float(loss(student, batch, targets).detach())


def test_right_answers_leave_only_the_entropy_of_the_posteriors(
    tracks: list[PreparedTrack], student: Student
) -> None:
    targets, batch = Targets.fit(tracks), CropSampler(tracks, 4, 0).batch(0)
    p = batch.posteriors.clamp(1e-6, 1 - 1e-6)
    entropy = float(-(p * p.log() + (1 - p) * (1 - p).log()).mean())
    untrained = float(loss(student, batch, targets).detach())
    assert perfect(student, batch, targets) == pytest.approx(20 * entropy, rel=1e-3)
    assert untrained > 20 * entropy + 1


def test_the_second_teacher_can_be_left_out(tracks: list[PreparedTrack], student: Student) -> None:
    targets, batch = Targets.fit(tracks), CropSampler(tracks, 4, 0).batch(0)
    other = replace(batch, tag_logits=batch.tag_logits + 9, tag_features=batch.tag_features + 9)

    def taught(second: float) -> list[float]:
        return [
            float(loss(student.eval(), one, targets, second).detach()) for one in (batch, other)
        ]

    alone, both = taught(0.0), taught(1.0)
    assert alone[0] == alone[1] < both[0] < both[1]


def test_a_mixture_has_no_logits_to_learn_from(
    tracks: list[PreparedTrack], student: Student
) -> None:
    targets, batch = Targets.fit(tracks), CropSampler(tracks, 4, 0).batch(0)
    mixed = torch.tensor([True, False, False, False])

    def with_logits(first: float) -> float:
        logits = batch.logits.clone()
        logits[0] += first
        parts = {**vars(batch), "logits": logits, "mixed": mixed}
        return float(loss(student.eval(), CropBatch(**parts), targets).detach())

    assert with_logits(0.0) == with_logits(100.0)


def test_a_student_that_repeats_the_teacher_correlates_perfectly(
    tracks: list[PreparedTrack], monkeypatch: pytest.MonkeyPatch, student: Student
) -> None:
    from recipes.builtin.corpus.crops import windowed

    def features(net: AudioNet, of: PreparedTrack, max_s: int = 300) -> Any:
        rows = np.concatenate([of.logits[:max_s], of.tag_logits[:max_s]], axis=1)
        return windowed(torch.from_numpy(rows.astype(np.float32))[None])[0].numpy()

    monkeypatch.setattr(train_encoder, "features_of", features)
    both = torch.eye(571)
    student.logits, student.tags = torch.nn.Linear(571, 521), torch.nn.Linear(571, 50)
    with torch.no_grad():
        student.logits.weight.copy_(both[:521])
        student.logits.bias.fill_(3.0)
        student.tags.weight.copy_(both[521:])
    found = validate(student, tracks)
    kinds = ("music", "voice", "all", "tags")
    assert found == {name: pytest.approx(1, abs=1e-4) for name in kinds}
    assert student.training


def test_features_have_a_row_a_second(student: Student) -> None:
    found = features_of(student.net.eval(), track("a", "source", 12, 0))
    assert found.shape == (12, AudioNet.FEATURES)
    assert features_of(student.net, track("a", "source", 12, 0), max_s=5).shape[0] == 5


def test_an_encoder_can_begin_with_that_of_a_finished_model(
    tracks: list[PreparedTrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PreparedFolder(tmp_path)
    for one in tracks:
        store.add(one.record, {name: getattr(one, name) for name in ROWS})
    begun: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(
        train_encoder, "loss", lambda student, *_: begun.append(student.net.state_dict()) or 1 / 0
    )
    words = ["--work", str(tmp_path), "--start", "builtin", "--batch", "2"]
    with pytest.raises(ZeroDivisionError):
        train(tmp_path, train_encoder.arguments_of(words))
    shipped = train_encoder.encoder_of("builtin").net.state_dict()
    assert all(torch.equal(begun[0][name], value) for name, value in shipped.items())


class Clock:
    """A clock that a step moves by a second, so that a run takes so many steps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.5
        return self.now


def test_training_stops_at_its_time_and_resumes(
    tracks: list[PreparedTrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PreparedFolder(tmp_path)
    for number, one in enumerate(tracks):
        rows = {name: getattr(one, name) for name in ROWS}
        store.add({**one.record, "split": "test" if number == 0 else "train"}, rows)
    monkeypatch.setattr(train_encoder, "time", Clock())

    def run(minutes: float, steps: int = 0) -> dict[str, Any]:
        words = ["--work", str(tmp_path), "--minutes", str(minutes), "--batch", "2"]
        arguments = train_encoder.arguments_of([*words, "--steps", str(steps)])
        train(tmp_path, arguments)
        lines = (tmp_path / "encoder" / "log.jsonl").read_text().splitlines()
        last: dict[str, Any] = json.loads(lines[-1])
        return last

    first = run(2 / 60)
    assert first["elapsed"] >= 2
    assert first["batch"] == 2
    assert first["device"] == "one processor thread"
    more = run(4 / 60)
    assert more["step"] > first["step"]
    counted = run(0, steps=more["step"] + 3)
    assert counted["step"] == more["step"] + 3, "steps count, not the time"
    assert load_net(tmp_path / "encoder").state_dict().keys() == AudioNet().state_dict().keys()
    assert CROP_S * 2 < 30, "crops fit into the tracks"
