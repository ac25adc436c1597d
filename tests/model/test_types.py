"""What a steering accepts, refuses and remembers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_model.errors import UsageError
from gdr_model.types import Edit, Steering, WeightedText

texts = st.text(min_size=1, max_size=50).filter(str.strip)
weights = st.floats(0.01, 5)


@given(
    st.builds(
        Steering,
        prompt=texts,
        negatives=st.lists(st.builds(WeightedText, texts, weights), max_size=3).map(tuple),
        likes=st.lists(texts, max_size=2).map(tuple),
        dislikes=st.just(("/music/\udcff.ogg",)),
        guidance=st.floats(0, 20),
        steps=st.integers(1, 200),
        draws=st.integers(1, 64),
        seed=st.integers(0, 2**63 - 1),
        edit=st.none() | st.builds(Edit, texts, st.none() | st.floats(0, 100), st.just(0.5), texts),
    )
)
def test_a_steering_survives_json(steering: Steering) -> None:
    assert Steering.from_json(steering.to_json()) == steering


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": " "}, "the prompt is empty"),
        ({"prompt": "x" * 10_000}, "10,000 characters is too long"),
        ({"prompt": "a", "negatives": (WeightedText(""),)}, "a negative prompt is empty"),
        ({"prompt": "a", "negatives": (WeightedText("b", -1),)}, "must lie above 0"),
        ({"prompt": "a", "guidance": float("nan")}, "guidance nan is out of range"),
        ({"prompt": "a", "steps": 0}, "0 steps are out of range"),
        ({"prompt": "a", "draws": 65}, "65 draws are out of range"),
        ({"prompt": "a", "seed": -1}, "seed -1 is out of range"),
        ({"prompt": "a", "edit": Edit("f", strength=0)}, "strength 0 is out of range"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(fields: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Steering(**fields)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"prompt": "a", "colour": "red"}', '{"prompt": 3}'])
def test_json_that_is_no_steering_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Steering.from_json(text)
