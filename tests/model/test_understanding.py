"""What a text encoder understands: other languages, misspelt words, nothing close in a library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from gdr_model.encoders.builtin import minilm
from gdr_model.encoders.registry.pairs import PAIRS
from gdr_model.encoders.shared.prompts import PromptReader
from gdr_model.encoders.use import encoder as use
from gdr_model.errors import ModelError
from gdr_model.models.checkpoint import Model, load
from gdr_model.models.config import RETRIEVERS, ModelConfig
from gdr_model.search import references
from gdr_model.search.understanding import FILE, Doubt, Note, Understanding, misspelt, notes
from gdr_model.steering import Slider, Steering
from gdr_model.steering import WeightedText as Negative
from gdr_model.types import Array, Hit, Method, Query, Results, TextEmbedding, Track


@pytest.fixture(scope="module")
def model() -> Model:
    return load("builtin", "cpu")


@pytest.fixture(scope="module")
def understanding(model: Model) -> Understanding:
    found = model.understanding
    assert found is not None
    return found


@pytest.fixture(scope="module")
def english() -> PromptReader:
    return minilm.load_text(minilm.find(), torch.device("cpu"))


@pytest.fixture(scope="module")
def measured_english(english: PromptReader) -> Understanding:
    found = Understanding.measure(english)
    assert found is not None
    assert found.languages == ("English",)
    return found


class Readings:
    """A text encoder whose points are chosen by the test."""

    def __init__(self, points: dict[str, Array]) -> None:
        self.points = points

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        pooled = np.stack([self.points[text] for text in texts])
        states = pooled[:, None]
        return TextEmbedding(states, np.ones(states.shape[:2], np.bool_), pooled)

    def read_all(self, texts: Sequence[str]) -> Iterator[tuple[int, tuple[Array, Array]]]:
        for row, text in enumerate(texts):
            yield row, (self.points[text][None], self.points[text])


def all_texts() -> list[str]:
    from gdr_model.search.vocabulary import WORDS

    others = [text for texts in references.TRANSLATED.values() for text in texts]
    return [*references.ENGLISH, *WORDS, *references.ELSEWHERE, *others]


def test_the_shipped_measurement_is_that_of_the_shipped_encoder(
    model: Model, understanding: Understanding
) -> None:
    again = Understanding.measure(model.text)
    assert again is not None
    assert again.languages == understanding.languages
    assert again.letters == pytest.approx(understanding.letters, abs=1e-3)
    for name in ("language", "spelling", "elsewhere"):
        measured, shipped = getattr(again, name), getattr(understanding, name)
        np.testing.assert_allclose(measured.weights, shipped.weights, atol=1e-3)
        np.testing.assert_allclose(measured.centre, shipped.centre, atol=1e-4)


@pytest.mark.parametrize(
    ("prompt", "doubt"),
    [
        ("slow sad piano", None),
        ("bossa nova", None),
        ("krautrock with a motorik beat", None),
        ("shoegaze", None),
        ("music", None),
        ("piano lento y triste", Doubt.LANGUAGE),
        ("ruhiges Klavier", Doubt.LANGUAGE),
        ("静かなピアノ", Doubt.LANGUAGE),
        ("техно", Doubt.LANGUAGE),
        ("relxaing musc", Doubt.SPELLING),
        ("flibberty zonk wibblequax", Doubt.SPELLING),
    ],
)
def test_an_english_encoder_doubts_what_it_does_not_read(
    english: PromptReader, measured_english: Understanding, prompt: str, doubt: Doubt | None
) -> None:
    assert measured_english.doubt(english, prompt) is doubt


def test_an_encoder_of_many_languages_reads_them() -> None:
    """Where a translation is at the point of its English, and only Greek is elsewhere."""
    random = np.random.default_rng(0)
    points = {text: random.normal(size=64).astype(np.float32) for text in all_texts()}
    for language, texts in references.TRANSLATED.items():
        for english, text in zip(references.PLAIN, texts, strict=True):
            points[text] = points[english] + np.float32(0.01)
            if language == "Greek":
                points[text] = points[text] + 30 * np.eye(64, dtype=np.float32)[0]
    measured = Understanding.measure(Readings(points))
    assert measured is not None
    assert "Greek" not in measured.languages
    assert {"English", "Spanish", "Korean"} <= set(measured.languages)
    encoder = Readings(points)
    assert measured.doubt(encoder, "ήσυχη νύχτα") is Doubt.LANGUAGE
    assert measured.doubt(encoder, "조용한 밤") is None
    assert measured.spelling is None, "it shows no tokens"


@pytest.fixture(scope="module")
def multilingual() -> PromptReader:
    return use.load_text(use.find(), torch.device("cpu"))


@pytest.fixture(scope="module")
def measured(multilingual: PromptReader) -> Understanding:
    found = Understanding.measure(multilingual)
    assert found is not None
    return found


def test_the_multilingual_encoder_reads_all_but_two_of_the_languages(
    measured: Understanding,
) -> None:
    assert {*references.TRANSLATED} - {*measured.languages} == {"Greek", "Hindi"}
    assert measured.spelling is not None
    assert measured.elsewhere is not None


@pytest.mark.parametrize(
    ("prompt", "doubt"),
    [
        ("slow sad piano", None),
        ("krautrock with a motorik beat", None),
        ("piano lento y triste", None),
        ("ruhiges Klavier", None),
        ("静かなピアノ", None),
        ("техно", None),
        ("安静的钢琴", None),
        ("rustige piano", None),
        ("เปียโนเศร้า", None),
        ("ήσυχη κιθάρα", Doubt.LANGUAGE),
        ("शांत गिटार", Doubt.LANGUAGE),
        ("fsat drmus", Doubt.SPELLING),
        ("flibberty zonk wibblequax", Doubt.SPELLING),
    ],
)
def test_the_multilingual_encoder_doubts_what_it_does_not_read(
    multilingual: PromptReader, measured: Understanding, prompt: str, doubt: Doubt | None
) -> None:
    assert measured.doubt(multilingual, prompt) is doubt


def test_an_encoder_that_does_not_tell_languages_apart_gets_no_notes() -> None:
    random = np.random.default_rng(0)
    noise = {text: random.normal(size=16).astype(np.float32) for text in all_texts()}
    assert Understanding.measure(Readings(noise)) is None


def test_a_measurement_is_read_back(tmp_path: Path, understanding: Understanding) -> None:
    understanding.save(tmp_path)
    again = Understanding.of(tmp_path)
    assert again is not None
    assert again.languages == understanding.languages
    np.testing.assert_array_equal(again.language.weights, understanding.language.weights)


def test_what_is_close_is_measured_for_each_model(
    tmp_path: Path, understanding: Understanding, model: Model
) -> None:
    replace(understanding, close=0.25).save(tmp_path)
    again = Understanding.of(tmp_path)
    assert again is not None
    assert understanding.close < again.close == 0.25
    assert understanding.has_close(model.text, "slow sad piano", 0.2)
    assert not again.has_close(model.text, "slow sad piano", 0.2)


def test_musicnn_comes_with_the_measurement_of_the_text_encoder_that_both_have(
    understanding: Understanding,
) -> None:
    pair = Understanding.of(RETRIEVERS / "musicnn")
    assert pair is not None
    assert PAIRS["musicnn"].text == ModelConfig.read("builtin").text
    assert pair.languages == understanding.languages
    assert pair.close == understanding.close
    np.testing.assert_array_equal(pair.language.weights, understanding.language.weights)


def test_a_model_without_a_measurement_has_none_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert Understanding.of(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"not a measurement")
    with pytest.raises(ModelError, match=FILE):
        Understanding.of(tmp_path)
    save_file({"a": np.zeros(1, np.float32)}, tmp_path / FILE)
    with pytest.raises(ModelError, match=FILE):
        Understanding.of(tmp_path)


def answered(prompt: str, score: float, **steered: object) -> Results:
    hit = Hit(Track(Path("/m/a.ogg"), 60.0, "a"), 0.0, 60.0, score, 8, np.zeros(60, np.float32))
    query = Query(np.ones((8, 2), np.float32), Steering(prompt, **steered), Method.GDR)
    return Results((hit,), query, 1, 1.0, 0.0, 0.0)


def test_a_far_best_result_is_noted_and_farther_for_a_prompt_about_sound(
    model: Model, understanding: Understanding
) -> None:
    def noted(prompt: str, score: float, **steered: object) -> tuple[Note, ...]:
        return notes(understanding, model.text, answered(prompt, score, **steered))

    assert noted("slow sad piano", 0.2) == ()
    assert noted("slow sad piano", 0.1) == (Note(Doubt.FAR, "slow sad piano"),)
    assert noted("insurance policy number", 0.2) == (Note(Doubt.FAR, "insurance policy number"),)
    assert noted("insurance policy number", 0.5) == ()
    assert noted("slow sad piano", 0.1, likes=("/m/a.ogg",)) == ()
    assert notes(None, model.text, answered("asdf", 0.0)) == ()


def test_negatives_and_sliders_are_noted_too(model: Model, understanding: Understanding) -> None:
    steered = {
        "negatives": (Negative("γρήγορα τύμπανα"),),
        "sliders": (Slider("bells", 0.5),),
    }
    found = notes(understanding, model.text, answered("piano", 0.5, **steered))
    assert found == (Note(Doubt.LANGUAGE, "γρήγορα τύμπανα", understanding.languages),)


def test_words_are_misspelt_by_two_letters_or_one_and_short_ones_are_not() -> None:
    assert misspelt("a slow piano", 0) == "a solw piaon"
    assert misspelt("a slow piano", 0, drop=True) == "a slw pino"
