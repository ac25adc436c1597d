"""What the steering options of the command line end up as."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from gdr_model.steering import Slider, Steering, WeightedText

Gdr = Callable[..., Result]
TRACKS = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


def test_every_option_arrives_in_the_steering_that_is_answered(gdr: Gdr, demo: Path) -> None:
    liked, banned = str(TRACKS[1]), str(TRACKS[2])
    options = ["--not", "drums:0.5", "--not", "vocals", "--slide", "strings:-0.5"]
    options += ["--like", liked, "--unlike", banned, "--pull", "0.2", "--interval", "0.1", "0.9"]
    options += ["--guidance", "4", "--steps", "5", "--draws", "3", "--seed", "7"]
    options += ["--spread", "0.4", "--roll", "5"]
    done = gdr("search", "cold", "piano", *options, "--sampler", "dpm++", "-f", "json", "-k", 1)
    (answer,) = json.loads(done.stdout)
    assert Steering.from_json(json.dumps(answer["steering"])) == Steering(
        "cold piano",
        negatives=(WeightedText("drums", 0.5), WeightedText("vocals")),
        likes=(liked,),
        dislikes=(banned,),
        guidance=4.0,
        steps=5,
        draws=3,
        seed=7,
        sliders=(Slider("strings", -0.5),),
        sampler="dpm++",
        interval=(0.1, 0.9),
        pull=0.2,
        spread=0.4,
        roll=5,
    )


def test_without_options_the_steering_is_the_default_one(gdr: Gdr, demo: Path) -> None:
    (answer,) = json.loads(gdr("search", "piano", "-f", "json", "-k", 1).stdout)
    assert Steering.from_json(json.dumps(answer["steering"])) == Steering("piano")
