"""Facts about passages: only what the score, the lists, the teacher or the sound supports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from prepared import track

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS
from gdr_model.types import Array
from recipes.builtin.corpus.facts import FAR, MEASURES, WORDS, CorpusStatistics, measure
from recipes.builtin.corpus.prepare import PreparedTrack
from training.words import vocabulary
from training.words.tagger import TAGS

SINGING, JAZZ, PIANO = 24, 140, 141
NAMES = [f"class {n}" for n in range(521)]
NAMES[SINGING], NAMES[JAZZ], NAMES[PIANO] = "Singing", "Jazz", "Piano"


def mel(level: Array | float, bands: Array | float = 0.0, seconds: int = 8) -> Array:
    """Log-mel (F, MELS): a level over time plus a curve over the bands."""
    frames = seconds * FRAMES_PER_S
    return np.broadcast_to(level, (frames,))[:, None] + np.broadcast_to(bands, (MELS,))[None]


def value(name: str, log_mel: Array) -> float:
    return float(measure(log_mel)[MEASURES.index(name)])


# Measurements


def test_brightness_is_the_band_in_which_the_power_lies() -> None:
    for band in (5, 30, 55):
        peak = np.where(np.arange(MELS) == band, 5.0, -10.0)
        assert value("brightness", mel(0.0, peak)) == pytest.approx(band, abs=0.2)


def test_bass_is_the_share_of_the_lowest_bands() -> None:
    low = np.where(np.arange(MELS) < 6, 3.0, -10.0)
    assert value("bass", mel(0.0, low)) == pytest.approx(0, abs=0.01)  # the log of all
    even = value("bass", mel(0.0))
    assert even == pytest.approx(np.log(6 / MELS), abs=0.01)


def test_slope_and_range_follow_the_level() -> None:
    rising = np.linspace(-3, 1, 8 * FRAMES_PER_S)
    assert value("slope", mel(rising)) == pytest.approx(2.0, abs=0.3)  # half of the rise
    assert value("slope", mel(rising[::-1])) == pytest.approx(-2.0, abs=0.3)
    assert value("slope", mel(-1.0)) == pytest.approx(0, abs=1e-4)
    assert value("range", mel(rising)) > 2
    assert value("range", mel(-1.0)) == pytest.approx(0, abs=1e-4)


def test_flux_counts_attacks() -> None:
    frames = np.arange(8 * FRAMES_PER_S)
    pulses = np.where(frames % 16 == 0, 0.0, -4.0)
    assert value("flux", mel(pulses)) > 5 * value("flux", mel(np.linspace(-4, 0, len(frames))))


def test_a_passage_of_a_few_seconds_has_no_slope() -> None:
    assert value("slope", mel(np.linspace(-3, 1, 3 * FRAMES_PER_S), seconds=3)) == 0


# Facts


def noise(seed: int, **known: Any) -> PreparedTrack:
    return track(f"track {seed}", "source", 12, seed, **known)


@pytest.fixture(scope="module")
def statistics() -> CorpusStatistics:
    return CorpusStatistics.fit([noise(seed) for seed in range(30)], NAMES)


def test_statistics_are_those_of_the_tracks(statistics: CorpusStatistics) -> None:
    assert statistics.mean.shape == statistics.sd.shape == (571,)
    assert statistics.mean[:521].mean() == pytest.approx(-5, abs=0.05)
    assert statistics.mean[521:].mean() == pytest.approx(-3, abs=0.1)
    assert statistics.sd.mean() == pytest.approx(1 / np.sqrt(12), rel=0.1)  # of means of 12
    assert statistics.measure_mean.shape == statistics.measure_sd.shape == (5,)
    again = CorpusStatistics.fit([noise(seed) for seed in range(30)], NAMES)
    np.testing.assert_array_equal(again.mean, statistics.mean)


def test_both_teachers_say_what_jazz_is_and_the_second_has_classes_of_its_own(
    statistics: CorpusStatistics,
) -> None:
    first, second, mellow = noise(52), noise(52), noise(52)
    first.logits[:, JAZZ] += 2
    second.tag_logits[:, TAGS.index("jazz")] += 2
    mellow.tag_logits[:, TAGS.index("Mellow")] += 2
    names = statistics.classes.names
    plain = statistics.z(noise(52), 0, 12)
    jazz, of_its_own = names.index("Jazz"), names.index("Mellow music")
    raised = [statistics.z(one, 0, 12) - plain for one in (first, second, mellow)]
    assert 0 < raised[0][jazz] < raised[1][jazz], "the second teacher counts for more"
    assert raised[2][of_its_own] > 3
    assert raised[2][jazz] == pytest.approx(0, abs=1e-5)


def test_a_merged_class_varies_as_much_as_any_other(statistics: CorpusStatistics) -> None:
    z = np.stack([statistics.z(noise(seed), 0, 12) for seed in range(30)])
    np.testing.assert_allclose(z.std(0), 1, atol=0.02)


def test_what_stands_out_comes_first(statistics: CorpusStatistics) -> None:
    one = noise(50)
    one.logits[:, JAZZ] = 3.0
    one.tag_logits[:, TAGS.index("jazz")] = 3.0
    one.logits[:, PIANO] = -2.0
    facts = statistics.facts(one, 0, 12)
    assert [name for name, _ in facts.classes[:2]] == ["Jazz", "Piano"]
    scores = [score for _, score in facts.classes]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 40


def test_facts_are_of_the_passage_and_not_of_the_track(statistics: CorpusStatistics) -> None:
    one = noise(51)
    one.logits[6:, JAZZ] = 3.0
    assert statistics.facts(one, 6, 6).classes[0][0] == "Jazz"
    assert statistics.facts(one, 0, 6).classes[0][0] != "Jazz"


def test_remarkable_measurements_get_their_word(statistics: CorpusStatistics) -> None:
    one = noise(52)
    one.mel[:] = mel(np.linspace(-8, 4, 12 * FRAMES_PER_S), seconds=12)
    words = statistics.facts(one, 0, 12).measured
    assert "building" in words
    assert "dynamic" in words
    assert "fading" not in words
    plain = noise(53)
    assert len(statistics.facts(plain, 0, 12).measured) <= 4
    assert set(WORDS.values()) <= set(vocabulary.MEASURED)
    assert FAR > 1


@pytest.mark.parametrize(
    ("voice", "sung", "female"),
    [("sung, female", True, True), ("sung, male", True, False), ("spoken, female", True, True)],
)
def test_the_list_says_who_sings(
    voice: str, sung: bool, female: bool, statistics: CorpusStatistics
) -> None:
    facts = statistics.facts(noise(54, voice=voice), 0, 12)
    assert (facts.sung, facts.female) == (sung, female)


def test_without_a_list_only_a_clear_absence_is_a_fact(statistics: CorpusStatistics) -> None:
    silent = noise(55)
    silent.logits[:, SINGING] = -9.0
    assert statistics.facts(silent, 0, 12).sung is False
    doubtful = noise(56)
    doubtful.logits[:, SINGING] = -3.0
    assert statistics.facts(doubtful, 0, 12).sung is None
    remixed = track("remix/1", "remix", 12, 57)
    remixed.logits[:, SINGING] = -9.0
    assert statistics.facts(remixed, 0, 12).sung is None


def test_the_genre_of_a_source_is_put_in_words_people_use(statistics: CorpusStatistics) -> None:
    facts = statistics.facts(noise(58, genre="game/techno"), 0, 12)
    assert facts.genres == ("techno", "video game techno", "electronic")
    assert statistics.facts(noise(59, genre="something else"), 0, 12).genres == ()
    assert statistics.facts(noise(60), 0, 12).genres == ()


def render(**known: Any) -> PreparedTrack:
    score = {
        "tempo_bpm": 140,
        "mode": "dorian",
        "style": "jazz trio",
        "genre": "Jazz",
        "moods": ["smoky", "cool"],
        "instruments": ["acoustic grand piano", "double bass", "seashore"],
        "drum_kit": "brush kit",
    }
    return track("render/1", "render", 12, 70, **{**score, **known})


def test_a_render_is_described_by_its_score(statistics: CorpusStatistics) -> None:
    facts = statistics.facts(render(), 0, 12)
    assert facts.instruments == ("piano", "upright bass", "drums")  # no seashore
    assert facts.genres == ("jazz trio", "jazz")
    assert facts.moods == ("smoky", "cool")
    assert facts.measured[0] == "fast"
    assert facts.measured[-1] == "minor"
    assert facts.sung is False
    assert not facts.female


@pytest.mark.parametrize(("bpm", "word"), [(60, "slow"), (100, "medium"), (120, "fast")])
def test_tempo_is_slow_medium_or_fast(bpm: float, word: str, statistics: CorpusStatistics) -> None:
    assert statistics.facts(render(tempo_bpm=bpm), 0, 12).measured[0] == word


def test_the_composers_own_style_is_not_named(statistics: CorpusStatistics) -> None:
    facts = statistics.facts(render(style="diverse", genre=None, mode="lydian"), 0, 12)
    assert facts.genres == ()
    assert facts.measured[-1] == "major"


def test_a_choir_in_a_render_is_neither_sung_nor_instrumental(
    statistics: CorpusStatistics,
) -> None:
    assert statistics.facts(render(instruments=["choir aahs"]), 0, 12).sung is None


def test_the_teacher_hears_no_voices_in_a_render(statistics: CorpusStatistics) -> None:
    one = render()
    one.logits[:, SINGING] = 5.0  # a synthesiser may sound like one
    assert "Singing" not in [name for name, _ in statistics.facts(one, 0, 12).classes]
