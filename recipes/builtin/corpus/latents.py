"""Latents of every prepared track by a trained encoder, and the projection that makes them.

    python -m recipes.builtin.corpus.latents --work DIR [--encoder encoder]

The projection holds the leading principal components of the features of training tracks, each
kind of track counting by what it gives the encoder to learn from. Nothing is subtracted: the
search space removes the mean. Writes `DIR/ENCODER/latents.npz`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gdr_model.encoders.builtin.audio import AudioNet
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.corpus.crops import SHARES, weight
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack
from recipes.builtin.train_encoder import features_of

DIM = 128
"""64 hold 83 % of the variance of the features, 128 hold 99 %; with 128 more is found."""


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
            own = (stored["projection"], stored["mean"], stored["sd"])
        return cls(dict(zip(ids, rows, strict=True)), *own)

    def passage(self, track: str, start: int, seconds: int) -> Array:
        """Latents of a passage, tiled to (PASSAGE_S, DIM)."""
        rows = self.rows[track][start : start + seconds]
        return rows[np.arange(PASSAGE_S) % len(rows)]


def load_net(folder: Path) -> AudioNet:
    """The trained network of an encoder's folder."""
    saved = torch.load(folder / "encoder.pt", weights_only=True)["student"]
    net = AudioNet()
    net.load_state_dict({k[4:]: v for k, v in saved.items() if k.startswith("net.")})
    return net.eval()


def components(features: Sequence[Array], tracks: Sequence[PreparedTrack]) -> tuple[Tensor, Array]:
    """Principal components (FEATURES, DIM) and each row's weight, over training tracks."""
    shares = []
    for track, rows in zip(tracks, features, strict=True):
        alike = sum(weight(t) for t in tracks if t.kind == track.kind)
        shares.append(np.full(len(rows), SHARES[track.kind] * weight(track) / alike / len(rows)))
    weights = np.concatenate(shares)
    weights /= weights.sum()
    rows = np.concatenate(features).astype(np.float64)
    centred = rows - weights @ rows
    values, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    order = np.argsort(-values)[:DIM]
    kept = values[order].sum() / values.sum()
    print(f"{DIM} components keep {100 * kept:.2f} % of the variance", flush=True)
    return torch.from_numpy(vectors[:, order].astype(np.float32)), weights


def build(work: Path, encoder: str) -> None:
    """Encode everything and write it down."""
    folder = work / encoder
    net = load_net(folder)
    tracks = PreparedFolder(work).load()
    features = [features_of(net, track) for track in tracks]
    learnt = [i for i, t in enumerate(tracks) if t.record["split"] == "train"]
    projection, weights = components([features[i] for i in learnt], [tracks[i] for i in learnt])
    # Stored in half precision: measured with what will be read back.
    projection = projection.half().float()
    latents = [rows @ projection.numpy() for rows in features]
    own = np.concatenate([latents[i] for i in learnt])
    mean = weights @ own
    sd = np.sqrt(weights @ np.square(own - mean))
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in latents])])
    np.savez(
        folder / "latents.npz",
        ids=np.array([str(t.record["id"]) for t in tracks]),
        latents=np.concatenate(latents).astype(np.float32),
        offsets=offsets,
        projection=projection.numpy(),
        mean=mean.astype(np.float32),
        sd=sd.astype(np.float32),
    )
    print(f"{len(tracks)} tracks, {offsets[-1]} latents", flush=True)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--encoder", default="encoder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(arguments.work, arguments.encoder)


if __name__ == "__main__":
    main()
