"""Players: our own, fed with decoded stretches, and external programs.

`Player` holds the playhead and the sound around it, which the app decodes a stretch at a time;
an `Output` requests blocks from it in real time. The sound device is one output; `NullOutput`
keeps time without sound (tests, `GDR_AUDIO=null`). An `ExternalPlayer` hands the file to another
program and has the same interface as `Player`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gdr_model.errors import GdrError
from gdr_model.types import Array
from gdr_tui.app.playback.placeholders import filled_in

RATE_HZ = 44_100
BLOCK = 1_024
FRESH_S = 2.0
"""After a pause this long, the sound device may be another one."""
KEPT_S = 120
"""Sound further back than this is dropped and decoded again if needed."""

Fill = Callable[[int], Array | None]
"""Returns the next n frames (n, 2), on any thread; None at the end of the sound."""


class PlaybackError(GdrError):
    """Sound is impossible here."""


class Output(Protocol):
    """Something that requests blocks in real time."""

    @property
    def running(self) -> bool:
        """Whether blocks are requested; a device can be unplugged."""

    def start(self, fill: Fill) -> None:
        """Request blocks from now on; PlaybackError if that is impossible."""

    def stop(self) -> None:
        """Stop requesting blocks."""


class SoundDeviceOutput:
    """PortAudio's default device."""

    def __init__(self) -> None:
        self._stream: Any = None
        self._fresh_s = float("-inf")
        """When PortAudio last looked for devices, which it does only when it is initialised, or
        last played."""

    @property
    def running(self) -> bool:
        """Whether the device plays."""
        if self._stream is None:
            return False
        import sounddevice

        try:
            return bool(self._stream.active)
        except sounddevice.PortAudioError:
            return False

    def start(self, fill: Fill) -> None:
        """Open the default device as it is now, and play."""
        self.stop()
        if "sounddevice" not in sys.modules:
            self._fresh_s = time.monotonic()
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise PlaybackError("no sound: the PortAudio library is not installed") from error
        try:
            if time.monotonic() - self._fresh_s > FRESH_S:  # never between two tracks
                self._scan()
            self._open(fill)
        except (sounddevice.PortAudioError, ValueError):
            self.stop()
            try:
                self._scan()
                self._open(fill)
            except (sounddevice.PortAudioError, ValueError) as error:
                self.stop()
                raise PlaybackError(f"no sound: {_why_not(error)}") from error

    def _scan(self) -> None:
        """Look for devices again; no stream may be open."""
        import sounddevice

        with suppress(sounddevice.PortAudioError):  # not initialised, because that failed before
            sounddevice._terminate()
        sounddevice._initialize()
        self._fresh_s = time.monotonic()

    def _open(self, fill: Fill) -> None:
        import sounddevice

        def callback(block: Array, frames: int, _clock: object, _status: object) -> None:
            sound = fill(frames)
            if sound is None:
                raise sounddevice.CallbackStop
            block[: len(sound)] = sound
            block[len(sound) :] = 0

        self._stream = sounddevice.OutputStream(
            samplerate=RATE_HZ, channels=2, dtype="float32", callback=callback
        )
        self._stream.start()

    def stop(self) -> None:
        """Stop at once."""
        if self.running:
            self._fresh_s = time.monotonic()
        stream, self._stream = self._stream, None
        if stream is None:
            return
        import sounddevice

        # An unplugged device cannot be closed, and makes no sound anyway.
        with suppress(sounddevice.PortAudioError):
            stream.abort()
        with suppress(sounddevice.PortAudioError):
            stream.close()


def _why_not(error: Exception) -> str:
    """PortAudio's reason, without its codes."""
    text = str(error.args[0] if error.args else error)
    if text.startswith("Error querying device"):
        return "this machine has no usable sound device"
    reason = text.partition(": ")[2] or text
    return f"the sound device cannot be opened ({reason.partition(' [')[0]})"


class NullOutput:
    """Requests blocks in real time and drops them."""

    def __init__(self) -> None:
        self._running = threading.Event()

    @property
    def running(self) -> bool:
        """Whether the thread runs."""
        return self._running.is_set()

    def start(self, fill: Fill) -> None:
        """Keep time on a thread."""
        self._running = threading.Event()
        self._running.set()
        threading.Thread(target=self._run, args=(fill, self._running), daemon=True).start()

    def stop(self) -> None:
        """Let the thread end after its current block."""
        self._running.clear()

    @staticmethod
    def _run(fill: Fill, running: threading.Event) -> None:
        began, frames = time.monotonic(), 0
        while running.is_set() and fill(BLOCK) is not None:
            frames += BLOCK
            time.sleep(max(0.0, began + frames / RATE_HZ - time.monotonic()))


class Player:
    """A playhead in a track whose sound arrives in stretches while it plays."""

    streams = True
    """Whether `play` must be followed by `extend`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._stretches: list[tuple[int, Array]] = []
        self._end: int | None = None
        """One past the last frame, once the track has been decoded to its end."""
        self._at = 0
        self._moving = threading.Lock()
        """The output's thread advances the playhead while the user can move it."""
        self._loop: tuple[int, int] | None = None
        self.volume = 1.0
        """Gain, 0 to 1."""
        self.path: Path | None = None
        self.playing = False

    @property
    def position_s(self) -> float:
        """Position of the playhead."""
        return self._at / RATE_HZ

    @property
    def ended(self) -> bool:
        """Whether the track has been played to its end."""
        return self._end is not None and self._at >= self._end

    def play(self, path: Path, start_s: float) -> None:
        """Play from `start_s` as soon as sound arrives; PlaybackError without a device."""
        self.cue(path, start_s)
        self._go()

    def cue(self, path: Path, start_s: float) -> None:
        """Go to `start_s`, paused."""
        self.stop()
        with self._moving:
            self.path, self._stretches, self._end, self._loop = path, [], None, None
            self._at = max(0, round(start_s * RATE_HZ))

    def extend(self, start_s: float, sound: Array, *, last: bool) -> None:
        """Add the stretch (N, 2) that begins at `start_s`, and drop those far behind."""
        begin = round(start_s * RATE_HZ)
        with self._moving:
            oldest = self._at - KEPT_S * RATE_HZ
            kept = [(b, s) for b, s in self._stretches if b + len(s) > oldest]
            self._stretches = [*kept, (begin, sound)]
            if last:
                self._end = begin + len(sound)

    def loop(self, span_s: tuple[float, float] | None) -> None:
        """Loop a span; None stops looping."""
        with self._moving:
            self._loop = None
            if span_s and span_s[1] > span_s[0]:
                begin, end = (round(at * RATE_HZ) for at in span_s)
                self._loop = begin, end

    def toggle(self) -> None:
        """Pause or resume; where the device is gone, play on another."""
        if self.playing and self._output.running:
            self.stop()
        else:
            self._go()

    def seek(self, to_s: float) -> bool:
        """Move the playhead; False if the sound there has to be decoded first."""
        to = max(0, round(to_s * RATE_HZ))
        with self._moving:
            if not len(self._sound_at(to, 1)):
                return False
            self._at = to
            return True

    def stop(self) -> None:
        """Stop; the playhead stays."""
        self.playing = False
        self._output.stop()

    def _go(self) -> None:
        self.playing = True
        try:
            self._output.start(self._fill)
        except PlaybackError:
            self.playing = False
            raise

    def _fill(self, frames: int) -> Array | None:
        """The next block, silent while waiting for sound; called on the output's thread."""
        block = np.zeros((frames, 2), np.float32)
        filled = 0
        with self._moving:
            if not self.playing or self.ended:
                self.playing = False
                return None
            # A block can begin in one stretch and end in the next.
            while filled < frames and len(piece := self._next(frames - filled)):
                block[filled : filled + len(piece)] = piece
                filled += len(piece)
                self._at += len(piece)
            block *= self.volume
            return block[:filled] if self.ended else block

    def _next(self, frames: int) -> Array:
        """Sound at the playhead, which jumps back at the end of a loop."""
        if self._loop:
            begin, end = self._loop
            if self._at >= end and len(self._sound_at(begin, 1)):
                self._at = begin
            if begin <= self._at < end:
                frames = min(frames, end - self._at)
        return self._sound_at(self._at, frames)

    def _sound_at(self, at: int, frames: int) -> Array:
        """At most `frames` of the stretch that holds frame `at`; empty if none does."""
        for begin, sound in self._stretches:
            if begin <= at < begin + len(sound):
                return sound[at - begin : at - begin + frames]
        return np.zeros((0, 2), np.float32)


class ExternalPlayer:
    """Another program, started for every passage; the playhead is the time since then."""

    streams = False
    ended = False
    volume = 1.0
    """The program controls its own."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._start_s = 0.0
        self.path: Path | None = None

    @property
    def playing(self) -> bool:
        """Whether the program is still running."""
        return self._process is not None and self._process.poll() is None

    @property
    def position_s(self) -> float:
        """Where the playhead should be by now."""
        return self._start_s + (time.monotonic() - self._began_s if self.playing else 0.0)

    def play(self, path: Path, start_s: float) -> None:
        """Start the program on `path`; PlaybackError if there is no such program."""
        self.stop()
        filled = filled_in(self._command, {"path": str(path), "start_s": f"{start_s:.3f}"})
        try:
            self._process = subprocess.Popen(
                filled,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise PlaybackError(f"no sound: cannot start {filled[0]}: {error.strerror}") from error
        self.path, self._start_s, self._began_s = path, start_s, time.monotonic()

    def cue(self, path: Path, start_s: float) -> None:
        """Prepare to start the program on `path`."""
        self.stop()
        self.path, self._start_s = path, start_s

    def toggle(self) -> None:
        """Stop the program, or start it again where it stopped."""
        if self.playing:
            self.stop()
        elif self.path:
            self.play(self.path, self._start_s)

    def extend(self, start_s: float, sound: Array, *, last: bool) -> None:
        """Do nothing: the program decodes for itself."""

    def loop(self, span_s: tuple[float, float] | None) -> None:
        """Do nothing: the program cannot loop."""

    def seek(self, to_s: float) -> bool:
        """Restart the program at another place, if it is running."""
        if self.playing and self.path:
            self.play(self.path, max(0.0, to_s))
        else:
            self._start_s = max(0.0, to_s)
        return True

    def stop(self) -> None:
        """End the program."""
        if self._process is not None:
            self._start_s = self.position_s
            if self._process.poll() is None:
                self._process.terminate()
            threading.Thread(target=self._process.wait, daemon=True).start()
            self._process = None


def player_for(command: tuple[str, ...]) -> Player | ExternalPlayer:
    """The player that the settings and the environment ask for."""
    if command:
        return ExternalPlayer(command)
    silent = os.environ.get("GDR_AUDIO") == "null"
    return Player(NullOutput() if silent else SoundDeviceOutput())
