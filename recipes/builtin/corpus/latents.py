"""Latents of every prepared track by a trained encoder, and the projection that makes them.

    python -m recipes.builtin.corpus.latents --work DIR [--encoder encoder]
    python -m recipes.builtin.corpus.latents --work DIR --model builtin
    python -m recipes.builtin.corpus.latents --work DIR --encoder musicnn

The projection holds the leading principal components of the features of training tracks, each
kind of track weighted as it was in training the encoder. Nothing is subtracted: the search space
removes the mean. Writes `DIR/ENCODER/latents.npz`.

`--model` takes encoder and projection from a finished model instead, for a new retriever with the
same latents: libraries indexed with that model need not be indexed again. The encoder `musicnn` is
the second teacher, whose features `prepare` keeps: its latents are as they are, nothing is
projected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdr_model import atomic
from gdr_model.encoders.builtin.audio import AudioNet
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.corpus.crops import SHARES, weight
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack
from recipes.builtin.steps import step_parser
from recipes.builtin.train_encoder import encoder_of, features_of

DIM = 128
"""64 hold 83 % of the variance of the features, 128 hold 99 %; with 128 more is found."""


SECOND = "musicnn"
"""The encoder that is the second teacher."""


@dataclass(frozen=True)
class Latents:
    """Latents of all tracks, by id."""

    rows: dict[str, Array]  # id to (T, DIM)
    projection: Array  # (FEATURES, DIM)
    mean: Array  # (DIM,) over training seconds
    sd: Array  # (DIM,)

    @classmethod
    def load(cls, folder: Path) -> Latents:
        """Read what `build` wrote."""
        with np.load(folder / "latents.npz") as stored:
            ids = [str(i) for i in stored["ids"]]
            rows = np.split(stored["latents"].astype(np.float32), stored["offsets"][1:-1])
            statistics = (stored["projection"], stored["mean"], stored["sd"])
        return cls(dict(zip(ids, rows, strict=True)), *statistics)

    def passage(self, track: str, start: int, seconds: int) -> Array:
        """Latents of a passage, tiled to (PASSAGE_S, DIM)."""
        rows = self.rows[track][start : start + seconds]
        return rows[np.arange(PASSAGE_S) % len(rows)]

    def passages(self, items: Sequence[dict[str, Any]]) -> Array:
        """Those of several items of a pool (B, PASSAGE_S, DIM)."""
        return np.stack([self.passage(i["id"], i["start_s"], i["seconds"]) for i in items])


def load_net(folder: Path) -> AudioNet:
    """The trained network of an encoder's folder."""
    saved = torch.load(folder / "encoder.pt", weights_only=True)["student"]
    net = AudioNet()
    net.load_state_dict({k[4:]: v for k, v in saved.items() if k.startswith("net.")})
    return net.eval()


def take_encoder(model: str, folder: Path) -> Array:
    """Copy a model's encoder into a folder as `load_net` reads it; returns the projection.

    Raises:
        UsageError: if the model holds no encoder of its own.
    """
    encoder = encoder_of(model)
    folder.mkdir(parents=True, exist_ok=True)
    student = {f"net.{name}": value for name, value in encoder.net.state_dict().items()}
    with atomic.replacing(folder / "encoder.pt") as temporary:
        torch.save({"student": student}, temporary)
    return np.asarray(encoder.projection.numpy())


def row_weights(lengths: Sequence[int], tracks: Sequence[PreparedTrack]) -> Array:
    """What each row of some tracks counts (sum of lengths,), kinds of track in their shares."""
    shares = []
    for track, length in zip(tracks, lengths, strict=True):
        alike = sum(weight(t) for t in tracks if t.kind == track.kind)
        shares.append(np.full(length, SHARES[track.kind] * weight(track) / alike / length))
    weights = np.concatenate(shares)
    return np.asarray(weights / weights.sum())


def components(features: Sequence[Array], weights: Array) -> Tensor:
    """Principal components (FEATURES, DIM) of rows under their weights."""
    rows = np.concatenate(features).astype(np.float64)
    centred = rows - weights @ rows
    values, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    order = np.argsort(-values)[:DIM]
    kept = values[order].sum() / values.sum()
    print(f"{DIM} components keep {100 * kept:.2f} % of the variance", flush=True)
    return torch.from_numpy(vectors[:, order].astype(np.float32))


def build(work: Path, encoder: str, model: str = "") -> None:
    """Encode everything and write it down."""
    folder, tracks = work / encoder, PreparedFolder(work).load()
    if encoder == SECOND:
        features = [track.tag_features.astype(np.float32) for track in tracks]
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, tracks, features, np.eye(features[0].shape[1], dtype=np.float32))
        return
    projection = take_encoder(model, folder) if model else None
    net = load_net(folder)
    features = [features_of(net, track) for track in tracks]
    if projection is None:
        learnt = [i for i, t in enumerate(tracks) if t.record["split"] == "train"]
        weights = row_weights([len(features[i]) for i in learnt], [tracks[i] for i in learnt])
        # Stored in half precision: measured with what will be read back.
        projection = components([features[i] for i in learnt], weights).half().float().numpy()
    write(folder, tracks, [rows @ projection for rows in features], projection)


def write(
    folder: Path, tracks: Sequence[PreparedTrack], latents: Sequence[Array], projection: Array
) -> None:
    """Write the latents of all tracks, with their statistics over the training tracks."""
    learnt = [i for i, t in enumerate(tracks) if t.record["split"] == "train"]
    weights = row_weights([len(latents[i]) for i in learnt], [tracks[i] for i in learnt])
    rows = np.concatenate([latents[i] for i in learnt])
    mean = weights @ rows
    sd = np.sqrt(weights @ np.square(rows - mean))
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in latents])])
    with atomic.replacing(folder / "latents.npz") as temporary:
        np.savez(
            temporary,
            ids=np.array([str(t.record["id"]) for t in tracks]),
            latents=np.concatenate(latents).astype(np.float32),
            offsets=offsets,
            projection=projection,
            mean=mean.astype(np.float32),
            sd=sd.astype(np.float32),
        )
    print(f"{len(tracks)} tracks, {offsets[-1]} latents", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--model", default="", help="take encoder and projection from this model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(arguments.work, arguments.encoder, arguments.model)


if __name__ == "__main__":
    main()
