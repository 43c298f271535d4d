"""The ground: a winding road between kerbs, side streets, and sidewalk everywhere else.

The street's centre line is y = f(x), a sum of two sines. World z is up; the road lies at 0, the sidewalk a kerb higher.
"""

from typing import NamedTuple

import numba
import numpy as np

from paintpipe.schemas.arrays import Float64

ON_ROAD, ON_SIDEWALK, ON_KERB, NOWHERE = -1, -2, -3, -4
"""What a ray met that met no solid; stands in the tracer's `winner` where solids have their index."""

_BISECTIONS = 24


class Street(NamedTuple):
    """The shape of the ground.

    Attributes:
        waves: (2, 3) amplitude (m), length (m per radian) and phase (rad) of the centre line's sines.
        half_road_m: from the centre line to the kerb.
        kerb_m: height of the sidewalk.
        crossings_m: (K,) x of the side streets' middles.
        half_crossing_m: half width of a side street.
        reach_m: where the ground ends, from the eye.
    """

    waves: Float64
    half_road_m: float
    kerb_m: float
    crossings_m: Float64
    half_crossing_m: float
    reach_m: float


@numba.njit(cache=True)
def center_line(street: Street, x_m: float) -> tuple[float, float]:
    """The centre line's y and dy/dx at x; y(0) = 0."""
    y, slope = 0.0, 0.0
    for k in range(2):
        amplitude, length, phase = street.waves[k, 0], street.waves[k, 1], street.waves[k, 2]
        y += amplitude * (np.sin(x_m / length + phase) - np.sin(phase))
        slope += amplitude / length * np.cos(x_m / length + phase)
    return y, slope


@numba.njit(cache=True)
def offset_m(street: Street, x_m: float, y_m: float) -> float:
    """How far left of the centre line a place lies (to first order in curvature)."""
    y, slope = center_line(street, x_m)
    return (y_m - y) / np.sqrt(1.0 + slope * slope)


@numba.njit(cache=True)
def crossing_distance_m(street: Street, x_m: float) -> float:
    """Distance along x to the middle of the nearest side street."""
    nearest = 1e9
    for k in range(street.crossings_m.shape[0]):
        nearest = min(nearest, abs(x_m - street.crossings_m[k]))
    return nearest


@numba.njit(cache=True)
def is_road(street: Street, x_m: float, y_m: float) -> bool:
    """Whether a place is road rather than sidewalk."""
    on_street = abs(offset_m(street, x_m, y_m)) < street.half_road_m
    return on_street or crossing_distance_m(street, x_m) < street.half_crossing_m


@numba.njit(cache=True)
def hit_ground(street: Street, origin: Float64, direction: Float64) -> tuple[float, int]:
    """Distance (m) along the ray to the ground, inf where there is none, and what was hit there.

    The eye is above the sidewalk's height. Between the sidewalk's plane and the road's the ray may cross a kerb's face.
    """
    if direction[2] > -1e-9:
        return np.inf, NOWHERE
    upper = (street.kerb_m - origin[2]) / direction[2]
    lower = -origin[2] / direction[2]
    if upper > street.reach_m:
        return np.inf, NOWHERE
    if not is_road(street, origin[0] + upper * direction[0], origin[1] + upper * direction[1]):
        return upper, ON_SIDEWALK
    if is_road(street, origin[0] + lower * direction[0], origin[1] + lower * direction[1]):
        return lower, ON_ROAD
    for _ in range(_BISECTIONS):
        middle = 0.5 * (upper + lower)
        if is_road(street, origin[0] + middle * direction[0], origin[1] + middle * direction[1]):
            upper = middle
        else:
            lower = middle
    return lower, ON_KERB
