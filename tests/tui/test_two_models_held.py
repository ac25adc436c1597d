"""While an earlier model answers, the app holds two models; both leave a GPU that is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from types import SimpleNamespace
from typing import Any

import earlier_version
import pytest
import torch

from gdr_model.models import checkpoint, kept
from gdr_model.models.config import ModelConfig
from gdr_tui.app.main.libraries import Libraries
from gdr_tui.app.main.retrieval import Retrieval

PIECES = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


class Held:
    """Retrieval over music that was indexed with an earlier model, on a GPU that is made up."""

    def __init__(self, libraries: Libraries) -> None:
        self.loaded: list[tuple[str, str]] = []
        self.embeds: Callable[[list[str]], object] = len
        self.retrieval = Retrieval(
            libraries,
            device="cuda",
            load=self._load,
            over=lambda model, libraries: SimpleNamespace(model=model),  # type: ignore[arg-type, return-value]
        )

    def _load(self, name: str, device: str) -> Any:
        self.loaded.append((name, device))
        config = ModelConfig.read(name)
        return SimpleNamespace(
            config=config,
            space=config.space,
            name="builtin",
            networks=True,
            device=torch.device(device),
            text=SimpleNamespace(embed=lambda texts: self.embeds(texts)),
        )


@pytest.fixture
def before(music: Path, tmp_path: Path) -> ModelConfig:
    """The earlier model, with which a folder was indexed before it was all encoded again."""
    copy(PIECES[0], music)
    return earlier_version.index(music, earlier_version.make(tmp_path / "builtin"))


@pytest.fixture
def held(music: Path, before: ModelConfig) -> Iterator[Held]:
    libraries = Libraries([music])
    found = Held(libraries)
    found.retrieval.load()
    earlier_version.encode(music, checkpoint.load())
    yield found
    libraries.close()


def test_both_are_loaded_again_and_neither_is_chosen_again(held: Held, before: ModelConfig) -> None:
    now = held.retrieval.to_cpu()
    assert now
    assert (now.model, now.device) == ("builtin, earlier", "cpu")
    earlier = str(kept.folder() / before.space.fingerprint)
    assert sorted(held.loaded[2:]) == sorted([("builtin", "cpu"), (earlier, "cpu")])
    assert held.retrieval.model().space == before.space
    assert held.retrieval.newest().space == ModelConfig.read().space


def test_a_model_that_moves_while_it_takes_over_answers_from_where_it_is(held: Held) -> None:
    held.embeds = lambda texts: held.retrieval.to_cpu()
    now = held.retrieval.catch_up()
    assert now
    assert (now.model, now.device) == ("builtin", "cpu")
    assert held.retrieval.model() is held.retrieval.newest()
    with held.retrieval.retriever() as retriever:
        assert retriever.model is held.retrieval.model()
