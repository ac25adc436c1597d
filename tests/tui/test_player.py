import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gdr_model.types import Array
from gdr_tui.app.playback.player import (
    BLOCK,
    RATE_HZ,
    ExternalPlayer,
    Fill,
    NullOutput,
    PlaybackError,
    Player,
    SoundDeviceOutput,
    player_for,
)

SONG = Path("/m/song.flac")


class ByHand:
    """An output that requests blocks when the test says so."""

    def __init__(self) -> None:
        self.fill: Fill | None = None

    @property
    def running(self) -> bool:
        return self.fill is not None

    def start(self, fill: Fill) -> None:
        self.fill = fill

    def stop(self) -> None:
        self.fill = None

    def blocks(self, count: int) -> list[Array | None]:
        assert self.fill
        return [self.fill(BLOCK) for _ in range(count)]


class NoDevice:
    running = False

    def start(self, fill: Fill) -> None:
        raise PlaybackError("no sound: this machine has no usable sound device")

    def stop(self) -> None:
        pass


def ramp(start_s: float, seconds: float) -> Array:
    """Sound whose every sample is its own frame number."""
    frames = np.arange(round(start_s * RATE_HZ), round((start_s + seconds) * RATE_HZ))
    return np.repeat(frames[:, None], 2, axis=1).astype(np.float32)


def test_a_loop_comes_back_to_its_beginning_and_volume_scales() -> None:
    output = ByHand()
    player = Player(output)
    player.play(SONG, 0.0)
    player.extend(0.0, ramp(0, 3), last=False)
    span = (2 * BLOCK / RATE_HZ, 4 * BLOCK / RATE_HZ)
    player.loop(span)
    blocks = output.blocks(7)
    firsts = [int(block[0, 0]) // BLOCK for block in blocks if block is not None]
    assert firsts == [0, 1, 2, 3, 2, 3, 2]
    player.loop(None)
    player.volume = 0.5
    (block,) = output.blocks(1)
    assert block is not None
    assert block[0, 0] == 3 * BLOCK / 2
    player.cue(SONG, 0.0)
    assert player._loop is None


def until(true: Callable[[], bool], seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_it_plays_from_the_passage_through_stretches_without_a_seam() -> None:
    output = ByHand()
    player = Player(output)
    player.play(SONG, 64.0)
    player.extend(64.0, ramp(64.0, 0.1), last=False)
    player.extend(64.1, ramp(64.1, 0.1), last=True)
    played = [block for block in output.blocks(12) if block is not None]
    frames = np.concatenate(played)[:, 0]
    assert frames[0] == 64.0 * RATE_HZ
    assert np.array_equal(np.diff(frames), np.ones(len(frames) - 1))
    assert len(frames) == round(0.2 * RATE_HZ)
    assert player.ended
    assert not player.playing


def test_a_block_goes_on_from_one_stretch_into_the_next() -> None:
    output = ByHand()
    player = Player(output)
    player.play(SONG, 0.0)
    player.extend(0.0, ramp(0.0, 0.1), last=False)
    player.extend(0.1, ramp(0.1, 0.1), last=False)
    played = output.blocks(8)
    assert all(block is not None and len(block) == BLOCK for block in played)
    frames = np.concatenate([block for block in played if block is not None])[:, 0]
    assert np.array_equal(frames, np.arange(8 * BLOCK)), "no silence between the two"


def test_pausing_away_from_what_is_decoded_stays_paused() -> None:
    output = ByHand()
    player = Player(output)
    player.cue(SONG, 60.0)
    player.extend(60.0, ramp(60.0, 1.0), last=True)
    assert not player.playing
    assert output.fill is None
    player.toggle()
    (block,) = output.blocks(1)
    assert block is not None
    assert block[0, 0] == 60.0 * RATE_HZ


class Streams:
    """The part of `sounddevice` that plays: it sees only devices that were there at its start."""

    class PortAudioError(Exception):
        pass

    class CallbackStop(Exception):
        pass

    def __init__(self, device: str = "") -> None:
        self.device = self._seen = device
        self.open: list[str] = []
        self.scans = 0

    def OutputStream(self, **_: object) -> "Streams":  # noqa: N802 (sounddevice's name)
        if not self._seen:
            raise self.PortAudioError("Error querying device -1")
        if self._seen != self.device:
            raise self.PortAudioError("Error opening OutputStream: Unplugged [PaErrorCode -9]", -9)
        self.open.append(self._seen)
        return self

    @property
    def active(self) -> bool:
        return self._seen == self.device

    def start(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def close(self) -> None:
        self.open.clear()

    def _terminate(self) -> None:
        assert not self.open, "PortAudio is closed only without a stream"

    def _initialize(self) -> None:
        self._seen = self.device
        self.scans += 1


def plays(device: Streams, monkeypatch: pytest.MonkeyPatch) -> Player:
    """A player of this device, whose sound never ends."""
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    monkeypatch.setattr("gdr_tui.app.playback.player.FRESH_S", 0.02)
    return Player(SoundDeviceOutput())


def test_the_device_is_closed_before_it_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Streams("speakers")
    player = plays(device, monkeypatch)
    player.play(SONG, 0.0)
    scans = device.scans
    player.play(SONG, 1.0)
    assert device.open == ["speakers"]
    assert device.scans == scans, "a gap between two tracks would be heard"


def test_a_device_that_has_appeared_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Streams()
    player = plays(device, monkeypatch)
    for _ in range(2):
        with pytest.raises(PlaybackError, match="no sound: this machine has no usable sound"):
            player.play(SONG, 0.0)
    device.device = "headphones"
    player.play(SONG, 0.0)
    assert device.open == ["headphones"]
    player.toggle()
    device.device = "speakers"
    time.sleep(0.05)
    player.toggle()
    assert device.open == ["speakers"], "the default device has changed meanwhile"


def test_when_the_device_is_unplugged_the_next_key_plays_on_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = Streams("headphones")
    player = plays(device, monkeypatch)
    player.play(SONG, 0.0)
    device.device = "speakers"
    player.toggle()
    assert player.playing
    assert device.open == ["speakers"]


def test_why_a_device_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Streams("speakers")
    player = plays(device, monkeypatch)
    monkeypatch.setattr(device, "_initialize", lambda: None)
    device.device = ""
    with pytest.raises(PlaybackError) as refused:
        player.play(SONG, 0.0)
    assert str(refused.value) == "no sound: the sound device cannot be opened (Unplugged)"
    assert not player.playing


def test_it_is_silent_and_waits_until_sound_arrives() -> None:
    output = ByHand()
    player = Player(output)
    player.play(SONG, 10.0)
    (block,) = output.blocks(1)
    assert block is not None
    assert not block.any()
    assert player.position_s == 10.0


def test_pause_keeps_the_place_and_seek_moves_it() -> None:
    output = ByHand()
    player = Player(output)
    player.play(SONG, 0.0)
    player.extend(0.0, ramp(0.0, 2.0), last=True)
    output.blocks(3)
    player.toggle()
    assert not player.playing
    assert player.position_s == pytest.approx(3 * BLOCK / RATE_HZ)
    player.toggle()
    assert player.seek(1.5)
    (block,) = output.blocks(1)
    assert block is not None
    assert block[0, 0] == 1.5 * RATE_HZ


def test_seeking_where_nothing_is_decoded_says_so() -> None:
    player = Player(ByHand())
    player.play(SONG, 60.0)
    player.extend(60.0, ramp(60.0, 1.0), last=False)
    assert not player.seek(5.0)
    assert player.position_s == 60.0


def test_a_missing_device_is_an_error_with_one_sentence() -> None:
    player = Player(NoDevice())
    with pytest.raises(PlaybackError, match="no usable sound device"):
        player.play(SONG, 0.0)
    assert not player.playing


def test_without_portaudio_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(PlaybackError, match="PortAudio"):
        SoundDeviceOutput().start(lambda frames: None)


def test_the_null_output_keeps_real_time_and_stops() -> None:
    player = Player(NullOutput())
    player.play(SONG, 0.0)
    player.extend(0.0, ramp(0.0, 5.0), last=True)
    began = time.monotonic()
    assert until(lambda: player.position_s > 0.3)
    assert time.monotonic() - began > 0.2
    player.stop()
    at = player.position_s
    time.sleep(0.1)
    assert player.position_s - at <= 2 * BLOCK / RATE_HZ


def test_an_external_player_gets_path_and_start(tmp_path: Path) -> None:
    out = tmp_path / "said"
    code = f"import sys; open({str(out)!r}, 'w').write('|'.join(sys.argv[1:]))"
    player = ExternalPlayer((sys.executable, "-c", code, "--start={start_s}", "{path}"))
    player.play(SONG, 64.0)
    assert until(lambda: out.exists() and not player.playing)
    assert out.read_text() == f"--start=64.000|{SONG}"
    player.stop()


def test_an_external_player_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(PlaybackError, match="cannot start gdr-no-such-player"):
        ExternalPlayer(("gdr-no-such-player", "{path}")).play(SONG, 0.0)


def test_stopping_an_external_player_ends_it() -> None:
    player = ExternalPlayer((sys.executable, "-c", "import time; time.sleep(60)", "{path}"))
    player.play(SONG, 3.0)
    assert player.playing
    assert player.position_s >= 3.0
    player.toggle()
    assert not player.playing


def test_the_settings_and_the_environment_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(player_for(("mpv", "{path}")), ExternalPlayer)
    monkeypatch.setenv("GDR_AUDIO", "null")
    assert isinstance(player_for(()), Player)
