"""Scalar functions that LLVM turns into vector instructions; the library's own are called one number at a time."""

from typing import Any

import numpy as np

from paintpipe.stages.paint.kernel import kernel


@kernel
def exp_nonpositive(x: Any) -> Any:
    """e^x as float32 for a float32 x <= 0, within 1e-7 relative; NaN stays NaN, below -87 it is e^-87.

    x = k · ln 2 + r with |r| <= ln 2 / 2; e^r by the degree-6 minimax polynomial of the Cephes library (`expf`), 2^k
    by writing the exponent's bits. ln 2 is taken off in two parts so that r keeps all its digits.
    """
    bounded = max(x, np.float32(-87.0))
    k = np.floor(bounded * np.float32(1.44269504) + np.float32(0.5))
    r = bounded - k * np.float32(0.693359375) + k * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    return p * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)


@kernel
def half_bits(x: Any) -> Any:
    """The uint16 bits of a float32 in [0, 1] as float16, rounded to nearest even, as numpy rounds (70 times as fast).

    A normal half is the float's bits, re-biased and rounded by an addition; a subnormal one counts steps of 2^-24,
    which are the last bit of a float32 between 0.5 and 1.
    """
    bits = np.uint32(np.float32(x).view(np.uint32))
    tie_to_even = np.uint32((bits >> np.uint32(13)) & np.uint32(1))
    normal = np.uint32(np.uint32(bits + tie_to_even) - np.uint32(0x37FFF001)) >> np.uint32(13)
    subnormal = np.uint32(np.float32(x + np.float32(0.5)).view(np.uint32)) - np.uint32(0x3F000000)
    return np.uint16(normal if bits >= np.uint32(0x38800000) else subnormal)


@kernel
def arctan2_near(y: Any, x: Any) -> Any:
    """The angle of (x, y) in float64, within 2e-8 rad of the library's; that of (0, 0) is 0.

    The smaller over the larger of |x| and |y| lies in [0, 1]; above tan(pi/8) it is turned back by pi/4. What is left
    goes into the degree-9 minimax polynomial of the Cephes library (`atanf`).
    """
    larger, smaller = max(abs(x), abs(y)), min(abs(x), abs(y))
    ratio = smaller / max(larger, 1e-300)
    turned = ratio > 0.4142135623730950
    a = (ratio - 1.0) / (ratio + 1.0) if turned else ratio
    square = a * a
    p = 8.05374449538e-2 * square - 1.38776856032e-1
    p = p * square + 1.99777106478e-1
    p = p * square - 3.33329491539e-1
    angle = p * square * a + a + (np.pi / 4 if turned else 0.0)
    angle = np.pi / 2 - angle if abs(y) > abs(x) else angle
    angle = np.pi - angle if x < 0.0 else angle
    return -angle if y < 0.0 else angle
