"""Latents of prepared tracks: principal components, weights, and a model's own encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from prepared import track

from gdr_model.models import checkpoint
from gdr_model.types import PASSAGE_S
from recipes.builtin.corpus.crops import SHARES, VOICE_BOOST
from recipes.builtin.corpus.latents import DIM, Latents, build, components, row_weights
from recipes.builtin.corpus.prepare import ROWS, PreparedFolder


def test_kinds_count_by_their_shares_and_tracks_by_their_length() -> None:
    tracks = [
        track("a", "source", 60, 0),
        track("b", "source", 30, 1),
        track("c", "render", 60, 2),
        track("d", "source", 60, 3, voice="sung"),
    ]
    lengths = [t.seconds for t in tracks]
    weights = row_weights(lengths, tracks)
    assert weights.sum() == pytest.approx(1)
    a, b, c, d = (part.sum() for part in np.split(weights, np.cumsum(lengths)[:-1]))
    assert a == pytest.approx(2 * b)
    assert d == pytest.approx(VOICE_BOOST * a)
    assert (a + b + d) / c == pytest.approx(SHARES["source"] / SHARES["render"])


def test_components_are_the_directions_of_most_variance_under_the_weights() -> None:
    rng = np.random.default_rng(0)
    width, rows = 160, 4000
    spread = np.r_[20, np.linspace(3, 0.01, width - 1)]
    features = (rng.standard_normal((rows, width)) * spread).astype(np.float32)
    found = components([features[:1000], features[1000:]], np.full(rows, 1 / rows))
    assert found.shape == (width, DIM)
    torch.testing.assert_close(found.T @ found, torch.eye(DIM), atol=1e-4, rtol=0)
    assert found[:, 0].abs().argmax() == 0
    # A row that counts for nothing has no say.
    outlier = features.copy()
    outlier[0] = 0
    outlier[0, -1] = 1000
    ignored = np.full(rows, 1 / (rows - 1))
    ignored[0] = 0
    first = components([outlier], ignored)[:, 0]
    assert first.abs().argmax() == 0


def test_a_models_encoder_gives_the_latents_that_a_library_would_hold(tmp_path: Path) -> None:
    store = PreparedFolder(tmp_path)
    for name, split, seconds in (("a", "train", 12), ("b", "test", 9)):
        one = track(name, "source", seconds, len(name), split=split)
        rows = {name: getattr(one, name) for name in ROWS}
        store.add(one.record, rows)
    build(tmp_path, "encoder", "builtin")
    latents = Latents.load(tmp_path / "encoder")
    assert {name: len(rows) for name, rows in latents.rows.items()} == {"a": 12, "b": 9}
    own = checkpoint.load("builtin", "cpu").own_encoder
    assert own is not None
    np.testing.assert_array_equal(latents.projection, own.projection.numpy())
    (a,) = (t for t in store.load() if t.record["id"] == "a")
    with torch.inference_mode():
        features = own.net(torch.from_numpy(a.mel.astype(np.float32))[None])[0]
    np.testing.assert_allclose(latents.rows["a"], (features @ own.projection).numpy(), atol=1e-3)
    # The statistics are of the training tracks alone.
    np.testing.assert_allclose(latents.mean, latents.rows["a"].mean(0), atol=1e-4)
    np.testing.assert_allclose(latents.sd, latents.rows["a"].std(0), rtol=1e-3, atol=1e-5)


def test_a_short_passage_is_repeated() -> None:
    rows = np.arange(20, dtype=np.float32)[:, None].repeat(DIM, 1)
    latents = Latents({"t": rows}, np.eye(DIM), rows[0], rows[0])
    passage = latents.passage("t", 4, 10)
    assert passage.shape == (PASSAGE_S, DIM)
    assert passage[:12, 0].tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 4, 5]
    items = [{"id": "t", "start_s": 4, "seconds": 10}, {"id": "t", "start_s": 0, "seconds": 2}]
    assert latents.passages(items)[:, 1, 0].tolist() == [5, 1]
