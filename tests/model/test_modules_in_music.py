"""Python files in the music folder, from which gdr is often started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULES = "gdr_model", "multiprocessing", "numpy", "signal"
MAIN = """
from pathlib import Path
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.pool import Workers
from gdr_model.models.checkpoint import load_encoder

with Workers(2, LoadEncoder("builtin")) as engine, Library.open(Path("."), create=True) as library:
    summary = ingest(library, load_encoder("builtin"), on_progress=lambda _: None, engine=engine)
    print(summary.new, [each.reason for each in summary.failed])
"""


def test_none_of_them_is_run(music: Path, write_tone, tmp_path: Path) -> None:
    for number in range(3):
        write_tone(music / f"{number}.wav", hz=200 + 50 * number)
    for name in MODULES:
        (music / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name}')")
    main = tmp_path / "bin" / "main.py"
    main.parent.mkdir()
    main.write_text(MAIN)
    done = subprocess.run(
        [sys.executable, str(main)], cwd=music, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "3 []\n", done.stderr
    assert not (tmp_path / "ran").exists()
