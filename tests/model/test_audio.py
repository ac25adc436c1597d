"""Decoding against tones of known pitch, and against files that are not what they seem."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import struct
import tracemalloc
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from crafted import pitch_hz
from mutagen.id3 import ID3, TCON, TDRC, TIT2, TPE1
from sounds import WRITABLE

from gdr_model.audio import (
    SUFFIXES,
    UNREAD_SUFFIXES,
    Tags,
    decode,
    decoding,
    load_for_playback,
    read_tags,
)
from gdr_model.errors import Cancelled, DecodeError, FileUnavailable


@pytest.mark.parametrize("suffix", sorted(SUFFIXES & WRITABLE))
def test_every_format_keeps_pitch_loudness_and_length(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}", hz=440, seconds=3)
    sound = decode(path, 16000)
    assert sound.sample_rate_hz == 16000
    assert sound.samples.dtype == np.float32
    assert sound.channels == 1
    assert sound.duration_s == pytest.approx(3, abs=0.12)
    assert pitch_hz(sound.samples, 16000) == pytest.approx(440, abs=1)
    middle = sound.samples[16000:32000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(1 / 3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 48000, 96000])
def test_resampling_keeps_pitch_and_length(tmp_path, write_tone, rate_hz):
    sound = decode(write_tone(tmp_path / "a.wav", hz=1000, seconds=3, rate_hz=rate_hz), 16000)
    assert len(sound.samples) == pytest.approx(48000, abs=2)
    assert pitch_hz(sound.samples, 16000) == pytest.approx(1000, abs=1)


def test_192_khz_with_eight_channels(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.wav", hz=440, seconds=2, rate_hz=192000, channels=8)
    sound = decode(path, 16000)
    assert sound.channels == 8
    assert pitch_hz(sound.samples, 16000) == pytest.approx(440, abs=1)
    assert load_for_playback(path, 44100).shape == (88200, 2)


def test_downmix_is_the_mean(tmp_path):
    left = np.full(44100, 0.5, np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -left / 2], 1), 44100, subtype="FLOAT")
    sound = decode(tmp_path / "a.wav", 44100)
    assert sound.samples == pytest.approx(0.125)


def test_the_content_is_the_sound_not_the_container(tmp_path, write_tone):
    samples = np.random.default_rng(0).integers(-9000, 9000, (50000, 2), np.int16)
    wav, flac = tmp_path / "a.wav", tmp_path / "b.flac"
    soundfile.write(wav, samples, 44100)
    soundfile.write(flac, samples, 44100)
    other = write_tone(tmp_path / "c.wav", hz=441)
    assert decode(wav, 16000).content == decode(flac, 16000).content
    assert decode(wav, 16000).content == decode(wav, 8000).content
    assert decode(wav, 16000).content != decode(other, 16000).content
    assert len(decode(wav, 16000).content) == 32


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_the_content_is_that_of_libraries_indexed_before(tmp_path, channels):
    """A hash of the rate and of numpy's mean over channels, whose zeros have a sign."""
    samples = np.random.default_rng(0).standard_normal((50000, channels)).astype(np.float32) / 10
    samples[1000:2000], samples[3000:3500], samples[3200:, 0] = -0.0, 0.0, 1e-42
    soundfile.write(tmp_path / "a.wav", samples, 44100, subtype="FLOAT")
    digest = hashlib.blake2b((44100).to_bytes(4, "little"), digest_size=16)
    digest.update(np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)).data)
    assert decode(tmp_path / "a.wav", 16000).content == digest.hexdigest()


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".m4a", ".aiff"])
def test_retagging_does_not_change_the_content(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}")
    before = decode(path, 16000).content
    tag(path, title="Naïma", artist="Coltrane")
    assert decode(path, 16000).content == before


def tag(path, **texts):
    if path.suffix == ".aiff":
        file = mutagen.File(path)
        file.add_tags()
        for frame in (TIT2, TPE1, TCON, TDRC):
            name = {"TIT2": "title", "TPE1": "artist", "TCON": "genre", "TDRC": "date"}
            text = texts.get(name[frame.__name__])
            if text:
                file.tags.add(frame(encoding=3, text=text if isinstance(text, list) else [text]))
        file.save()
        return
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    for name, text in texts.items():
        file[name] = text
    file.save()


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aiff"])
def test_tags_of_every_kind_are_read(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}")
    tag(path, title="Naïma \x1b[31m", artist="Coltrane", genre=["Jazz", "Ballad"], date="1960-04")
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.year) == ("Naïma \x1b[31m", "Coltrane", 1960)
    assert tags.genre == "Jazz; Ballad"
    assert tags.album == ""


def test_damaged_tags_are_none(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + os.urandom(200))
    (tmp_path / "b.flac").write_bytes(b"fLaC" + b"\xff" * 50)
    for path in (tmp_path / "a.mp3", tmp_path / "b.flac", tmp_path):
        assert read_tags(path) == Tags()
    with pytest.raises(FileUnavailable, match="no longer exists"):
        read_tags(tmp_path / "none.mp3")


def test_an_endless_title_is_cut(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.mp3")
    ID3().save(path)
    tag(path, title="x" * 100_000)
    assert len(read_tags(path).title) == 1000


@pytest.mark.parametrize("name", [b"line\nbreak.wav", "emoji 🎷.flac".encode(), b"\xff\xfe.mp3"])
def test_any_file_name_is_read(tmp_path, write_tone, name):
    path = tmp_path / os.fsdecode(name)
    try:
        write_tone(tmp_path / f"plain{path.suffix}").rename(path)
    except OSError:
        pytest.skip("this file system does not take such names")
    assert decode(path, 16000).duration_s == pytest.approx(2, abs=0.1)
    read_tags(path)


def test_a_file_is_read_by_what_is_in_it(tmp_path, write_tone):
    mp3 = write_tone(tmp_path / "a.mp3")
    flac = write_tone(tmp_path / "b.flac")
    shutil.copy(mp3, tmp_path / "c.wav")
    shutil.copy(flac, tmp_path / "d.mp3")
    assert decode(tmp_path / "c.wav", 16000).content == decode(mp3, 16000).content
    assert decode(tmp_path / "d.mp3", 16000).content == decode(flac, 16000).content


# Files that are not what they seem


def refused(path, sample_rate_hz=16000, **limits):
    with pytest.raises(DecodeError) as caught:
        decode(path, sample_rate_hz, **limits)
    reason = str(caught.value)
    assert path.name not in reason
    assert "\n" not in reason
    assert len(reason) < 100
    return reason


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_text_under_the_name_of_music(tmp_path, suffix, capfd):
    path = tmp_path / f"a{suffix}"
    path.write_text("Dear diary, this is not music.\n" * 200)
    assert refused(path) in ("it is not a readable sound file", "it holds no sound")
    assert capfd.readouterr() == ("", "")


def test_a_file_of_zero_bytes(tmp_path):
    (tmp_path / "a.mp3").touch()
    assert refused(tmp_path / "a.mp3") == "the file is empty"


def test_a_sound_file_without_samples(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 1), np.float32), 44100)
    assert refused(tmp_path / "a.wav") == "it holds no sound"


def test_noise_under_every_header(tmp_path):
    random = np.random.default_rng(0)
    for magic in (b"RIFF", b"fLaC", b"OggS", b"FORM", b"ID3\x04", b"\xff\xfb\x90", b"\0\0\0 ftyp"):
        path = tmp_path / "a.mp3"
        path.write_bytes(magic + random.bytes(5000))
        with contextlib.suppress(DecodeError):
            decode(path, 16000)


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".wav", ".ogg"])
def test_a_truncated_file_is_kept_as_far_as_it_goes(tmp_path, write_tone, suffix, capfd):
    path = write_tone(tmp_path / f"a{suffix}", seconds=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sound = decode(path, 16000)
    assert 2 < sound.duration_s < 7
    assert pitch_hz(sound.samples, 16000) == pytest.approx(440, abs=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".mp3", ".flac"])
def test_a_file_truncated_within_its_first_second_says_so(tmp_path, write_tone, suffix):
    path = write_tone(tmp_path / f"a{suffix}", seconds=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 25])
    assert refused(path).startswith("it breaks off after 0.")


def test_damage_in_the_middle_is_skipped(tmp_path, write_tone):
    path = write_tone(tmp_path / "a.mp3", seconds=10)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 2000] = b"\x00" * 2000
    path.write_bytes(whole)
    assert decode(path, 16000).duration_s > 9


def test_a_short_sound_is_a_sound(tmp_path, write_tone):
    assert decode(write_tone(tmp_path / "a.wav", seconds=0.2), 16000).duration_s == 0.2
    one = tmp_path / "b.wav"
    soundfile.write(one, np.ones((1, 1), np.float32), 44100)
    assert len(decode(one, 16000).samples) == 1


def test_silence_is_a_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(44100), 44100)
    assert not decode(tmp_path / "a.wav", 16000).samples.any()


def test_samples_that_are_no_numbers_become_silence(tmp_path):
    samples = np.full(44100, 0.25, np.float32)
    samples[1000], samples[2000], samples[3000], samples[4000] = np.nan, np.inf, -np.inf, 3e38
    soundfile.write(tmp_path / "a.wav", samples, 44100, subtype="FLOAT")
    decoded = decode(tmp_path / "a.wav", 44100).samples
    assert decoded[[1000, 2000, 3000]].tolist() == [0, 0, 0]
    assert decoded[5000] == 0.25
    assert np.isfinite(np.square(decoded)).all()
    assert np.isfinite(load_for_playback(tmp_path / "a.wav", 48000)).all()


def test_a_file_without_permission(tmp_path, write_tone, monkeypatch):
    path = write_tone(tmp_path / "a.wav")

    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)  # tests may run as root, who may read anything
    assert refused(path) == "permission to read it is denied"


def test_a_file_that_vanished(tmp_path):
    assert refused(tmp_path / "a.wav") == "it no longer exists"


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "a.wav").mkdir()
    refused(tmp_path / "a.wav")


def test_a_video_without_sound(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "not a readable sound file" in refused(tmp_path / "a.mp4")


def test_a_playlist_renamed_to_music_opens_nothing(tmp_path, write_tone):
    inner = write_tone(tmp_path / "inner.aac", seconds=3)
    (tmp_path / "a.mp3").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{inner}\n#EXT-X-ENDLIST\n"
    )
    (tmp_path / "b.mp3").write_text(f"ffconcat version 1.0\nfile '{inner.name}'\n")
    refused(tmp_path / "a.mp3")
    refused(tmp_path / "b.mp3")


def test_decoding_ends_at_its_time_limit(tmp_path, write_tone):
    reason = refused(write_tone(tmp_path / "a.mp3"), limit_s=0)
    assert reason == "no sound came out of it for 0 s"


def test_a_file_that_claims_days_is_refused(tmp_path, write_tone, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_S", 0)
    assert "longer than" in refused(write_tone(tmp_path / "a.flac"))


def test_decoding_stops_when_asked(tmp_path, write_tone):
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        decode(write_tone(tmp_path / "a.wav", seconds=20), 16000, cancelled=lambda: next(asked))


def test_a_long_mix_takes_little_more_memory_than_its_samples(tmp_path):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 44100, 2) as file:
        for _ in range(8):
            file.write(np.zeros((44100 * 60, 2), np.int16))
    tracemalloc.start()
    sound = decode(tmp_path / "a.flac", 8000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sound.duration_s == pytest.approx(480, abs=0.01)
    assert peak < 2 * sound.samples.nbytes


def dsd(path: Path, seconds: float = 2) -> Path:
    """440 Hz as one-bit samples at 2.8 MHz: a first-order delta-sigma of a sine."""
    rate_hz, block = 64 * 44100, 4096
    frames = int(rate_hz * seconds) // (8 * block) * 8 * block
    wanted = np.cumsum(np.sin(2 * np.pi * 440 * np.arange(frames) / rate_hz) / 3)
    level = np.floor((wanted + np.arange(frames)) / 2)
    bits = np.diff(level, prepend=0.0).astype(np.uint8)
    if path.suffix == ".dsf":
        data = np.packbits(bits, bitorder="little").tobytes()
        form = struct.pack("<IIIIIIQII", 1, 0, 1, 1, rate_hz, 1, frames, block, 0)
        chunks = b"fmt " + struct.pack("<Q", 12 + len(form)) + form
        chunks += b"data" + struct.pack("<Q", 12 + len(data)) + data
        path.write_bytes(b"DSD " + struct.pack("<QQQ", 28, 28 + len(chunks), 0) + chunks)
        return path
    data = np.packbits(bits).tobytes()

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content + b"\0" * (len(content) % 2)

    properties = (
        chunk(b"FS  ", struct.pack(">I", rate_hz))
        + chunk(b"CHNL", struct.pack(">H", 1) + b"SLFT")
        + chunk(b"CMPR", b"DSD " + b"\x0enot compressed\0")
    )
    body = b"DSD " + chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", b"SND " + properties)
    path.write_bytes(chunk(b"FRM8", body + chunk(b"DSD ", data)))
    return path


@pytest.mark.parametrize("suffix", [".dsf", ".dff"])
def test_one_bit_samples_are_read(tmp_path, suffix):
    sound = decode(dsd(tmp_path / f"a{suffix}"), 16000)
    assert sound.duration_s == pytest.approx(2, abs=0.05)
    assert pitch_hz(sound.samples[1600:], 16000) == pytest.approx(440, abs=2)


def test_what_is_read_and_what_is_known_are_apart():
    assert not SUFFIXES & UNREAD_SUFFIXES
    for suffix in SUFFIXES | UNREAD_SUFFIXES:
        assert suffix == suffix.lower()
        assert suffix.startswith(".")


def test_the_docs_list_what_is_read():
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    table = text.split("## What is read", 1)[1].split("\n\n", 2)[1]
    assert set(re.findall(r"`(\.[^`]+)`", table)) == SUFFIXES
    counted = text.split("Counted but not read", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"`(\.[^`]+)`", counted)) <= UNREAD_SUFFIXES
