"""A set small enough to train on in a second: tracks of four kinds, and what people say of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

KINDS = ("Piano", "Drum", "Jazz", "Rock music")
SAID = ("soft piano melody", "loud drums", "smooth jazz trio", "heavy rock guitars")
TRACKS = 20


def write_set(folder: Path) -> Path:
    """`set.npz` and `labels.txt`: 2 captions of each track, of 6 class probabilities."""
    rng = np.random.default_rng(0)
    probabilities, captions, tracks = [], [], []
    for track in range(TRACKS):
        own = rng.uniform(0.01, 0.1, 6)
        own[track % 4] = rng.uniform(0.7, 0.95)
        for beside in ("slow", "happy"):
            probabilities.append(own)
            captions.append(f"{beside} {SAID[track % 4]} number {track}")
            tracks.append(f"t{track}")
    np.savez(
        folder / "set.npz",
        posterior=np.array(probabilities, np.float32),
        caption=np.array(captions),
        track_id=np.array(tracks),
    )
    (folder / "labels.txt").write_text("\n".join([*KINDS, "Wind", "Dog"]) + "\n")
    return folder / "set.npz"


def small(path: Path, **changes: object) -> dict[str, object]:
    """The YAML of a run on `write_set`, as a mapping."""
    return {
        "name": "small",
        "data": {
            "path": str(path),
            "labels": str(path.with_name("labels.txt")),
            "floor": 1e-3,
            "components": 4,
            "folds": 4,
        },
        "captions": {"written": 2, "written_share": 0.25, "noise": 0.1, "blended": 0.5},
        "network": {"kind": "mlp", "widths": [16], "condition_width": 16, "dropout": 0.2},
        "diffusion": {"nt_xent": 0.3},
        "optimiser": {"steps": 12, "batch": 8, "warmup": 2, "ema": 0.9},
        "draw": {"draws": 4, "steps": 2},
        "validate_every": 6,
        "keep_every": 5,
        **changes,
    }


def table(folder: Path, rows: int = 24) -> Path:
    """Captions of music that is not there, some of each kind, as a CSV with labels."""
    lines = [f'"somebody plays {SAID[i % 4]}, take {i}",{KINDS[i % 4]}|Music' for i in range(rows)]
    path = folder / "words.csv"
    path.write_text("\n".join(["caption,labels", *lines, ",Piano", "no labels at all,"]) + "\n")
    return path
