"""The loop that holds every row of a painted frame against the store's contract."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Float32, UInt8, UInt16
from paintpipe.schemas.painted import SUM_TOLERANCE, Flag
from paintpipe.stages.paint.kernel import kernel

NO_FAULT, NOT_EMPTY, NEGATIVE, WRONG_SUM, WRONG_LABEL, NOT_BEST = range(6)
_PAINTED, _UNSET, _TOLERANCE = int(Flag.PAINTED), int(UNPAINTED), np.float32(SUM_TOLERANCE)


@kernel
def first_fault(bits: UInt16, label: UInt8, flags: UInt8, value_of: Float32) -> Any:
    """The worst that is wrong with any row, the lowest code first; `NO_FAULT` where nothing is.

    Args:
        bits: (N, C) float16 scores as their bits.
        label: (N,).
        flags: (N,).
        value_of: (65536,) float32 value of each float16 (numba has none).
    """
    found = 6
    for row in range(bits.shape[0]):
        if flags[row] & _PAINTED == 0:
            fault = NO_FAULT
            for k in range(bits.shape[1]):
                if bits[row, k] & 0x7FFF:
                    fault = NOT_EMPTY
            if label[row] != _UNSET:
                fault = NOT_EMPTY
        else:
            fault = _painted_fault(bits[row], label[row], value_of)
        if fault != NO_FAULT:
            found = min(found, fault)
    return NO_FAULT if found == 6 else found


@kernel
def _painted_fault(bits: UInt16, label: int, value_of: Float32) -> Any:
    """What is wrong with the scores and the label of one painted point."""
    total = largest = least = np.float32(0.0)
    for k in range(bits.shape[0]):
        value = value_of[bits[k]]
        total += value
        largest, least = max(largest, value), min(least, value)
    if least < np.float32(0.0):
        return NEGATIVE
    if not abs(total - np.float32(1.0)) <= _TOLERANCE:
        return WRONG_SUM
    if label >= bits.shape[0]:
        return WRONG_LABEL
    return NO_FAULT if value_of[bits[label]] == largest else NOT_BEST
