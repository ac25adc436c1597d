"""Draw the points of a steering: embed the words, sample the diffusion model, apply likes.

Everything here needs a model and the sound of the files that a steering names, and no library:
`Retriever` passes in how to get the latents of a file.

Shapes: Q draws, T latents of a passage, D latent width, N terms or files. Points are unit rows of
the search space; sequences are standardised as the denoiser sees them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gdr_model.diffusion import inversion, sampling, schedulers
from gdr_model.diffusion.guidance import Guided, Velocity
from gdr_model.diffusion.pull import Pulled
from gdr_model.encoders.builtin.tower import fused_by
from gdr_model.errors import DecodeError, Hint, LibraryError, UsageError
from gdr_model.evidence import Evidence
from gdr_model.models.checkpoint import Model
from gdr_model.search import spread
from gdr_model.search.session.likelihood import as_heard
from gdr_model.search.whitening import unit
from gdr_model.steering import Edit, Sampler, Steering
from gdr_model.store.records import passage_bounds
from gdr_model.types import PASSAGE_S, Array, Cancel, Judged, Method, Query, never

LIKE_PUSH = 0.5
DISLIKE_PUSH = 0.5
"""Rocchio's weights: share of the mean liked (disliked) vector added to (taken from) a draw."""
SLIDER_PUSH = 1.5
"""What a slider at 1 adds to the tower's point."""
TURN = 1.0
"""Radians by which all draws of an edit but the first are turned from the source's noise."""

LatentsOf = Callable[[str], Array]
"""The latents (T, D) of a file, by its path."""


class _Inversion(NamedTuple):
    """A passage that was inverted, and what came of it."""

    source: tuple[str, float, str, int]
    """File and second of the passage, the words it was inverted under, and the steps."""
    x0: Tensor  # (1, T, D)
    eps: Tensor  # (1, T, D)
    round_trip: float


class Drawer:
    """Draws the points of steerings with one model, and remembers the latest of them."""

    def __init__(self, model: Model, latents_of: LatentsOf, remember: int = 0) -> None:
        """Remember the points of up to `remember` steerings.

        A steering that differs in negatives, likes, dislikes, filters or the strength of its edit
        alone then needs no new draw.
        """
        self.model = model
        self._latents_of = latents_of
        self._remember = remember
        self._remembered: OrderedDict[tuple[Steering, Method], Query] = OrderedDict()
        self._inverted: _Inversion | None = None
        self._means_read: dict[str, Array] = {}

    def forget(self) -> None:
        """Forget all draws and sounds, because the sound behind a path may have changed."""
        self._remembered.clear()
        self._inverted = None
        self._means_read.clear()

    def query(
        self, steering: Steering, method: Method = Method.GDR, cancelled: Cancel = never
    ) -> Query:
        """Draw the points of a steering, moved by its likes and dislikes.

        Without words nothing is drawn: there is one point, that of the likes.

        Raises:
            UsageError: for an unknown method.
            ModelError: if the model cannot search by this method.
            DecodeError: if a liked file or an edit's source cannot be decoded.
            Cancelled: when asked.
        """
        if method not in list(Method):
            raise UsageError(f"unknown method {method!r}; use {' or '.join(Method)}")
        if steering.worded:
            drawn = self.drawn(steering, method, cancelled)
        else:
            drawn = Query(self._undrawn(steering, method), steering, method)
        vectors, anchor = drawn.vectors, drawn.anchor
        moves = [move for _, _, move in self.moves(steering)]
        if moves:
            vectors = vectors + sum(moves)
            anchor = None if anchor is None else unit(anchor + sum(moves))
        judged = tuple(self._judged(steering.evidence))
        query = replace(
            drawn,
            vectors=unit(vectors),
            steering=steering,
            anchor=anchor,
            judged=judged,
            negated=self._negated(steering),
        )
        if method != Method.GDR or not steering.worded:
            return query
        return self.rolled(query, spread.place(steering))

    def rolled(self, query: Query, place: int) -> Query:
        """A drawn query as the list of a `place` (`spread.place`) among those from its draws."""
        share = spread.share(query.steering, self.model.config.anchor_share)
        share = 0.0 if query.anchor is None else share
        weights = spread.weights(query.vectors, query.steering, place, share)
        return replace(query, weights=weights, shown={})

    def drawn(
        self, steering: Steering, method: Method = Method.GDR, cancelled: Cancel = never
    ) -> Query:
        """All points of a worded steering before likes and dislikes move them.

        They are drawn unless remembered. Those of an edit are drawn at full strength, and moved
        back along the line to the passage by what the strength lacks.
        """
        # Negatives act on the scores of passages alone (`gdr_model.search.negatives`).
        drawn_by = spread.cloud(steering).but(evidence=(), negatives=(), sliders=steering.raised)
        # Without a pull, likes and dislikes move the points afterwards, and the draw is the same.
        if not steering.pull:
            drawn_by = drawn_by.but(likes=(), dislikes=())
        strength = 1.0
        if steering.edit:
            strength = steering.edit.strength
            drawn_by = drawn_by.but(edit=replace(steering.edit, strength=1.0))
        query = self._remembered.get((drawn_by, method))
        if query is None:
            query = self._points(drawn_by, method, cancelled)
            self._remembered[drawn_by, method] = query
        self._remembered.move_to_end((drawn_by, method))
        while len(self._remembered) > self._remember:
            self._remembered.popitem(last=False)
        if query.source is None:
            return query
        return replace(
            query, vectors=unit((1 - strength) * query.source + strength * query.vectors)
        )

    def moves(self, steering: Steering) -> list[tuple[str, str, Array]]:
        """What each like and dislike adds (D,) to every point, with its kind and its file.

        Without words the likes are the point itself (`rows`), and move nothing.
        """
        moves = []
        for kind, paths, push in (
            ("like", steering.likes if steering.worded else (), LIKE_PUSH),
            ("dislike", steering.dislikes, -DISLIKE_PUSH),
        ):
            moves += [(kind, path, push / len(paths) * self.point_of(path)) for path in paths]
        return moves

    def _judged(self, evidence: Sequence[Evidence]) -> Iterator[Judged]:
        """Evidence with the points of its files; those that cannot be read any longer say nothing.

        A preference is left out with its file, or if nothing is left that it was preferred to.
        """
        for one in evidence:
            points = [self._sound_if_there(path) for path in (one.path, *one.over)]
            others = [point for point in points[1:] if point is not None]
            if points[0] is not None and (others or not one.over):
                yield Judged(one, np.stack([points[0], *others]))

    def _sound_if_there(self, path: str) -> Array | None:
        try:
            return self.sound_of(path)
        except (DecodeError, LibraryError):
            return None

    def sound_of(self, path: str) -> Array:
        """A file's point (D,) as evidence compares it."""
        return as_heard(self._mean_of(path), self.model.whitening)

    def point_of(self, path: str) -> Array:
        """A file's point (D,) in the search space."""
        return self.model.whitening.apply(self._mean_of(path))

    def _mean_of(self, path: str) -> Array:
        """The time-mean (D,) of a file, read once: likes stay the same over many queries."""
        if path not in self._means_read:
            self._means_read[path] = self._latents_of(path).mean(0)
        return self._means_read[path]

    def rows(self, steering: Steering, method: Method = Method.GDR) -> Array:
        """What the prompt and each slider add (N, D) to the point that is not drawn.

        It is fused with the draws, or what a contrastive search has. Without a prompt the likes
        begin, whose sum has length 1 as the prompt's row has.
        """
        texts = [(steering.prompt, 1.0)] if steering.worded else []
        texts += [(s.text, SLIDER_PUSH * s.amount) for s in steering.raised]
        liked = np.empty((0, self.model.space.dim), np.float32)
        if not steering.worded:
            points = np.stack([self.point_of(path) for path in steering.likes])
            liked = points / max(float(np.linalg.norm(points.sum(axis=0))), 1e-9)
        if not texts:
            return liked
        weights = np.array([push for _, push in texts], np.float32)
        words = weights[:, None] * self._tower([text for text, _ in texts], method)
        return np.concatenate([liked, words]).astype(np.float32)

    def _negated(self, steering: Steering) -> Array | None:
        """The tower's points (N, D) for the negatives, if there are any."""
        texts = [n.text for n in steering.avoided]
        return self._tower(texts, Method.CONTRASTIVE) if texts else None

    def _tower(self, texts: Sequence[str], method: Method) -> Array:
        """The tower's points (N, D) for texts, alone or to be fused with draws."""
        tower, pooled = self.model.contrastive, self.model.text.embed(texts).pooled
        with torch.inference_mode():
            read = fused_by(tower) if method == Method.GDR else tower
            rows = read(torch.from_numpy(pooled).to(self.model.device))
        return np.asarray(rows.cpu().numpy(), np.float32)

    def _undrawn(self, steering: Steering, method: Method = Method.GDR) -> Array:
        """The point (1, D) that words, or without them likes, have without drawing."""
        return unit(self.rows(steering, method).sum(axis=0, keepdims=True))

    def _points(self, steering: Steering, method: Method, cancelled: Cancel) -> Query:
        self.model.require(method)
        if method == Method.CONTRASTIVE:
            if steering.edit:
                raise UsageError("only a query that is drawn can be edited", Hint.DRAW)
            return Query(self._undrawn(steering, method), steering, method)
        round_trip = start_s = source = anchor = None
        with torch.inference_mode():
            if steering.edit:
                passage, start_s = self.source(steering, steering.edit)
                source = self.model.whitening.apply(self.model.drawn(passage))
                x, round_trip = self._edit(steering, steering.edit, passage, start_s, cancelled)
            else:
                x = self.sample(steering, cancelled)
            if self.model.config.anchor_share:
                anchor = self._undrawn(steering)
        points = self.model.whitening.apply(self.model.drawn(x))  # (Q, D)
        return Query(points, steering, method, round_trip, start_s, source, anchor)

    def guided(self, steering: Steering) -> Velocity:
        """The denoiser under everything that steers the sampler, words and sounds.

        Queries steer it by no negatives: those act on the scores of passages
        (`gdr_model.search.negatives`). Evaluations do, to compare the two.
        """
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
        means = [self._mean_of(path) for path in paths]
        stacked = np.stack(means) if means else np.empty((0, self.model.space.dim), np.float32)
        return self.model.means(stacked)

    def noise(self, steering: Steering) -> Tensor:
        """The noise (Q, T, D) of a steering's seed."""
        config = self.model.denoiser.config
        eps = sampling.noise(steering.draws, config.frames, config.dim, steering.seed)
        return eps.to(self.model.device)

    def sample(self, steering: Steering, cancelled: Cancel = never) -> Tensor:
        """Clean sequences (Q, T, D) from noise."""
        return self.walk(steering, self.guided(steering), self.noise(steering), cancelled)

    def walk(
        self, steering: Steering, guided: Velocity, eps: Tensor, cancelled: Cancel = never
    ) -> Tensor:
        """Clean sequences (B, T, D) from noise (B, T, D), by the sampler of a steering."""
        schedule = self.model.schedule
        grid = schedule.grid(steering.steps)
        sampler, seed = steering.sampler, steering.seed
        if sampler == Sampler.DPM:
            return sampling.dpm_solver_pp(guided, eps, grid, schedule, cancelled)
        if sampler == Sampler.CONSISTENCY:
            if not self.model.config.distilled:
                raise UsageError(
                    f"{self.model.name} was not distilled for the consistency sampler; use another"
                )
            return sampling.consistency(guided, eps, grid, schedule, cancelled, seed=seed)
        if sampler != Sampler.DDIM:
            return schedulers.walk(sampler, guided, eps, grid, schedule, cancelled, seed=seed)
        return sampling.ddim(guided, eps, grid, schedule, cancelled)

    def _edit(
        self, steering: Steering, edit: Edit, passage: Tensor, start_s: float, cancelled: Cancel
    ) -> tuple[Tensor, float]:
        """Invert a passage (1, T, D) at guidance 1, then draw it again under the prompt.

        The first draw starts from the inverted noise itself, the others from that noise turned
        towards fresh noise, so that they differ.

        Returns:
            The sequences (Q, T, D), and the error of the round trip under unchanged words.
        """
        schedule = self.model.schedule
        grid = schedule.grid(steering.steps)
        # An edit that differs in guidance or negatives starts from the same inversion.
        key = (edit.path, start_s, edit.from_prompt, steering.steps)
        if self._inverted is None or self._inverted.source != key:
            self._inverted = _Inversion(
                key, *self._invert(passage, edit.from_prompt, grid, cancelled)
            )
        _, x0, eps, round_trip = self._inverted
        fresh = self.noise(steering)
        turned = inversion.blend(eps.expand_as(fresh), fresh, TURN)
        turned[0] = eps[0]
        times = torch.full((len(fresh),), grid[0], device=fresh.device)
        start = schedule.add_noise(x0.expand_as(fresh), turned, times)
        return sampling.ddim(self.guided(steering), start, grid, schedule, cancelled), round_trip

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

    def source(self, steering: Steering, edit: Edit) -> tuple[Tensor, float]:
        """The passage to invert, tiled to (1, T, D), and the second at which it begins."""
        latents = self._latents_of(edit.path)
        if edit.start_s is None:
            bounds = passage_bounds(len(latents))
            means = np.stack([latents[a:b].mean(0) for a, b in bounds])
            cosines = self.model.whitening.apply(means) @ self._undrawn(steering)[0]
            start = bounds[int(np.argmax(cosines))][0]
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
