"""What an evaluation measures, a module per family, with the same conventions in all.

retrieval   ranks, R@k, median rank, MedR %, mAP of a matrix of scores
fidelity    Fréchet distance (exact and shrunk) and kernel distance between two sets
diversity   MICS, MIVS (Vendi) of the draws of a prompt; precision, recall, density, coverage
cloud       a prompt's draws against its answers: spread, axes, energy distance, nearest tracks
motion      angles between successive latents, their histograms and the Fréchet distance of these
intervals   bootstrap intervals of one system, and of the difference of two

Conventions: everything is computed in float64. Shares, recalls and levels are in percent. "Real"
comes before "drawn". A set is (N, D), the draws of prompts are (P, Q, D), sequences end in (T, D).
Invalid input (empty, not numbers, shapes that do not fit) raises a `UsageError` of one sentence;
nothing is silently dropped. Only numpy is needed.
"""

from training.metrics.cloud import (
    axis_ratios,
    energy_distance,
    nearest,
    principal_axes,
    spread_ratio,
)
from training.metrics.diversity import mics, mivs, prdc, vendi
from training.metrics.fidelity import Distance, frechet, frechet_shrunk, kernel_distance
from training.metrics.intervals import Interval, difference_interval, interval
from training.metrics.motion import angles, motion_frechet, motion_histograms
from training.metrics.retrieval import (
    average_precision,
    chance_at,
    median_rank,
    medr_percent,
    rank_correlation,
    ranks,
    recall_at,
)

__all__ = [
    "Distance",
    "Interval",
    "angles",
    "average_precision",
    "axis_ratios",
    "chance_at",
    "difference_interval",
    "energy_distance",
    "frechet",
    "frechet_shrunk",
    "interval",
    "kernel_distance",
    "median_rank",
    "medr_percent",
    "mics",
    "mivs",
    "motion_frechet",
    "motion_histograms",
    "nearest",
    "prdc",
    "principal_axes",
    "rank_correlation",
    "ranks",
    "recall_at",
    "spread_ratio",
    "vendi",
]
