"""The temperature that makes labels most likely, found by a few rounds over the data, each over a few temperatures."""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import Int64

ROUNDS = 4
_COARSEST = 1.0
"""Step of the first round, in octaves; each later one is a quarter of the one before."""
_OCTAVES = 4.0
"""Temperatures from 1/16 to 16 are tried."""


def first_grid() -> tuple[float, ...]:
    """log2 of the first round's temperatures."""
    return tuple(float(at) for at in np.arange(-_OCTAVES, _OCTAVES + _COARSEST / 2, _COARSEST))


def next_grid(grid: Sequence[float], units: Int64) -> tuple[float, ...]:
    """log2 of the next round's temperatures: around the best of this round, four times as fine."""
    best, step = grid[int(np.argmin(units))], (grid[1] - grid[0]) / 4
    around = (best + step * number for number in range(-4, 5))
    return tuple(at for at in around if -_OCTAVES <= at <= _OCTAVES)


def best_temperature(grid: Sequence[float], units: Int64) -> float:
    """Where the parabola through the best of the last round and its neighbours is lowest; the best itself at an end."""
    at = int(np.argmin(units))
    if at in (0, len(grid) - 1):
        return float(2.0 ** grid[at])
    left, middle, right = (float(value - units[at]) for value in units[at - 1 : at + 2])
    curve = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / curve if curve > 0.0 else 0.0
    return float(2.0 ** (grid[at] + shift * (grid[1] - grid[0])))


def at_the_end(temperature: float) -> bool:
    """Whether the likelihood was still rising where the search ended: the labels say nothing of a temperature."""
    return not 2.0**-_OCTAVES < temperature < 2.0**_OCTAVES
