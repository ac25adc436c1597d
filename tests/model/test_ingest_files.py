"""Which files ingesting takes, and what becomes of those that fail."""

from __future__ import annotations

import os

import numpy as np
import pytest
import soundfile
from ingesting import names, run

from gdr_model.workers.tasks import SILENCE_DB

# Files that fail


def test_a_failure_is_remembered_until_the_file_changes(library, music, encoder, write_tone):
    write_tone(music / "good.mp3")
    (music / "bad.mp3").write_text("this is no music\n" * 50)
    (music / "empty.mp3").touch()
    assert run(library, encoder) == {"new": 1, "encoded": 1, "failed": 2}
    reasons = {failure.path.name: failure.reason for failure in library.failures()}
    assert reasons["empty.mp3"] == "the file is empty"
    assert run(library, encoder) == {"unchanged": 1, "skipped_failed": 2}
    assert run(library, encoder, retry_failed=True) == {"unchanged": 1, "failed": 2}
    write_tone(music / "bad.mp3", hz=700)
    assert run(library, encoder) == {
        "new": 1,
        "unchanged": 1,
        "skipped_failed": 1,
        "encoded": 1,
    }
    (music / "empty.mp3").unlink()
    assert run(library, encoder) == {"unchanged": 2}
    assert library.failures() == []


def test_a_track_whose_file_broke_is_a_track_no_longer(library, music, encoder, write_tone):
    write_tone(music / "a.mp3")
    run(library, encoder)
    (music / "a.mp3").write_text("overwritten")
    assert run(library, encoder) == {"failed": 1}
    assert library.count() == 0
    assert run(library, encoder) == {"skipped_failed": 1}


def test_an_encoder_that_gives_no_numbers_fails_that_file(library, music, encoder, write_tone):
    write_tone(music / "a.wav", hz=200)
    encoder.encode = lambda samples, cancelled=None: np.full((2, 24), np.nan, np.float32)
    assert run(library, encoder) == {"failed": 1}
    assert library.spaces() == []


def test_silence_and_very_short_sounds_are_tracks(library, music, encoder, write_tone):
    write_tone(music / "short.wav", seconds=0.05)
    soundfile.write(music / "silence.wav", np.zeros(44100), 44100)
    assert run(library, encoder) == {"new": 2, "encoded": 2}
    short, silence = library.track(music / "short.wav"), library.track(music / "silence.wav")
    assert len(library.latents(short.content, encoder.space)) == 1
    assert silence.loudness_db == SILENCE_DB


def test_a_file_that_vanishes_meanwhile_has_not_failed(library, music, encoder, write_tone):
    write_tone(music / "a.wav", hz=200)
    write_tone(music / "b.wav", hz=300)
    first = encoder.encode

    def encode(samples, cancelled):
        (music / "z.wav").unlink(missing_ok=True)
        return first(samples, cancelled)

    write_tone(music / "z.wav", hz=400, seconds=1)
    encoder.encode = encode
    assert run(library, encoder)["new"] >= 2
    assert library.failures() == []


# Which files count


def test_bins_and_marked_folders_are_left_out(library, music, encoder, write_tone):
    write_tone(music / "a.wav")
    write_tone(music / ".trash" / "b.wav", hz=2)
    write_tone(music / "voice" / "deep" / "c.wav", hz=3)
    (music / "voice" / ".notmusic").touch()
    write_tone(music / "UPPER.WAV", hz=500)
    (music / "folder.wav").mkdir()
    os.mkfifo(music / "pipe.mp3")
    run(library, encoder)
    assert names(library) == ["UPPER.WAV", "a.wav"]
    (music / "voice" / ".notmusic").unlink()
    assert run(library, encoder)["new"] == 1
    (music / "voice" / ".notmusic").touch()
    assert run(library, encoder)["gone"] == 1


def test_links_are_followed_once(library, music, encoder, write_tone):
    write_tone(music / "z" / "a.wav", hz=200)
    write_tone(music.parent / "elsewhere" / "b.wav", hz=300)
    (music / "a-link").symlink_to(music / "z")
    (music / "z" / "up").symlink_to(music)
    (music / "other").symlink_to(music.parent / "elsewhere")
    (music / "self.wav").symlink_to(music / "self.wav")
    (music / "broken.wav").symlink_to(music / "nowhere.wav")
    assert run(library, encoder) == {"new": 2, "encoded": 2}
    assert names(library) == ["other/b.wav", "z/a.wav"]


@pytest.mark.parametrize("name", [b"line\nbreak.wav", "emoji 🎷.wav".encode(), b"bad \xff\xfe.wav"])
def test_any_name_survives(library, music, encoder, write_tone, name):
    path = music / os.fsdecode(name)
    try:
        write_tone(music / "plain.wav").rename(path)
    except OSError:
        pytest.skip("this file system does not take such names")
    assert run(library, encoder) == {"new": 1, "encoded": 1}
    assert run(library, encoder) == {"unchanged": 1}
    assert [os.fsencode(t.path) for t in library.tracks()] == [os.fsencode(path)]
    assert library.track(path) == library.tracks()[0]
    path.write_text("broken")
    assert run(library, encoder) == {"failed": 1}
    assert os.fsencode(library.failures()[0].path) == os.fsencode(path)
