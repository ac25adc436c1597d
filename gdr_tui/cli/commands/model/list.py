"""`gdr model list`: tab-separated lines, first the pairs of encoders, then your own models.

    NAME    STATE    WHAT IT IS    WEIGHTS, and where they are or how to get them

The state is `ready`; `no retriever` (searched with --method contrastive only, or, where words and
sound share no space, not before `gdr train`); or `missing`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import GdrError, WeightsMissing
from gdr_tui.cli.output import write
from gdr_tui.next_steps import step
from gdr_tui.safe_text import literal

if TYPE_CHECKING:
    from gdr_model.encoders.registry.pairs import Pair, Weights
    from gdr_model.models.config import ModelConfig


def list_models() -> None:
    """List every pair, its weights and whether they are installed; then your own models."""
    from gdr_model import paths
    from gdr_model.encoders.registry.pairs import PAIRS
    from gdr_model.models.config import ModelConfig

    for pair in PAIRS.values():
        write(_pair(pair) if pair.name != "builtin" else _builtin(pair))
    for path in sorted(paths.models().glob("*/config.json")):
        try:
            config = ModelConfig.read(str(path.parent))
        except GdrError:
            continue  # weights of one side, or half of a folder: not a model
        if not config.bare:
            write(_line(config.name, "ready", str(config.space), _size(config)))


def _line(*fields: str) -> str:
    return "\t".join(literal(field) for field in fields) + "\n"


def _size(config: ModelConfig) -> str:
    try:
        return f"{config.folder} ({config.weights.stat().st_size / 2**20:.1f} MiB)"
    except OSError:
        return f"{config.folder} has no {config.weights.name}"


def _builtin(pair: Pair) -> str:
    from gdr_model.models.config import SHIPPED, ModelConfig

    folder, words = _where(pair.text.weights)
    sound = _size(ModelConfig.read(str(SHIPPED)))
    state = "ready" if folder else "missing"
    return _line(pair.name, state, pair.about, f"{sound}; {pair.text.name}: {words}")


def _pair(pair: Pair) -> str:
    parts = dict.fromkeys((pair.audio.weights, pair.text.weights))
    places = [_where(part) for part in parts]
    lacking = any(folder is None for folder, _ in places)
    weights = "; ".join(
        f"{part.key or part.about} ({part.licence}): {place}"
        for part, (_, place) in zip(parts, places, strict=True)
    )
    return _line(pair.name, "missing" if lacking else "no retriever", pair.about, weights)


def _where(part: Weights) -> tuple[Path | None, str]:
    """The folder of some weights, if they are installed, and where they are or how to get them."""
    from gdr_model.encoders.builtin import minilm
    from gdr_model.encoders.registry.pairs import MINILM_WEIGHTS
    from gdr_model.models import weights

    try:
        folder = minilm.find() if part is MINILM_WEIGHTS else weights.find(part)
    except WeightsMissing as error:
        return None, step(error.hint, **error.facts) if error.hint else str(error)
    return folder, str(folder)
