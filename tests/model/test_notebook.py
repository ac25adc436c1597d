"""Trails and crates: what survives a restart, a damaged file, another program, an odd name."""

from __future__ import annotations

import os
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gdr_model.errors import Hint, LibraryError, UsageError
from gdr_model.limits import Limits
from gdr_model.notebook import trails
from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import MIGRATIONS, Notebook
from gdr_model.notebook.trails import KeptTrail, Trails
from gdr_model.steering import Edit, Steering, WeightedText
from gdr_model.types import Hit, Query, Results, Section, Track

ODD = [
    Path(os.fsdecode(b"/music/caf\xe9.flac")),
    Path("/music/[bold]red[/].mp3"),
    Path("/music/two\nlines.ogg"),
    Path("/music/夜 🎷.opus"),
]
ROOTS = [Path("/music")]
WARM = Steering("warm dub", negatives=(WeightedText("drums", 0.5),), likes=(str(ODD[0]),), seed=7)


def found(paths: list[Path] = ODD, steering: Steering = WARM) -> Results:
    none = np.zeros(3, np.float32)
    hits = tuple(
        Hit(Track(path, 60.0, "x", f"title {i}"), 4.0, 64.0, 0.5 - i / 10, 8, none)
        for i, path in enumerate(paths)
    )
    return Results(hits, Query(np.zeros((8, 4), np.float32), steering), 30, 0.8, 0.1, 0.1)


def test_a_trail_comes_back_with_its_branches_names_and_results() -> None:
    with Notebook.open() as notebook:
        kept = Trails(notebook)
        assert kept.read(ROOTS) == KeptTrail()
        first = kept.add(ROOTS, None, WARM, "")
        kept.put_results(first, found())
        edited = WARM.but(edit=Edit(str(ODD[1]), 64.0, 0.4))
        second = kept.add(ROOTS, first, edited, "genre = jazz")
        kept.describe(second, "for the opening", hidden=True)
        kept.make_current(first)
    with Notebook.open() as notebook:
        trail = Trails(notebook).read(ROOTS)
    one, two = trail.queries
    assert trail.current == first
    assert (one.steering, one.where, one.parent, one.tracks_searched) == (WARM, "", None, 30)
    assert [(h.track.path, h.start_s, h.votes) for h in one.hits] == [(p, 4.0, 8) for p in ODD]
    assert (two.steering, two.where, two.parent) == (edited, "genre = jazz", first)
    assert (two.name, two.hidden, two.hits) == ("for the opening", True, ())


def test_limits_copies_and_sections_come_back_with_their_query() -> None:
    files = tuple(Track(path, 60.0, "x") for path in ODD[:2])
    album = Track(ODD[2], 600.0, "y", "Album", sections=(Section(0, "a"), Section(300, "b")))
    none = np.zeros(3, np.float32)
    hits = (
        Hit(Track(ODD[3], 60.0, "x"), 0.0, 60.0, 0.5, 8, none, files),
        Hit(album, 310.0, 370.0, 0.4, 8, none),
    )
    with Notebook.open() as notebook:
        query = Trails(notebook).add(ROOTS, None, WARM, "", Limits(per_artist=1, per_album=3))
        Trails(notebook).put_results(query, replace(found(), hits=hits))
        kept = Trails(notebook).read(ROOTS).queries[0]
    assert kept.limits == Limits(per_artist=1, per_album=3)
    assert [copy.path for copy in kept.hits[0].copies] == ODD[:2]
    assert kept.hits[1].name == f"b · {ODD[2].name}"


def test_every_set_of_folders_has_a_trail_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with Notebook.open() as notebook:
        kept = Trails(notebook)
        kept.add([tmp_path / "a", tmp_path / "b"], None, WARM, "")
        assert len(kept.read([tmp_path / "b", tmp_path / "link"]).queries) == 1
        assert kept.read([tmp_path / "a"]) == KeptTrail()


def test_results_of_queries_seen_long_ago_are_let_go_their_steering_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trails, "KEPT_RESULTS", 3)
    with Notebook.open() as notebook:
        kept = Trails(notebook)
        ids = []
        for seed in range(6):
            ids.append(kept.add(ROOTS, ids[-1] if ids else None, WARM.but(seed=seed), ""))
            kept.put_results(ids[-1], found())
            kept.make_current(ids[0])
        queries = kept.read(ROOTS).queries
    assert [query.steering.seed for query in queries] == list(range(6))
    assert [bool(query.hits) for query in queries] == [True, False, False, False, True, True]


def test_a_query_that_cannot_be_read_is_left_out_and_its_children_move_up() -> None:
    with Notebook.open() as notebook:
        kept = Trails(notebook)
        one = kept.add(ROOTS, None, WARM, "")
        two = kept.add(ROOTS, one, WARM.but(seed=8), "")
        three = kept.add(ROOTS, two, WARM.but(seed=9), "")
        kept.make_current(two)
        with notebook.write() as connection:
            connection.execute("UPDATE queries SET steering = '{\"mood\": 1}' WHERE id = ?", (two,))
        trail = kept.read(ROOTS)
    assert [(query.id, query.parent) for query in trail.queries] == [(one, None), (three, one)]
    assert trail.current == one


def crate_of(paths: list[Path]) -> list[CrateTrack]:
    return [CrateTrack(path, prompt="warm dub", start_s=4.0) for path in paths]


def test_a_crate_keeps_its_tracks_in_order() -> None:
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        crates.make(" night [1] ")
        assert crates.add("night [1]", crate_of(ODD)) == 4
        assert crates.add("night [1]", crate_of(ODD[:2])) == 0, "a track is in a crate once"
        crates.arrange("night [1]", [ODD[2], ODD[0]])
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        assert [t.path for t in crates.tracks("night [1]")] == [ODD[2], ODD[0], ODD[1], ODD[3]]
        assert crates.tracks("night [1]")[0].prompt == "warm dub"
        assert crates.remove("night [1]", [ODD[0], Path("/never/there")]) == 1
        crates.add("night [1]", crate_of([Path("/music/last.mp3")]))
        order = [t.path for t in crates.tracks("night [1]")]
        assert order == [ODD[2], ODD[1], ODD[3], Path("/music/last.mp3")]
        assert [(c.name, c.count) for c in crates.all()] == [("night [1]", 4)]


def test_marks_go_to_the_crate_that_was_chosen() -> None:
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        assert crates.chosen() == ""
        crates.make("a")
        crates.make("b")
        crates.choose("b")
        crates.rename("b", "c")
        assert crates.chosen() == "c"
        crates.delete("c")
        assert crates.chosen() == ""
        assert [crate.name for crate in crates.all()] == ["a"]


def test_refusals_are_one_sentence() -> None:
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        crates.make("a")
        crates.make("b")
        with pytest.raises(UsageError, match="there is already a crate called a"):
            crates.make("a")
        with pytest.raises(UsageError, match="there is already a crate called a"):
            crates.rename("b", "a")
        with pytest.raises(UsageError, match="needs a name"):
            crates.make("  ")
        with pytest.raises(UsageError, match="valid UTF-8"):
            crates.make("caf\udce9")
        with pytest.raises(LibraryError, match="there is no crate called z") as caught:
            crates.tracks("z")
        assert caught.value.hint is Hint.LIST_CRATES


def test_several_programs_may_write_at_once() -> None:
    barrier, failed = threading.Barrier(4), []

    def work(number: int) -> None:
        barrier.wait()
        try:
            with Notebook.open() as notebook:
                for seed in range(10):
                    Trails(notebook).add(ROOTS, None, WARM.but(seed=10 * number + seed), "")
        except LibraryError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with Notebook.open() as notebook:
        queries = Trails(notebook).read(ROOTS).queries
    assert sorted(query.steering.seed for query in queries) == list(range(40))


def test_a_notebook_that_is_none_is_refused_with_the_next_step(gdr_home: Path) -> None:
    gdr_home.mkdir()
    (gdr_home / "notebook.db").write_bytes(b"This is no database at all." * 100)
    with pytest.raises(LibraryError, match="move that file away"):
        Notebook.open()


def test_a_newer_notebook_is_refused(gdr_home: Path) -> None:
    Notebook.open().close()
    with sqlite3.connect(gdr_home / "notebook.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match=r"a newer gdr wrote this notebook \(format 99"):
        Notebook.open()


def test_the_first_format_still_opens(gdr_home: Path) -> None:
    """A notebook as the first step alone makes it, with a row in every table."""
    gdr_home.mkdir()
    connection = sqlite3.connect(gdr_home / "notebook.db")
    for statement in MIGRATIONS[0]:
        connection.execute(statement)
    connection.execute("INSERT INTO trails VALUES (3, ?, 5)", (os.fsencode("/music"),))
    connection.execute(
        "INSERT INTO queries VALUES (5, 3, NULL, 'mine', 0, ?, '', 30, 0.8, 1.0, 2.0)",
        (WARM.to_json(),),
    )
    connection.executescript(
        """
        INSERT INTO hits VALUES (5, 1, CAST('/music/a.mp3' AS BLOB), 'T', 'A', 60, 0, 60, 0.5, 8);
        INSERT INTO crates VALUES (2, 'night', 1.0);
        INSERT INTO crate_tracks
            VALUES (2, CAST('/music/a.mp3' AS BLOB), 0, 'T', 'A', 'B', 'G', 60, 4, 'warm', 1.0);
        INSERT INTO facts VALUES ('crate', 2);
        PRAGMA user_version = 1;
        """
    )
    connection.close()
    with Notebook.open() as notebook:
        trail = Trails(notebook).read(ROOTS)
        assert trail.current == 5
        assert trail.queries[0].name == "mine"
        assert [hit.track.title for hit in trail.queries[0].hits] == ["T"]
        assert not trail.queries[0].limits
        assert (trail.queries[0].hits[0].copies, trail.queries[0].hits[0].section) == ((), None)
        assert Crates(notebook).chosen() == "night"
        assert Crates(notebook).tracks("night")[0].genre == "G"
