"""The configuration of a training run: YAML read into frozen dataclasses, every field documented.

Unknown fields, wrong types and invalid values are refused in one sentence that names the field.
`$GDR_SHARED/...` in a path is the folder of shared data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gdr_model import decode
from gdr_model.diffusion.denoisers import POOLED
from gdr_model.diffusion.prediction import PREDICTIONS
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import UsageError
from gdr_model.steering import Sampler, Steering
from training.data.config import DataConfig, need

if TYPE_CHECKING:
    import yaml

CONFIGS = Path(__file__).parents[1] / "configs"
"""The configurations that come with gdr."""


@dataclass(frozen=True)
class CaptionConfig:
    """What happens to the words in training; evaluations are not affected."""

    written: int = 0
    """Captions to write for every training track from its class scores; needs `data.labels`."""
    written_share: float = 0.0
    """Share of a batch with written captions instead of people's."""
    borrowed: str = ""
    """A table of captions with labels, of music that is not there: MusicCaps, or a CSV with the
    columns caption and labels. Each is given to training tracks that have its labels by their class
    scores; needs `data.labels` and `network.unit_text`."""
    borrowed_tracks: int = 4
    """How many training tracks each of them is given to."""
    borrowed_share: float = 0.0
    """Share of a batch with borrowed captions instead of people's."""
    bank: int = 0
    """Correct draws by this many borrowed captions, at most, for tracks that are near to words in
    general (`gdr_model.search.indexed.commonness`)."""
    classes: bool = False
    """Fuse the classes that words name with the draws, by the labels of the borrowed captions and
    by the classes' names (`training.words.named`)."""
    blended: float = 0.0
    """Probability of blending a pair with another, up to half of its words and of its sound. Only
    for networks that read pooled text."""
    noise: float = 0.0
    """Deviation of noise added to the text, in units of the spread of the captions."""
    dropped: float = 0.1
    """Share of a batch trained without words: the null of classifier-free guidance."""
    repeat_short: float = 0.0
    """Upstream's augmentation: probability of repeating a prompt below 77 characters until it is
    long."""

    def __post_init__(self) -> None:
        """Validate the fields."""
        shares = ("written_share", "borrowed_share", "blended", "dropped", "repeat_short")
        for name in shares:
            need(0 <= getattr(self, name) <= 1, f"captions.{name} must lie between 0 and 1")
        need(self.noise >= 0, "captions.noise must not be negative")
        need(self.written >= 0, "captions.written must not be negative")
        need(not self.written_share or self.written > 0, "captions.written_share needs written")
        for name in ("borrowed_share", "bank", "classes"):
            set_alone = getattr(self, name) and not self.borrowed
            need(not set_alone, f"captions.{name} needs borrowed")
        need(self.bank >= 0, "captions.bank must not be negative")
        need(self.borrowed_tracks > 0, "captions.borrowed_tracks must be above 0")
        need(
            self.written_share + self.borrowed_share <= 1,
            "captions.written_share and captions.borrowed_share are above 1 together",
        )


LEAST_SIGNAL = 0.01
"""Share of the signal that must be left where a walk begins, to predict the noise."""


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise, and what the network predicts."""

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
    """Weight of the error of the time-mean, added to that of all frames; 1 where passages are
    whitened along time."""
    noisier: float = 1.0
    """Times are drawn as 1 - u^noisier: above 1 favours the noisy end, where words matter most."""
    stratified: bool = False
    """Spread the times of a batch evenly instead of drawing each independently."""

    def __post_init__(self) -> None:
        """Validate the fields."""
        known = ", ".join(PREDICTIONS)
        need(self.prediction in PREDICTIONS, f"diffusion.prediction must be one of {known}")
        need(self.min_snr is None or self.min_snr > 0, "diffusion.min_snr must be above 0")
        need(self.tau > 0, "diffusion.tau must be above 0")
        need(self.noisier > 0, "diffusion.noisier must be above 0")
        # Where a walk begins with no signal, the noise is x itself, and says nothing of the data.
        begin = self.schedule.grid(1)[0]
        need(
            self.prediction != "eps" or self.schedule.level(begin)[0] > LEAST_SIGNAL,
            "diffusion.prediction eps cannot begin where no signal is left, as this schedule does: "
            "predict v or x0, or use diffusion.schedule.kind scaled_linear",
        )


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW, with a linear warm-up and a cosine to the final rate."""

    steps: int = 1000
    """Total steps."""
    batch: int = 256
    """Captions per step."""
    rate: float = 1e-3
    """Highest learning rate."""
    final_rate: float = 0.0
    """Learning rate at the end."""
    warmup: int = 100
    """Steps of warm-up."""
    betas: tuple[float, float] = (0.9, 0.99)
    """AdamW's."""
    weight_decay: float = 0.1
    """AdamW's."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    ema: float = 0.998
    """Decay of the running mean of the weights, which the run keeps; 0 switches it off."""
    precision: str = "fp32"
    """fp32, or bf16 for autocast on a GPU."""
    seed: int = 0
    """Seed of everything random in the run."""

    def __post_init__(self) -> None:
        """Validate the fields."""
        for name in ("steps", "batch", "rate", "clip"):
            need(getattr(self, name) > 0, f"optimiser.{name} must be above 0")
        need(self.warmup >= 0, "optimiser.warmup must not be negative")
        need(0 <= self.ema < 1, "optimiser.ema must lie in [0, 1)")
        need(self.precision in ("fp32", "bf16"), "optimiser.precision must be fp32 or bf16")


@dataclass(frozen=True)
class DrawConfig:
    """How queries are drawn while validating and evaluating; by default as `gdr search` does."""

    draws: int = Steering.draws
    """Points per prompt."""
    steps: int = Steering.steps
    """Steps of the sampler."""
    sampler: Sampler = Steering.sampler
    """How a draw walks from noise to data (docs/samplers.md)."""
    guidance: float = Steering.guidance
    """Guidance of the prompt; 1 draws from the learned distribution."""

    def __post_init__(self) -> None:
        """Refuse what no query can have."""
        self.steering("-", 0)

    def steering(self, prompt: str, seed: int) -> Steering:
        """A prompt, to be drawn like this.

        Raises:
            UsageError: if no query can be drawn like this.
        """
        return Steering(
            prompt,
            draws=self.draws,
            steps=self.steps,
            sampler=self.sampler,
            guidance=self.guidance,
            seed=seed,
        )


@dataclass(frozen=True)
class RunConfig:
    """A whole run."""

    name: str
    """Name of the run, and of its folder unless `--out` is given."""
    data: DataConfig = field(default_factory=DataConfig)
    """The training data."""
    captions: CaptionConfig = CaptionConfig()
    """What happens to the words."""
    network: Mapping[str, Any] = field(default_factory=lambda: {"kind": "mlp"})
    """`kind` (mlp, residual, transformer or unet) and the shape of the network; the widths of
    latents and text are filled in."""
    diffusion: DiffusionConfig = DiffusionConfig()
    """Noise and loss."""
    optimiser: OptimiserConfig = OptimiserConfig()
    """Steps and rates."""
    draw: DrawConfig = DrawConfig()
    """Validation and evaluation."""
    tower_share: float | None = None
    """The share of a score that the contrastive tower has, with the classes if they are fused; null
    chooses it on the validation part."""
    validate_every: int = 250
    """Steps between two validations; 0 validates only at the end."""
    keep_every: int = 200
    """Steps between two saved states, from which an interrupted run resumes."""

    def __post_init__(self) -> None:
        """Validate fields that depend on one another."""
        pooled = self.network.get("kind") in POOLED
        kinds = " or ".join(POOLED)
        need(
            pooled or not self.captions.blended,
            f"captions.blended is only for network.kind {kinds}",
        )
        need(
            not self.captions.borrowed or self.data.labels != "",
            "captions.borrowed needs data.labels",
        )
        need(
            not self.captions.borrowed or bool(self.network.get("unit_text")),
            "captions.borrowed needs network.unit_text, which network.kind mlp has",
        )
        share = self.tower_share
        need(share is None or 0 <= share < 1, "tower_share must be 0 or more, and below 1")

    @classmethod
    def read(cls, name: str | Path) -> RunConfig:
        """Read a YAML file, or one of the configurations that come with gdr, by name.

        Raises:
            UsageError: if it cannot be read, or a field is unknown or invalid.
        """
        import yaml

        path = found(str(name))
        try:
            raw = yaml.load(path.read_text(encoding="utf-8"), _loader())  # noqa: S506 (it is a SafeLoader)
        except RecursionError:
            raise UsageError(f"{path} cannot be read: it is nested too deeply") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        return decode.into(cls, raw, prefix=f"{path}: ", whole="the file")

    def described(self) -> dict[str, Any]:
        """As JSON holds it; `decode.into` reads it back."""
        return asdict(self)


def found(name: str) -> Path:
    """The file of a configuration: a path, or a name among those that come with gdr.

    Raises:
        UsageError: if there is neither.
    """
    path = Path(name)
    if path.is_file() or path.suffix or name != path.name:
        return path
    own = CONFIGS / f"{name}.yaml"
    if not own.is_file():
        raise UsageError(
            f"there is no configuration {name!r}; use {', '.join(listed())}, or a file"
        )
    return own


def listed() -> dict[str, str]:
    """What comes with gdr: the name of each configuration, and its first sentence."""
    sentences = {}
    for path in sorted(CONFIGS.glob("*.yaml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        comment = takewhile(lambda line: line.startswith("#"), lines)
        words = " ".join(line.removeprefix("#").strip() for line in comment)
        sentences[path.stem] = words.partition(". ")[0].rstrip(".")
    return sentences


def _loader() -> type[yaml.SafeLoader]:
    """PyYAML's safe loader, which also reads 1e-4 as a number, as YAML 1.2 does."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    exponent = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", exponent, list("-+0123456789"))
    return Loader
