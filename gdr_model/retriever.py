"""Search by a generated query: embed the words, draw points, look around each, fuse.

The command line, the app and the evaluations all come through `Retriever.search`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gdr_model.audio import decode
from gdr_model.checkpoint import Model
from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.guidance import Guided, Velocity
from gdr_model.diffusion.pull import Pulled
from gdr_model.errors import DecodeError, UsageError
from gdr_model.index import HnswIndex
from gdr_model.library import Library
from gdr_model.records import passage_bounds
from gdr_model.types import (
    PASSAGE_S,
    Array,
    Cancel,
    Edit,
    Hit,
    Query,
    Results,
    Steering,
    Track,
    never,
)
from gdr_model.whitening import unit

METHODS = ("gdr", "contrastive")
LIKE_PUSH = 0.5
DISLIKE_PUSH = 0.5
"""Rocchio's weights: share of the mean liked (disliked) vector added to (taken from) a draw."""
EDIT_SPREAD = 0.5
"""Radians by which the inverted noise of every draw of an edit but the first is turned."""
CANDIDATES = 200
"""Passages each draw brings before fusion, at least; four times k where that is more."""


def fuse(scores: Array, anchored: Array | None = None, share: float = 0.0) -> Array:
    """Scores of candidates under each draw (Q, C), and the anchor (C,), to one score each (C,).

    Every draw, and the anchor where there is one, is searched on its own, so a passage near to
    one reading of the words becomes a candidate even where the average of all readings is far
    from it. The candidates of all are then ranked together, by their mean cosine to the draws
    and, for a share, by their cosine to the anchor: the point a contrastive tower gives the
    words. On the built-in model the two together find more than either alone (its card).
    """
    drawn = scores.mean(axis=0)
    fused = drawn if anchored is None else (1 - share) * drawn + share * anchored
    return np.asarray(fused, dtype=np.float32)


@dataclass
class Shelf:
    """A library opened for searching."""

    library: Library
    index: HnswIndex
    tracks: dict[str, list[Track]]  # by content


class Retriever:
    """A model and the libraries it searches."""

    def __init__(self, model: Model, libraries: Sequence[Library]) -> None:
        """Open the index of every library, rebuilding what is missing or out of date.

        Raises:
            SpaceMismatch: if a library holds latents, but none of this model's space.
        """
        self.model = model
        self.shelves = [self._open(library) for library in libraries]

    def _open(self, library: Library) -> Shelf:
        spaces = library.spaces()
        if spaces and self.model.space not in spaces:
            raise self.model.config.other_than(spaces, library.root)
        index = HnswIndex.open(library, self.model.space, self.model.whitening)
        return Shelf(library, index, _by_content(library.tracks()))

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        added = 0
        for shelf in self.shelves:
            added += shelf.index.refresh()
            shelf.tracks = _by_content(shelf.library.tracks())
        return added

    def count(self) -> int:
        """How many tracks can be found."""
        return sum(len(same) for shelf in self.shelves for same in shelf.tracks.values())

    def search(
        self,
        steering: Steering,
        k: int = 20,
        where: str | None = None,
        method: str = "gdr",
        cancelled: Cancel = never,
    ) -> Results:
        """The k tracks nearest to what the steering draws, best first.

        All tracks compete when k reaches the size of the library; with `where` the filter
        decides which compete, then the ranking.

        Raises:
            UsageError: for a k below 1, an unknown method or a filter that cannot be read.
            DecodeError: if a liked file or an edit's source cannot be decoded.
            Cancelled: when asked.
        """
        if k < 1:
            raise UsageError(f"-k {k} asks for no results; use 1 or more")
        begun = time.perf_counter()
        query = self.query(steering, method, cancelled)
        drawn = time.perf_counter()
        hits, searched = self._nearest(query, k, where)
        gram = query.vectors @ query.vectors.T
        draws = len(gram)
        pairs = draws * (draws - 1)
        agreement = float((gram.sum() - np.trace(gram)) / pairs) if pairs else 1.0
        done = time.perf_counter()
        return Results(
            tuple(hits), query, searched, agreement, draw_s=drawn - begun, search_s=done - drawn
        )

    def query(self, steering: Steering, method: str = "gdr", cancelled: Cancel = never) -> Query:
        """Draw the points of a steering in the search space, pushed by likes and dislikes."""
        if method not in METHODS:
            raise UsageError(f"unknown method {method!r}; use {' or '.join(METHODS)}")
        round_trip = start_s = anchor = None
        if method == "contrastive":
            if steering.edit:
                raise UsageError("only a generated query can be edited; use --method gdr")
            vectors = self._contrastive(steering)
        else:
            with torch.inference_mode():
                if steering.edit:
                    x, round_trip, start_s = self._edit(steering, steering.edit, cancelled)
                else:
                    x = self._draw(steering, cancelled)
                # An edit starts from sound; the tower knows its words alone.
                anchored = self.model.config.anchor_share and not steering.edit
                anchor = self._contrastive(steering) if anchored else None
            vectors = self._to_search(x)
        for paths, push in ((steering.likes, LIKE_PUSH), (steering.dislikes, -DISLIKE_PUSH)):
            if paths:
                moved = push * np.mean([self._of_file(p) for p in paths], axis=0)
                vectors = vectors + moved
                anchor = None if anchor is None else anchor + moved
        anchor = None if anchor is None else unit(anchor)
        return Query(unit(vectors), steering, method, round_trip, start_s, anchor)

    def _guided(self, steering: Steering) -> Velocity:
        """Everything that steers the sampler, words and sounds."""
        words = [n.text for n in steering.negatives] + [s.text for s in steering.sliders]
        guided = Guided.build(
            self.model.velocity,
            self.model.text.embed(["", steering.prompt, *words]),
            steering.guidance,
            weights=tuple(n.weight for n in steering.negatives),
            amounts=tuple(s.amount for s in steering.sliders),
            interval=steering.interval,
            times=self.model.schedule.times,
        )
        if not steering.pull or not (steering.likes or steering.dislikes):
            return guided
        likes, dislikes = map(self._means, (steering.likes, steering.dislikes))
        schedule = self.model.schedule
        return Pulled(guided, schedule, likes, dislikes, steering.pull, steering.interval)

    def _means(self, paths: Sequence[str]) -> Tensor:
        """Standardised time-means (N, D) of files."""
        means = [self._latents(path).mean(0) for path in paths]
        stacked = np.stack(means) if means else np.empty((0, self.model.space.dim), np.float32)
        return self._standardised(stacked)

    def _standardised(self, latents: Array) -> Tensor:
        """Latents (..., D) as the denoiser sees them, on its device."""
        x = torch.from_numpy(latents.astype(np.float32)).to(self.model.device)
        return (x - self.model.latent_mean) / self.model.latent_sd

    def _noise(self, steering: Steering) -> Tensor:
        config = self.model.denoiser.config
        eps = sampling.noise(steering.draws, config.frames, config.dim, steering.seed)
        return eps.to(self.model.device)

    def _draw(self, steering: Steering, cancelled: Cancel) -> Tensor:
        """Clean standardised sequences (Q, T, D)."""
        schedule = self.model.schedule
        grid = schedule.grid(steering.steps)
        guided, eps = self._guided(steering), self._noise(steering)
        if steering.sampler == "dpm++":
            return sampling.dpm_solver_pp(guided, eps, grid, schedule, cancelled)
        if steering.sampler == "consistency":
            if not self.model.config.distilled:
                raise UsageError(
                    f"{self.model.name} was not distilled for the consistency sampler; use ddim "
                    "or dpm++"
                )
            return sampling.consistency(guided, eps, grid, schedule, cancelled, seed=steering.seed)
        return sampling.ddim(guided, eps, grid, schedule, cancelled)

    def _edit(
        self, steering: Steering, edit: Edit, cancelled: Cancel
    ) -> tuple[Tensor, float, float]:
        """Invert a passage at guidance 1, draw it again under the prompt.

        The first draw starts from the inverted noise itself; the others from that noise
        turned by `EDIT_SPREAD` towards fresh noise. Returns the sequences (Q, T, D), the error
        of the round trip under unchanged words, and where the passage begins.
        """
        schedule = self.model.schedule
        source, start_s = self._source(steering, edit)
        grid = inversion.part_of_grid(schedule.grid(steering.steps), edit.strength)
        text = self.model.text.embed(["", edit.from_prompt])
        plain = Guided.build(
            self.model.velocity, text, guidance=1.0 if edit.from_prompt.strip() else 0.0
        )
        top = inversion.invert(plain, source, grid, schedule, cancelled)
        back = sampling.ddim(plain, top, grid, schedule, cancelled)
        cosine = float(torch.cosine_similarity(back.flatten(), source.flatten(), dim=0))
        round_trip = max(0.0, 1 - cosine)
        x0, eps = schedule.x0_eps(top, plain(top, grid[0]), grid[0])
        fresh = self._noise(steering)
        turned = inversion.blend(eps.expand_as(fresh), fresh, EDIT_SPREAD)
        turned[0] = eps[0]
        times = torch.full((len(fresh),), grid[0], device=fresh.device)
        start = schedule.add_noise(x0.expand_as(fresh), turned, times)
        drawn = sampling.ddim(self._guided(steering), start, grid, schedule, cancelled)
        return drawn, round_trip, start_s

    def _source(self, steering: Steering, edit: Edit) -> tuple[Tensor, float]:
        """The passage to invert, standardised and tiled to (1, T, D), and its start."""
        latents = self._latents(edit.path)
        if edit.start_s is None:
            bounds = passage_bounds(len(latents))
            means = np.stack([latents[a:b].mean(0) for a, b in bounds])
            wanted = self._contrastive(steering)[0]
            start = bounds[int(np.argmax(self.model.whitening.apply(means) @ wanted))][0]
        else:
            start = int(edit.start_s)
            if start >= len(latents):
                raise UsageError(
                    f"the passage cannot start at {start} s; {edit.path} is {len(latents)} s long"
                )
        passage, dim = latents[start : start + PASSAGE_S], latents.shape[1]
        frames = self.model.denoiser.config.frames
        # A denoiser of one frame draws the mean over time.
        shaped = passage.mean(0)[None] if frames == 1 else np.resize(passage, (frames, dim))
        return self._standardised(shaped)[None], float(start)

    def _to_search(self, x: Tensor) -> Array:
        """Standardised sequences (Q, T, D) to unit vectors (Q, D) of the search space."""
        latents = x.mean(1) * self.model.latent_sd + self.model.latent_mean
        return self.model.whitening.apply(latents.cpu().numpy())

    def _contrastive(self, steering: Steering) -> Array:
        """The plain two-tower query (1, D): negatives are subtracted, sliders added."""
        pushes = [(n.text, -0.5 * n.weight) for n in steering.negatives]
        pushes += [(s.text, 0.5 * s.amount) for s in steering.sliders]
        texts = [steering.prompt, *(text for text, _ in pushes)]
        pooled = torch.from_numpy(self.model.text.embed(texts).pooled).to(self.model.device)
        with torch.inference_mode():
            rows = self.model.contrastive(pooled).cpu().numpy()
        weights = np.array([1.0, *(push for _, push in pushes)], np.float32)
        return unit(weights[None] @ rows)

    def _latents(self, path: str) -> Array:
        """Latents (T, D) of a file: from a library that holds it, else decoded and encoded."""
        for shelf in self.shelves:
            track = shelf.library.track(Path(path))
            space = self.model.space
            if track is not None and shelf.library.has_latents(track.content, space):
                return shelf.library.latents(track.content, space)
        try:
            audio = decode(Path(path), self.model.space.sample_rate_hz)
        except DecodeError as error:
            raise DecodeError(f"{path}: {error}") from error
        return self.model.encoder.encode(audio.samples)

    def _of_file(self, path: str) -> Array:
        """A file's vector (D,) in the search space."""
        return self.model.whitening.apply(self._latents(path).mean(0))

    def _nearest(self, query: Query, k: int, where: str | None) -> tuple[list[Hit], int]:
        """The hits of a query, and how many tracks competed."""
        ranked: list[tuple[float, int, Shelf, int, list[Track]]] = []
        competing = 0
        for shelf in self.shelves:
            tracks = shelf.tracks
            allowed = None
            if where is not None:
                tracks = _by_content(shelf.library.tracks(where))
                allowed = np.array([c in tracks for c in shelf.index.passages.contents], np.bool_)
            competing += sum(len(same) for same in tracks.values())
            ranked += self._on_shelf(query, k, shelf, tracks, allowed)
        # The path decides between equals, so that the order never depends on the index.
        ranked.sort(key=lambda entry: (-entry[0], entry[4][0].path))
        best = [(row, track) for row in ranked for track in row[4]][:k]
        return [self._hit(query, track, *row[:4]) for row, track in best], competing

    def _on_shelf(
        self,
        query: Query,
        k: int,
        shelf: Shelf,
        tracks: dict[str, list[Track]],
        allowed: np.ndarray[tuple[int], np.dtype[np.bool_]] | None,
    ) -> list[tuple[float, int, Shelf, int, list[Track]]]:
        """(score, votes, shelf, passage row, tracks) of the best passage of each recording.

        Passages outnumber tracks, so the search widens until k recordings have been found or
        every passage has been seen.
        """
        contents = shelf.index.passages.contents
        draws, anchor = len(query.vectors), query.anchor
        asked = query.vectors if anchor is None else np.concatenate([query.vectors, anchor])
        wanted = min(max(CANDIDATES, 4 * k), len(contents))
        while True:
            rows, _ = shelf.index.search(asked, wanted, allowed)
            candidates = np.unique(rows)
            scores = asked @ shelf.index.vectors[candidates].T  # (Q, C), and a row of the anchor
            scores, anchored = scores[:draws], scores[draws] if len(asked) > draws else None
            fused = fuse(scores, anchored, self.model.config.anchor_share)
            best: dict[str, int] = {}
            for position in np.argsort(-fused, kind="stable"):
                content = contents[candidates[position]]
                if content in tracks:
                    best.setdefault(content, int(position))
            if (
                len(best) >= min(k, len(tracks))
                or rows.shape[1] < wanted
                or wanted >= len(contents)
            ):
                break
            wanted = min(4 * wanted, len(contents))
        votes = self._votes(scores, [contents[row] for row in candidates], k)
        return [
            (
                float(fused[position]),
                votes.get(content, 0),
                shelf,
                int(candidates[position]),
                tracks[content],
            )
            for content, position in list(best.items())[:k]
        ]

    @staticmethod
    def _votes(scores: Array, contents: list[str], k: int) -> dict[str, int]:
        """How many draws have each recording among their own best k."""
        votes: dict[str, int] = {}
        for row in scores:
            found: set[str] = set()
            for position in np.argsort(-row, kind="stable"):
                found.add(contents[position])
                if len(found) == k:
                    break
            for content in found:
                votes[content] = votes.get(content, 0) + 1
        return votes

    def _hit(
        self, query: Query, track: Track, score: float, votes: int, shelf: Shelf, row: int
    ) -> Hit:
        latents = shelf.library.latents(track.content, self.model.space)
        anchor = None if query.anchor is None else query.anchor[0]
        towards = fuse(query.vectors, anchor, self.model.config.anchor_share)
        profile = self.model.whitening.apply(latents) @ unit(towards)
        passages = shelf.index.passages
        return Hit(
            track,
            float(passages.starts_s[row]),
            float(passages.ends_s[row]),
            score,
            votes,
            profile,
        )


def _by_content(tracks: Sequence[Track]) -> dict[str, list[Track]]:
    grouped: dict[str, list[Track]] = {}
    for track in tracks:
        grouped.setdefault(track.content, []).append(track)
    return grouped
