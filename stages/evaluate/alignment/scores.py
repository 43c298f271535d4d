"""How well the jumps of one sweep lie on the edges of one image, for every offset that is tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float32, Float64, Int8, Int64
from paintpipe.schemas.camera import CameraView
from paintpipe.stages.evaluate.alignment.edges import edge_strength
from paintpipe.stages.evaluate.alignment.jumps import DepthJumps
from paintpipe.stages.evaluate.alignment.offsets import Grid, homographies
from paintpipe.stages.paint.kernel import kernel

STRIPS = 8
"""Parts of an image, side by side, whose scores are kept apart: how far they agree tells how sure the sum is."""
SPREAD_RAD = 0.0021
_NEAREST_M = 1.0


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
    """

    rotation: Float32
    weight: Float32
    shifted: Float32
    shifted_weight: Float32
    chance: Float32
    num_jumps: int


def score_view(
    image_rgb: Any, view: CameraView, K: Float64, grid: Grid, unmoved: DepthJumps, shifts: Mapping[float, Looked]
) -> ViewScores:
    """Score every offset of the grid, and every shift in time.

    A rotation about the camera's centre moves pixels by a homography, whatever their depth, so that each jump is
    projected once.

    Args:
        image_rgb: (H, W, 3) uint8.
        view: the projection to be judged.
        K: (3, 3) of the camera.
        grid: what is tried.
        unmoved: jumps of the image's own sweep.
        shifts: by shift, what the image is held against if it was taken so much later than told.
    """
    focal_px = float(K[0, 0])
    edges = edge_strength(image_rgb, focal_px, max(SPREAD_RAD, np.deg2rad(grid.step_deg)))
    rotation, weight, count = _scored(unmoved, view.image_from_lidar, edges, homographies(K, grid.axes_deg))
    turns = homographies(K, grid.coarse_axes_deg)
    moved = [_scored(looked.jumps, looked.image_from_lidar, edges, turns) for looked in shifts.values()]
    chance = [_scored(unmoved, view.image_from_lidar, other, turns)[0].sum(axis=0) for other in _mirrored(edges)]
    shape, coarse = [len(axis) for axis in grid.axes_deg], [len(axis) for axis in grid.coarse_axes_deg]
    sums = np.array([part[0] for part in moved], np.float32).reshape(len(moved), STRIPS, *coarse)
    weights = np.array([part[1] for part in moved], np.float32).reshape(len(moved), STRIPS)
    return ViewScores(
        rotation.reshape(STRIPS, *shape), weight, sums.swapaxes(0, 1), weights.T, np.concatenate(chance), count
    )


def _mirrored(edges: Float32) -> list[Float32]:
    """The three ways to mirror the maps."""
    return [np.ascontiguousarray(edges[:, ::down, ::along]) for down, along in ((1, -1), (-1, 1), (-1, -1))]


def _scored(
    jumps: DepthJumps, image_from_lidar: Float64, edges: Float32, turns: Float64
) -> tuple[Float32, Float32, int]:
    """(STRIPS, G) sums, (STRIPS,) weights, and the number of jumps in view."""
    height_px, width_px = edges.shape[1:]
    projected = jumps.points_m @ image_from_lidar[:, :3].T + image_from_lidar[:, 3]
    ahead = projected[:, 2] > _NEAREST_M
    kept = np.flatnonzero(ahead)
    u, v = (projected[kept, :2] / projected[kept, 2:]).T
    inside = (u >= 0) & (u < width_px) & (v >= 0) & (v < height_px)
    u, v, kept = u[inside], v[inside], kept[inside]
    strip = np.minimum(np.floor(u * (STRIPS / width_px)).astype(np.int64), STRIPS - 1)  # a rounding may reach the end
    weight = jumps.weight[kept]
    sums = _sum(u, v, weight, jumps.across[kept], strip, edges, turns, STRIPS)
    return sums.astype(np.float32), np.bincount(strip, weight, STRIPS).astype(np.float32), len(kept)


@kernel
def _sum(
    u: Float64, v: Float64, weight: Float64, across: Int8, strip: Int64, edges: Float32, turns: Float64, strips: int
) -> Any:
    """(strips, G) weighted edge strength at the jumps' pixels under each homography; outside the image it is 0."""
    height, width = edges.shape[1:]
    out = np.zeros((strips, turns.shape[0]))
    for g in range(turns.shape[0]):
        t = turns[g]
        for i in range(u.shape[0]):
            depth = t[2, 0] * u[i] + t[2, 1] * v[i] + t[2, 2]
            x = np.floor((t[0, 0] * u[i] + t[0, 1] * v[i] + t[0, 2]) / depth)
            y = np.floor((t[1, 0] * u[i] + t[1, 1] * v[i] + t[1, 2]) / depth)
            if x >= 0.0 and y >= 0.0 and x < width and y < height:
                out[strip[i], g] += weight[i] * edges[across[i], int(y), int(x)]
    return out
