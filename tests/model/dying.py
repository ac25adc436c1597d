"""What goes wrong in a process that reads files, asked for by the name of a file."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

import numpy as np

from gdr_model.audio import Tags
from gdr_model.types import LatentSpace
from gdr_model.workers import tasks

SPACE = LatentSpace("seconds", 4, 16000, 1.0, 1.0, "0" * 16)


class Encoder:
    """The mean square of every second, four times."""

    space = SPACE

    def encode(self, samples, cancelled=lambda: False):
        cancelled()
        count = max(1, round(len(samples) / 16000))
        power = [
            float(np.mean(np.square(samples[i * 16000 : (i + 1) * 16000]))) for i in range(count)
        ]
        return np.repeat(np.float32(power)[:, None], 4, axis=1)


def segfault():
    os.kill(os.getpid(), signal.SIGSEGV)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def spin():
    while True:
        pass


def sleep():
    time.sleep(1000)


def grow():
    kept = []
    while True:
        kept.append(np.ones(4 << 20, np.uint8))


def gulp():
    return np.ones(4 << 30, np.uint8)


def busy(cancelled):
    """Work for two seconds of the processor, polling."""
    end_s = time.process_time() + 2
    while time.process_time() < end_s:
        cancelled()


HAPPENS = {each.__name__: each for each in (segfault, killed, spin, sleep, grow, gulp)}


@dataclass(frozen=True)
class Load:
    """Gives a process the encoder, and lets things happen in it."""

    MODULE = "dying"
    model = ""

    def __call__(self):
        decode, read_tags = tasks.decode, tasks.read_tags

        def decoded(path, *args, **options):
            if path.stem in HAPPENS:
                HAPPENS[path.stem]()
            if path.stem.startswith("busy"):
                busy(options["cancelled"])
            return decode(path, *args, **options)

        def tagged(path):
            happens, _, where = path.stem.partition(" in ")
            if where == "tags":
                HAPPENS[happens]()
            return read_tags(path) if path.suffix != ".none" else Tags()

        tasks.decode, tasks.read_tags = decoded, tagged
        return Encoder()


class Hangs:
    """A loader that never returns."""

    MODULE = "dying"
    model = ""

    def __call__(self):
        sleep()


class Fails:
    """A loader that fails."""

    MODULE = "dying"
    model = ""

    def __call__(self):
        from gdr_model.errors import ModelError

        raise ModelError("these weights are damaged")
