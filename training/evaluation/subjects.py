"""What is evaluated: a model, the gallery it searches, and the captions it searches for.

A name is the folder of a run, or anything that `--model` accepts. A run searches for the captions
of the part it holds out. With another set (`data`) a run or a model searches for all captions of
that set, and nothing is trained. Either way `Subject.retriever` is the `Retriever` of `gdr search`.

Shapes: I captions of tracks, R tracks, P captions searched for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import SpaceMismatch, UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.models.config import FINISHED
from gdr_model.search.retriever import Retriever
from gdr_model.types import Array, Query
from training.data.config import DataConfig
from training.data.corpus import Corpus, read_corpus
from training.runs.batches import Pairs
from training.runs.config import DrawConfig
from training.runs.export import ANCHOR_SHARE, tower_of
from training.runs.gallery import Gallery, gallery
from training.runs.run_model import latent_space, run_model, stored
from training.runs.space import Space
from training.runs.state import CONFIG, Finished, load_model

Corpora = dict[DataConfig, Corpus]
"""Corpora that have been read, by their configuration."""


@dataclass(frozen=True)
class Subject:
    """A model with its gallery and its captions."""

    name: str
    """`fold K` for a run, else the model's name."""
    retriever: Retriever
    gallery: Gallery
    """The corpus's tracks, in its order."""
    corpus: Corpus
    chosen: NDArray[np.bool_]  # (I,) True for the captions searched for
    how: DrawConfig
    run: Finished | None = None
    """The run that holds these captions out; None if nothing of the set was trained on."""

    @property
    def model(self) -> Model:
        """The model that searches."""
        return self.retriever.model

    @property
    def captions(self) -> list[str]:
        """The captions searched for (P)."""
        return [self.corpus.captions[row] for row in self.corpus.caption_of[self.chosen]]

    @property
    def groups(self) -> list[str]:
        """What a bootstrap resamples together (P): the captions of one track.

        A caption of several tracks is a group of its own.
        """
        alone = self.corpus.correct(self.chosen).sum(1) == 1
        tracks = [self.corpus.tracks[row] for row in self.corpus.track_of[self.chosen]]
        return [
            track if one else caption
            for one, track, caption in zip(alone, tracks, self.captions, strict=True)
        ]

    def scores(self, query: Query) -> Array:
        """The score (R,) of every track."""
        return self.gallery.scores(self.retriever, query)


def is_run(name: str) -> bool:
    """Whether a name is a folder of `gdr train`."""
    try:
        return '"run"' in (Path(name) / CONFIG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def subjects(names: Sequence[str], data: str = "") -> Iterator[Subject]:
    """Open one subject after another; each is closed before the next is opened.

    Raises:
        UsageError: if no name is given, or two runs hold out the same part.
    """
    if not names:
        raise UsageError("name at least one folder of gdr train")
    corpora: Corpora = {}
    parts: dict[tuple[DataConfig, str], str] = {}
    for name in names:
        with opened(name, data, corpora) as subject:
            if subject.run is not None:
                part = subject.run.config.data, subject.run.part
                if part in parts:
                    raise UsageError(
                        f"{parts[part]} and {name} hold out the same part; evaluate them one by one"
                    )
                parts[part] = name
            yield subject


@contextmanager
def opened(name: str, data: str = "", corpora: Corpora | None = None) -> Iterator[Subject]:
    """A finished run with what it holds out; or with `data`, a run or a model with that set.

    `corpora` keeps the sets that are read.

    Raises:
        UsageError: if there is no caption to search for.
        RunError: if a name is no finished run, and no `data` is given.
        ModelError: if a name is neither a run nor a model.
        SpaceMismatch: if the set was extracted in another space than the model's.
    """
    corpora = {} if corpora is None else corpora
    folder = Path(name)
    # A run on an encoder's latents has written a model, which needs no corpus.
    run = None if data and not _is_run_on_arrays(folder) else load_model(folder)
    if run is None:
        model, space, how = checkpoint.load(name, "cpu"), None, DrawConfig()
    else:
        if not run.config.data.path:
            raise UsageError(f"{folder} was trained on a library; give captions with --data SET")
        own = _read(run.config.data, corpora)
        model, space, how = model_of(run, own), run.space, run.config.draw
    if data:
        corpus = _read(DataConfig(data), corpora)
        # A caption of several tracks counts once.
        chosen = np.zeros(len(corpus.caption_of), np.bool_)
        chosen[np.unique(corpus.caption_of, return_index=True)[1]] = True
        called, run = model.name, None
    else:
        assert run is not None  # noqa: S101 (without data there is a run)
        corpus, called = own, f"fold {run.part}"
        _, chosen = corpus.held_out(run.part)
        if not chosen.any():
            raise UsageError(f"{folder} holds out no caption of {corpus.name}")
    with _gallery(model, corpus, space) as tracks:
        retriever = Retriever(model, [tracks.library])
        yield Subject(called, retriever, tracks, corpus, chosen, how, run)


def _is_run_on_arrays(folder: Path) -> bool:
    """Whether a folder is a run that has written no model."""
    return is_run(str(folder)) and not (folder / FINISHED).is_dir()


def model_of(run: Finished, corpus: Corpus) -> Model:
    """The model of a run, with a tower trained on the same captions, as an exported model has."""
    pairs = Pairs(corpus, run.part, run.space, run.config, run.net.config.frames)
    return run_model(run, corpus, tower_of(pairs, run.space, run.config), ANCHOR_SHARE)


@contextmanager
def _gallery(model: Model, corpus: Corpus, space: Space | None) -> Iterator[Gallery]:
    """The tracks of a corpus; `space` is that of the run that the model comes from.

    Raises:
        SpaceMismatch: if the model does not search latents of the corpus.
    """
    latents: Sequence[Array] = corpus.latents
    held = corpus.space
    if space is not None and latents[0].shape[1] == len(space.mean):
        latents = [stored(space, track) for track in latents]
        held = latent_space(space, corpus)
    if held != model.space:
        raise SpaceMismatch(
            f"{corpus.name} holds {held or 'arrays that no encoder made'}; {model.name} searches "
            f"{model.space}: extract the set with this model"
        )
    with gallery(corpus.tracks, latents, model.space) as tracks:
        yield tracks


def _read(data: DataConfig, corpora: Corpora) -> Corpus:
    if data not in corpora:
        corpora[data] = read_corpus(data)
    return corpora[data]
