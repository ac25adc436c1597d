import numpy as np
import pytest
from stand_in import hits

from gdr_model.limits import Limits
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_model.types import Query, Results
from gdr_tui.app.trail.trail import Ask, Trail, compare, what_changed

FIRST = Steering("warm dub", seed=3)


def answer(steering: Steering, count: int = 5) -> Results:
    query = Query(np.zeros((8, 4), np.float32), steering)
    return Results(hits(steering, count), query, 30, 0.8, 0.1, 0.1)


def asked(trail: Trail, steering: Steering, where: str = "") -> None:
    trail.answer(Ask(steering, where), answer(steering))


def drawn(trail: Trail) -> list[str]:
    return [lines + node.label for node, lines in trail.rows()]


def test_undo_and_redo_walk_the_way_that_was_taken() -> None:
    trail = Trail()
    assert trail.undo() is None
    asked(trail, FIRST)
    asked(trail, FIRST.but(guidance=4.0))
    here = trail.current
    assert trail.undo() is not None
    assert trail.undo() is None
    assert trail.redo() is here
    assert trail.redo() is None


def test_a_query_after_undo_branches_and_nothing_is_lost() -> None:
    trail = Trail()
    asked(trail, FIRST)
    asked(trail, FIRST.but(guidance=4.0))
    asked(trail, FIRST.but(guidance=4.0, seed=4))
    trail.undo()
    trail.undo()
    asked(trail, FIRST.but(prompt="cold dub"))
    assert drawn(trail) == ["“warm dub”", "├─g 3→4", "│ seed 4", "“cold dub”"]
    assert len(trail) == 4


def test_redo_returns_to_the_branch_visited_last() -> None:
    trail = Trail()
    asked(trail, FIRST)
    asked(trail, FIRST.but(guidance=4.0))
    left = trail.current
    trail.undo()
    asked(trail, FIRST.but(guidance=2.0))
    assert left
    trail.go(left)
    trail.undo()
    assert trail.redo() is left


def test_the_same_query_again_is_no_new_node() -> None:
    trail = Trail()
    asked(trail, FIRST)
    asked(trail, FIRST)
    asked(trail, FIRST.but(seed=4))
    trail.undo()
    asked(trail, FIRST.but(seed=4))
    assert len(trail) == 2
    assert trail.current
    assert trail.current.label == "seed 4"


def test_a_very_long_session_can_be_shown() -> None:
    trail = Trail()
    for seed in range(3000):
        asked(trail, FIRST.but(seed=seed))
    assert sum(1 for _ in trail.rows()) == 3000
    assert {lines for _, lines in trail.rows()} == {""}


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"negatives": (WeightedText("drums", 0.5),)}, "− drums:0.5"),
        ({"guidance": 4.0}, "g 3→4"),
        ({"seed": 7}, "seed 7"),
        ({"likes": ("/m/Night Drive.mp3",)}, "♥ Night Drive"),
        ({"dislikes": ("/m/Night Drive.mp3",)}, "⊘ Night Drive"),
        ({"steps": 20, "draws": 4}, "20 steps, 4 draws"),
        ({"sliders": (Slider("strings", 0.5),)}, "+ strings:0.5"),
        ({"sampler": "ddim"}, "sampler ddim"),
        ({"interval": (0.25, 1.0)}, "guided from 0.25 to 1"),
        (
            {"prompt": "with strings", "edit": Edit("/m/Night Drive.mp3", 64.0, 0.6)},
            "edit 0.6 of Night Drive: with strings",
        ),
        ({}, "again"),
    ],
)
def test_a_label_says_what_changed(change: dict[str, object], label: str) -> None:
    assert what_changed(Ask(FIRST), Ask(FIRST.but(**change))) == label


def test_a_label_also_says_what_was_taken_away() -> None:
    full = FIRST.but(negatives=(WeightedText("drums"),), likes=("/m/a.mp3",), edit=Edit("/m/b.mp3"))
    label = what_changed(Ask(full, "year > 2000"), Ask(FIRST))
    assert label == "no edit, no ♥ a, no − drums, no filter"


def test_a_label_names_the_limits_of_a_list() -> None:
    limited = Ask(FIRST, limits=Limits(per_artist=1))
    assert what_changed(Ask(FIRST), limited) == "1 per artist"
    assert what_changed(limited, Ask(FIRST, limits=Limits(per_album=2))) == (
        "any number per artist, 2 per album"
    )


def test_the_label_of_a_first_query_names_its_prompt_and_all_that_steers_it() -> None:
    first = FIRST.but(negatives=(WeightedText("drums"),), sliders=(Slider("strings", -0.5),))
    label = what_changed(None, Ask(first, "year > 2000"))
    assert label == "“warm dub” + strings:-0.5 − drums:1 where year > 2000"
    edited = Ask(FIRST.but(edit=Edit("/m/b.mp3"), likes=("/m/a.mp3",)))
    assert what_changed(None, edited) == "edit 0.6 of b: warm dub ♥ a"


def test_the_label_of_a_first_query_leaves_out_what_the_settings_say() -> None:
    assert what_changed(None, Ask(FIRST.but(guidance=7.0, steps=20, draws=2))) == "“warm dub”"


def test_comparing_says_what_came_went_and_moved() -> None:
    one = answer(FIRST, 6)
    other = Results((one.hits[2], one.hits[1], *answer(FIRST, 8).hits[6:8]), one.query, 30, 1, 0, 0)
    difference = compare(one, other)
    assert [rank for rank, _ in difference.came] == [3, 4]
    assert [rank for rank, _ in difference.went] == [1, 4, 5, 6]
    assert [(old, new) for old, new, _ in difference.moved] == [(3, 1)]
    assert difference.stayed == 1
