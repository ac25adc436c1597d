"""Evaluations on extracted sound: of the model that ships, and of a run with its own model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gdr_model import decode
from gdr_model.errors import ModelError, SpaceMismatch, UsageError
from gdr_model.models import checkpoint
from gdr_model.search.retriever import Retriever
from gdr_model.steering import Steering
from training.data import Dataset, Item
from training.data.extract import extract
from training.evaluation.attributes import of_corpus
from training.evaluation.control import control
from training.evaluation.fidelity import fidelity
from training.evaluation.retrieval import ALONE, GDR, TOWER, retrieval
from training.evaluation.steered import of_set
from training.evaluation.subjects import opened
from training.retrievers.export import export
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus

KINDS = ("piano", "drums", "jazz", "rock")
TRACKS = 40


def write_tone(path: Path, hz: float, seconds: float) -> Path:
    t = np.arange(int(seconds * 22050)) / 22050
    soundfile.write(path, np.sin(2 * np.pi * hz * t) / 3, 22050)
    return path


@pytest.fixture(scope="module")
def model() -> checkpoint.Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def extracted(model: checkpoint.Model, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty captioned tones, encoded by the model that ships."""
    folder = tmp_path_factory.mktemp("tones")
    items = []
    for number in range(TRACKS):
        path = write_tone(folder / f"{number}.wav", 110 * 2 ** (number / 8), 3 + number % 3)
        items.append(Item(f"t{number}", f"{KINDS[number % 4]}, take {number}", path))
    dataset = Dataset("tones", tuple(items))
    names = {"model": "builtin", "text_encoder": model.config.text.name}
    extract(dataset, model.encoder, model.text, folder / "set", **names)
    return str(folder / "set")


@pytest.fixture(scope="module")
def config(extracted: str) -> RunConfig:
    """A run on the tones."""
    return decode.into(
        RunConfig,
        {
            "name": "tones",
            "data": {"path": extracted, "folds": 3},
            "network": {"kind": "mlp", "widths": [16], "condition_width": 16},
            "optimiser": {"steps": 10, "batch": 8, "warmup": 2, "ema": 0.9},
            "draw": {"draws": 3, "steps": 3},
        },
    )


@pytest.fixture(scope="module")
def run(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The run, finished, before its model is written."""
    folder = tmp_path_factory.mktemp("runs") / "tones"
    train_on_corpus(config, "0", folder)
    return str(folder)


def test_a_model_is_asked_all_captions_of_a_set(extracted: str) -> None:
    tables, about = retrieval(["builtin"], data=extracted, resamples=20)
    assert (about["queries"], about["candidates"]) == (TRACKS, TRACKS)
    share = checkpoint.load("builtin", "cpu").config.anchor_share
    draw = {"draws": 8, "steps": 6, "sampler": "dpm++", "guidance": 3.0, "anchor_share": [share]}
    assert about["draw"] == draw  # as gdr search draws
    assert [name for name, _ in tables[0].rows] == [
        GDR,
        ALONE,
        "one draw",
        "draws of one step",
        TOWER,
    ]


def test_its_scores_are_those_of_a_search(extracted: str, model: checkpoint.Model) -> None:
    with opened("builtin", extracted) as subject:
        assert subject.model.space == model.space
        steering = Steering(subject.captions[5], seed=2)
        scores = subject.scores(subject.retriever.query(subject.how.steering(steering.prompt, 2)))
        hits = Retriever(model, [subject.gallery.library]).search(steering, k=TRACKS).hits
    column = subject.gallery.column
    found = [scores[column[hit.track.content]] for hit in hits]
    assert [hit.score for hit in hits] == pytest.approx(found, abs=1e-4)


def test_a_written_model_answers_as_its_run_in_memory(run: str, extracted: str) -> None:
    """`opened(RUN)` builds the model, with data it loads RUN/model: equal to half precision."""
    with opened(run) as own:
        corpus = own.corpus
        prompts = [*own.captions[:3], "a prompt of nobody's"]
        queries = [own.retriever.query(own.how.steering(prompt, 1)) for prompt in prompts]
        wanted = [own.scores(query) for query in queries]
    export(Path(run), corpus)
    with opened(run, extracted) as written:
        assert written.run is None
        how = own.how
        found = [
            written.scores(written.retriever.query(how.steering(prompt, 1))) for prompt in prompts
        ]
    np.testing.assert_allclose(found, wanted, atol=0.02)


def test_a_set_of_another_encoder_is_refused(
    run: str, extracted: str, tmp_path: Path, encoder
) -> None:
    path = write_tone(tmp_path / "a.wav", 220, 2)
    items = [Item(str(i), f"tone {i}", path) for i in range(6)]
    text = checkpoint.load("builtin", "cpu").text
    names = {"model": "builtin", "text_encoder": "minilm"}
    extract(Dataset("bands", tuple(items)), encoder, text, tmp_path / "set", **names)
    for name in ("builtin", run):
        with (
            pytest.raises(SpaceMismatch, match="extract the set with this model"),
            opened(name, str(tmp_path / "set")),
        ):
            pass
    with pytest.raises(ModelError), opened("no such model", extracted):
        pass


def test_a_run_on_a_library_has_no_captions_of_its_own(run: str, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(run, tmp_path / "mine")
    raw = json.loads((tmp_path / "mine" / "config.json").read_text())
    raw["run"]["data"]["path"] = ""
    (tmp_path / "mine" / "config.json").write_text(json.dumps(raw))
    with (
        pytest.raises(UsageError, match="was trained on a library"),
        opened(str(tmp_path / "mine")),
    ):
        pass


def test_fidelity_and_control_of_a_model_on_a_set(extracted: str) -> None:
    tables, _ = fidelity(["builtin"], data=extracted)
    names = [name.split(", ")[1] for name, _ in tables[0].rows]
    assert names == ["draws", "draws without guidance", "draws of one step"]
    with of_set("builtin", extracted) as steered:
        assert {"piano", "drums", "jazz", "rock"} == set(steered.attributes)
        quick = replace(steered, how=replace(steered.how, draws=2, steps=2))
        tables, about = control(quick, pairs=2, resamples=10)
    assert about["gallery"] == TRACKS
    assert about["top"] == TRACKS // 4
    assert [table.title.partition(",")[0] for table in tables] == [
        "Negatives",
        "Negatives at equal loss of the wanted",
        "Edits",
        "Edits at equal gain",
        "What edits find at equal gain",
        "Sliders",
    ]


def test_attributes_of_captions_count_tracks_not_captions(extracted: str) -> None:
    with opened("builtin", extracted) as subject:
        found = of_corpus(subject.corpus)
    assert {name: has.sum() for name, has in found.items()} == dict.fromkeys(KINDS, TRACKS // 4)
