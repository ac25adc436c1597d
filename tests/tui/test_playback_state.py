"""The state of playback, without a screen or a sound device: what is decoded for which track."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gdr_tui.app.playback.jobs import Moment
from gdr_tui.app.playback.messages import SoundAhead, SoundReady
from gdr_tui.app.playback.playback import AHEAD, Playback
from gdr_tui.app.playback.player import RATE_HZ, PlaybackError, Player


class Decoding:
    """Remembers what was to be decoded."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, Path, float]] = []
        self.moments: list[Moment] = []

    def peaks(self, path: Path) -> None:
        raise AssertionError("playback shows no waveform")

    def sound(self, number: int, path: Path, start_s: float, played_s: Callable[[], float]) -> None:
        self.begun.append((number, path, start_s))

    def ahead(self, moments: list[Moment]) -> None:
        self.moments += moments


class Silence:
    """An output that never asks for a block."""

    running = True

    def start(self, pull: object) -> None:
        pass

    def stop(self) -> None:
        pass


def playing() -> tuple[Playback, Decoding]:
    jobs = Decoding()
    return Playback(Player(Silence()), jobs, print), jobs  # type: ignore[arg-type]


def test_sound_for_a_track_that_was_left_is_dropped() -> None:
    playback, jobs = playing()
    playback.play(Path("a"), 10.0)
    playback.play(Path("b"), 20.0)
    (first, _, _), (second, path, start_s) = jobs.begun
    assert (path, start_s) == (Path("b"), 20.0)
    sound = np.zeros((RATE_HZ, 2), np.float32)
    playback.take(SoundReady(first, 20.0, sound, False))
    assert not playback._player.seek(20.5)  # type: ignore[union-attr]
    playback.take(SoundReady(second, 20.0, sound, False))
    assert playback._player.seek(20.5)  # type: ignore[union-attr]


def test_what_was_decoded_ahead_starts_at_once_and_decoding_continues_behind_it() -> None:
    playback, jobs = playing()
    moment = (Path("a"), 10.0)
    playback.prepare([moment])
    assert jobs.moments == [moment]
    playback.keep(SoundAhead(moment, np.zeros((2 * RATE_HZ, 2), np.float32), False))
    playback.prepare([moment])
    assert jobs.moments == [moment], "it is there"
    playback.play(*moment)
    assert jobs.begun == [(1, Path("a"), 12.0)]


def test_only_some_beginnings_are_kept() -> None:
    playback, jobs = playing()
    for number in range(AHEAD + 1):
        playback.keep(SoundAhead((Path(str(number)), 0.0), np.zeros((9, 2), np.float32), True))
    playback.prepare([(Path("0"), 0.0), (Path("1"), 0.0)])
    assert jobs.moments == [(Path("0"), 0.0)], "the oldest went"


def test_what_is_unusual_about_playing_is_summed_up() -> None:
    playback, _ = playing()
    assert playback.summary == ""
    playback.audition = playback.looping = True
    playback.volume = 0.4
    assert playback.summary == "audition loop vol 40 %"


class ComesAndGoes(Silence):
    """An output whose device is there or not."""

    there = False

    def start(self, pull: object) -> None:
        if not self.there:
            raise PlaybackError("no sound: unplugged")


def test_sound_is_tried_again_each_time_and_decoded_where_it_comes_back() -> None:
    output, jobs, reports = ComesAndGoes(), Decoding(), list[str]()
    playback = Playback(Player(output), jobs, reports.append)  # type: ignore[arg-type]
    for _ in range(2):
        playback.toggle(Path("a"), 10.0)
        assert playback.silent
    assert reports == ["no sound: unplugged"] * 2
    assert not jobs.begun
    output.there = True
    playback.toggle(Path("a"), 10.0)
    assert playback.playing
    assert reports[2:] == [""]
    assert [(path, start_s) for _, path, start_s in jobs.begun] == [(Path("a"), 10.0)]
    playback.toggle(Path("a"), 10.0)
    assert not playback.playing
    assert len(reports) == 3
