"""The one ray tracer: cameras, LiDARs and the sun's shadow map all look at the same solids through it.

Rays come as a grid. Each solid is held against the rays of its own window of the grid only, and the nearest hit of a
ray stays: a depth buffer whose entries are exact ray hits.
"""

from typing import NamedTuple

import numba
import numpy as np

from paintpipe.schemas.arrays import Float64, Int64
from paintpipe.stages.synth.ground import Street, hit_ground
from paintpipe.stages.synth.hit import hit_unit
from paintpipe.stages.synth.primitives import Solids


class Rays(NamedTuple):
    """A grid of rays in the world.

    Attributes:
        origin_m: (h, w, 3) where h and w are the grid's, or 1 where all rays share an origin.
        direction: (H, W, 3) unit vectors, (1, 1, 3) where all rays share a direction.
    """

    origin_m: Float64
    direction: Float64

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the grid."""
        height, width = np.maximum(self.origin_m.shape[:2], self.direction.shape[:2])
        return int(height), int(width)


class Hits(NamedTuple):
    """What each ray met: (H, W) distance (m, inf where nothing) and (H, W) index of the solid or a ground code."""

    distance_m: Float64
    winner: Int64


def trace(rays: Rays, solids: Solids, windows: Int64, street: Street) -> Hits:
    """The nearest hit of every ray; `windows` is (N, 4): first and last row and column of each solid, ends excluded."""
    distance_m = np.full(rays.shape, np.inf)
    winner = np.zeros(rays.shape, dtype=np.int64)
    _trace_ground(rays.origin_m, rays.direction, street, distance_m, winner)
    _trace_solids(rays.origin_m, rays.direction, solids, windows, distance_m, winner)
    return Hits(distance_m, winner)


def trace_solids(rays: Rays, solids: Solids, windows: Int64) -> Float64:
    """(H, W) distance to the nearest solid alone, without the ground; inf where there is none."""
    distance_m = np.full(rays.shape, np.inf)
    winner = np.zeros(rays.shape, dtype=np.int64)
    _trace_solids(rays.origin_m, rays.direction, solids, windows, distance_m, winner)
    return distance_m


@numba.njit(cache=True)
def _trace_ground(origins: Float64, directions: Float64, street: Street, distance_m: Float64, winner: Int64) -> None:
    height, width = distance_m.shape
    for i in range(height):
        for j in range(width):
            origin = origins[min(i, origins.shape[0] - 1), min(j, origins.shape[1] - 1)]
            direction = directions[min(i, directions.shape[0] - 1), min(j, directions.shape[1] - 1)]
            distance_m[i, j], winner[i, j] = hit_ground(street, origin, direction)


@numba.njit(cache=True)
def _trace_solids(
    origins: Float64, directions: Float64, solids: Solids, windows: Int64, distance_m: Float64, winner: Int64
) -> None:
    width = distance_m.shape[1]
    for n in range(solids.kind.shape[0]):
        m = solids.unit_from_world[n]
        kind, tx, ty, pattern = solids.kind[n], solids.taper[n, 0], solids.taper[n, 1], solids.pattern[n]
        for i in range(windows[n, 0], windows[n, 1]):
            for column in range(windows[n, 2], windows[n, 3]):
                j = column % width
                p = origins[min(i, origins.shape[0] - 1), min(j, origins.shape[1] - 1)]
                v = directions[min(i, directions.shape[0] - 1), min(j, directions.shape[1] - 1)]
                o = (
                    m[0, 0] * p[0] + m[0, 1] * p[1] + m[0, 2] * p[2] + m[0, 3],
                    m[1, 0] * p[0] + m[1, 1] * p[1] + m[1, 2] * p[2] + m[1, 3],
                    m[2, 0] * p[0] + m[2, 1] * p[1] + m[2, 2] * p[2] + m[2, 3],
                )
                d = (
                    m[0, 0] * v[0] + m[0, 1] * v[1] + m[0, 2] * v[2],
                    m[1, 0] * v[0] + m[1, 1] * v[1] + m[1, 2] * v[2],
                    m[2, 0] * v[0] + m[2, 1] * v[1] + m[2, 2] * v[2],
                )
                t = hit_unit(kind, o, d, tx, ty, pattern)
                if t < distance_m[i, j]:
                    distance_m[i, j] = t
                    winner[i, j] = n
