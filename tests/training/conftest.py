"""The small set, its run and its embedded captions, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_set import small, write_set

from gdr_model import decode
from training.data.corpus import Corpus, read_corpus
from training.runs.config import RunConfig


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The arrays of the small set."""
    return write_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="session")
def tiny(tiny_set: Path) -> RunConfig:
    """A run on the small set."""
    config: RunConfig = decode.into(RunConfig, small(tiny_set))
    return config


@pytest.fixture(scope="session")
def corpus(tiny: RunConfig) -> Corpus:
    """The small set, embedded once."""
    return read_corpus(tiny.data)
