"""`gdr eval session`: a person with an ear of her own, gdr's own ranking, and the rival."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import LatentSpace, Method
from gdr_tui.cli.main import app
from training.data.extracted import write_extracted
from training.data.texts import embed
from training.evaluation.session import showing
from training.evaluation.session.person import Move, Person
from training.evaluation.session.rivals import AWAY, ROCCHIO, TwoTower
from training.evaluation.session.session import SHIPPED, WORD, System, looks
from training.evaluation.session.tools import Gdr
from training.evaluation.session.world import World, world
from training.runs.config import DrawConfig

TRACKS = 120
WORDS = ["jazz", "piano", "sad", "rock"]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Tracks of one or two passages and up to two words each, and how they sound to another ear."""
    folder = tmp_path_factory.mktemp("sets")
    model, rng = checkpoint.load("builtin", "cpu"), np.random.default_rng(0)
    hidden = rng.standard_normal((TRACKS, 12))
    hidden += 3 * rng.standard_normal((4, 12))[np.arange(TRACKS) % 4]
    deviation, middle = model.mean_sd.numpy(), model.latent_mean.numpy()
    means = middle + deviation * (hidden @ rng.standard_normal((12, len(middle))))
    latents = [
        (mean + 0.1 * deviation * rng.standard_normal((8 if track % 3 else 100, len(mean)))).astype(
            np.float32
        )
        for track, mean in enumerate(means)
    ]
    pairs = [(t, t % 4) for t in range(100)] + [(t, (t + 1) % 4) for t in range(0, 100, 2)]
    ear = LatentSpace("ear", 30, 1, 1.0, 1.0, "0" * 16)
    heard = hidden @ rng.standard_normal((12, 30))
    for name, space, rows in (
        ("music", model.space, latents),
        ("ear", ear, list(heard[:, None].astype(np.float32))),
    ):
        write_extracted(
            folder / name,
            model="builtin",
            text_encoder=model.config.text.name,
            space=space,
            tracks=[f"t{track}" for track in range(TRACKS)],
            latents=rows,
            captions=WORDS,
            texts=embed(WORDS, model.text),
            pairs=pairs,
        )
    return str(folder / "music"), str(folder / "ear")


@pytest.fixture(scope="module")
def planted(sets: tuple[str, str]) -> Iterator[World]:
    with world("builtin", sets[0], [sets[1]]) as found:
        yield found


def somebody(planted: World, target: int, moves: frozenset[Move]) -> Person:
    alike = planted.ear @ planted.ear[target]
    return Person(
        planted.words[target],
        lambda one: float(alike[one]),
        lambda one: planted.words[one],
        np.random.default_rng(0),
        moves,
    )


def test_gdrs_lists_are_those_of_the_retriever(planted: World) -> None:
    """Every look, with words, preferences, likes and bans: ten new ones of what a search lists."""
    moves = SHIPPED | {Move.FINISHED, Move.PASSED, Move.LIKE, Move.BAN}
    gdr, person = Gdr(planted, Method.CONTRASTIVE), somebody(planted, 5, moves)
    seen: list[int] = []
    for turn in range(4):
        steering = gdr.steering(person)
        assert bool(steering.evidence) == bool(steering.likes) == (turn > 0)
        listed = planted.retriever.search(
            steering, TRACKS, method=Method.CONTRASTIVE, every_file=True
        )
        columns = [planted.gallery.column[hit.track.content] for hit in listed.hits]
        expected = [column for column in columns if column not in seen][:10]
        scores = np.where(np.isin(np.arange(TRACKS), seen), -np.inf, gdr.scores(person))
        shown = showing.most_probable(scores.astype(np.float32), np.random.default_rng(0))
        assert shown == expected
        seen += shown
        person.look(shown)


def test_a_re_roll_makes_room_for_what_the_lists_before_it_did_not_show(planted: World) -> None:
    person = somebody(planted, 5, frozenset({Move.REROLL}))
    gdr = Gdr(planted, Method.GDR, DrawConfig(draws=2, steps=2))
    for turn in range(3):
        steering = gdr.steering(person)
        assert steering.roll == turn + 1
        listed = planted.retriever.search(steering, TRACKS, every_file=True)
        expected = [planted.gallery.column[hit.track.content] for hit in listed.hits]
        assert np.argsort(-gdr.scores(person), kind="stable").tolist() == expected
        person.look(expected[:10])


def test_a_person_finds_the_track_sooner_by_pointing_than_by_paging(planted: World) -> None:
    columns = planted.targets(2, 20)
    gdr, rival = Gdr(planted, Method.CONTRASTIVE), TwoTower(planted)
    paging, pointing = (
        np.mean([looks(planted, system, target, 0) for target in columns])
        for system in (System(rival, frozenset()), System(gdr, SHIPPED))
    )
    assert pointing < 0.7 * paging


def test_halves_share_no_target_and_have_words(planted: World) -> None:
    first, second = (planted.targets(half, TRACKS) for half in (1, 2))
    assert sorted(first + second) == list(range(100))
    assert planted.targets(1, 7) == first[:7]
    with pytest.raises(UsageError, match="no track of half 1"):
        World(planted.retriever, planted.gallery, ("t0",), planted.ear, ((),)).targets(1, 3)


def test_a_person_judges_by_ear_and_says_only_what_fits(planted: World) -> None:
    person = somebody(planted, 0, SHIPPED | {Move.NEGATIVE})
    assert person.typed == [person.words[0]]
    shown = list(range(10, 20))
    person.look(shown)
    assert person.typed == list(person.words[:2])
    (look,) = person.looks
    assert sorted(set(look.order)) == shown
    alike = planted.ear @ planted.ear[0]
    heard = [alike[one] for one in look.order]
    assert np.corrcoef(heard, np.arange(10))[0, 1] < -0.9  # by ear, but for the noise
    assert all(word not in person.words for word in person.negatives)
    assert set(person.negatives) <= set(planted.words[look.order[-1]])


def test_the_rival_adds_what_is_near_and_subtracts_what_is_far(planted: World) -> None:
    person = somebody(planted, 0, WORD | {Move.NEAREST, Move.PASSED})
    person.look(list(range(10, 20)))
    drawer, tracks = planted.retriever.drawer, planted.gallery.tracks
    words = unit(drawer.rows(Steering(", ".join(person.typed)))[0])
    point = (
        words
        + ROCCHIO * drawer.point_of(str(tracks[person.looks[0].order[0]].path))
        - AWAY * drawer.point_of(str(tracks[person.looks[0].order[-1]].path))
    )
    best: dict[str, float] = {}
    (opened,) = planted.retriever.libraries
    cosines = opened.index.vectors @ unit(point)
    for content, cosine in zip(opened.index.passages.contents, cosines, strict=True):
        best[content] = max(float(cosine), best.get(content, -1.0))
    expected = [best[track.content] for track in tracks]
    assert TwoTower(planted).scores(person) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("show", ["most_probable", "thompson", "informative"])
def test_only_what_has_not_been_seen_is_shown(planted: World, show: str) -> None:
    way = getattr(showing, show)
    way = way(planted.sounds) if show == "informative" else way
    scores = np.random.default_rng(1).standard_normal(TRACKS).astype(np.float32) / 20
    scores[:100] = -np.inf
    shown = way(scores, np.random.default_rng(2))
    assert len(set(shown)) == 10
    assert min(shown) >= 100


def test_the_command_writes_a_table_of_looks(sets: tuple[str, str], tmp_path: Path) -> None:
    options = ["--data", sets[0], "--ear", sets[1], "--targets", "6", "--seeds", "1"]
    options += ["--method", "contrastive", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["eval", "session", "builtin", *options])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    assert (report["tracks"], report["targets"], report["half"]) == (TRACKS, 6, 2)
    systems, more, less, shown = (table["rows"] for table in report["tables"])
    for rows in (systems, more, less, shown):
        for row in rows.values():
            assert row["mean looks"]["low"] <= row["mean looks"]["value"] <= 40
            assert 0 <= row["within 5"]["value"] <= 1
    assert "and nearest" in more
    assert "and edit" not in more  # which has to be drawn
    assert "without words" in less
    assert list(shown) == ["most probable", "Thompson draws", "probable and informative"]


def test_an_ear_without_the_tracks_is_refused(sets: tuple[str, str], tmp_path: Path) -> None:
    model = checkpoint.load("builtin", "cpu")
    write_extracted(
        tmp_path / "other",
        model="builtin",
        text_encoder=model.config.text.name,
        space=model.space,
        tracks=["somebody else's"],
        latents=[np.zeros((3, model.space.dim), np.float32)],
        captions=WORDS,
        texts=embed(WORDS, model.text),
        pairs=[(0, 0)],
    )
    options = ["--data", sets[0], "--ear", str(tmp_path / "other")]
    done = CliRunner().invoke(app, ["eval", "session", "builtin", *options])
    assert done.exit_code != 0
    assert "lacks 120 tracks of the set, such as t0" in done.stderr.replace("\n", " ")
