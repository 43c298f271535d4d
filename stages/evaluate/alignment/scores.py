"""How well the jumps of one sweep lie on the edges of one image, for every offset that is tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int8, Int64
from paintpipe.stages.evaluate.alignment.edges import edge_strength
from paintpipe.stages.evaluate.alignment.jumps import DepthJumps
from paintpipe.stages.evaluate.alignment.offsets import Axes, Grid
from paintpipe.stages.evaluate.alignment.turns import Turns
from paintpipe.stages.paint.kernel import kernel

STRIPS = 8
"""Parts of an image, side by side, whose scores are kept apart: how far they agree tells how sure the sum is."""
SPREAD_RAD = 0.0021
_NEAREST_M = 1.0
_SMALL_DEG = 0.05


@dataclass(frozen=True)
class Looked:
    """One pairing of a sweep with an image.

    Attributes:
        jumps: of the sweep.
        image_from_lidar: (3, 4).
    """

    jumps: DepthJumps
    image_from_lidar: Float64


@dataclass(frozen=True)
class ViewScores:
    """The scores of one image.

    Attributes:
        rotation: (S, R, P, Y) float32 sums over the jumps of each strip.
        weight: (S,) float32 weights of those jumps.
        shifted: (S, T, 1, P', Y') float32 the same for shifts in time and fewer rotations; T may be 0.
        shifted_weight: (S, T) float32.
        chance: (C,) float32 sums over all strips with the image mirrored, for some of the rotations: what jumps score
            that have nothing to do with the edges.
        num_jumps: in view.
        rims: (S, 4) float32 weights of the jumps between scan lines, and times them what one tells of roll, pitch and
            yaw: the inverse square of its deviation, in degrees.
    """

    rotation: Float32
    weight: Float32
    shifted: Float32
    shifted_weight: Float32
    chance: Float32
    num_jumps: int
    rims: Float32


def edges_of(image_rgb: Any, K: Float64, grid: Grid, spacing_rad: float) -> Float32:
    """(2, H, W) float32 edge strength, felt at least as far as one step of the grid.

    Args:
        image_rgb: (H, W, 3) uint8.
        K: (3, 3) of the camera.
        grid: what will be tried.
        spacing_rad: between scan lines of the sweep.
    """
    return edge_strength(image_rgb, float(K[0, 0]), max(SPREAD_RAD, np.deg2rad(grid.step_deg)), spacing_rad)


def score_view(edges: Float32, own: Looked, turns: Turns, grid: Grid, shifts: Mapping[float, Looked]) -> ViewScores:
    """Score every rotation of the grid, and every shift in time with fewer of them.

    Args:
        edges: (2, H, W) of the image, see `edges_of`.
        own: the image's own sweep, and the projection to be judged.
        turns: what is taken to be turned.
        grid: what is tried.
        shifts: by shift, what the image is held against if it was taken so much later than told.
    """

    def scored(looked: Looked, axes_deg: Axes, maps: Float32 = edges) -> tuple[Float32, Float32, int]:
        return _scored(looked, maps, turns.projections(looked.image_from_lidar, axes_deg))

    rotation, weight, count = scored(own, grid.axes_deg)
    moved = [scored(looked, grid.coarse_axes_deg) for looked in shifts.values()]
    chance = [scored(own, grid.coarse_axes_deg, other)[0].sum(axis=0) for other in _mirrored(edges)]
    shape, coarse = [len(axis) for axis in grid.axes_deg], [len(axis) for axis in grid.coarse_axes_deg]
    sums = np.array([part[0] for part in moved], np.float32).reshape(len(moved), STRIPS, *coarse)
    weights = np.array([part[1] for part in moved], np.float32).reshape(len(moved), STRIPS)
    return ViewScores(
        rotation=rotation.reshape(STRIPS, *shape),
        weight=weight,
        shifted=sums.swapaxes(0, 1),
        shifted_weight=weights.T,
        chance=np.concatenate(chance),
        num_jumps=count,
        rims=_rims(own, turns, *edges.shape[1:]),
    )


def _mirrored(edges: Float32) -> list[Float32]:
    """The three ways to mirror the maps."""
    return [np.ascontiguousarray(edges[:, ::down, ::along]) for down, along in ((1, -1), (-1, 1), (-1, -1))]


def _rims(looked: Looked, turns: Turns, height_px: int, width_px: int) -> Float32:
    """(STRIPS, 4) see `ViewScores`. A rim lies anywhere between two lines: it is known to their spacing / √12."""
    jumps, P = looked.jumps, looked.image_from_lidar
    kept, strip = _in_view(looked, height_px, width_px)
    lying = jumps.across[kept] == 1
    kept, strip = kept[lying], strip[lying]
    small = (np.array([0.0, _SMALL_DEG]),) * 3
    none, roll, pitch, yaw = turns.projections(P, small)[[0, 4, 2, 1]]
    rows = [_project(jumps.points_m[kept], turned)[1] for turned in (none, roll, pitch, yaw)]
    focal_px = np.linalg.norm(np.cross(P[1, :3], P[2, :3])) / (P[2, :3] @ P[2, :3])
    moved_px = (np.array(rows[1:]) - rows[0]) / _SMALL_DEG
    known_px = max(jumps.spacing_rad, 1e-6) * focal_px / np.sqrt(12.0)
    columns = [np.ones(len(kept)), *(moved_px / known_px) ** 2]
    found = [np.bincount(strip, column * jumps.weight[kept], STRIPS) for column in columns]
    return np.array(found, np.float32).T


def _project(points_m: Float64, projection: Float64) -> Float64:
    """(3, M) column, row and depth."""
    u, v, depth = projection[:, :3] @ points_m.T + projection[:, 3:]
    return np.stack([u / depth, v / depth, depth])


def _in_view(looked: Looked, height_px: int, width_px: int) -> tuple[Int64, Int64]:
    """Rows of the jumps in the image, and the strip of each."""
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v, depth = _project(looked.jumps.points_m, looked.image_from_lidar)
        inside = (depth > _NEAREST_M) & (u >= 0) & (u < width_px) & (v >= 0) & (v < height_px)
    kept = np.flatnonzero(inside)
    strip = np.floor(u[kept] * (STRIPS / width_px)).astype(np.int64)
    return kept, np.minimum(strip, STRIPS - 1)  # a rounding may reach the end


def _scored(looked: Looked, edges: Float32, projections: Float64) -> tuple[Float32, Float32, int]:
    """(STRIPS, G) sums, (STRIPS,) weights, and the number of jumps in view before anything is turned."""
    jumps = looked.jumps
    kept, strip = _in_view(looked, *edges.shape[1:])
    weight = jumps.weight[kept]
    sums = _sum(jumps.points_m[kept], weight, jumps.across[kept], strip, edges, projections, STRIPS)
    return sums.astype(np.float32), np.bincount(strip, weight, STRIPS).astype(np.float32), len(kept)


@kernel
def _sum(
    points_m: Float64, weight: Float64, across: Int8, strip: Int64, edges: Float32, projections: Float64, strips: int
) -> Any:
    """(strips, G) weighted edge strength at the points' pixels under each projection; outside the image it is 0."""
    height, width = edges.shape[1:]
    out = np.zeros((strips, projections.shape[0]))
    for g in range(projections.shape[0]):
        p = projections[g]
        for i in range(points_m.shape[0]):
            x, y, z = points_m[i, 0], points_m[i, 1], points_m[i, 2]
            depth = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
            if depth <= 0.0:
                continue
            u = np.floor((p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3]) / depth)
            v = np.floor((p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3]) / depth)
            if u >= 0.0 and v >= 0.0 and u < width and v < height:
                out[strip[i], g] += weight[i] * edges[across[i], int(v), int(u)]
    return out
