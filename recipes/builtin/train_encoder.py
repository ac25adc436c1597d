"""Train `AudioNet` to predict what two teachers say, for a given time.

    python -m recipes.builtin.train_encoder --work DIR --minutes 32 [--name encoder]
    python -m recipes.builtin.train_encoder --work DIR --minutes 6 --device cuda --batch 256

Six heads share the network and are discarded afterwards. Of the first teacher: its logits, z-scored
per class (the strongest signal); its posteriors; its embedding, as leading principal components;
and, from the frames before the window, the logits of single seconds, which carry when something
sounds and not only that it does. Of the second: the logits of its tags, z-scored, and its features,
as principal components. Their vocabularies stay apart, because an average of the two is worse
than the better one in half of the classes. `--start MODEL` begins with the encoder of a finished
model. The cosine schedule follows the clock instead of steps, so that the run takes the time it is
given; `--steps` counts steps, so that two runs can be compared, and `--second 0` leaves out the
second teacher. Tracks prepared meanwhile are added at the next checkpoint. Resumes from
`DIR/NAME/checkpoint.pt`; the result is `DIR/NAME/encoder.pt`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model import atomic
from gdr_model.encoders.builtin.audio import FRAMES_PER_S, POOLED_PER_S, AudioNet, BuiltinEncoder
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.types import Array
from recipes.builtin.corpus.crops import CropBatch, CropSampler, windowed
from recipes.builtin.corpus.prepare import ROWS, PreparedFolder, PreparedTrack
from recipes.builtin.steps import step_parser
from training.words.tagger import TAGS
from training.words.teacher import CLASSES, MUSIC, VOICE

BATCH = 20
RATE = 1.5e-3
"""For batches of `BATCH` on one thread; batches of 256 on a GPU train best at a higher one."""
COMPONENTS = 128
SECOND = 1.0
"""What the second teacher counts; 0 leaves it out."""
SQUEEZED = 512
"""Width of the network's frames before they are pooled."""
CHECKPOINT_S = 300.0


@dataclass(frozen=True)
class Targets:
    """Statistics of the teachers over the training tracks, for z-scores."""

    mean: Tensor  # (521,)
    sd: Tensor  # (521,)
    embedding_mean: Tensor  # (1024,)
    components: Tensor  # (1024, COMPONENTS), scaled to unit variance
    tag_mean: Tensor  # (50,)
    tag_sd: Tensor  # (50,)
    feature_mean: Tensor  # (200,)
    feature_components: Tensor  # (200, COMPONENTS), scaled to unit variance

    @classmethod
    def fit(cls, tracks: Sequence[PreparedTrack], seed: int = 0) -> Targets:
        """From at most a minute of each track, so that long ones do not dominate."""
        rng = np.random.default_rng(seed)
        rows: dict[str, list[Tensor]] = {name: [] for name in ROWS[1:]}
        for track in tracks:
            count = min(60, track.seconds)
            start = int(rng.integers(track.seconds - count + 1))
            for name, into in rows.items():
                part = getattr(track, name)[start : start + count].astype(np.float32)
                into.append(windowed(torch.from_numpy(part)[None])[0])
        every = {name: torch.cat(parts) for name, parts in rows.items()}
        return cls(
            *z_scores(every["logits"]),
            *principal(every["embedding"]),
            *z_scores(every["tag_logits"]),
            *principal(every["tag_features"]),
        )


def z_scores(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of rows (N, C)."""
    return rows.mean(0), rows.std(0).clamp_min(1e-3)


def principal(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of rows (N, C), and their leading components (C, COMPONENTS) at unit variance."""
    centre = rows.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((rows - centre).T))
    order = values.argsort(descending=True)[:COMPONENTS]
    return centre, vectors[:, order] / values[order].clamp_min(1e-8).sqrt()


class Student(nn.Module):
    """The network that ships, and the heads it is trained with."""

    def __init__(self) -> None:
        super().__init__()
        self.net = AudioNet()
        self.logits = nn.Linear(AudioNet.FEATURES, CLASSES)
        self.posteriors = nn.Linear(AudioNet.FEATURES, CLASSES)
        self.embedding = nn.Linear(AudioNet.FEATURES, COMPONENTS)
        self.seconds = nn.Linear(SQUEEZED, CLASSES)
        self.tags = nn.Linear(AudioNet.FEATURES, len(TAGS))
        self.tag_features = nn.Linear(AudioNet.FEATURES, COMPONENTS)
        self.frames = torch.empty(0)  # (B, F / 16, 512), left by the last forward
        self.net.squeeze.register_forward_hook(self._keep)
        nn.init.constant_(self.posteriors.bias, -5.0)  # most classes are absent most of the time

    def _keep(self, _: nn.Module, __: tuple[Tensor, ...], frames: Tensor) -> None:
        self.frames = frames

    def by_second(self) -> Tensor:
        """Logits of the single seconds (B, T, 521) of the crops just read."""
        batch, frames, width = self.frames.shape
        pooled = self.frames.view(batch, frames // POOLED_PER_S, POOLED_PER_S, width).mean(dim=2)
        logits: Tensor = self.seconds(pooled)
        return logits


def loss(student: Student, batch: CropBatch, targets: Targets, second: float = SECOND) -> Tensor:
    """Sum of the heads' losses; mixtures have only posteriors to compare with."""
    with torch.autocast(batch.mel.device.type, torch.bfloat16, enabled=batch.mel.is_cuda):
        features = student.net(batch.mel)
    features, student.frames = features.float(), student.frames.float()
    clean = ~batch.mixed
    importance = torch.full((CLASSES,), 0.4, device=batch.mel.device)
    importance[MUSIC] = importance[VOICE] = 1.0
    z = (batch.logits[clean] - targets.mean) / targets.sd
    error = (student.logits(features[clean]) - z).square()
    by_logits = (error * importance).mean() / importance.mean()
    single = (batch.seconds[clean] - targets.mean) / targets.sd
    error = (student.by_second()[clean] - single).square()
    by_seconds = (error * importance).mean() / importance.mean()
    posteriors = F.binary_cross_entropy_with_logits(student.posteriors(features), batch.posteriors)
    hidden = (batch.embedding[clean] - targets.embedding_mean) @ targets.components
    by_embedding = (student.embedding(features[clean]) - hidden).square().mean()
    first = by_logits + 0.5 * by_seconds + 20 * posteriors + 0.5 * by_embedding
    tags = (batch.tag_logits[clean] - targets.tag_mean) / targets.tag_sd
    by_tags = (student.tags(features[clean]) - tags).square().mean()
    tag_features = (batch.tag_features[clean] - targets.feature_mean) @ targets.feature_components
    by_features = (student.tag_features(features[clean]) - tag_features).square().mean()
    total: Tensor = first + second * (by_tags + 0.5 * by_features)
    return total


def encoder_of(model: str) -> BuiltinEncoder:
    """The encoder of a finished model.

    Raises:
        UsageError: if the model holds no encoder of its own.
    """
    encoder = checkpoint.load(model, "cpu").own_encoder
    if encoder is None:
        raise UsageError(f"{model} holds no encoder of its own")
    return encoder


def device_of(net: nn.Module) -> torch.device:
    """The device of a network's weights."""
    return next(net.parameters()).device


def device_name(device: str) -> str:
    """The name of a device for the model card."""
    return torch.cuda.get_device_name() if "cuda" in device else "one processor thread"


def features_of(net: AudioNet, track: PreparedTrack, max_s: int = 300) -> Array:
    """Features (T, FEATURES) of a track, computed at once."""
    mel = torch.from_numpy(track.mel[: max_s * FRAMES_PER_S].astype(np.float32))
    with torch.inference_mode():
        features: Array = net(mel[None].to(device_of(net)))[0].cpu().numpy()
    return features


def validate(student: Student, tracks: Sequence[PreparedTrack]) -> dict[str, float]:
    """Correlation with the teachers' logits over held-out tracks, 8 s apart, mean over classes."""
    student.eval()
    guesses, truths = [], []
    for track in tracks:
        features = torch.from_numpy(features_of(student.net, track, 60))
        with torch.inference_mode():
            features = features.to(device_of(student))
            heads = [student.logits(features), student.tags(features)]
            guesses.append(torch.cat(heads, dim=1).cpu()[::8])
        both = np.concatenate([track.logits[:60], track.tag_logits[:60]], axis=1)
        truths.append(windowed(torch.from_numpy(both.astype(np.float32))[None])[0][::8])
    student.train()
    guess, truth = torch.cat(guesses), torch.cat(truths)
    guess, truth = guess - guess.mean(0), truth - truth.mean(0)
    scale = guess.square().sum(0).sqrt() * truth.square().sum(0).sqrt()
    correlation = (guess * truth).sum(0) / scale.clamp_min(1e-9)
    return {
        "music": float(correlation[MUSIC].mean()),
        "voice": float(correlation[VOICE].mean()),
        "all": float(correlation[:CLASSES].mean()),
        "tags": float(correlation[CLASSES:].mean()),
    }


def train(work: Path, arguments: argparse.Namespace) -> None:
    """Train until the time is used up, over any number of interruptions."""
    folder = work / arguments.name
    seed, device = arguments.seed, arguments.device
    folder.mkdir(parents=True, exist_ok=True)
    store = PreparedFolder(work)
    tracks = store.load()
    held = [t for t in tracks if t.record["split"] == "test"]
    train_tracks = [t for t in tracks if t.record["split"] == "train"]
    # As many as a validation of a few seconds can read.
    held_real = [t for t in held if t.kind == "source"][:80]
    torch.manual_seed(seed)
    student = Student()
    if arguments.start:
        student.net.load_state_dict(encoder_of(arguments.start).net.state_dict())
    student.to(device)
    targets_file = folder / "targets.pt"
    if not targets_file.exists():
        save(vars(Targets.fit(train_tracks)), targets_file)
    stored = torch.load(targets_file, weights_only=True)
    targets = Targets(**{name: value.to(device) for name, value in stored.items()})
    student.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        student.parameters(), arguments.rate, (0.9, 0.98), weight_decay=0.01
    )
    sampler = CropSampler(train_tracks, arguments.batch, seed, device)
    state: dict[str, Any] = {"step": 0, "elapsed": 0.0}
    reached = folder / "checkpoint.pt"
    if reached.exists():
        saved = torch.load(reached, weights_only=True, map_location=device)
        student.load_state_dict(saved["student"])
        optimiser.load_state_dict(saved["optimiser"])
        state = {"step": saved["step"], "elapsed": saved["elapsed"]}
    seconds = sum(t.seconds for t in train_tracks)
    print(f"{len(train_tracks)} tracks, {seconds / 3600:.1f} h to learn from", flush=True)
    budget, last_saved = 60 * arguments.minutes, time.monotonic()
    running: Tensor | None = None  # stays on the device: reading it waits for the step
    while (progress := done(state, budget, arguments.steps)) < 1:
        began = time.monotonic()
        rate = arguments.rate * min(1.0, (state["step"] + 1) / 200)
        rate *= 0.5 * (1 + math.cos(math.pi * progress))
        for group in optimiser.param_groups:
            group["lr"] = rate
        value = loss(student, sampler.batch(state["step"]), targets, arguments.second)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        optimiser.step()
        now = value.detach()
        running = now if running is None else torch.lerp(running, now, 0.01)
        state["step"] += 1
        # Time in which the process was suspended does not count.
        state["elapsed"] += min(2.0, time.monotonic() - began)
        if state["step"] % 100 == 0:
            print(
                f"step {state['step']} {state['elapsed'] / 60:.1f} min "
                f"loss {float(running):.3f} rate {rate:.1e}",
                flush=True,
            )
        ends = done(state, budget, arguments.steps) >= 1
        if time.monotonic() - last_saved > CHECKPOINT_S or ends:
            log = {**state, "loss": float(running), **validate(student, held_real)}
            log |= {"batch": arguments.batch, "device": device_name(device)}
            log |= {"start": arguments.start}
            print(json.dumps(log), flush=True)
            with (folder / "log.jsonl").open("a") as out:
                out.write(json.dumps(log) + "\n")
            saved = {"student": student.state_dict(), "optimiser": optimiser.state_dict(), **state}
            save(saved, reached)
            if len(store.records()) > len(tracks):
                tracks = store.load()
                train_tracks = [t for t in tracks if t.record["split"] == "train"]
                sampler = CropSampler(train_tracks, arguments.batch, seed, device)
                print(f"now {len(train_tracks)} tracks to learn from", flush=True)
            last_saved = time.monotonic()
    student.eval().cpu()
    student.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    save({"student": student.state_dict(), "steps": state["step"]}, folder / "encoder.pt")


def done(state: dict[str, Any], budget_s: float, steps: int) -> float:
    """The share of a run that is done, of its steps where it counts those, else of its time."""
    return float(state["step"] / steps if steps else state["elapsed"] / budget_s)


def save(content: dict[str, Any], path: Path) -> None:
    """Write tensors atomically."""
    with atomic.replacing(path) as temporary:
        torch.save(content, temporary)


def arguments_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, or the given words, parsed."""
    parser = step_parser(__doc__)
    parser.add_argument("--name", default="encoder")
    parser.add_argument("--start", default="", help="begin with the encoder of this model")
    parser.add_argument("--minutes", type=float, default=32.0)
    parser.add_argument("--steps", type=int, default=0, help="this many, however long it takes")
    parser.add_argument("--second", type=float, default=SECOND, help="weight of its teacher")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(words)


def main() -> None:
    """Run from the command line."""
    arguments = arguments_of()
    torch.set_num_threads(1)
    train(arguments.work, arguments)


if __name__ == "__main__":
    main()
