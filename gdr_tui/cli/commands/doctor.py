"""`gdr doctor`: check everything gdr needs on this machine, one line per check."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import StrEnum

from gdr_model import __version__, paths
from gdr_model.errors import GdrError, Hint, LibraryError, ModelError, UsageError
from gdr_model.private import make_private
from gdr_tui.cli.diagnostics import Failed
from gdr_tui.cli.output import write
from gdr_tui.cli.retrievers import unreadable
from gdr_tui.next_steps import for_command_line, step
from gdr_tui.safe_text import counted, literal


class Verdict(StrEnum):
    """What a check that fails means."""

    OK = "ok"
    MISSING = "missing"
    """gdr cannot work."""
    ABSENT = "absent"
    """gdr works without it."""
    DAMAGED = "damaged"
    """Something that is stored has to be made again."""
    FAULTY = "faulty"
    """gdr uses its defaults instead."""


def doctor() -> None:
    """Check everything gdr needs on this machine."""
    checks: list[tuple[str, Callable[[], str], Verdict]] = [
        ("gdr", lambda: f"{__version__}, Python {sys.version.split()[0]}", Verdict.MISSING),
        ("store", _store, Verdict.MISSING),
        ("libraries", _libraries, Verdict.DAMAGED),
        ("settings", _settings, Verdict.FAULTY),
        ("model", _model, Verdict.MISSING),
        ("kept", _kept, Verdict.DAMAGED),
        ("text", _text, Verdict.MISSING),
        ("index", _index, Verdict.MISSING),
        ("decoding", _decoding, Verdict.MISSING),
        ("sound", _sound, Verdict.ABSENT),
        ("terminal", _terminal, Verdict.ABSENT),
    ]
    verdicts = []
    for name, check, otherwise in checks:
        try:
            verdict, details = Verdict.OK, check()
        except (GdrError, OSError, ImportError) as error:
            verdict = otherwise
            details = for_command_line(error) if isinstance(error, GdrError) else str(error)
        verdicts.append(verdict)
        write(f"{verdict:8}{name:10}{literal(details)}\n")
    if {Verdict.MISSING, Verdict.DAMAGED} & set(verdicts):
        raise Failed(1)


def _settings() -> str:
    from gdr_tui.app import keymap, settings

    file = paths.home() / settings.FILE_NAME
    chosen, problem = settings.load(file)
    if wrong := "; ".join(filter(None, (problem, keymap.remapped(chosen.keys).problem))):
        raise UsageError(wrong)
    return str(file) if file.exists() else f"the defaults; {file} would change them"


def _store() -> str:
    home = paths.home()
    make_private(home)
    if not os.access(home, os.W_OK):
        raise OSError(f"{home} cannot be written")
    return str(home)


def _libraries() -> str:
    """Read all that is stored of every library, and compare it with its checksums."""
    from gdr_model.store.library import Library
    from gdr_model.store.stores import stores

    listed = stores()
    problems = [unreadable(store) for store in listed.damaged]
    tracks = 0
    for at in listed.known:
        try:
            with Library.open(at.root, store=at.store) as library:
                tracks += library.count()
                damaged = sum(library.damaged(space) for space in library.spaces())
        except LibraryError as error:
            problems.append(for_command_line(error))
            continue
        if damaged:
            what = counted(damaged, "recording")
            again = step(Hint.INDEX_AGAIN, root=str(at.root))
            problems.append(f"the stored latents of {what} in {at.root} are damaged; {again}")
    if problems:
        raise LibraryError("; ".join(problems))
    return f"{counted(tracks, 'track')} in {len(listed.known)}, all as they were stored"


def _model() -> str:
    import torch

    from gdr_model.models.checkpoint import load

    model = load()
    return f"{model.space} on {model.device}, torch {torch.__version__}"


def _kept() -> str:
    """Compare the models of earlier versions with their checksums, and the copy of this one's."""
    from gdr_model.models import kept

    if damaged := kept.damaged():
        names = " and ".join(map(str, damaged))
        raise ModelError(
            f"the model in {names} is damaged; run gdr index on the libraries that used it"
        )
    return f"{counted(len(kept.kept()), 'model')} kept"


def _text() -> str:
    from gdr_model.encoders.registry.resolve import installed
    from gdr_model.models.config import ModelConfig

    part = ModelConfig.read().text
    return f"{part.weights.about} in {installed(part)}"


def _index() -> str:
    from importlib.metadata import version

    from gdr_model.search.milvus.address import Address
    from gdr_model.search.milvus.server import Server
    from gdr_tui.app import settings

    here = f"hnswlib {version('hnswlib')}"
    chosen, _ = settings.load()
    address = Address.of(chosen.index)
    if address is None:
        return here
    if address.file and not address.file.exists():
        return f"{here}; there is no {address} yet"
    Server(address).has("gdr")
    return f"{here}; Milvus answers at {address}"


def _decoding() -> str:
    import av
    import soundfile

    libsndfile = f"soundfile {soundfile.__version__} ({soundfile.__libsndfile_version__})"
    return f"{libsndfile}, PyAV {av.__version__}"


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
    shown = f"{size.columns}×{size.lines}" if size else "none on stdout"
    terminal, colours = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    return f"{shown}, TERM={terminal}, COLORTERM={colours}"
