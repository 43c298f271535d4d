import numpy as np
import pytest

from paintpipe.schemas.arrays import Float32, Float64, UInt16
from paintpipe.stages.paint.fast_math import arctan2_near, exp_nonpositive, half_bits
from paintpipe.stages.paint.kernel import kernel


@kernel
def _exp(x: Float32, out: Float32) -> None:
    for i in range(len(x)):
        out[i] = exp_nonpositive(x[i])


@kernel
def _halves(x: Float32, out: UInt16) -> None:
    for i in range(len(x)):
        out[i] = half_bits(x[i])


def exp(x: Float32) -> Float32:
    out = np.empty_like(x)
    _exp(x, out)
    return out


def halves(x: Float32) -> UInt16:
    out = np.empty(len(x), np.uint16)
    _halves(x, out)
    return out


@kernel
def _angles(y: Float64, x: Float64, out: Float64) -> None:
    for i in range(len(x)):
        out[i] = arctan2_near(y[i], x[i])


def test_angles_are_those_of_the_library_in_every_direction() -> None:
    around = np.concatenate([np.linspace(-4.0, 4.0, 100_001), np.arange(-4, 5) * (np.pi / 8)])
    y, x, out = np.sin(around) * 1e-3, np.cos(around) * 1e-3, np.empty(len(around))
    _angles(y, x, out)
    away = np.abs(out - np.arctan2(y, x))
    assert np.minimum(away, 2 * np.pi - away).max() < 2e-8
    some_y, some_x = np.array([0.0, 0.0, 1.0, -1.0, 1e30]), np.array([0.0, -1.0, 0.0, 0.0, 1e30])
    _angles(some_y, some_x, out[:5])
    assert out[:5] == pytest.approx([0.0, np.pi, np.pi / 2, -np.pi / 2, np.pi / 4], abs=2e-8)


def test_exp_is_within_a_float32_step_of_the_library() -> None:
    x = np.linspace(-87.0, 0.0, 300_001).astype(np.float32)
    expected = np.exp(x.astype(np.float64))
    assert np.max(np.abs(exp(x) - expected) / expected) < 1.2e-7


def test_exp_of_zero_is_one() -> None:
    assert exp(np.zeros(1, np.float32))[0] == 1.0


def test_exp_far_below_is_next_to_nothing_and_nan_stays() -> None:
    found = exp(np.array([-1e4, -np.inf, np.nan], np.float32))
    assert 0 <= found[0] < 1e-37
    assert 0 <= found[1] < 1e-37
    assert np.isnan(found[2])


def test_halves_are_those_of_numpy() -> None:
    every = np.arange(0x3F800001, step=1009, dtype=np.uint32).view(np.float32)  # 0 to 1, subnormal floats too
    stored = np.arange(0x3C01, dtype=np.uint16).view(np.float16).astype(np.float32)  # every half from 0 to 1
    between = (stored[1:] + stored[:-1]) / 2  # ties, which go to even
    beside = np.concatenate([np.nextafter(between, np.float32(0)), np.nextafter(between, np.float32(1))])
    for x in (every, stored, between, beside):
        np.testing.assert_array_equal(halves(x), x.astype(np.float16).view(np.uint16))
