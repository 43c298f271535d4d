"""Scores as the store keeps them: float16, so that what is settled from a stored layer is settled as it was before."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.stages.paint.kernel import kernel
from paintpipe.stages.paint.views import CameraSample


def as_stored(samples: Sequence[CameraSample]) -> list[CameraSample]:
    """The samples with their scores rounded to float16 (and still held as float32).

    Which of two cameras a point listens to, and what a blend or a neighbour adds to it, is thus worked out from the
    very numbers that full provenance stores: `paintpipe repaint` gives the bytes of painting anew.
    """
    return [replace(sample, scores=rounded_to_half(np.ascontiguousarray(sample.scores))) for sample in samples]


@kernel
def rounded_to_half(values: Float32) -> Any:
    """(M, C) float32 in [0, 1], each rounded to the nearest float16, ties to even, as `half_bits` rounds.

    A normal half keeps ten bits of the float's fraction; below 2^-14 halves are multiples of 2^-24, the last bit of a
    float32 between 0.5 and 1. The sign and what is not finite never come here.
    """
    found = np.empty(values.shape, np.float32)
    for row in range(values.shape[0]):
        for k in range(values.shape[1]):
            value = values[row, k]
            bits = np.uint32(np.float32(value).view(np.uint32))
            up = np.uint32(0x0FFF) + np.uint32((bits >> np.uint32(13)) & np.uint32(1))
            normal = np.uint32(np.uint32(bits + up) & np.uint32(0xFFFFE000)).view(np.float32)
            subnormal = np.float32(np.float32(value + np.float32(0.5)) - np.float32(0.5))
            found[row, k] = normal if bits >= np.uint32(0x38800000) else subnormal
    return found
