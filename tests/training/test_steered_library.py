"""Control, measured on a model and an indexed library: real clips, the model that ships."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from training.evaluation.control_library import SteeredLibrary, of_library, tagged
from training.words import tagger_attributes as heard
from training.words.teacher import MUSIC, VOICE, labels

CLIPS = 24


@pytest.fixture(scope="module")
def model() -> checkpoint.Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture
def clips(music: Path, model: checkpoint.Model) -> Iterator[Library]:
    """A library of generated clips, in two folders, one of them there twice."""
    shared = os.environ.get("GDR_SHARED")
    if not shared:
        pytest.skip("GDR_SHARED is unset: the clips and the tagger are not here")
    pytest.importorskip("ai_edge_litert", reason="the tagger needs the extra `train`")
    files = sorted((Path(shared) / "data" / "noise2music_dev").glob("*.ogg"))[:CLIPS]
    for number, file in enumerate([*files, files[0]]):
        folder = music / ("crates" if number % 2 else "shelves")
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.ogg").symlink_to(file)
    with Library.open(music, create=True) as library:
        ingest(library, model.encoder, on_progress=lambda _: None)
        yield library


def test_what_the_tagger_hears_are_attributes(clips: Library, model: checkpoint.Model) -> None:
    steered = of_library(model, clips, "teacher")
    assert steered.gallery.shape == (CLIPS, model.space.dim)  # the copy counts once
    names = labels()
    of_music = {*names[MUSIC], *names[VOICE]}
    assert set(steered.attributes) <= of_music
    assert all(has.sum() == round(heard.TOP_SHARE * CLIPS) for has in steered.attributes.values())
    kept = (clips.store / "heard.npz").stat().st_mtime_ns
    again = of_library(model, clips, "teacher")
    assert set(again.attributes) == set(steered.attributes)
    assert (clips.store / "heard.npz").stat().st_mtime_ns == kept  # heard once

    search(steered)
    edit(steered)


def search(steered: SteeredLibrary) -> None:
    """The scores are the search's own: the same order, negatives and all."""
    for negatives in ((), (("drums", 1.0),)):
        scores = steered.answer("calm piano", negatives, seed=4)
        asked = steered._steering("calm piano", negatives, seed=4)
        found = steered.retriever.search(asked, k=5)
        best = [steered.tracks[i].content for i in np.argsort(-scores)[:5]]
        assert [hit.track.content for hit in found.hits] == best


def edit(steered: SteeredLibrary) -> None:
    """A weak edit stays at its source, by its own noise more than by any."""
    source = steered.gallery[2]
    own = (steered.edit(2, "loud drums", 0.2, "inverted") @ source).mean()
    any_noise = (steered.edit(2, "loud drums", 0.2, "noise") @ source).mean()
    far = (steered.edit(2, "loud drums", 1.0, "noise") @ source).mean()
    assert own > any_noise > far
    assert own > 0.9


def test_without_a_tagger_words_of_tags_and_folders_are_attributes(
    clips: Library, model: checkpoint.Model
) -> None:
    steered = of_library(model, clips)
    # A copy takes the name that is read last, so one of the two folders may lack one.
    assert 11 <= steered.attributes["crates"].sum() <= 12
    assert not (steered.attributes["crates"] & steered.attributes["shelves"]).any()
    assert set(steered.attributes) <= set(tagged(steered.tracks, clips))


def test_a_library_that_shares_nothing_is_refused(music: Path, model: checkpoint.Model) -> None:
    with (
        Library.open(music, create=True) as library,
        pytest.raises(UsageError, match="share no attribute"),
    ):
        of_library(model, library)
