"""The loop that lets the neighbours of a point vote."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int32, UInt16
from paintpipe.stages.paint.directions import bins_of, by_bins, places
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.neighbours import MOST_NEIGHBOURS, nearest

SOFTENING_M = 0.05
"""A vote from a distance of d weighs 1 / (d + SOFTENING_M)²: what lies at the same place does not outweigh all."""
_UNIT = 2.0**16
"""What a weight of 1 is as a whole number: these add up to the same sum in any order."""


@kernel
def votes(
    points: Float32,
    bits: UInt16,
    asking: Int32,
    own: Float32,
    voters: Int32,
    say: Float32,
    sines: Float64,
    columns: Int32,
) -> Any:
    """(A, C) float32 scores that sum to 1, and (A,) bool: False (and a row of 0) where no voter is near.

    Args:
        points: (N, >=3) float32.
        bits: (N, C) float16 scores as their bits.
        asking: (A,) int32 rows of the points that ask.
        own: (A,) what the asking point's own scores weigh.
        voters: (V,) int32 rows of the points that are asked, V > 0.
        say: (N,) factor on a voter's weight.
        sines: see `ring_sines`.
        columns: see `ring_columns`.
    """
    part, start, ordered, place_m = by_bins(points, voters)
    asking_m = places(points, asking)
    row, col = bins_of(asking_m)
    scores = np.zeros((asking.shape[0], bits.shape[1]), np.float32)
    heard = np.zeros(asking.shape[0], np.bool_)
    found, d2 = np.empty(MOST_NEIGHBOURS, np.int32), np.empty(MOST_NEIGHBOURS, np.float64)
    own_m, sums = np.empty(3, np.float64), np.empty(bits.shape[1], np.float64)
    for i in range(asking.shape[0]):
        for axis in range(3):
            own_m[axis] = asking_m[axis, i]
        count = nearest(asking[i], own_m, row[i], col[i], sines, columns, part, start, ordered, place_m, found, d2)
        sums[:] = 0.0
        _add(bits[asking[i]], own[i], sums)
        for n in range(count):
            voter = ordered[found[n]]
            _add(bits[voter], say[voter] / (np.sqrt(d2[n]) + SOFTENING_M) ** 2, sums)
        total = sums.sum()
        heard[i] = count > 0 and total > 0.0  # a vote from hundreds of metres weighs less than one of `_UNIT`
        if heard[i]:
            factor = 1.0 / total
            for k in range(sums.shape[0]):
                scores[i, k] = np.float32(sums[k] * factor)
    return scores, heard


@kernel
def _add(bits: UInt16, weight: float, sums: Float64) -> None:
    """Add a row of float16 scores times a weight of at most 400; scores count in their last place, 2^-24.

    All are whole numbers, and the sum of a row of 9 votes stays below 2^53: float64 holds it exactly.
    """
    whole = np.floor(weight * _UNIT)
    for k in range(sums.shape[0]):
        half = np.int32(bits[k])
        exponent = half >> np.int32(10)
        leading = np.int32(0x400) if exponent > 0 else np.int32(0)
        sums[k] += whole * np.float64(((half & np.int32(0x3FF)) | leading) << max(exponent - np.int32(1), np.int32(0)))
