"""The draft of a query: what each touch of the screen does to the steering it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdr_model.errors import UsageError
from gdr_model.limits import Limits
from gdr_model.steering import PULL, Edit, Slider, Steering, WeightedText
from gdr_tui.app.edit.state import weighted
from gdr_tui.app.search.draft import Draft
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask
from gdr_tui.labels import Chip
from gdr_tui.language.syntax import parse

FULL = Steering(
    "warm piano",
    negatives=(WeightedText("drums", 0.5), WeightedText("vocals")),
    likes=("/m/liked.mp3",),
    dislikes=("/m/banned.mp3",),
    guidance=4.0,
    edit=Edit("/m/source.mp3", 64.0, 0.5),
    sliders=(Slider("strings", 0.5),),
    interval=(0.2, 0.8),
    pull=PULL,
)


def drafted(steering: Steering = FULL, where: str = "genre = jazz and year > 1990") -> Draft:
    draft = Draft.fresh(Settings())
    draft.become(Ask(steering, where))
    return draft


def chip(draft: Draft, kind: str, key: str = "") -> Chip:
    (found,) = [c for c in draft.chips() if c.kind == kind and c.key == key]
    return found


def test_a_fresh_draft_has_the_users_defaults_and_no_words() -> None:
    draft = Draft.fresh(Settings(guidance=5.0, steps=20, draws=4))
    with pytest.raises(UsageError, match="the prompt is empty"):
        draft.ask()
    draft.prompt = " warm piano "
    assert draft.ask() == Ask(Steering("warm piano", guidance=5.0, steps=20, draws=4))


def test_a_query_of_the_trail_is_asked_again_as_it_was() -> None:
    draft = drafted()
    assert draft.ask() == Ask(FULL, "genre = jazz and year > 1990")
    assert draft.answered_by(draft.ask())
    draft.prompt = ""
    assert not draft.answered_by(Ask(FULL))


def test_chips_show_everything_that_steers_besides_the_words_and_the_dials() -> None:
    assert [(c.kind, c.text) for c in drafted().chips()] == [
        ("filter", "genre = jazz"),
        ("filter", "year > 1990"),
        ("edit", "edit 0.5 of source"),
        ("like", "♥ liked"),
        ("ban", "⊘ banned"),
        ("pull", "drawn with ♥ ⊘ 0.2"),
        ("slider", "+ strings 0.5"),
        ("negative", "− drums 0.5"),
        ("negative", "− vocals"),
    ]


def test_a_chip_cannot_write_to_the_terminal() -> None:
    steering = Steering("x", negatives=(WeightedText("a\x1b[2J"),), likes=("/m/b\x07.mp3",))
    texts = [c.text for c in drafted(steering, "").chips()]
    assert texts == ["♥ b\\x07", "− a\\x1b[2J"]


def test_removing_every_chip_leaves_the_words_and_the_dials() -> None:
    draft = drafted()
    while chips := draft.chips():
        draft.remove(chips[-1])
    bare = Steering("warm piano", guidance=4.0, interval=(0.2, 0.8))
    assert draft.ask() == Ask(bare, "")


def test_nothing_pulls_once_the_last_like_or_ban_is_gone() -> None:
    draft = drafted()
    draft.remove(chip(draft, "like", "/m/liked.mp3"))
    assert draft.steering.pull == PULL
    draft.ban(Path("/m/banned.mp3"))
    assert draft.steering.dislikes == ()
    assert draft.steering.pull == 0


@pytest.mark.parametrize(
    ("kind", "key", "field", "up", "most"),
    [
        ("edit", "", "edit", Edit("/m/source.mp3", 64.0, 0.55), Edit("/m/source.mp3", 64.0, 1.0)),
        ("pull", "", "pull", 0.3, 1.0),
        ("slider", "strings", "sliders", (Slider("strings", 0.6),), (Slider("strings", 1.0),)),
        (
            "negative",
            "drums",
            "negatives",
            (WeightedText("drums", 0.75), WeightedText("vocals")),
            (WeightedText("drums", 5.0), WeightedText("vocals")),
        ),
    ],
)
def test_a_chip_is_weighed_step_by_step_up_to_its_limit(
    kind: str, key: str, field: str, up: object, most: object
) -> None:
    draft = drafted()
    assert draft.weigh(chip(draft, kind, key), 1)
    assert draft.steering == FULL.but(**{field: up})
    assert draft.weigh(chip(draft, kind, key), 100)
    assert draft.steering == FULL.but(**{field: most})
    assert not draft.weigh(chip(draft, kind, key), 1)


def test_a_chip_weighed_down_never_becomes_invalid() -> None:
    draft = drafted()
    for each in draft.chips():
        draft.weigh(each, -100)
    steering = draft.steering
    assert steering.edit is not None
    assert (steering.edit.strength, steering.pull) == (0.05, 0.1)
    assert steering.sliders == (Slider("strings", -1.0),)
    assert [n.weight for n in steering.negatives] == [0.25, 0.25]


@pytest.mark.parametrize("kind", ["filter", "like", "ban"])
def test_what_holds_or_does_not_has_no_weight(kind: str) -> None:
    draft = drafted()
    first = next(c for c in draft.chips() if c.kind == kind)
    assert not draft.weigh(first, 1)
    assert draft.ask() == drafted().ask()


def test_a_track_is_liked_or_banned_or_neither() -> None:
    draft, track = drafted(Steering("x"), ""), Path("/m/a.mp3")
    draft.like(track)
    assert (draft.steering.likes, draft.steering.dislikes) == (("/m/a.mp3",), ())
    draft.ban(track)
    assert (draft.steering.likes, draft.steering.dislikes) == ((), ("/m/a.mp3",))
    draft.ban(track)
    assert draft.steering == Steering("x")


def test_a_typed_line_adds_to_what_steers_already() -> None:
    draft = drafted()
    ranked = {1: Path("/m/first.mp3"), 2: Path("/m/liked.mp3")}
    line = parse("cold piano -drums:2 +bells like:1 like:2 genre:jazz year:<2000")
    draft.take(line, ranked.get)
    assert draft.ask() == Ask(
        FULL.but(
            prompt="cold piano",
            negatives=(WeightedText("vocals"), WeightedText("drums", 2.0)),
            sliders=(Slider("strings", 0.5), Slider("bells", 0.5)),
            likes=("/m/liked.mp3", "/m/first.mp3"),
        ),
        "year > 1990 and genre = jazz and year < 2000",
    )


def test_a_rank_that_is_not_in_the_list_changes_nothing() -> None:
    draft = drafted()
    with pytest.raises(UsageError, match="there is no result number 9 to like or ban"):
        draft.take(parse("cold piano -bells unlike:9"), {}.get)
    assert draft.ask() == drafted().ask()


def test_the_spread_stops_at_its_limits() -> None:
    draft = drafted()
    assert draft.turn_spread(100)
    assert draft.steering.spread == 1
    assert not draft.turn_spread(1)
    assert draft.turn_spread(-100)
    assert draft.steering.spread == 0
    assert not draft.turn_spread(-1)


def test_a_value_out_of_range_is_refused_and_nothing_changes() -> None:
    draft = drafted()
    with pytest.raises(UsageError, match="must be above 0 and at most 5"):
        draft.push_away("drums:9")
    assert draft.steering == FULL


def test_of_the_same_words_typed_twice_the_last_weight_counts() -> None:
    assert weighted("drums, vocals:0.5,, drums:2") == (
        WeightedText("drums", 2.0),
        WeightedText("vocals", 0.5),
    )


def test_limits_are_typed_turned_and_removed_as_chips() -> None:
    draft = drafted()
    draft.take(parse("per-artist:1 per-album:2"), lambda rank: None)
    assert [chip.text for chip in draft.chips() if chip.kind == "limit"] == [
        "1 per artist",
        "2 per album",
    ]
    assert draft.ask().limits == Limits(1, 2)
    assert draft.prompt == FULL.prompt
    artist, album = chip(draft, "limit", "artist"), chip(draft, "limit", "album")
    assert not draft.weigh(artist, -1), "removing it is another key"
    assert draft.weigh(artist, 1)
    draft.remove(album)
    assert draft.ask().limits == Limits(per_artist=2)
    draft.take(parse("per-artist:0"), lambda rank: None)
    assert draft.ask() == Ask(FULL, "genre = jazz and year > 1990")
    draft.become(Ask(FULL, limits=Limits(3)))
    assert draft.limits == Limits(3)
