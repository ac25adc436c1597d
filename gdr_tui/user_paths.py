"""Paths typed by the user: whatever is wrong with one becomes a sentence, not a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gdr_model.characters import cut, last
from gdr_model.errors import UsageError
from gdr_tui.safe_text import literal

_SHOWN = 60


@contextmanager
def typed_path(text: str) -> Iterator[None]:
    """Guard every use of the path `text`.

    Raises:
        UsageError: instead of what `pathlib` and the system raise: an unknown user (RuntimeError),
            no file name at all (ValueError), too long a name or an unreadable folder (OSError).
    """
    try:
        yield
    except RuntimeError:
        raise UsageError(f"{_short(text)} cannot be used: there is no such user") from None
    except ValueError:
        raise UsageError(f"{_short(text)} cannot be used: it is not the name of a file") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"{_short(text)} cannot be used: {why}") from None


def _short(text: str) -> str:
    """The path, without its middle if it is too long for a sentence."""
    shown = literal(text)
    half = _SHOWN // 2
    return shown if len(shown) <= _SHOWN else f"{cut(shown, half)}…{last(shown, half)}"
