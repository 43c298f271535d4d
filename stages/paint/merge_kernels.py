"""The loops that settle which camera a point listens to and that pack its scores for the store."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Bool, Float32, Float64, Int8, Int32, UInt8, UInt16
from paintpipe.stages.paint.fast_math import half_bits
from paintpipe.stages.paint.kernel import kernel


@kernel
def take_better(
    index: Int32, rank: Float64, number: int, excluded: Int8, best_rank: Float64, best_number: Int8
) -> None:
    """Give sample `number` every point where its rank beats the best so far, save where it is `excluded`."""
    for row in range(index.shape[0]):
        point = index[row]
        if excluded[point] != number and rank[row] > best_rank[point]:
            best_rank[point] = rank[row]
            best_number[point] = number


@kernel
def hash_ranks(key: Any, camera: int, index: Int32) -> Any:
    """(M,) float64 in [0, 1), a hash of (key, point, camera): the same whatever came before.

    The mixing function is SplitMix64's finaliser (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
    generators").
    """
    ranks = np.empty(index.shape[0], np.float64)
    for row in range(index.shape[0]):
        word = np.uint64(key) + (np.uint64(index[row]) * np.uint64(256) + np.uint64(camera)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word = word ^ (word >> np.uint64(31))
        ranks[row] = np.float64(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)
    return ranks


@kernel
def pack_rows(scores: Float32, index: Int32, keep: Bool, bits: UInt16, label: UInt8) -> None:
    """Write the kept rows of (M, C) scores to their points: (N, C) float16 bits, and (N,) labels.

    The label is the arg-max of the scores *as stored*, the lowest class on a tie, so that the two never disagree.
    Halves that are not negative order as their bits do.
    """
    for row in range(index.shape[0]):
        if not keep[row]:
            continue
        point = index[row]
        for k in range(scores.shape[1]):
            bits[point, k] = half_bits(scores[row, k])
        best = 0
        for k in range(1, scores.shape[1]):
            if bits[point, k] > bits[point, best]:
                best = k
        label[point] = best


@kernel
def blend_rows(scores: Float32, painted: Bool, slot: Int32, take_max: bool, blended: Float32) -> None:
    """Add the painted rows of (M, C) scores to their slots of `blended`, or keep the larger class by class."""
    for row in range(slot.shape[0]):
        if not painted[row]:
            continue
        into = blended[slot[row]]
        for k in range(scores.shape[1]):
            into[k] = max(into[k], scores[row, k]) if take_max else into[k] + scores[row, k]


@kernel
def margins(scores: Float32) -> Any:
    """(M,) float32 largest score minus second largest of each row; with one class the score itself."""
    found = np.empty(scores.shape[0], np.float32)
    for row in range(scores.shape[0]):
        first = second = np.float32(0.0)
        for k in range(scores.shape[1]):
            value = scores[row, k]
            second = max(second, min(first, value))
            first = max(first, value)
        found[row] = first - second
    return found
