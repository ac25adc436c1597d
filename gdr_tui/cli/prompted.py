"""Commands that take a prompt, where a word with a minus can look like an option."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand

from gdr_model.errors import UsageError
from gdr_tui.cli.diagnostics import Misused

_WORD = re.compile(r"-((?:[^\W\d_]|-){3,})(:[0-9.]+)?(?=\s|$)")
"""What the signs of a prompt call a negative, where the shell has taken its quotes away."""


class Prompted(TyperCommand):
    """Explains what to write for `-drums`, which the parser reads as the option `-d`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command.

        Raises:
            UsageError: for a word with a minus that no option takes.
        """
        typed = tuple(args)  # the parser empties the list
        try:
            return super().parse_args(ctx, args)
        except Misused as error:
            if word := _refused(error, typed):
                text = shlex.quote(word[1] + (word[2] or ""))
                raise UsageError(
                    f"no such option: {word[0]}; to steer away from {word[1]}, write --not {text}"
                ) from None
            raise


def _refused(error: Any, typed: Sequence[str]) -> re.Match[str] | None:
    """The word with a minus that an error of the parser is about, if it is about one."""
    letter = getattr(error, "option_name", "")[1:]
    options = getattr(getattr(error, "param", None), "opts", ())
    for one in typed[: typed.index("--")] if "--" in typed else typed:
        word = _WORD.match(one)
        if word and ((len(letter) == 1 and letter in word[1]) or one[:2] in options):
            return word
    return None
