"""Write the model that ships: `gdr_model/builtin/{config.json, model.safetensors}`.

Beside it, the ridge regression that it is compared with: `recipes/builtin/report/ridge.npz`.

    python -m recipes.builtin.export --work DIR [--to FOLDER]

Everything is stored in half precision. The written folder is loaded again and must give the same
latents as the trained network (cosine above .999) and the same velocities.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.schedule import Schedule
from gdr_model.encoders.builtin import audio as builtin
from gdr_model.encoders.builtin.minilm import WIDTH
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.models import checkpoint
from gdr_model.models.config import SHIPPED
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from recipes.builtin.corpus.latents import DIM, Latents, load_net
from recipes.builtin.corpus.prepare import decode, listed
from recipes.builtin.report.evaluate import RIDGE

LIMIT_BYTES = 15_000_000
ANCHOR_SHARE = 0.7
"""Of the contrastive tower in a fused score; the figures hardly change from .6 to .9."""


def load_denoiser(folder: Path) -> tuple[TransformerDenoiser, Tensor | None]:
    """The averaged weights of a retriever's folder, and its deviations along time (T, D)."""
    saved = torch.load(folder / "denoiser.pt", weights_only=True)
    net = TransformerDenoiser(TransformerConfig(**saved["config"]))
    net.load_state_dict(saved["ema"])
    return net.eval(), saved.get("along")


def load_tower(folder: Path) -> tuple[ContrastiveTower, float]:
    """The contrastive tower and the whitening power it was trained for."""
    saved = torch.load(folder / "contrastive.pt", weights_only=True)
    tower = ContrastiveTower(WIDTH, DIM)
    tower.load_state_dict(saved["tower"])
    return tower.eval(), float(saved["power"])


def probe(work: Path) -> Array:
    """Half a minute of a training track, or of tones where there is none (N,)."""
    for record in listed(work):
        if Path(record["path"]).is_file():
            return decode(Path(record["path"]), 30)
    times = np.arange(30 * builtin.SAMPLE_RATE_HZ) / builtin.SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * 220 * times * (1 + times // 5)).astype(np.float32)


def export(work: Path, encoder: str, name: str, to: Path) -> None:
    """Write, read back, compare."""
    net, latents = load_net(work / encoder), Latents.load(work / encoder)
    denoiser, along = load_denoiser(work / name)
    tower, power = load_tower(work / name)
    projection = torch.from_numpy(latents.projection)
    checkpoint.save(
        to,
        name="builtin",
        net=net,
        projection=projection,
        denoiser=denoiser,
        contrastive=tower,
        schedule=Schedule(),
        anchor_share=ANCHOR_SHARE,
        latent_mean=torch.from_numpy(latents.mean),
        latent_sd=torch.from_numpy(latents.sd),
        latent_along=along,
        whitening_power=power,
    )
    (to / "model.safetensors").chmod(0o644)
    with np.load(work / name / "ridge.npz") as line:
        np.savez(RIDGE, **{key: line[key].astype(np.float16) for key in line})
    model = checkpoint.load(str(to), "cpu")
    sound = probe(work)
    trained = builtin.BuiltinEncoder(net, projection, model.space).encode(sound)
    written = model.encoder.encode(sound)
    space = model.whitening
    alike = (unit(trained - space.mean) * unit(written - space.mean)).sum(axis=1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 64, DIM, generator=generator)
    t, none = torch.tensor([999, 400]), torch.zeros(2, 1, dtype=torch.bool)
    blank = (torch.zeros(2, 1, WIDTH), none, torch.zeros(2, WIDTH))
    with torch.inference_mode():
        v = denoiser(x, t, denoiser.read(*blank))
        w = model.denoiser(x, t, model.denoiser.read(*blank))
    error = float((v - w).square().mean() / v.square().mean())
    size = sum(file.stat().st_size for file in to.glob("*") if file.suffix != ".md")
    print(f"{to}: {size / 1e6:.2f} MB, latents alike to {alike.min():.6f}, v off by {error:.1e}")
    if alike.min() < 0.999 or error > 1e-3 or size > LIMIT_BYTES:
        raise SystemExit("the written model does not reproduce the trained one, or is too large")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--name", default="retriever")
    parser.add_argument("--to", type=Path, default=SHIPPED, metavar="FOLDER")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    export(arguments.work, arguments.encoder, arguments.name, arguments.to)


if __name__ == "__main__":
    main()
