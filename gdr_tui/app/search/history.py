"""Prompts asked before, in `prompts.jsonl` in gdr's data folder: one JSON string a line.

The file is only added to, one short write a prompt, so that several apps may share it; when it
has grown to twice what is kept, it is written anew and renamed into place. A line that cannot
be read is passed over, and a folder that cannot be written costs the history and nothing else.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from gdr_model import paths

FILE_NAME = "prompts.jsonl"
KEPT = 500


class History:
    """The prompts, newest first."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or paths.home() / FILE_NAME
        self.prompts: list[str] = []
        """As they were typed, each once."""

    def load(self) -> None:
        """Read the file; a missing one is empty."""
        try:
            lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        newest_first = (prompt for line in reversed(lines) if (prompt := _prompt(line)))
        self.prompts = list(dict.fromkeys(newest_first))[:KEPT]
        if len(lines) > 2 * KEPT:
            self._rewrite()

    def add(self, prompt: str) -> None:
        """Put a prompt first, here and in the file."""
        prompt = prompt.strip()
        if not prompt or (self.prompts and self.prompts[0] == prompt):
            return
        kept = [other for other in self.prompts if other != prompt]
        self.prompts = [prompt, *kept][:KEPT]
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(prompt) + "\n")
        except OSError:
            return

    def _rewrite(self) -> None:
        fresh = self._file.with_suffix(f".{os.getpid()}")
        lines = [json.dumps(prompt) + "\n" for prompt in reversed(self.prompts)]
        try:
            fresh.write_text("".join(lines), encoding="utf-8")
            fresh.replace(self._file)
        except OSError:
            return


def _prompt(line: str) -> str:
    """The prompt of a line, "" where there is none."""
    try:
        prompt = json.loads(line)
    except ValueError:
        return ""
    return prompt.strip() if isinstance(prompt, str) and prompt.isprintable() else ""
