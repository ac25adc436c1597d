"""What is evaluated: a model, the gallery it searches, and the captions it searches for.

A name is the folder of a run, or anything that `--model` accepts. A run searches for the captions
of the part it holds out. With another set (`data`) a run or a model searches for all captions of
that set but those it was trained on, and nothing is trained on the set. A run that has written a
model is searched with that model. Either way `Subject.retriever` is that of `gdr search`.

Shapes: I captions of tracks, R tracks, P captions searched for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from gdr_model.errors import SpaceMismatch, UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.models.config import FINISHED
from gdr_model.search.retriever import Retriever
from gdr_model.types import Array, Query, TextEmbedding
from training.data.config import DataConfig
from training.data.corpus import Corpus, read_corpus
from training.data.division import Division, Mask
from training.data.texts import Texts, embed
from training.retrievers.fused import fused
from training.retrievers.gallery import Gallery, gallery
from training.retrievers.run_model import CaptionReader, latent_space, run_model, stored
from training.runs.config import DrawConfig
from training.runs.known import as_trained, read_known
from training.runs.space import Space
from training.runs.state import CONFIG, Finished, load_model, read_config

CPU = torch.device("cpu")
Corpora = dict[tuple[DataConfig, bool], Corpus]
"""Corpora that have been read, by their configuration and whether they are undivided."""


@dataclass(frozen=True)
class TrainedRun:
    """A run on a captioned set, with what its baselines are fitted on."""

    folder: Path
    run: Finished
    device: torch.device = CPU
    corpora: Corpora = field(default_factory=dict, repr=False)

    @cached_property
    def corpus(self) -> Corpus:
        """The set it was trained on, divided as it was then.

        Raises:
            UsageError, DatasetError: if the set is not there, or has other tracks now.
        """
        return as_trained(_read(self.run.config.data, self.corpora), self.folder)

    @cached_property
    def division(self) -> Division:
        """What it trained on and holds out."""
        return self.corpus.divided(self.run.part, self.run.config.data.validation)


@dataclass(frozen=True)
class Subject:
    """A model with its gallery and its captions."""

    name: str
    """`fold K` for a run, else the model's name."""
    retriever: Retriever
    gallery: Gallery
    """The corpus's tracks, in its order."""
    corpus: Corpus
    chosen: Mask  # (I,) True for the captions searched for
    how: DrawConfig
    texts: Texts
    """The corpus's captions as the model reads them."""
    run: Finished | None = None
    """The run that holds these captions out; None if nothing of the set was trained on."""
    trained: TrainedRun | None = None
    """The run that the model comes from, whichever set it searches."""
    new: Mask | None = None  # (R,) True for tracks that were not trained on; None if all are
    note: str = ""
    """What was left out, or repeats."""

    @property
    def model(self) -> Model:
        """The model that searches."""
        return self.retriever.model

    @property
    def captions(self) -> list[str]:
        """The captions searched for (P)."""
        return [self.corpus.captions[row] for row in self.corpus.caption_of[self.chosen]]

    @property
    def right(self) -> Mask:
        """(P, R) True for the tracks that answer a caption, and were not trained on."""
        right = self.corpus.correct(self.chosen)
        return right if self.new is None else right & self.new

    @property
    def known(self) -> Mask:
        """(P, R) True for answers that were trained on, and are neither right nor wrong."""
        return self.corpus.correct(self.chosen) & ~self.right

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

    def embedding(self, states: bool = True) -> TextEmbedding:
        """The captions searched for, embedded."""
        return self.texts.of(self.corpus.caption_of[self.chosen], states)

    def scores(self, query: Query) -> Array:
        """The score (R,) of every track."""
        return self.gallery.scores(self.retriever, query)


def is_run(name: str) -> bool:
    """Whether a name is a folder of `gdr train`."""
    try:
        return '"run"' in (Path(name) / CONFIG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def has_captions(name: str) -> bool:
    """Whether a name is a folder of `gdr train` on a captioned set, not on a library."""
    return is_run(name) and bool(read_config(Path(name))[0].data.path)


def subjects(names: Sequence[str], data: str = "", device: torch.device = CPU) -> Iterator[Subject]:
    """Open one subject after another; each is closed before the next is opened.

    Raises:
        UsageError: if no name is given, or two runs hold out the same part.
    """
    if not names:
        raise UsageError("name at least one folder of gdr train")
    corpora: Corpora = {}
    parts: dict[tuple[DataConfig, str], str] = {}
    for name in names:
        with opened(name, data, corpora, device) as subject:
            if subject.run is not None:
                part = subject.run.config.data, subject.run.part
                if part in parts:
                    raise UsageError(
                        f"{parts[part]} and {name} hold out the same part; evaluate them one by one"
                    )
                parts[part] = name
            yield subject


@contextmanager
def opened(
    name: str, data: str = "", corpora: Corpora | None = None, device: torch.device = CPU
) -> Iterator[Subject]:
    """A finished run with what it holds out; or with `data`, a run or a model with that set.

    `corpora` keeps the sets that are read.

    Raises:
        UsageError: if there is no caption to search for.
        RunError: if a name is no finished run, and no `data` is given.
        ModelError: if a name is neither a run nor a model.
        SpaceMismatch: if the set was extracted in another space than the model's.
    """
    corpora = {} if corpora is None else corpora
    trained = None
    if is_run(name) or not data:
        run = load_model(Path(name))
        run.net.to(device)
        if run.config.data.path:
            trained = TrainedRun(Path(name), run, device, corpora)
        elif not data:
            raise UsageError(
                f"{name} was trained on a library and holds no captions out; give a captioned set "
                "with --data SET"
            )
    model, space = _model(name, trained, device)
    if data:
        asked = _all_of(name, _read(DataConfig(data), corpora, whole=True))
    else:
        assert trained is not None  # noqa: S101 (without data there is a run)
        asked = _held_out(trained)
    corpus, chosen, new, note = asked
    with _gallery(model, corpus, space) as tracks:
        texts = _as_read_by(model, corpus)
        if texts is corpus.texts:
            model.text = CaptionReader.of(corpus)
        yield Subject(
            model.name if data or trained is None else f"fold {trained.run.part}",
            Retriever(model, [tracks.library]),
            tracks,
            corpus,
            chosen,
            DrawConfig() if trained is None else trained.run.config.draw,
            texts,
            trained.run if trained is not None and not data else None,
            trained,
            new,
            note,
        )


Asked = tuple[Corpus, Mask, Mask | None, str]
"""A corpus, the captions asked of it, the tracks that are new (None: all), and a note."""


def _held_out(trained: TrainedRun) -> Asked:
    division = trained.division
    if not division.asked.any():
        raise UsageError(f"{trained.folder} holds out no caption of {trained.corpus.name}")
    return trained.corpus, division.asked, ~division.trained, division.said()


def _all_of(name: str, corpus: Corpus) -> Asked:
    """Every caption of another set once, but those that a run was trained on."""
    chosen = corpus.each_once()
    if not is_run(name):
        return corpus, chosen, None, ""
    read, heard = read_known(Path(name)).of(corpus)
    fresh = chosen & ~read & (corpus.correct(np.ones_like(chosen)) & ~heard).any(1)
    if not fresh.any():
        raise UsageError(f"{name} was trained on every caption of {corpus.name}; none is left")
    left_out = int(chosen.sum() - fresh.sum())
    note = f"{left_out} captions of {corpus.name} are left out: they were trained on."
    return corpus, fresh, ~heard, note if left_out else ""


def _model(
    name: str, trained: TrainedRun | None, device: torch.device
) -> tuple[Model, Space | None]:
    """The model of a name, and the space of a run that has written none."""
    if trained is None or (trained.folder / FINISHED).is_dir():
        return checkpoint.load(name, device.type), None
    return model_of(trained), trained.run.space


def model_of(trained: TrainedRun) -> Model:
    """The model of a run in memory, with the tower and the share that an exported one has."""
    corpus = trained.corpus
    found = fused(trained.folder, trained.run, corpus, trained.device)
    return run_model(trained.run, corpus, found.tower, found.share, found.common_points)


def _as_read_by(model: Model, corpus: Corpus) -> Texts:
    """The corpus's captions, read again if another text encoder than the model's read them."""
    ours, text = model.config.encoders or "builtin", model.config.text_encoder
    alike = ours != "builtin" or text == corpus.text_encoder
    if ours == (corpus.model or "builtin") and alike:
        return corpus.texts
    return embed(corpus.captions, model.text)


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


def _read(data: DataConfig, corpora: Corpora, *, whole: bool = False) -> Corpus:
    if (data, whole) not in corpora:
        corpora[data, whole] = read_corpus(data, whole=whole)
    return corpora[data, whole]
