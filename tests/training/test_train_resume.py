"""A run: the same to the last bit whether it was interrupted or not."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gdr_model.errors import Cancelled, UsageError
from training.data.corpus import Corpus
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.state import MODEL, STATE, RunError, load_model, read_tensors
from training.runs.train import TrainingProgress, rate_at


def interrupted(config: RunConfig, corpus: Corpus, folder: Path, after: int) -> None:
    """Stop a run after some steps."""
    steps = 0

    def count(_: TrainingProgress) -> None:
        nonlocal steps
        steps += 1

    with pytest.raises(Cancelled):
        train_on_corpus(
            config, "0", folder, corpus=corpus, on_progress=count, cancelled=lambda: steps >= after
        )


def logged(folder: Path) -> tuple[list[dict[str, str]], list[float]]:
    """The rows of a log without the processor time, which no two runs share, and that time."""
    with (folder / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    spent_s = [float(row.pop("processor_s")) for row in rows]
    return rows, spent_s


def test_a_resumed_run_equals_one_that_was_not_interrupted(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_on_corpus(tiny, "0", whole, corpus=corpus)
    interrupted(tiny, corpus, parts, 7)
    assert (parts / STATE).is_file()
    train_on_corpus(tiny, "0", parts, corpus=corpus, resume=True)
    a, b = read_tensors(whole / MODEL)[0], read_tensors(parts / MODEL)[0]
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    (of_whole, _), (of_parts, spent_s) = logged(whole), logged(parts)
    assert of_whole == of_parts
    assert spent_s == sorted(spent_s), "the second part counts on from the first"
    assert spent_s[0] > 0
    assert not (parts / STATE).exists()


def test_a_crash_costs_the_steps_since_the_last_saved_state(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    def crash(at: TrainingProgress) -> None:
        if at.step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_on_corpus(tiny, "0", tmp_path / "a", corpus=corpus, on_progress=crash)
    seen: list[int] = []
    train_on_corpus(
        tiny,
        "0",
        tmp_path / "a",
        corpus=corpus,
        resume=True,
        on_progress=lambda at: seen.append(at.step),
    )
    assert seen[0] == 6
    train_on_corpus(tiny, "0", tmp_path / "b", corpus=corpus)
    a, b = (read_tensors(tmp_path / n / MODEL)[0] for n in "ab")
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_begun_with_other_draws_is_resumed(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    interrupted(tiny, corpus, tmp_path, 7)
    file = tmp_path / "config.json"
    stored = json.loads(file.read_text())
    stored["run"]["draw"] |= {"sampler": "ddim", "steps": 12}
    file.write_text(json.dumps(stored))
    train_on_corpus(tiny, "0", tmp_path, corpus=corpus, resume=True)
    assert load_model(tmp_path).config.draw == tiny.draw


def test_the_folder_holds_the_report(tiny: RunConfig, corpus: Corpus, tmp_path: Path) -> None:
    found = train_on_corpus(tiny, "1", tmp_path, corpus=corpus)
    assert {"config.json", "splits.json", "metrics.json", "log.csv", MODEL} <= {
        path.name for path in tmp_path.iterdir()
    }
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows if row["R@10"]] == ["6", "12"]
    assert found["held_out_tracks"] == 5
    assert (found["tracks"], found["validation_tracks"]) == (13, 2)
    assert found["written_captions"] > 0
    run = load_model(tmp_path)
    assert run.config == tiny
    assert run.part == "1"


def test_another_seed_gives_another_model(tiny: RunConfig, corpus: Corpus, tmp_path: Path) -> None:
    other = replace(tiny, optimiser=replace(tiny.optimiser, seed=1))
    train_on_corpus(tiny, "0", tmp_path / "a", corpus=corpus)
    train_on_corpus(other, "0", tmp_path / "b", corpus=corpus)
    a, b = (read_tensors(tmp_path / n / MODEL)[0]["net.null"] for n in "ab")
    assert not torch.equal(a, b)


def test_the_callers_randomness_is_left_alone(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    before = torch.random.get_rng_state()
    train_on_corpus(tiny, "0", tmp_path, corpus=corpus)
    assert torch.equal(before, torch.random.get_rng_state())


def test_folders_that_hold_something_else_are_refused(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="not a folder of gdr train"):
        train_on_corpus(tiny, "0", tmp_path / "new", corpus=corpus, resume=True)
    interrupted(tiny, corpus, tmp_path / "a", 2)
    with pytest.raises(UsageError, match="already holds a run"):
        train_on_corpus(tiny, "0", tmp_path / "a", corpus=corpus)
    with pytest.raises(RunError, match="another configuration"):
        train_on_corpus(tiny, "1", tmp_path / "a", corpus=corpus, resume=True)
    with pytest.raises(RunError, match="not finished"):
        load_model(tmp_path / "a")
    (tmp_path / "a" / STATE).write_bytes(b"nothing")
    with pytest.raises(RunError, match="cannot be read"):
        train_on_corpus(tiny, "0", tmp_path / "a", corpus=corpus, resume=True)


@pytest.mark.parametrize(
    ("network", "said"),
    [({"kind": "tree"}, "network.kind is 'tree'"), ({"kind": "mlp", "depth": 3}, "depth")],
)
def test_a_network_that_cannot_be_built_is_named(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path, network: dict[str, object], said: str
) -> None:
    captions = replace(tiny.captions, blended=0.0)
    with pytest.raises(UsageError, match=said):
        train_on_corpus(
            replace(tiny, network=network, captions=captions), "0", tmp_path, corpus=corpus
        )


def test_a_transformer_reads_token_states(tiny: RunConfig, corpus: Corpus, tmp_path: Path) -> None:
    shape = {"kind": "transformer", "frames": 2, "patch": 1, "width": 8, "layers": 1, "heads": 2}
    config = replace(tiny, network=shape, captions=replace(tiny.captions, blended=0.0))
    assert train_on_corpus(config, "0", tmp_path, corpus=corpus)["validation"]["R@10"] > 0


def test_the_rate_warms_up_and_falls(tiny: RunConfig) -> None:
    rates = [rate_at(step, tiny) for step in range(12)]
    assert rates[0] == pytest.approx(tiny.optimiser.rate / 2)
    assert rates[1] == rates[2] == pytest.approx(tiny.optimiser.rate)
    assert rates[2:] == sorted(rates[2:], reverse=True)


def test_a_finished_run_is_not_trained_again(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    train_on_corpus(tiny, "0", tmp_path / "run", corpus=corpus)
    before = (tmp_path / "run" / MODEL).read_bytes()
    with pytest.raises(RunError, match="is finished; there is nothing to resume"):
        train_on_corpus(tiny, "0", tmp_path / "run", corpus=corpus, resume=True)
    assert (tmp_path / "run" / MODEL).read_bytes() == before
