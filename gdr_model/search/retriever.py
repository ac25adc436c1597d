"""Search by a generated query: embed the words, draw points, look around each (`nearest`).

The command line, the app and the evaluations all come through `Retriever.search`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gdr_model.audio import decode
from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.guidance import Guided, Velocity
from gdr_model.diffusion.pull import Pulled
from gdr_model.errors import DecodeError, UsageError
from gdr_model.models.checkpoint import Model
from gdr_model.search.nearest import Shelf, hits, nearest
from gdr_model.search.whitening import unit
from gdr_model.store.library import Library
from gdr_model.store.records import passage_bounds
from gdr_model.types import (
    PASSAGE_S,
    Array,
    Cancel,
    Edit,
    Query,
    Results,
    Steering,
    never,
)

METHODS = ("gdr", "contrastive")
Inverting = tuple[str, float, str, tuple[int, ...]]
"""File and second of a passage, the words it is inverted under, and the times."""
LIKE_PUSH = 0.5
DISLIKE_PUSH = 0.5
"""Rocchio's weights: share of the mean liked (disliked) vector added to (taken from) a draw."""


class Retriever:
    """A model and the libraries it searches."""

    def __init__(self, model: Model, libraries: Sequence[Library], remember: int = 0) -> None:
        """Open the index of every library, rebuilding what is missing or out of date.

        `remember` is how many draws are kept, so that a query which only likes, dislikes or
        filters otherwise is answered without drawing again.

        Raises:
            SpaceMismatch: if a library holds latents, but none of this model's space.
        """
        self.model = model
        self.shelves = [self._open(library) for library in libraries]
        self._remember = remember
        self._remembered: OrderedDict[tuple[Steering, str], Query] = OrderedDict()
        self._inverted: tuple[Inverting, Tensor, Tensor, float] | None = None
        """The passage inverted last, with what `_invert` gave."""

    def _open(self, library: Library) -> Shelf:
        spaces = library.spaces()
        if spaces and self.model.space not in spaces:
            raise self.model.config.other_than(spaces, library.root)
        return Shelf.open(library, self.model.space, self.model.whitening)

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        self._remembered.clear()  # the source of an edit may be another sound now
        self._inverted = None
        return sum(shelf.refresh() for shelf in self.shelves)

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
            ModelError: if the model has nothing to search with by this method.
            DecodeError: if a liked file or an edit's source cannot be decoded.
            Cancelled: when asked.
        """
        begun = time.perf_counter()
        query = self.query(steering, method, cancelled)
        return self.answer(query, k, where, draw_s=time.perf_counter() - begun)

    def answer(
        self, query: Query, k: int = 20, where: str | None = None, *, draw_s: float = 0.0
    ) -> Results:
        """The k tracks nearest to points that are drawn already, in `draw_s` seconds.

        Raises:
            UsageError: for a k below 1 or a filter that cannot be read.
        """
        if k < 1:
            raise UsageError(f"-k {k} asks for no results; use 1 or more")
        begun = time.perf_counter()
        share = self.model.config.anchor_share
        found, count = nearest(query, self.shelves, k, where, share)
        listed = hits(query, found, k, self.model.space, self.model.whitening, share)
        gram = query.vectors @ query.vectors.T
        draws = len(gram)
        pairs = draws * (draws - 1)
        agreement = float((gram.sum() - np.trace(gram)) / pairs) if pairs else 1.0
        search_s = time.perf_counter() - begun
        return Results(
            listed,
            query,
            count.competing,
            agreement,
            draw_s=draw_s,
            search_s=search_s,
            filtered=count.filtered,
            banned=count.banned,
        )

    def query(self, steering: Steering, method: str = "gdr", cancelled: Cancel = never) -> Query:
        """Draw the points of a steering in the search space, pushed by likes and dislikes."""
        if method not in METHODS:
            raise UsageError(f"unknown method {method!r}; use {' or '.join(METHODS)}")
        drawn = self.drawn(steering, method, cancelled)
        vectors, anchor = drawn.vectors, drawn.anchor
        moves = [move for _, _, move in self.moves(steering)]
        if moves:
            vectors = vectors + sum(moves)
            anchor = None if anchor is None else unit(anchor + sum(moves))
        return replace(drawn, vectors=unit(vectors), steering=steering, anchor=anchor)

    def drawn(self, steering: Steering, method: str = "gdr", cancelled: Cancel = never) -> Query:
        """The points of a steering before likes and dislikes move them; remembered ones if any."""
        # Without a pull, likes and dislikes move what was drawn, and the draw knows none of them.
        drawn_by = steering if steering.pull else steering.but(likes=(), dislikes=())
        drawn = self._remembered.get((drawn_by, method))
        if drawn is None:
            drawn = self._points(drawn_by, method, cancelled)
            self._remembered[drawn_by, method] = drawn
        self._remembered.move_to_end((drawn_by, method))
        while len(self._remembered) > self._remember:
            self._remembered.popitem(last=False)
        return drawn

    def moves(self, steering: Steering) -> list[tuple[str, str, Array]]:
        """What each like and dislike adds (D,) to every point, with its kind and its file."""
        moves = []
        for kind, paths, push in (
            ("like", steering.likes, LIKE_PUSH),
            ("dislike", steering.dislikes, -DISLIKE_PUSH),
        ):
            moves += [(kind, path, push / len(paths) * self._of_file(path)) for path in paths]
        return moves

    def _points(self, steering: Steering, method: str, cancelled: Cancel) -> Query:
        """What is drawn, before likes and dislikes move it."""
        self.model.require(method)
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
        return Query(vectors, steering, method, round_trip, start_s, anchor)

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
        return self.model.means(stacked)

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
        turned towards fresh noise, by as many radians as the edit is strong: near the source
        they stay together, far from it they differ. Returns the sequences (Q, T, D), the error of
        the round trip under unchanged words, and where the passage begins.
        """
        schedule = self.model.schedule
        source, start_s = self._source(steering, edit)
        grid = inversion.part_of_grid(schedule.grid(steering.steps), edit.strength)
        # Whoever turns guidance or negatives of an edit goes up from the same passage again.
        known = (edit.path, start_s, edit.from_prompt, tuple(grid))
        if self._inverted is None or self._inverted[0] != known:
            self._inverted = known, *self._invert(source, edit.from_prompt, grid, cancelled)
        _, x0, eps, round_trip = self._inverted
        fresh = self._noise(steering)
        turned = inversion.blend(eps.expand_as(fresh), fresh, edit.strength)
        turned[0] = eps[0]
        times = torch.full((len(fresh),), grid[0], device=fresh.device)
        start = schedule.add_noise(x0.expand_as(fresh), turned, times)
        drawn = sampling.ddim(self._guided(steering), start, grid, schedule, cancelled)
        return drawn, round_trip, start_s

    def _invert(
        self, source: Tensor, prompt: str, grid: list[int], cancelled: Cancel
    ) -> tuple[Tensor, Tensor, float]:
        """Clean part and noise (1, T, D) of a passage at the grid's first time; the error back."""
        schedule = self.model.schedule
        text = self.model.text.embed(["", prompt])
        plain = Guided.build(self.model.velocity, text, guidance=1.0 if prompt.strip() else 0.0)
        top = inversion.invert(plain, source, grid, schedule, cancelled)
        back = sampling.ddim(plain, top, grid, schedule, cancelled)
        cosine = float(torch.cosine_similarity(back.flatten(), source.flatten(), dim=0))
        x0, eps = schedule.x0_eps(top, plain(top, grid[0]), grid[0])
        return x0, eps, max(0.0, 1 - cosine)

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
        return self.model.passages(shaped)[None], float(start)

    def _to_search(self, x: Tensor) -> Array:
        """Standardised sequences (Q, T, D) to unit vectors (Q, D) of the search space."""
        return self.model.whitening.apply(self.model.drawn(x))

    def _contrastive(self, steering: Steering) -> Array:
        """The plain two-tower query (1, D): negatives are subtracted, sliders added."""
        return unit(self.tower_rows(steering).sum(axis=0, keepdims=True))

    def tower_rows(self, steering: Steering) -> Array:
        """What the prompt, each negative and each slider add (N, D) to the tower's point."""
        pushes = [(n.text, -0.5 * n.weight) for n in steering.negatives]
        pushes += [(s.text, 1.5 * s.amount) for s in steering.sliders]
        texts = [steering.prompt, *(text for text, _ in pushes)]
        pooled = torch.from_numpy(self.model.text.embed(texts).pooled).to(self.model.device)
        with torch.inference_mode():
            rows = self.model.contrastive(pooled).cpu().numpy()
        weights = np.array([1.0, *(push for _, push in pushes)], np.float32)
        return np.asarray(weights[:, None] * rows, np.float32)

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
