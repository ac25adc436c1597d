"""Sound files with random damage: each is a track or has failed, and no other is lost by it."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from machine import SHARE, gdr, said, scaled
from sounds import WRITABLE, tone, write_sound

MUTANTS = scaled(5000, 2)
"""Of a format."""
AT_ONCE = 2500


def mutated(data: bytes, random_: random.Random) -> bytes:
    """Damage as files have it: flipped bits, holes, an early end, parts twice or misplaced."""
    changed = bytearray(data)
    size = len(changed)
    for _ in range(random_.choice([1, 1, 2, 5])):
        at = random_.choice([random_.randrange(size), random_.randrange(min(size, 200))])
        match random_.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([random_.randrange(256)])
            case 1:
                changed[at : at + 4] = random_.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"])
            case 2:
                length = random_.randrange(1, 200)
                changed[at : at + length] = bytes(length)
            case 3:
                changed = changed[: max(1, at)]
            case 4:
                changed[at:at] = changed[at : at + random_.randrange(1, 500)]
            case _:
                start = random_.randrange(len(changed))
                changed[at:at] = changed[start : start + 100]
        size = max(1, len(changed))
    return bytes(changed)


def indexed(music: Path, count: int) -> None:
    """Index a folder of so many files, every one of which is counted."""
    done = gdr("index", music, limit_s=1800)
    assert done.returncode >= 0, f"ended by signal {-done.returncode}"
    said(done, done.returncode)
    assert done.returncode in (0, 1), done.stderr
    named = re.search(
        r"([\d,]+) new, 0 unchanged(?:, ([\d,]+) moved)?(?:, ([\d,]+) duplicate)?"
        r"(?:, [\d,]+ gone)?(?:, ([\d,]+) failed)?",
        done.stdout,
    )
    assert named, done.stdout
    counts = [int((number or "0").replace(",", "")) for number in named.groups()]
    assert sum(counts) == count, done.stdout


def fill(music: Path, suffix: str, numbers: range) -> None:
    whole = write_sound(music.parent / f"whole{suffix}", tone(440, 1.2, 48000), 48000)
    for number in numbers:
        data = mutated(whole.read_bytes(), random.Random(f"{suffix} {number}"))
        (music / f"{number:05}{suffix}").write_bytes(data)


def test_a_few_of_every_format(music: Path) -> None:
    for suffix in sorted(WRITABLE):
        fill(music, suffix, range(2))
    write_sound(music / "whole.ogg", tone(300, 2, 44100), 44100)
    indexed(music, 2 * len(WRITABLE) + 1)
    assert f"{music / 'whole.ogg'}" in gdr("search", "-f", "paths", "-k", 500, "a tone").stdout


@pytest.mark.skipif(not SHARE, reason="takes long; make test-fault runs it")
@pytest.mark.parametrize("suffix", sorted(WRITABLE))
def test_thousands_of_a_format(music: Path, suffix: str) -> None:
    for start in range(0, MUTANTS, AT_ONCE):
        for file in music.iterdir():
            file.unlink()
        numbers = range(start, min(start + AT_ONCE, MUTANTS))
        fill(music, suffix, numbers)
        indexed(music, len(numbers))
