"""The sound device comes while the app runs, as when headphones are connected."""

from __future__ import annotations

import ctypes.util
import os
import sys
from pathlib import Path

import pytest
import terminal
from terminal import PROGRAM

FEW = Path(__file__).parents[2] / "demo" / "toy box"
ALSA = Path("/usr/share/alsa/alsa.conf")
NO_DEVICE = 'pcm.!default { type plug slave.pcm "hw:7,0" }'
A_DEVICE = "pcm.!default { type null }"


@pytest.mark.skipif(
    sys.platform != "linux" or not ALSA.exists() or not ctypes.util.find_library("portaudio"),
    reason="needs ALSA and PortAudio (Debian: libasound2-data, libportaudio2)",
)
def test_space_uses_a_device_that_has_come(tmp_path: Path) -> None:
    config = tmp_path / "alsa.conf"
    config.write_text(f"<{ALSA}>\n{NO_DEVICE}\n")
    os.utime(config, (10**9, 10**9))
    environment = {"GDR_AUDIO": "", "ALSA_CONFIG_PATH": str(config)}
    with terminal.run([*PROGRAM, "tui", "-L", str(FEW)], (110, 30), environment) as app:
        app.until("tracks · indexed", 120)
        app.escape()
        app.press(" ")
        app.until("no sound: this machine")
        assert "no sound ·" in app.rows()[-1]
        config.write_text(f"<{ALSA}>\n{A_DEVICE}\n")
        app.press(" ")
        assert any("no sound" not in app.rows()[-1] for _ in range(20))
        app.press("q")
        assert app.wait(10)[1] == 0
