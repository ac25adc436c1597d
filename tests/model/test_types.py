"""What a steering accepts, refuses and remembers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_model.errors import UsageError
from gdr_model.steering import Edit, Sampler, Slider, Steering, WeightedText

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
        sliders=st.lists(st.builds(Slider, texts, st.floats(-1, 1)), max_size=3).map(tuple),
        interval=st.tuples(st.floats(0, 0.4), st.floats(0.5, 1)),
        pull=st.floats(0, 1),
    )
)
def test_a_steering_survives_json(steering: Steering) -> None:
    assert Steering.from_json(steering.to_json()) == steering


@pytest.mark.parametrize("sampler", Sampler)
def test_the_sampler_survives_json(sampler: str) -> None:
    steering = Steering("a", sampler=sampler)
    assert Steering.from_json(steering.to_json()) == steering


def test_json_written_before_sliders_is_read() -> None:
    old = '{"prompt": "a", "negatives": [], "likes": [], "dislikes": [], "guidance": 3.0, '
    old += '"steps": 12, "draws": 8, "seed": 0, "edit": null}'
    assert Steering.from_json(old) == Steering("a", steps=12)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": " "}, "the prompt is empty"),
        ({"prompt": "x" * 10_000}, "10,000 characters is too long"),
        ({"prompt": "a", "negatives": (WeightedText(""),)}, "a negative prompt is empty"),
        ({"prompt": "a", "negatives": (WeightedText("b", -1),)}, "must be above 0 and at most 5"),
        ({"prompt": "a", "guidance": float("nan")}, "guidance nan is out of range"),
        ({"prompt": "a", "steps": 0}, "0 steps are out of range"),
        ({"prompt": "a", "draws": 65}, "65 draws are out of range"),
        ({"prompt": "a", "seed": -1}, "seed -1 is out of range"),
        ({"prompt": "a", "edit": Edit("f", strength=0)}, "strength 0 is out of range"),
        ({"prompt": "a", "edit": Edit("f", start_s=float("nan"))}, "cannot start at nan s"),
        ({"prompt": "a", "edit": Edit("f", start_s=-5)}, "cannot start at -5 s"),
        ({"prompt": "p\udcff"}, "bytes that are not UTF-8"),
        ({"prompt": "a", "sliders": (Slider(" ", 0.5),)}, "a slider has no words"),
        ({"prompt": "a", "sliders": (Slider("b", 1.5),)}, "must be from -1 to 1"),
        ({"prompt": "a", "sliders": (Slider("b" * 3000, 1),)}, "3,000 characters is too long"),
        ({"prompt": "a", "sampler": "ancestral"}, "unknown sampler 'ancestral'; use ddim, dpm"),
        ({"prompt": "a", "sampler": "heun", "edit": Edit("f")}, "cannot be drawn with heun"),
        ({"prompt": "a", "sampler": "unipc", "edit": Edit("f")}, "cannot be drawn with unipc"),
        ({"prompt": "a", "interval": (0.5, 0.5)}, "a start below its end"),
        ({"prompt": "a", "interval": (0.5, 1.5)}, "a start below its end"),
        ({"prompt": "a", "interval": (0.5,)}, "a start below its end"),
        ({"prompt": "a", "pull": 2}, "pull 2 is out of range"),
    ],
)
def test_what_is_invalid_is_refused_in_one_sentence(fields: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Steering(**fields)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"prompt": "a", "colour": "red"}',
        '{"prompt": 3}',
        '{"prompt": "a", "interval": 3}',
    ],
)
def test_json_that_is_no_steering_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Steering.from_json(text)
