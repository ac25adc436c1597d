"""Control: planted attributes, a small run, and the model that ships on an indexed library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.types import Method, Query
from training.data.corpus import Corpus
from training.data.folder import words_of
from training.evaluation import attributes
from training.evaluation.control import closeness_at, control, gain_at, share
from training.evaluation.negatives import at_equal_loss
from training.evaluation.steered import Steered, of_library, of_set
from training.metrics import Interval
from training.retrievers.gallery import Gallery
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.words import tagger_attributes
from training.words.teacher import MUSIC, VOICE, labels

CLIPS = 24


@pytest.fixture(scope="module")
def run(tiny: RunConfig, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fold 0 of the small set."""
    folder = tmp_path_factory.mktemp("runs") / "a"
    train_on_corpus(tiny, "0", folder, corpus=corpus)
    return str(folder)


@pytest.fixture(scope="module")
def steered(run: str) -> Iterator[Steered]:
    """The run, with its own classes as attributes."""
    with of_set(run) as found:
        yield found


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


def test_the_share_of_the_top_is_that_of_planted_scores(steered: Steered) -> None:
    planted = replace(steered, attributes={"x": np.arange(100) < 5})
    assert share(planted, np.arange(100, dtype=np.float32)[::-1], "x") == 25.0
    assert share(planted, np.arange(100, dtype=np.float32), "x") == 0.0


def test_the_top_of_a_small_library_is_a_quarter_of_it(steered: Steered) -> None:
    """A top 20 of 13 tracks is all of them, whatever is asked."""
    planted = replace(steered, attributes={"x": np.arange(13) < 3})
    assert share(planted, np.arange(13, dtype=np.float32)[::-1], "x") == 100.0
    assert share(planted, np.arange(13, dtype=np.float32), "x") == 0.0
    few = replace(steered.gallery, tracks=steered.gallery.tracks[:11])
    with pytest.raises(UsageError, match="at least 12 tracks; there are 11"):
        control(replace(steered, gallery=few))


def test_queries_are_those_of_gdr_search(steered: Steered) -> None:
    """Scores, direction and mixture agree with the list that a search shows."""
    retriever = Retriever(steered.retriever.model, [steered.gallery.library])
    query = steered.query("loud drums", (("piano", 0.7),), (("jazz", 0.4),), seed=4)
    assert query.anchor is not None
    scores = steered.scores(query)
    hits = retriever.search(query.steering, k=20).hits
    column = steered.gallery.column
    found = [scores[column[hit.track.content]] for hit in hits]
    assert [hit.score for hit in hits] == pytest.approx(found, abs=1e-6)
    # A track is one passage here; sources are kept in half precision.
    mixed = steered.mixed(query)
    lost = steered.retriever.libraries[0].penalties(query).sum(axis=0)
    np.testing.assert_allclose((steered.sources @ mixed.T).mean(1), scores + lost, atol=1e-3)
    np.testing.assert_allclose(steered.retriever.centre(query), unit(mixed.mean(0)), atol=1e-5)


def test_a_point_is_a_query_of_its_own(steered: Steered) -> None:
    here = steered.sources[7]
    query = steered.at(3 * here[None])
    np.testing.assert_allclose(query.vectors[0], here, atol=1e-6)
    assert steered.scores(query).argmax() == 7
    np.testing.assert_array_equal(steered.mixed(query), query.vectors)


def test_an_edit_of_little_strength_stays_at_its_source(steered: Steered) -> None:
    steered = replace(steered, how=replace(steered.how, steps=10, draws=2))
    here = steered.sources[3]
    near = steered.edit(3, "loud drums", 0.1).vectors @ here
    loose = steered.from_noise(3, "loud drums", 0.1).vectors @ here
    far = steered.from_noise(3, "loud drums", 1.0).vectors @ here
    assert near.mean() > 0.95
    assert near.mean() > loose.mean() > far.mean()


def test_random_noise_at_full_strength_is_a_plain_search(steered: Steered) -> None:
    """Then nothing of the source is left, and the baseline must be the product's own draw."""
    steered = replace(steered, how=replace(steered.how, steps=10, draws=4))
    for seed in (0, 3):
        one, other = (steered.from_noise(i, "loud drums", 1.0, seed).vectors for i in (1, 2))
        np.testing.assert_allclose(one, other, atol=0.05)
        plain: Query = steered.retriever.query(Steering("loud drums", steps=10, draws=4, seed=seed))
        np.testing.assert_allclose(one, plain.vectors, atol=0.05)


def test_control_reports_rivals_with_intervals(steered: Steered) -> None:
    assert len(steered.gallery.tracks) == 20
    halves = {"Piano": np.arange(20) < 10, "Jazz": np.arange(20) % 3 < 1}
    wide = replace(steered, attributes=halves, how=replace(steered.how, draws=2, steps=3))
    tables, about = control(wide, pairs=2, resamples=20)
    assert [t.title.split(",")[0] for t in tables] == [
        "Negatives",
        "Negatives at equal loss of the wanted",
        "Edits",
        "Edits at equal gain",
        "What edits find at equal gain",
        "Sliders",
    ]
    assert (about["gallery"], about["top"]) == (20, 5)
    assert "Share of the top 5" in tables[0].note
    assert all("share of the target in the top 5" in table.note for table in (tables[2], tables[5]))
    assert all(isinstance(cells[0], Interval) for t in tables for _, cells in t.rows)
    assert [name for name, _ in tables[2].rows] == [
        "edit",
        "edit, its draws alone",
        "edit, other noise",
        "SDEdit",
        "re-prompting, mixed in",
        "the tower's point, mixed in",
    ]
    with pytest.raises(UsageError, match="at least two attributes"):
        control(replace(wide, attributes={}))
    none = {"Piano": np.arange(20) < 1, "Jazz": np.arange(20) > 18}
    with pytest.raises(UsageError, match="finds anything to negate"):
        control(replace(wide, attributes=none), resamples=5)


def test_gain_is_read_where_the_walk_passes_the_closeness() -> None:
    walk = [(1.0, 10.0), (0.8, 20.0), (0.4, 40.0), (0.0, 90.0)]
    assert gain_at(walk, 0.6) == pytest.approx(20.0)
    assert gain_at(walk, -1) == pytest.approx(80.0)


def test_closeness_is_read_where_the_walk_has_gained_enough() -> None:
    walk = np.array([(1.0, 10.0), (0.8, 20.0), (0.4, 40.0)])
    assert closeness_at(walk, 20) == pytest.approx(0.6)
    assert closeness_at(walk, 99) == pytest.approx(0.4)


def test_ways_of_negating_are_read_where_they_have_lost_as_much_of_the_wanted() -> None:
    """Two pairs; at weight 1 a tenth of the wanted is gone, at 2 a half."""
    plain = np.array([(40, 90, 0.5, 4), (20, 70, 0.7, 6)], np.float64)
    walk = np.stack([plain * (0.5, 0.9, 1, 1), plain * (0.1, 0.5, 1, 1)])
    np.testing.assert_allclose(at_equal_loss(plain, walk, 95), (75, 95, 0.6, 5))
    np.testing.assert_allclose(at_equal_loss(plain, walk, 70), (30, 70, 0.6, 5))
    np.testing.assert_allclose(at_equal_loss(plain, walk, 10), (10, 50, 0.6, 5))


def test_the_samplers_own_negative_moves_draws_and_tower(steered: Steered) -> None:
    plain = steered.query("loud drums", seed=4)
    pushed = steered.pushed("loud drums", "piano", 1.0, seed=4)
    assert pushed.anchor is not None
    assert plain.anchor is not None
    piano = steered.retriever.query(Steering("piano"), Method.CONTRASTIVE).vectors
    np.testing.assert_allclose(pushed.anchor, unit(plain.anchor - piano / 2), atol=1e-5)
    assert not np.allclose(pushed.vectors, plain.vectors, atol=1e-3)
    assert pushed.negated is None, "it takes nothing from scores"


def test_the_classes_of_arrays_are_attributes(steered: Steered, corpus: Corpus) -> None:
    assert set(steered.attributes) == {"Piano", "Drum", "Jazz", "Rock music"}
    for number, name in enumerate(("Piano", "Drum", "Jazz", "Rock music")):
        assert steered.attributes[name].sum() == 3
        assert all(track % 4 == number for track in np.flatnonzero(steered.attributes[name]))


def test_captions_are_attributes_where_there_are_no_classes(corpus: Corpus) -> None:
    found = attributes.of_corpus(replace(corpus, labels=()))
    assert {"piano", "rock"} <= set(found)
    assert np.flatnonzero(found["piano"]).tolist() == [0, 4, 8, 12, 16]
    silent = replace(corpus, labels=(), captions=tuple("nothing" for _ in corpus.captions))
    with pytest.raises(UsageError, match="share no attribute"):
        attributes.of_corpus(silent)


def test_words_of_a_path_are_its_folders(tmp_path: Path) -> None:
    assert words_of(tmp_path / "Dance Floor" / "2001" / "a.wav", tmp_path) == {"dance floor"}
    assert words_of(tmp_path / "a.wav", tmp_path / "elsewhere") == set()


def test_what_the_tagger_detects_are_attributes(clips: Library, model: checkpoint.Model) -> None:
    steered = of_library(model, clips, "teacher")
    assert len(steered.gallery.tracks) == CLIPS  # the copy counts once
    assert steered.sources.shape == (CLIPS, model.space.dim)
    names = labels()
    of_music = {*names[MUSIC], *names[VOICE]}
    assert set(steered.attributes) <= of_music
    wanted = round(tagger_attributes.TOP_SHARE * CLIPS)
    assert all(has.sum() == wanted for has in steered.attributes.values())
    kept = (clips.store / "tagger-logits.npz").stat().st_mtime_ns
    again = of_library(model, clips, "teacher")
    assert set(again.attributes) == set(steered.attributes)
    assert (clips.store / "tagger-logits.npz").stat().st_mtime_ns == kept  # tagged once

    for negatives in ((), (("drums", 1.0),)):
        query = steered.query("calm piano", negatives, seed=4)
        listed = steered.retriever.search(query.steering, k=5).hits
        best = [steered.gallery.tracks[i].content for i in np.argsort(-steered.scores(query))[:5]]
        assert [hit.track.content for hit in listed] == best
    source = steered.sources[2]
    own = (steered.edit(2, "loud drums", 0.2).vectors @ source).mean()
    any_noise = (steered.from_noise(2, "loud drums", 0.2).vectors @ source).mean()
    far = (steered.from_noise(2, "loud drums", 1.0).vectors @ source).mean()
    assert own > any_noise > far
    assert own > 0.9


def test_without_a_tagger_words_of_tags_and_folders_are_attributes(
    clips: Library, model: checkpoint.Model
) -> None:
    found = of_library(model, clips).attributes
    # A copy takes the name that is read last, so one of the two folders may lack one.
    assert 11 <= found["crates"].sum() <= 12
    assert not (found["crates"] & found["shelves"]).any()
    assert set(found) <= set(attributes.tagged(Gallery.of(clips, model.space)))


def test_a_library_that_holds_nothing_is_refused(music: Path, model: checkpoint.Model) -> None:
    with (
        Library.open(music, create=True) as library,
        pytest.raises(UsageError, match="holds no track"),
    ):
        of_library(model, library)
