"""`gdr status`, `gdr doctor` and `gdr model`: what is here, and whether it works."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gdr_model import __version__, paths
from gdr_model.errors import GdrError, UsageError
from gdr_model.store.library import Library
from gdr_model.store.stores import stores
from gdr_tui.cli import options
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write
from gdr_tui.safe_text import literal


def status(libraries: list[Path] | None) -> None:
    """A paragraph a library: tracks, sound, spaces, failures, place and size of the store."""
    known = stores()
    if not (libraries or known.roots or known.damaged):
        write("no library has been indexed yet; run gdr index DIR\n")
    for store in () if libraries else known.damaged:
        say(f"gdr: {options.unreadable(store)}")
    for root in libraries or known.roots:
        with Library.open(root) as library:
            hours = sum(track.duration_s for track in library.tracks()) / 3600
            size = sum(f.stat().st_size for f in library.store.rglob("*") if f.is_file())
            failures = library.failures()
            lines = [
                literal(str(library.root)),
                f"  {library.count()} tracks, {hours:.1f} h, {len(failures)} failed",
                *(f"  latents: {space}" for space in library.spaces()),
                f"  store: {library.store} ({size / 2**20:.1f} MiB)",
                *(f"  failed: {literal(str(f.path))}: {literal(f.reason)}" for f in failures),
            ]
            write("\n".join(lines) + "\n")


def doctor() -> bool:
    """Run every check, one line each; False if something gdr cannot do without is missing."""
    missing, absent, faulty = "missing", "absent", "faulty"
    checks: list[tuple[str, Callable[[], str], str]] = [
        ("gdr", lambda: f"{__version__}, Python {sys.version.split()[0]}", missing),
        ("store", _store, missing),
        ("settings", _settings, faulty),
        ("model", _model, missing),
        ("text", _text, missing),
        ("index", lambda: f"hnswlib {importlib.metadata.version('hnswlib')}", missing),
        ("decoding", _decoding, missing),
        ("sound", _sound, absent),
        ("terminal", _terminal, absent),
    ]
    well = True
    for name, check, otherwise in checks:
        try:
            mark, told = "ok", check()
        except (GdrError, OSError, ImportError) as error:
            mark, told = otherwise, str(error)
            well = well and otherwise != missing
        write(f"{mark:8}{name:10}{literal(told)}\n")
    return well


def _settings() -> str:
    from gdr_tui.app import keys, settings

    file = paths.home() / settings.FILE_NAME
    chosen, problem = settings.load(file)
    if wrong := "; ".join(filter(None, (problem, keys.remapped(chosen.keys).problem))):
        raise UsageError(wrong)
    return str(file) if file.exists() else f"the defaults; {file} would change them"


def _store() -> str:
    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    if not os.access(home, os.W_OK):
        raise OSError(f"{home} cannot be written")
    return str(home)


def _model() -> str:
    import torch

    from gdr_model.models.checkpoint import load

    model = load()
    return f"{model.space} on {model.device}, torch {torch.__version__}"


def _text() -> str:
    from gdr_model.encoders.builtin.minilm import NAME, find

    return f"{NAME} in {find()}"


def _decoding() -> str:
    import av
    import soundfile

    own = f"soundfile {soundfile.__version__} ({soundfile.__libsndfile_version__})"
    return f"{own}, PyAV {av.__version__}"


def _sound() -> str:
    try:
        import sounddevice
    except OSError as error:
        raise OSError("PortAudio is not installed (Debian: libportaudio2); no preview") from error
    try:
        device = sounddevice.query_devices(kind="output")
    except sounddevice.PortAudioError as error:
        raise OSError("there is no sound device; everything but the preview works") from error
    return str(device["name"])


def _terminal() -> str:
    size = os.get_terminal_size() if sys.stdout.isatty() else None
    told = f"{size.columns}×{size.lines}" if size else "none on stdout"
    return f"{told}, TERM={os.environ.get('TERM', '')}, COLORTERM={os.environ.get('COLORTERM', '')}"


def show_model(name: str) -> None:
    """What a model is made of, and its card."""
    from gdr_model.models.checkpoint import load

    model = load(name)
    write(f"{literal(model.name)}: {model.space}, in {literal(str(model.config.folder))}\n")
    networks: dict[str, Any] = {}
    if model.own_encoder is not None:
        networks["audio encoder"] = model.own_encoder.net
    if model.retrieving is not None:
        networks["denoiser"] = model.retrieving.denoiser
        networks["contrastive tower"] = model.retrieving.contrastive
    for part, network in networks.items():
        count = sum(parameter.numel() for parameter in network.parameters())
        write(f"  {part}: {count / 1e6:.2f} M parameters\n")
    card = model.config.folder / "MODEL_CARD.md"
    if card.is_file():
        write("\n" + card.read_text(encoding="utf-8"))
