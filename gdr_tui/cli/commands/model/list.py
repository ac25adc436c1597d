"""`gdr model list`: tab-separated lines, first of the pairs, then of models of one's own.

    NAME    STATE    WHAT IT IS    WEIGHTS, and where they are or how to get them

The state is `ready`; `no retriever` (searched with --method contrastive only, or, where words and
sound share no space, not before `gdr train`); or `missing`.
"""

from __future__ import annotations

from pathlib import Path

from gdr_model import paths
from gdr_model.encoders.registry.pairs import PAIRS, Pair, Weights
from gdr_model.errors import GdrError, WeightsMissing
from gdr_model.models import weights
from gdr_model.models.config import SHIPPED, ModelConfig
from gdr_tui.cli.output import write
from gdr_tui.safe_text import literal


def list_models() -> None:
    """Print a line a pair and a line a model."""
    for pair in PAIRS.values():
        write(_pair(pair) if pair.name != "builtin" else _builtin(pair))
    for path in sorted(paths.models().glob("*/config.json")):
        try:
            config = ModelConfig.read(str(path.parent))
        except GdrError:
            continue  # weights of one side, or half of a folder: no model of its own
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
    from gdr_model.encoders.builtin.minilm import find

    try:
        words, state = str(find()), "ready"
    except WeightsMissing as error:
        words, state = str(error), "missing"
    sound = _size(ModelConfig.read(str(SHIPPED)))
    return _line(pair.name, state, pair.about, f"{sound}; {pair.text.name}: {words}")


def _pair(pair: Pair) -> str:
    needed = dict.fromkeys((pair.audio.weights, pair.text.weights))
    found = [_where(part) for part in needed]
    lacking = any(folder is None for folder, _ in found)
    told = "; ".join(
        f"{part.key} ({part.licence}): {said}"
        for part, (_, said) in zip(needed, found, strict=True)
    )
    return _line(pair.name, "missing" if lacking else "no retriever", pair.about, told)


def _where(part: Weights) -> tuple[Path | None, str]:
    try:
        folder = weights.find(part)
    except WeightsMissing:
        return None, weights.how(part)
    return folder, str(folder)
