"""A session whose answers are fixed, for what only the screen decides."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from gdr_model.errors import Cancelled, LibraryError, ModelError, UsageError
from gdr_model.explanation import Interpretation, Push, Why
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.search import vocabulary
from gdr_model.steering import Steering
from gdr_model.store.records import Failure
from gdr_model.types import Array, Cancel, Hit, Query, Results, Track, never
from gdr_tui.app.library.folders import Folder
from gdr_tui.app.library.pause import Pause
from gdr_tui.app.main.libraries import Libraries
from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.values import Catalogue, Indexed, Indexing, Loaded, Prints, measured

NAMES = [
    ("Night Drive", "Alva Noor", "ambient techno"),
    ("Rain on Tin", "The Quiet Hours", "jazz"),
    ("Brass Lantern", "Old Port Orchestra", "big band"),
    ("Slow Tape", "Mira Kold", "dub"),
    ("Granite", "Kjell", "drone"),
    ("Paper Boats", "Ines & Tom", "folk"),
    ("Twelve Below", "Alva Noor", "techno"),
    ("Salt Flats", "Desert Radio", "post-rock"),
    ("[bold]Not Markup[/]", "A\x1b[31mRed\nArtist", "house"),
    ("夜の散歩", "山田", "city pop"),
    ("شارع الليل", "فرقة", "oud"),
    ("A very long title that goes on and on until nothing of it fits any more", "Someone", "art"),
]


def track(number: int) -> Track:
    """Track number `number`; names repeat after a while."""
    title, artist, genre = NAMES[number % len(NAMES)]
    return Track(
        path=Path(f"/music/{number:03}.flac"),
        duration_s=120.0 + 17 * number,
        content=f"{number:032x}",
        title=title if number < len(NAMES) else f"{title} {number // len(NAMES) + 1}",
        artist=artist,
        album="Stand-ins",
        genre=genre,
        year=1970 + number,
        loudness_db=-14.0,
    )


def hits(steering: Steering, count: int) -> tuple[Hit, ...]:
    """Hits in an order that depends on everything that steers.

    Fields that have their default do not count, so a new one changes no picture.
    """
    steers = {
        one.name: value
        for one in fields(steering)
        if (value := getattr(steering, one.name)) != one.default
    }
    seed = sum(map(ord, repr(steers)))
    order = np.random.default_rng(seed).permutation(30)[:count].tolist()
    preferred = [one.path for one in steering.evidence[::-1]]
    liked = [int(Path(path).stem) for path in dict.fromkeys([*steering.likes, *preferred])]
    banned = {int(Path(path).stem) for path in steering.dislikes}
    liked = [number for number in liked if number not in banned]
    order = [number for number in order if number not in banned and number not in liked]
    order = ((liked if steering.worded else []) + order)[:count]
    found = []
    for rank, number in enumerate(order):
        one = track(number)
        profile = np.sin(np.linspace(0, 9, int(one.duration_s)) + number).astype(np.float32) / 4
        score = 0.72 - 0.021 * rank
        found.append(Hit(one, 64.0 * (number % 2), 64.0 * (number % 2) + 60, score,
                         8 - rank // 4, profile + 0.3))  # fmt: skip
    return tuple(found)


class StandIn:
    """Every part of a session; answers at once, the same each time; `slow_s` slows queries down."""

    model_name = "builtin"

    def __init__(self, tracks: int = 30, slow_s: float = 0.0) -> None:
        libraries = Libraries([Path("/music")] if tracks else [])
        self.roots, self.add = libraries.roots, libraries.add
        self.loader = self.searcher = self.explainer = self.mapper = self
        self.holdings = self.indexer = self.decoder = self.fingerprinter = self
        self.pause = Pause()
        self.tracks = tracks
        self.slow_s = slow_s
        self.may_load = threading.Event()
        self.may_load.set()
        self.vocabulary = threading.Event()
        self.vocabulary.set()
        """The words are there by which interpretations are named."""
        self.fails = ""
        self.indexing: list[Indexing] = []
        self.hold_index = False
        self.hold_map = False
        self.away: set[Path] = set()
        self.asked: list[tuple[Steering, str]] = []
        self.cancelled = 0
        self.none_left: tuple[int, int, int] | None = None
        """Nothing is found: tracks that competed, were filtered and were banned."""

    def catalogue(self) -> Catalogue:
        first = tuple(track(n) for n in range(min(self.tracks, 500)))
        return Catalogue(self.tracks, first, 0, tuple(self.roots))

    def generations(self) -> list[int]:
        return [1]

    def unlocked(self) -> bool:
        return False

    def forget_failures(self, paths: Sequence[Path]) -> None:
        pass

    def words(self) -> Sequence[str]:
        return vocabulary.WORDS

    def prints(self) -> Prints:
        raise ModelError("the model is still loading; the query runs once it is loaded")

    def folders(self) -> tuple[Folder, ...]:
        """Two libraries, one of them on a disk that is away."""
        if not self.tracks:
            return ()
        home, away = Path("/music"), Path("/media/away")
        broken = (
            Failure(home / "dub/half a song.mp3", "the file ends in the middle of a frame", 0.0),
            Failure(home / "dub/[red]notes\x1b.flac", "it holds no sound", 0.0),
            Failure(home / "odd.ogg", "it is encrypted", 0.0),
        )
        return (
            Folder(home, home, 0, 1234, 345_678.0, broken),
            Folder(home, home / "dub", 1, 234, 45_678.0, broken[:2]),
            Folder(
                home, home / "dub/B sides and other things that were never released", 2, 34, 5678.0
            ),
            Folder(home, home / "jazz", 1, 1000, 300_000.0),
            Folder(away, away, 0, 56, 7890.0, (), "the folder is missing; its index is kept"),
        )

    def tags(self) -> dict[str, list[tuple[str, int]]]:
        genres = Counter(track(n).genre for n in range(self.tracks))
        return {"genre": genres.most_common(), "artist": [("Alva Noor", 6)]}

    def load(self) -> Loaded:
        self.may_load.wait(10)
        if self.fails == "model":
            raise ModelError("there is no model called builtin; run gdr model list")
        return Loaded("builtin", "cpu")

    def warm(self) -> None:
        pass

    def to_cpu(self) -> Loaded | None:
        return None

    def search(
        self,
        steering: Steering,
        k: int,
        where: str = "",
        cancelled: Cancel = never,
        limits: Limits = NO_LIMITS,
    ) -> Results:
        self.asked.append((steering, where))
        deadline = time.monotonic() + self.slow_s
        while time.monotonic() < deadline:
            if cancelled():
                self.cancelled += 1
                raise Cancelled("stopped")
            time.sleep(0.01)
        if self.fails == "search":
            raise RuntimeError("the model tripped")
        if "nothing" in where or self.none_left:
            searched, filtered, banned = self.none_left or (0, self.tracks, 0)
            query = Query(np.zeros((8, 4), np.float32), steering)
            return Results((), query, searched, 0.9, 0.1, 0.1, filtered, banned)
        draws = steering.draws if steering.worded else 1
        query = Query(np.zeros((draws, 4), np.float32), steering)
        if steering.edit:
            query = Query(query.vectors, steering, "gdr", 0.012, steering.edit.start_s)
        return Results(hits(steering, min(k, 20)), query, self.tracks, 0.83, 0.3, 0.01)

    def explain(self, query: Query, hit: Hit, cancelled: Cancel = never) -> Why:
        if self.fails == "why":
            raise LibraryError(f"{hit.track.path} is no longer in the library; search again")
        if not query.steering.worded:
            return Why(hit.score, (Push("like", query.steering.likes[0], 0.0, hit.score),))
        others = [Push("negative", n.text, -0.04, -0.02) for n in query.steering.negatives]
        others += [
            Push(one.judgement, one.path, 0.0, 0.0, 0.05, len(one.over))
            for one in query.steering.evidence
        ]
        known = sum(push.total for push in others)
        pushes = (
            Push("start", "", 0.02, 0.0),
            Push("prompt", query.steering.prompt, hit.score / 2, hit.score / 2 - 0.02 - known),
            *others,
        )
        near = (("dub", 0.61), ("deep bass", 0.42)), (("dub", 0.55), ("warm", 0.4))
        return Why(hit.score, pushes, *near)

    @property
    def knows_words(self) -> bool:
        return self.vocabulary.is_set()

    def interpretations(
        self,
        results: Results,
        k: int,
        where: str = "",
        limits: Limits = NO_LIMITS,
        *,
        named: bool = True,
    ) -> tuple[Interpretation, ...]:
        query = results.query
        if "bank" not in query.steering.prompt:
            return ()
        halves = []
        if named:
            self.vocabulary.wait(10)
        for at, names in enumerate((("jazz", "quiet"), ("[b]loud[/]", "fast", "bright"))):
            draws = tuple(range(5)) if at == 0 else (5, 6, 7)
            own = Query(query.vectors[list(draws)], query.steering, draws=draws)
            found = tuple(
                replace(hit, votes=min(hit.votes, len(draws)))
                for hit in hits(query.steering.but(seed=at + 100), min(k, 12))
            )
            halves.append(
                Interpretation(
                    names if named else (), Results(found, own, self.tracks, 0.9, 0.0, 0.0)
                )
            )
        return tuple(halves)

    def map(
        self,
        show: Callable[[Mapped], object],
        report: Callable[[float], object] = lambda _: None,
        cancelled: Cancel = never,
    ) -> None:
        if self.fails == "map":
            raise RuntimeError("the map tripped")
        tracks = [track(number) for number in range(self.tracks)]
        angles = np.arange(self.tracks) * 2.4
        radii = np.sqrt(np.arange(self.tracks) / max(1, self.tracks))
        xy = (radii * np.stack([np.cos(angles), np.sin(angles)])).T.astype(np.float32)
        for share in (0.25, 0.5) if self.hold_map else ():
            show(Mapped.of(tracks, xy[:, ::-1], "PCA", self.tracks, preliminary=True))
            report(share)
        while self.hold_map and not cancelled():
            time.sleep(0.01)
        show(Mapped.of(tracks, xy, "t-SNE", min(20, self.tracks)))

    def course(self, mapped: Mapped, node: Node) -> Course:
        found = [[hit.track.path for hit in step.results.hits] for step in node.line()][::-1]
        path = np.stack([mapped.middle(paths[:3]) for paths in found])
        draws = np.stack([mapped.middle(found[-1][at : at + 2]) for at in range(8)])
        return Course(draws, path)

    def notes(self, results: Results) -> tuple[str, ...]:
        far = results.query.steering.prompt.startswith("far ")
        return ("nothing here is close to this",) if far else ()

    def counts(self, conditions: Sequence[str]) -> dict[str, int]:
        return {each: len(each) for each in conditions}

    def missing(self, paths: Sequence[Path]) -> frozenset[Path]:
        return frozenset(self.away)

    def prepare(self, on_progress: Callable[[int, int], object], cancelled: Cancel = never) -> None:
        """Do nothing: so few tracks need no graph."""

    def catch_up(self) -> Loaded | None:
        return None

    def refresh(self) -> bool:
        return True

    def check_filter(self, where: str) -> None:
        if "nonsense" in where:
            raise UsageError("expected a field, one of title, artist, album")

    def index(self, on_progress: Callable[[Indexing], None], cancelled: Cancel = never) -> Indexed:
        for done in range(1, 4) if self.hold_index else ():
            on_progress(measured(done, 30, done * 0.8))
        while self.hold_index and not cancelled():
            time.sleep(0.01)
        return Indexed(took_s=1.0)

    def peaks(self, path: Path, cancelled: Cancel = never) -> Array:
        x = np.linspace(0, 40, 1000)
        high = np.abs(np.sin(x) * np.sin(x / 7)) * 0.8 + 0.05
        return np.stack([-high, high], axis=1).astype(np.float32)

    def sound(self, path: Path, start_s: float, length_s: float) -> Array:
        return np.zeros((int(44_100 * min(length_s, max(0.0, 900 - start_s))), 2), np.float32)
