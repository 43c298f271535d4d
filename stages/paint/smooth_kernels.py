"""The loop that lets the neighbours of a point vote."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Int32, Int64, UInt16
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.neighbours import MOST_NEIGHBOURS, bins_of, by_bins, nearest

SOFTENING_M = 0.05
"""A vote from a distance of d weighs 1 / (d + SOFTENING_M)²: what lies at the same place does not outweigh all."""
_UNIT = 2.0**16
"""What a weight of 1 is as an integer: integers add up to the same sum in any order."""


@kernel
def votes(points: Float32, bits: UInt16, asking: Int32, own: Float32, voters: Int32, say: Float32) -> Any:
    """(A, C) float32 scores that sum to 1, and (A,) bool: False (and a row of 0) where no voter is near.

    Args:
        points: (N, >=3) float32.
        bits: (N, C) float16 scores as their bits.
        asking: (A,) int32 rows of the points that ask.
        own: (A,) what the asking point's own scores weigh.
        voters: (V,) int32 rows of the points that are asked.
        say: (N,) factor on a voter's weight.
    """
    start, ordered, place_m = by_bins(points, voters)
    row, col = bins_of(points, asking)
    scores = np.zeros((asking.shape[0], bits.shape[1]), np.float32)
    heard = np.zeros(asking.shape[0], np.bool_)
    found, d2 = np.empty(MOST_NEIGHBOURS, np.int32), np.empty(MOST_NEIGHBOURS, np.float64)
    own_m, sums = np.empty(3, np.float64), np.empty(bits.shape[1], np.int64)
    for i in range(asking.shape[0]):
        for axis in range(3):
            own_m[axis] = points[asking[i], axis]
        count = nearest(asking[i], own_m, row[i], col[i], start, ordered, place_m, found, d2)
        sums[:] = 0
        _add(bits[asking[i]], own[i], sums)
        for n in range(count):
            voter = ordered[found[n]]
            _add(bits[voter], say[voter] / (np.sqrt(d2[n]) + SOFTENING_M) ** 2, sums)
        total = sums.sum()
        heard[i] = count > 0 and total > 0  # a vote from hundreds of metres weighs less than one of `_UNIT`
        if heard[i]:
            factor = 1.0 / np.float64(total)
            for k in range(sums.shape[0]):
                scores[i, k] = np.float32(sums[k] * factor)
    return scores, heard


@kernel
def _add(bits: UInt16, weight: float, sums: Int64) -> None:
    """Add a row of float16 scores times a weight of at most 400; scores count in their last place, 2^-24."""
    whole = np.int64(weight * _UNIT)
    for k in range(sums.shape[0]):
        exponent, fraction = np.int64(bits[k] >> 10), np.int64(bits[k] & 0x3FF)
        value = (fraction | 0x400) << (exponent - 1) if exponent > 0 else fraction
        sums[k] += whole * value
