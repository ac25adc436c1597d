"""Attributes from a tagger: which tracks have a class, and what the library's store keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.types import Array, Track
from training.words.tagger_attributes import AUDIBLE, TOP_SHARE, logits_of, tagger_classes
from training.words.teacher import CLASSES, MUSIC, VOICE

TRACKS = 20
JAZZ, PIANO, FAINT, SINGING = MUSIC.start, MUSIC.start + 1, MUSIC.start + 2, VOICE.start


@pytest.fixture
def library(music: Path, write_tone, encoder) -> Iterator[Library]:
    """Twenty tones, indexed."""
    for number in range(TRACKS):
        write_tone(music / f"{number:02d}.wav", 200 + 20 * number, 1.0)
    with Library.open(music, create=True) as opened:
        ingest(opened, encoder, on_progress=lambda _: None)
        yield opened


@pytest.fixture
def logits() -> Array:
    """Jazz in two tracks, piano in ten, and a class that is faint even where it is strongest."""
    rows = np.random.default_rng(0).normal(-9, 0.1, (TRACKS, CLASSES)).astype(np.float32)
    rows[[3, 4], JAZZ] = [1.0, 2.0]
    rows[:10, PIANO] = np.linspace(0, 3, 10)
    rows[7, FAINT] = AUDIBLE - 0.1
    rows[5:9, SINGING] = 0.0
    return rows


@pytest.fixture
def tracks(
    library: Library, logits: Array, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[Track]:
    """The tracks, which the tagger has already labelled, and the names of its classes."""
    found = sorted(library.tracks(), key=lambda track: track.path)
    contents = np.array([track.content for track in found])
    np.savez(library.store / "tagger-logits.npz", contents=contents, logits=logits)
    folder = tmp_path / "shared" / "teacher"
    folder.mkdir(parents=True)
    names = "".join(f"class {number}\n" for number in range(CLASSES))
    (folder / "yamnet_labels.txt").write_text(names)
    monkeypatch.setenv("GDR_SHARED", str(folder.parent))
    return found


def test_what_was_heard_before_needs_no_tagger(
    library: Library, tracks: list[Track], logits: Array
) -> None:
    # There is no network in GDR_SHARED: it would fail.
    np.testing.assert_array_equal(logits_of(library, tracks), logits)
    some = [tracks[7], tracks[3]]
    np.testing.assert_array_equal(logits_of(library, some), logits[[7, 3]])


def test_a_track_never_heard_needs_the_tagger(
    library: Library, tracks: list[Track], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    (library.store / "tagger-logits.npz").unlink()
    monkeypatch.delenv("GDR_SHARED")
    with pytest.raises(FileNotFoundError, match="set GDR_SHARED"):
        logits_of(library, tracks)


def test_the_tracks_with_the_highest_logits_have_a_class(
    library: Library, tracks: list[Track]
) -> None:
    classes = tagger_classes(library, tracks)
    has_piano = classes[f"class {PIANO}"]
    assert has_piano.sum() == round(TOP_SHARE * TRACKS) == 3
    assert np.flatnonzero(has_piano).tolist() == [7, 8, 9]
    assert {3, 4} <= set(np.flatnonzero(classes[f"class {JAZZ}"]).tolist())


def test_tracks_that_tie_all_have_the_class(library: Library, tracks: list[Track]) -> None:
    has = tagger_classes(library, tracks)[f"class {SINGING}"]
    assert np.flatnonzero(has).tolist() == [5, 6, 7, 8]


def test_a_class_hardly_heard_in_any_track_is_left_out(
    library: Library, tracks: list[Track]
) -> None:
    classes = tagger_classes(library, tracks)
    assert f"class {FAINT}" not in classes
    assert set(classes) == {f"class {number}" for number in (JAZZ, PIANO, SINGING)}


def test_only_music_and_voice_are_attributes(
    library: Library, tracks: list[Track], logits: Array
) -> None:
    barking = logits.copy()
    barking[:, 0] = 9.0
    contents = np.array([track.content for track in tracks])
    np.savez(library.store / "tagger-logits.npz", contents=contents, logits=barking)
    assert "class 0" not in tagger_classes(library, tracks)
