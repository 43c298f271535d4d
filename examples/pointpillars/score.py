"""Average precision by distance of centres, as in nuScenes (Caesar et al., arXiv 1903.11027, section 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DISTANCES_M = (0.5, 1.0, 2.0)
_LEAST = 0.1
"""Recall and precision below this don't count."""


@dataclass(frozen=True)
class Found:
    """Of one class in one frame: (n, 2) centres found with (n,) scores, and (m, 2) true centres, in metres."""

    centres_m: NDArray[np.float64]
    scores: NDArray[np.float64]
    truth_m: NDArray[np.float64]


def average_precision(frames: Sequence[Found], distance_m: float) -> float:
    """Area under the curve of precision over recall, above 0.1 of each and normalised to [0, 1]; NaN without truth.

    The strongest detection takes the nearest true centre that is still free and nearer than `distance_m`.
    """
    total = sum(len(frame.truth_m) for frame in frames)
    if not total:
        return float("nan")
    order = sorted(
        ((score, number, place) for number, frame in enumerate(frames) for place, score in enumerate(frame.scores)),
        key=lambda item: -item[0],
    )
    free = [np.ones(len(frame.truth_m), bool) for frame in frames]
    hits = np.array([_takes(frames[number], place, free[number], distance_m) for _, number, place in order], bool)
    if not hits.any():
        return 0.0
    right = np.cumsum(hits)
    precision = np.interp(np.linspace(0, 1, 101), right / total, right / np.arange(1, len(hits) + 1), right=0)
    above = np.maximum(precision[round(100 * _LEAST) + 1 :] - _LEAST, 0.0)
    return float(above.mean() / (1.0 - _LEAST))


def mean_over_distances(frames: Sequence[Found]) -> float:
    """The mean of `average_precision` over `DISTANCES_M`."""
    return float(np.mean([average_precision(frames, distance_m) for distance_m in DISTANCES_M]))


def _takes(frame: Found, place: int, free: NDArray[np.bool_], distance_m: float) -> bool:
    """Whether a detection finds a true centre; takes it."""
    if not free.any():
        return False
    away_m = np.where(free, np.linalg.norm(frame.truth_m - frame.centres_m[place], axis=1), np.inf)
    nearest = int(away_m.argmin())
    hit = bool(away_m[nearest] < distance_m)
    free[nearest] &= not hit
    return hit
