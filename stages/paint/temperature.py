"""Temperature scaling of stored scores (Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv 1706.04599).

A soft-max of logits z divided by T equals softmax(log p / T) of the probabilities p = softmax(z): the logits themselves
need not be stored.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Float16, Float32, Float64, UInt16
from paintpipe.schemas.painted import PaintedFrame, Provenance
from paintpipe.stages.paint.fast_math import half_bits
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.merge_kernels import margins

FLOOR = 2.0**-25
"""Taken in the place of a score of 0: float16 rounds all that is not above it to 0, so every other score is larger."""
_ONE = 0x3C00
"""The bits of 1.0."""


def temper_painted(frame: PaintedFrame, temperature: float) -> PaintedFrame:
    """A painted frame with softmax(log p / temperature) as its scores; at 1.0 the frame itself.

    Labels stay as they are: the order of a row's scores does not change (where rounding to float16 makes two of them
    equal, the label is still one of the largest). Margin and the second scores follow; nothing else changes.
    """
    if temperature == 1.0:
        return frame
    scores = _halves(frame.scores, temperature)
    full = frame.provenance and _temper_provenance(frame.provenance, scores, frame, temperature)
    return replace(frame, scores=scores, provenance=full)


def temper_scores(scores: Float16, temperature: float) -> Float32:
    """(N, C) float32 softmax(log p / temperature) of each row that is not all 0, which stays so.

    Args:
        scores: (N, C) float16 as stored, a score of 0 counting as `FLOOR`.
        temperature: above 0.
    """
    tempered: Float32 = _temper(_bits(scores), _powers(temperature))
    return tempered


def _halves(scores: Float16, temperature: float) -> Float16:
    packed: UInt16 = _pack(temper_scores(scores, temperature))
    return packed.view(np.float16)


def _temper_provenance(full: Provenance, scores: Float16, frame: PaintedFrame, temperature: float) -> Provenance:
    margin = full.margin.copy()
    points = np.flatnonzero((frame.label != UNPAINTED) & ~np.isnan(margin))
    margin[points] = margins(scores[points].astype(np.float32)).astype(np.float16)
    return replace(full, margin=margin, second=replace(full.second, scores=_halves(full.second.scores, temperature)))


def _bits(scores: Float16) -> UInt16:
    return np.ascontiguousarray(scores, dtype=np.float16).view(np.uint16)


@lru_cache(maxsize=64)
def _powers(temperature: float) -> Float64:
    """(15361,) float64 p ** (1 / temperature) of each float16 p from 0 to 1 by its bits; less than half a MB in all."""
    values = np.arange(_ONE + 1, dtype=np.uint16).view(np.float16).astype(np.float64)
    return np.maximum(values, FLOOR) ** (1.0 / temperature)


@kernel
def _temper(bits: UInt16, powers: Float64) -> Any:
    found = np.zeros(bits.shape, np.float32)
    for row in range(bits.shape[0]):
        total, top = 0.0, np.uint16(0)
        for k in range(bits.shape[1]):
            top = max(top, bits[row, k])  # halves that are not negative order as their bits do
            total += powers[min(bits[row, k], np.uint16(_ONE))]
        if top == 0:
            continue
        factor = 1.0 / total
        for k in range(bits.shape[1]):
            found[row, k] = np.float32(powers[min(bits[row, k], np.uint16(_ONE))] * factor)
    return found


@kernel
def _pack(scores: Float32) -> Any:
    bits = np.empty(scores.shape, np.uint16)
    for row in range(scores.shape[0]):
        for k in range(scores.shape[1]):
            bits[row, k] = half_bits(scores[row, k])
    return bits
