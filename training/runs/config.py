"""What a training run is made of: YAML read into frozen dataclasses, every field documented.

Unknown fields, wrong types and values that cannot be meant are refused with one sentence that
names the field. `$GDR_SHARED/...` in a path stands for the folder of shared data.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from gdr_model.diffusion.prediction import PREDICTIONS
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import UsageError
from gdr_model.types import Steering


def _need(holds: bool, sentence: str) -> None:
    if not holds:
        raise UsageError(sentence)


@dataclass(frozen=True)
class DataConfig:
    """What is learned from, and the space it is learned in."""

    path: str = ""
    """An extraction (a folder), or arrays (.npz, .safetensors) with captions and track ids."""
    labels: str = ""
    """For arrays whose dimensions are classes: a file of their names, one a line."""
    floor: float | None = None
    """For class probabilities: the latents are log(p + floor). None takes arrays as they are."""
    components: int | None = None
    """Leading principal components of the training tracks that are kept; None keeps the axes."""
    standardise: bool = True
    """Divide by the deviation of the training tracks; False is upstream's unscaled latents."""
    power: float = 0.5
    """The search space divides by sd^power: 0 is the plain cosine of the centred latents."""
    folds: int = 5
    """The tracks are cut into this many folds; `--fold K` holds out fold K."""
    split_seed: int = 0
    """Seed of the folds."""
    held_out: str = ""
    """Instead of folds: the split, as the dataset names it, that is kept for evaluation."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        _need(self.floor is None or self.floor > 0, "data.floor must be above 0")
        _need(self.components is None or self.components > 0, "data.components must be above 0")
        _need(0 <= self.power <= 1, "data.power must lie between 0 and 1")
        _need(self.folds >= 2, "data.folds must be 2 or more")


@dataclass(frozen=True)
class CaptionConfig:
    """What is done to the words while training; nothing of it touches an evaluation."""

    written: int = 0
    """Captions written for every training track from its class scores; needs `data.labels`."""
    written_share: float = 0.0
    """Share of a batch that reads written captions instead of people's."""
    blended: float = 0.0
    """Chance that a pair is blended with another: up to half of its words and of its sound. Only
    for networks that read pooled text (mlp)."""
    noise: float = 0.0
    """Deviation of noise added to the text, in units of the spread of the captions."""
    dropped: float = 0.1
    """Share of a batch that is trained without words: the null of classifier-free guidance."""
    repeat_short: float = 0.0
    """Upstream's habit: chance that a prompt below 77 characters is said again until it is long."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("written_share", "blended", "dropped", "repeat_short"):
            _need(0 <= getattr(self, name) <= 1, f"captions.{name} must lie between 0 and 1")
        _need(self.noise >= 0, "captions.noise must not be negative")
        _need(self.written >= 0, "captions.written must not be negative")
        _need(not self.written_share or self.written > 0, "captions.written_share needs written")


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise, and what the network is asked for."""

    prediction: str = "v"
    """v, x0 or eps."""
    schedule: Schedule = field(default_factory=Schedule)
    """Fields of `gdr_model.diffusion.schedule.Schedule`."""
    min_snr: float | None = 5.0
    """Gamma of min-SNR weighting; null is the plain mean squared error."""
    nt_xent: float = 0.0
    """Weight of the contrast between time-means of estimates and targets."""
    tau: float = 0.1
    """Its temperature."""
    mean_weight: float = 0.0
    """Weight of the error of the time-mean beside that of all frames; 1 where passages are whitened
    along time."""
    noisier: float = 1.0
    """Times are drawn as 1 - u^noisier: above 1 favours the noisy end, where words decide."""
    stratified: bool = False
    """Spread the times of a batch evenly instead of drawing each by itself: less noise a step."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        known = ", ".join(PREDICTIONS)
        _need(self.prediction in PREDICTIONS, f"diffusion.prediction must be one of {known}")
        _need(self.min_snr is None or self.min_snr > 0, "diffusion.min_snr must be above 0")
        _need(self.tau > 0, "diffusion.tau must be above 0")
        _need(self.noisier > 0, "diffusion.noisier must be above 0")


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW, with a linear warm-up and a cosine to the final rate."""

    steps: int = 1000
    """Steps in all."""
    batch: int = 256
    """Captions a step."""
    rate: float = 1e-3
    """Highest learning rate."""
    final_rate: float = 0.0
    """Learning rate at the end."""
    warmup: int = 100
    """Steps of warm-up."""
    betas: tuple[float, float] = (0.9, 0.99)
    """Of AdamW."""
    weight_decay: float = 0.1
    """Of AdamW."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: float = 0.998
    """Decay of the running mean of the weights, which is what is kept; 0 switches it off."""
    precision: str = "fp32"
    """fp32, or bf16 for autocast where there is a GPU."""
    seed: int = 0
    """Of everything random in the run."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("steps", "batch", "rate", "clip"):
            _need(getattr(self, name) > 0, f"optimiser.{name} must be above 0")
        _need(self.warmup >= 0, "optimiser.warmup must not be negative")
        _need(0 <= self.ema < 1, "optimiser.ema must lie in [0, 1)")
        _need(self.precision in ("fp32", "bf16"), "optimiser.precision must be fp32 or bf16")


@dataclass(frozen=True)
class DrawConfig:
    """How queries are drawn while validating and evaluating; by default as `gdr search` does."""

    draws: int = Steering.draws
    """Points a prompt."""
    steps: int = Steering.steps
    """Of the sampler."""
    guidance: float = Steering.guidance
    """Of the prompt; 1 draws from the distribution that was learned."""

    def __post_init__(self) -> None:
        """Refuse what no query can have."""
        self.steering("-", 0)

    def steering(self, prompt: str, seed: int) -> Steering:
        """A prompt, to be drawn like this.

        Raises:
            UsageError: if no query can be drawn like this.
        """
        return Steering(
            prompt, draws=self.draws, steps=self.steps, guidance=self.guidance, seed=seed
        )


@dataclass(frozen=True)
class RunConfig:
    """A whole run."""

    name: str
    """Name of the run; its folder is called so unless `--out` says otherwise."""
    data: DataConfig = DataConfig()
    """What is learned from."""
    captions: CaptionConfig = CaptionConfig()
    """What is done to the words."""
    network: Mapping[str, Any] = field(default_factory=lambda: {"kind": "mlp"})
    """`kind` (mlp, transformer or unet) and the shape of the network; the widths of latents and
    text are filled in."""
    diffusion: DiffusionConfig = DiffusionConfig()
    """Noise and loss."""
    optimiser: OptimiserConfig = OptimiserConfig()
    """Steps and rates."""
    draw: DrawConfig = DrawConfig()
    """Validation and evaluation."""
    validate_every: int = 250
    """Steps between two validations; 0 validates at the end alone."""
    keep_every: int = 200
    """Steps between two saved states, from which an interrupted run resumes."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant together."""
        pooled = self.network.get("kind") == "mlp"
        _need(pooled or not self.captions.blended, "captions.blended is for network.kind mlp alone")

    @classmethod
    def read(cls, path: Path) -> RunConfig:
        """Read a YAML file.

        Raises:
            UsageError: if it cannot be read or meant.
        """
        import yaml

        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        try:
            found = of(cls, raw, "")
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
        assert isinstance(found, cls)  # noqa: S101 (for the type checker)
        return found

    def described(self) -> dict[str, Any]:
        """As JSON holds it; `of` reads it back."""
        return asdict(self)


def of(kind: type, raw: object, where: str) -> Any:
    """A dataclass of what YAML or JSON gave.

    Raises:
        UsageError: naming the field that is unknown, missing or of another type.
    """
    if not isinstance(raw, Mapping):
        raise UsageError(f"{where or 'the file'} must hold named fields")
    hints, known = get_type_hints(kind), {f.name: f for f in fields(kind)}
    for name in raw:
        if name not in known:
            raise UsageError(f"unknown field {where}{name}; known are {', '.join(known)}")
    values = {}
    for name, value in raw.items():
        values[name] = _value(hints[name], value, f"{where}{name}")
    missing = [
        name
        for name, f in known.items()
        if name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise UsageError(f"the field {where}{missing[0]} is missing")
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)  # noqa: S101 (for the type checker)
        return of(hint, value, f"{where}.")
    if get_origin(hint) is types.UnionType:
        if value is None:
            return None
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        if isinstance(value, list | tuple) and len(value) == len(parts):
            return tuple(_value(part, v, where) for part, v in zip(parts, value, strict=True))
        raise UsageError(f"{where} must be a list of {len(parts)} numbers")
    if hint is float:
        return _number(value, where)
    if get_origin(hint) is not None:
        if isinstance(value, Mapping):
            return dict(value)
        raise UsageError(f"{where} must hold named fields")
    if type(value) is not hint:
        raise UsageError(f"{where} is {value!r}; it must be {_SPOKEN[hint]}")
    return value


_SPOKEN = {int: "a whole number", str: "a text", bool: "true or false"}


def _number(value: Any, where: str) -> float:
    # YAML reads 1e-4 as a text: it wants 1.0e-4.
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{where} must be a number")
    return float(value)


def resolved(path: str) -> Path:
    """A path of a configuration; `$GDR_SHARED` and other variables are filled in.

    Raises:
        UsageError: naming a variable that is not set.
    """
    found = os.path.expanduser(os.path.expandvars(path))
    unset = re.search(r"\$\{?(\w+)", found)
    if unset:
        raise UsageError(f"{path} needs the environment variable {unset[1]}; it is not set")
    return Path(found)
