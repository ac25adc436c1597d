"""Speakers: voices that exist, speech without silence, a sentence where commands are absent."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from voices import needs_voices, rng

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from recipes.builtin.voices.pieces import ROSTER, check_commands
from recipes.builtin.voices.speakers import (
    FLITE,
    LANGUAGES,
    VARIANTS,
    Speaker,
    recordings,
    trimmed,
)


def test_women_and_men_speak_alike_often_with_voices_of_theirs() -> None:
    speakers = [Speaker.draw(rng(seed)) for seed in range(600)]
    assert 0.43 < sum(s.female for s in speakers) / 600 < 0.57
    assert 0.28 < sum(s.command == "flite" for s in speakers) / 600 < 0.42
    for speaker in speakers:
        sex = "female" if speaker.female else "male"
        if speaker.command == "flite":
            assert speaker.voice in FLITE[sex].split()
        else:
            language, variant = speaker.voice.split("+")
            assert language in LANGUAGES
            assert variant in VARIANTS[sex].split()


def test_the_roster_is_mixed_and_always_the_same() -> None:
    assert [Speaker.draw(np.random.default_rng([3, n])) for n in range(28)] == ROSTER
    assert len(set(ROSTER)) >= 20
    assert {s.command for s in ROSTER} == {"flite", "espeak-ng"}
    assert 8 <= sum(s.female for s in ROSTER) <= 20


@needs_voices
def test_every_voice_is_known_to_its_synthesiser() -> None:
    def said(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    # espeak-ng says nothing of a variant it does not know, and speaks without it.
    variants = {
        line.split()[-1].removeprefix("!v/").lower()
        for line in said("espeak-ng", "--voices=variant").splitlines()[1:]
    }
    for names in VARIANTS.values():
        assert {name.lower() for name in names.split()} <= variants
    languages = {line.split()[1] for line in said("espeak-ng", "--voices").splitlines()[1:]}
    assert set(LANGUAGES) <= languages
    flite = set(said("flite", "-lv").partition(":")[2].split())
    assert set(" ".join(FLITE.values()).split()) <= flite


@needs_voices
@pytest.mark.parametrize(
    "speaker", [Speaker("flite", "slt", True), Speaker("espeak-ng", "en-us+m3", False)]
)
def test_speech_begins_and_ends_with_sound(speaker: Speaker) -> None:
    sound = speaker.say("golden river")
    assert sound.dtype == np.float32
    assert 0.3 < len(sound) / SAMPLE_RATE_HZ < 2.5
    edge = 0.02 * np.abs(sound).max()
    assert abs(sound[0]) >= 0.9 * edge
    assert abs(sound[-1]) >= 0.9 * edge


@needs_voices
def test_what_is_said_can_be_changed_without_changing_what_is_said_next() -> None:
    speaker = Speaker("flite", "awb", False)
    first = speaker.say("road")
    untouched = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(speaker.say("road"), untouched)


@needs_voices
def test_a_voice_that_cannot_speak_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        Speaker("espeak-ng", "xx-nowhere", True).say("hello")


def test_silence_is_cut_off_but_not_to_nothing() -> None:
    sound = np.zeros(SAMPLE_RATE_HZ, np.float32)
    sound[4000:8000] = 0.5
    assert len(trimmed(sound)) == 4000
    sound[9000] = 0.002  # far below the loudest sample: silence, too
    assert len(trimmed(sound)) == 4000
    assert len(trimmed(np.zeros(10, np.float32))) == SAMPLE_RATE_HZ // 10


def test_recorded_lines_are_the_english_ones_by_name(tmp_path: Path) -> None:
    sounds = tmp_path / "usr/share/games/fillets/sound"
    for name in ("airport/en/b.ogg", "airport/en/a.ogg", "airport/cs/a.ogg", "airport/music.ogg"):
        (sounds / name).parent.mkdir(parents=True, exist_ok=True)
        (sounds / name).touch()
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "elsewhere.ogg").touch()
    names = [path.relative_to(sounds).as_posix() for path in recordings(tmp_path)]
    assert names == ["airport/en/a.ogg", "airport/en/b.ogg"]


def test_absent_commands_are_named_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"^the voices need espeak-ng and flite: install"):
        check_commands()
    (tmp_path / "flite").write_text("#!/bin/sh\n")
    (tmp_path / "flite").chmod(0o755)
    with pytest.raises(SystemExit, match=r"^the voices need espeak-ng: "):
        check_commands()
