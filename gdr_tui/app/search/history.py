"""Earlier prompts, in `prompts.jsonl` in gdr's data folder: one JSON string per line.

The file is only appended to, one short write per prompt, so that several apps can share it; once
it holds twice as many as are kept, it is rewritten and renamed into place. Lines that cannot be
read are skipped, and a folder that cannot be written costs only the history.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from gdr_model import atomic, paths, plain
from gdr_model.private import make_private

FILE_NAME = "prompts.jsonl"
KEPT = 500


class History:
    """The prompts, newest first."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or paths.home() / FILE_NAME
        self.prompts: list[str] = []
        """As typed, each once."""

    def load(self) -> None:
        """Read the file; a missing one counts as empty."""
        try:
            lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        newest_first = (prompt for line in reversed(lines) if (prompt := _prompt(line)))
        self.prompts = list(dict.fromkeys(newest_first))[:KEPT]
        if len(lines) > 2 * KEPT:
            self._rewrite()

    def add(self, prompt: str) -> None:
        """Add a prompt, here and to the file."""
        prompt = prompt.strip()
        if not prompt or (self.prompts and self.prompts[0] == prompt):
            return
        kept = [other for other in self.prompts if other != prompt]
        self.prompts = [prompt, *kept][:KEPT]
        with suppress(OSError):
            make_private(self._file.parent)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(prompt) + "\n")

    def _rewrite(self) -> None:
        lines = [json.dumps(prompt) + "\n" for prompt in reversed(self.prompts)]
        with suppress(OSError):
            atomic.write_text(self._file, "".join(lines))


def _prompt(line: str) -> str:
    """The prompt in a line, "" if there is none."""
    try:
        prompt = plain.from_json(line)
    except ValueError:
        return ""
    return prompt.strip() if isinstance(prompt, str) and prompt.isprintable() else ""
