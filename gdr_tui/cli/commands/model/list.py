"""`gdr model list`: tab-separated lines, first the pairs of encoders, then your own models.

    NAME    STATE    WHAT IT IS    WEIGHTS, and where they are or how to get them

The state is `ready`; `no retriever` (searched with --method contrastive only, or, where words and
sound share no space, not before `gdr train`); or `missing`. A retriever that comes with gdr is
listed with the weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import GdrError, ModelError
from gdr_tui.cli.output import write
from gdr_tui.next_steps import step
from gdr_tui.safe_text import literal

if TYPE_CHECKING:
    from gdr_model.encoders.registry.pairs import AudioPart, Pair, TextPart
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

    config = ModelConfig.read(str(SHIPPED))
    folder, words = _where(config.text)
    state = "ready" if folder else "missing"
    about = f"{pair.about}, {config.text.weights.about}"
    return _line(pair.name, state, about, f"{_size(config)}; {config.text.name}: {words}")


def _pair(pair: Pair) -> str:
    from gdr_model.models.config import ModelConfig, retriever_of

    parts = {part.weights: part for part in (pair.audio, pair.text)}
    places = [_where(part) for part in parts.values()]
    lacking = any(folder is None for folder, _ in places)
    weights = [
        f"{what.key or what.about} ({what.licence}): {place}"
        for what, (_, place) in zip(parts, places, strict=True)
    ]
    state = "missing" if lacking else "no retriever"
    shipped = retriever_of(pair.name)
    if shipped is not None:
        weights.append(f"retriever: {_size(shipped)}")
        if not lacking and not ModelConfig.read(pair.name).bare:
            state = "ready"
    return _line(pair.name, state, pair.about, "; ".join(weights))


def _where(part: AudioPart | TextPart) -> tuple[Path | None, str]:
    """The folder of a part's weights, if they are here; and that folder, or how to get them."""
    from gdr_model.encoders.registry.resolve import installed

    try:
        folder = installed(part)
    except ModelError as error:
        return None, step(error.hint, **error.facts) if error.hint else str(error)
    return folder, str(folder)
