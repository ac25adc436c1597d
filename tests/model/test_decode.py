"""Dataclasses from JSON, YAML and TOML: what is accepted, and the sentence that refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from gdr_model import decode
from gdr_model.errors import ModelError, UsageError


class Precision(StrEnum):
    FP32 = "fp32"
    BF16 = "bf16"


@dataclass(frozen=True)
class Term:
    text: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError("weight must not be negative")
        if not self.text:
            raise UsageError("a term is empty")


@dataclass(frozen=True)
class Optimiser:
    rate: float = 1e-3
    steps: int = 100
    betas: tuple[float, float] = (0.9, 0.99)
    precision: Precision = Precision.FP32
    floor: float | None = None


@dataclass(frozen=True)
class Run:
    name: str
    optimiser: Optimiser = Optimiser()
    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()
    quiet: bool = False
    schedule: Literal["cosine", "linear"] = "cosine"
    volume: Annotated[float, Meta(ge=0, le=20)] = 3.0
    jobs: Annotated[int, Meta(gt=0)] = 1
    network: dict[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    edit: Term | None = None
    folder: Path = Path("work")
    pair: tuple[str, int] = ("a", 1)


FULL = """
name: all
optimiser: {rate: 1.0e-4, steps: 3, betas: [0, 1], precision: bf16, floor: 2}
terms: [{text: drums, weight: 2}, {text: brass}]
words: [a, b]
quiet: true
schedule: linear
volume: 20
jobs: 4
network: {kind: mlp, widths: [1, 2]}
keys: {a: b}
shares: {a: 1.0e-2, b: 1}
edit: {text: a}
folder: /tmp/x
pair: [x, 2]
"""


def test_every_kind_of_field_is_read() -> None:
    assert decode.into(Run, yaml.safe_load(FULL)) == Run(
        name="all",
        optimiser=Optimiser(1e-4, 3, (0.0, 1.0), Precision.BF16, 2.0),
        terms=(Term("drums", 2.0), Term("brass")),
        words=("a", "b"),
        quiet=True,
        schedule="linear",
        volume=20.0,
        jobs=4,
        network={"kind": "mlp", "widths": [1, 2]},
        keys={"a": "b"},
        shares={"a": 0.01, "b": 1.0},
        edit=Term("a"),
        folder=Path("/tmp/x"),  # noqa: S108 (never opened)
        pair=("x", 2),
    )


def test_whole_numbers_become_floats_where_floats_belong() -> None:
    found = decode.into(Optimiser, {"rate": 1})
    assert isinstance(found.rate, float)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "it must hold named fields, not [1]"),
        ("~", "it must hold named fields, not None"),
        ("{}", "the field name is missing"),
        ("{nmae: a}", f"unknown field nmae; known are {', '.join(Run.__dataclass_fields__)}"),
        ("{name: a, 3: b}", f"unknown field 3; known are {', '.join(Run.__dataclass_fields__)}"),
        ("{name: 3}", "name must be a text, not 3"),
        ("{name: a, optimiser: 3}", "optimiser must hold named fields, not 3"),
        (
            "{name: a, optimiser: {raet: 3}}",
            "unknown field optimiser.raet; known are rate, steps, betas, precision, floor",
        ),
        (
            "{name: a, optimiser: {steps: many}}",
            "optimiser.steps must be a whole number, not 'many'",
        ),
        ("{name: a, optimiser: {steps: '3'}}", "optimiser.steps must be a whole number, not '3'"),
        ("{name: a, optimiser: {steps: 1.5}}", "optimiser.steps must be a whole number, not 1.5"),
        ("{name: a, optimiser: {steps: true}}", "optimiser.steps must be a whole number, not True"),
        ("{name: a, optimiser: {rate: fast}}", "optimiser.rate must be a number, not 'fast'"),
        ("{name: a, optimiser: {rate: true}}", "optimiser.rate must be a number, not True"),
        ("{name: a, optimiser: {rate: '3'}}", "optimiser.rate must be a number, not '3'"),
        ("{name: a, optimiser: {rate: .nan}}", "optimiser.rate must be a number, not nan"),
        ("{name: a, optimiser: {rate: -.inf}}", "optimiser.rate must be a number, not -inf"),
        ("{name: a, optimiser: {floor: low}}", "optimiser.floor must be a number, not 'low'"),
        ("{name: a, optimiser: {floor: [1]}}", "optimiser.floor must be a number, not [1]"),
        (
            "{name: a, optimiser: {betas: [1]}}",
            "optimiser.betas must be a list of 2 numbers, not [1]",
        ),
        ("{name: a, optimiser: {betas: [1, b]}}", "optimiser.betas[1] must be a number, not 'b'"),
        (
            "{name: a, optimiser: {precision: fp8}}",
            "optimiser.precision must be one of fp32, bf16, not 'fp8'",
        ),
        ("{name: a, terms: 3}", "terms must be a list of values, not 3"),
        ("{name: a, terms: [{}]}", "the field terms[0].text is missing"),
        ("{name: a, terms: [{text: b}, 3]}", "terms[1] must hold named fields, not 3"),
        (
            "{name: a, terms: [{text: b, size: 1}]}",
            "unknown field terms[0].size; known are text, weight",
        ),
        ("{name: a, terms: [{text: b, weight: -1}]}", "terms[0]: weight must not be negative"),
        ("{name: a, edit: {text: b, weight: -1}}", "edit: weight must not be negative"),
        ("{name: a, edit: {text: 3}}", "edit.text must be a text, not 3"),
        ("{name: a, edit: {}}", "the field edit.text is missing"),
        ("{name: a, edit: 3}", "edit must hold named fields, not 3"),
        ("{name: a, words: mpv}", "words must be a list of texts, not 'mpv'"),
        ("{name: a, words: [b, 3]}", "words[1] must be a text, not 3"),
        ("{name: a, quiet: 1}", "quiet must be true or false, not 1"),
        ("{name: a, schedule: odd}", "schedule must be one of cosine, linear, not 'odd'"),
        ("{name: a, volume: 21}", "volume must be a number from 0 to 20, not 21"),
        ("{name: a, jobs: 0}", "jobs must be a whole number above 0, not 0"),
        ("{name: a, network: mlp}", "network must hold named fields, not 'mlp'"),
        ("{name: a, keys: {b: 3}}", "keys must hold named texts, not {'b': 3}"),
        ("{name: a, keys: {3: b}}", "keys must hold named texts, not {3: 'b'}"),
        ("{name: a, shares: {b: c}}", "shares.b must be a number, not 'c'"),
        ("{name: a, folder: 3}", "folder must be a text, not 3"),
        ("{name: a, pair: [b]}", "pair must be a list of 2 values, not ['b']"),
        ("{name: a, terms: [{text: ''}]}", "a term is empty"),
    ],
)  # fmt: skip
def test_what_is_invalid_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        decode.into(Run, yaml.safe_load(text))
    assert str(refused.value) == sentence


def test_a_long_value_is_cut_in_the_sentence() -> None:
    with pytest.raises(UsageError) as refused:
        decode.into(Run, {"name": "a", "quiet": "x" * 10_000})
    assert len(str(refused.value)) < 120


def test_a_caller_words_the_beginning_and_chooses_the_class() -> None:
    with pytest.raises(ModelError, match=r"^/m/config\.json: the file must hold named fields"):
        decode.into(Run, [], prefix="/m/config.json: ", whole="the file", error=ModelError)
    # Errors of a `__post_init__` get the same class and beginning.
    with pytest.raises(ModelError, match=r"^here: a term is empty$"):
        decode.into(Term, {"text": ""}, prefix="here: ", error=ModelError)


@pytest.mark.parametrize("text", ["", "{", "[1", "nul", '{"name": "a"} b'])
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^no run: ") as refused:
        decode.from_json(Run, text, prefix="no run: ")
    assert "\n" not in str(refused.value)


def test_names_that_are_not_utf8_pass_through_json() -> None:
    text = json.dumps({"text": "caf\udce9"})
    assert decode.from_json(Term, text) == Term("caf\udce9")


texts = st.text(min_size=1, max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
terms = st.builds(Term, texts, numbers.map(abs))
optimisers = st.builds(
    Optimiser,
    numbers,
    st.integers(),
    st.tuples(numbers, numbers),
    st.sampled_from(Precision),
    st.none() | numbers,
)
runs = st.builds(
    Run,
    name=texts,
    optimiser=optimisers,
    terms=st.lists(terms, max_size=3).map(tuple),
    words=st.lists(texts, max_size=3).map(tuple),
    quiet=st.booleans(),
    volume=st.floats(0, 20),
    keys=st.dictionaries(texts, texts, max_size=2),
    shares=st.dictionaries(texts, numbers, max_size=2),
    edit=st.none() | terms,
    network=st.just({}),
    folder=st.just(Path("work")),
)


@given(runs)
def test_what_asdict_gives_is_read_back(run: Run) -> None:
    assert decode.into(Run, asdict(run)) == run
    text = json.dumps(asdict(run), default=str)
    assert decode.from_json(Run, text) == run


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(Run.__dataclass_fields__)), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_any_plain_value_is_read_or_refused_in_a_sentence(value: object) -> None:
    raw = {"name": "a", **value} if isinstance(value, dict) else value
    sentence = ""
    try:
        found = decode.into(Run, raw)
        assert math.isfinite(found.volume)
    except UsageError as refused:
        sentence = str(refused)
        assert sentence
    assert "`$" not in sentence, "these are msgspec's own words"
