"""Seeded value noise for surfaces: the same place always has the same value, whoever looks at it."""

import numba
import numpy as np


@numba.njit(cache=True, inline="always")
def _hash01(x: int, y: int, z: int) -> float:
    # numba widens products of uint32 to 64 bits, so each step is cut back
    mixed = np.uint32(np.uint32(x) * np.uint32(374761393) + np.uint32(y) * np.uint32(668265263))
    mixed = np.uint32(mixed + np.uint32(z) * np.uint32(2246822519))
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177))
    return float(np.uint32(mixed ^ (mixed >> np.uint32(16)))) / 4294967296.0


@numba.njit(cache=True)
def cell_noise(x: float, y: float, z: float) -> float:
    """A value in [0, 1) that is constant in each unit cell."""
    return _hash01(int(np.floor(x)), int(np.floor(y)), int(np.floor(z)))


@numba.njit(cache=True)
def value_noise(x: float, y: float, z: float) -> float:
    """A value in [0, 1) that runs smoothly from cell to cell (trilinear, smoothstep)."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    i, j, k = int(fx), int(fy), int(fz)
    u, v, w = x - fx, y - fy, z - fz
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    total = 0.0
    for di in range(2):
        for dj in range(2):
            for dk in range(2):
                weight = (u if di else 1 - u) * (v if dj else 1 - v) * (w if dk else 1 - w)
                total += weight * _hash01(i + di, j + dj, k + dk)
    return total


@numba.njit(cache=True)
def cloud_noise(x: float, y: float, z: float) -> float:
    """Three octaves of value noise, in [0, 1)."""
    first = value_noise(x, y, z)
    return 0.57 * first + 0.29 * value_noise(2 * x, 2 * y, 2 * z) + 0.14 * value_noise(4 * x, 4 * y, 4 * z)
