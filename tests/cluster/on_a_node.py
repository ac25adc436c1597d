"""What goes wrong on the nodes of the cluster while files are read there."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from gdr_model.types import AudioEncoder
from gdr_model.workers import tasks
from gdr_model.workers.encoders import LoadEncoder


@dataclass(frozen=True)
class Load(LoadEncoder):
    """Loads the encoder; the second node hangs at its third file, and one file ends its reader."""

    marks: str = ""
    """A folder in which they are noted."""

    def __call__(self) -> AudioEncoder:
        decode = tasks.decode

        def decoded(path: Path, *args, **options):  # type: ignore[no-untyped-def]
            node = os.environ["GDR_TEST_NODE"]
            with open(f"{self.marks}/{node}", "a") as log:
                log.write(f"{path.name}\n")
            if node == "second" and Path(f"{self.marks}/{node}").read_text().count("\n") == 3:
                Path(f"{self.marks}/stuck").write_text(path.name)
                time.sleep(1000)
            if path.stem == "ends its reader":
                # A forkserver is between a process that decodes and the reader.
                psutil.Process(os.getppid()).parent().send_signal(signal.SIGKILL)
                time.sleep(1000)
            return decode(path, *args, **options)

        tasks.decode = decoded
        return super().__call__()
